"""Stripe's form encoding: ``line_items[0][price_data][currency]=eur`` and back.

Pure. What a value may be is the business of stripe_schema; here all are texts.
"""

from typing import TypeAlias
from urllib.parse import parse_qsl

from outletbot.sandbox.stripe_errors import Invalid

Raw: TypeAlias = "str | list[Raw] | dict[str, Raw]"

_DEEPEST = 12


def read_form(encoded: str) -> dict[str, Raw]:
    """Return the tree of a form or a query string.

    Raises:
        Invalid: If two names contradict each other, or one is no name at all.
    """
    tree: dict[str, Raw] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        _plant(tree, _parts(name), value, name)
    return {name: _as_lists(branch) for name, branch in tree.items()}


def _parts(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not bracket:
        return [head]
    if not head or not rest.endswith("]") or name.count("[") > _DEEPEST:
        message = f"Invalid parameter name: {name}"
        raise Invalid(message, param=name)
    return [head, *rest[:-1].split("][")]


def _plant(tree: dict[str, Raw], parts: list[str], value: str, name: str) -> None:
    for part in parts[:-1]:
        branch = tree.setdefault(part, {})
        if not isinstance(branch, dict):
            message = f"Invalid parameter name: {name}"
            raise Invalid(message, param=name)
        tree = branch
    leaf = parts[-1]
    # ``expand[]=a&expand[]=b`` numbers its values by their order.
    tree[leaf or str(len(tree))] = value


def _as_lists(branch: Raw) -> Raw:
    if not isinstance(branch, dict):
        return branch
    if all(_is_place(name) for name in branch):
        return [_as_lists(branch[name]) for name in sorted(branch, key=int)]
    return {name: _as_lists(leaf) for name, leaf in branch.items()}


def _is_place(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 6
