"""Options: what tells the variants of one product apart, such as colour and size."""

import re
from collections.abc import Iterator, Mapping

from offers.feed.aliases import GENERIC
from offers.feed.fields import OPTION_SLOTS
from offers.feed.headers import normalise

_COMMAS = re.compile(r",(?=[^,=]+=)")
_FROM_ATTRIBUTES = frozenset({"cost", "brand", "gtin", "upc", "condition", "mpn"})

# Shopify's way to say that a product has no options.
_NO_OPTION = "default title"

_SLOTS = tuple(
    (f"option{slot}_name", f"option{slot}_value") for slot in range(1, OPTION_SLOTS + 1)
)


def option_values(values: Mapping[str, str]) -> Iterator[str]:
    """Yield the values that tell this variant from the others of its product."""
    return (value for _, value in named_options(values))


def named_options(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each option; a blank value is no choice."""
    if "option_names" in values:
        yield from _listed(values["option_names"], values.get("option_values", ""))
    for name, value in _SLOTS:
        said = values.get(value, "")
        if said and said.lower() != _NO_OPTION:
            yield values.get(name, ""), said


def fill_from_attributes(values: dict[str, str]) -> None:
    """Take brand, cost and codes out of ``manufacturer=Acme,cost=12.50``."""
    text = values.get("attributes", "")
    if not text:
        return
    for pair in _COMMAS.split(text):
        name, equals, value = pair.partition("=")
        field = GENERIC.get(normalise(name), "")
        if equals and field in _FROM_ATTRIBUTES and not values.get(field):
            values[field] = value.strip()


def _listed(names: str, said: str) -> Iterator[tuple[str, str]]:
    """Yield the options of "Color:color:0, Size:select:1" and "Blue:0, 16GB:1"."""
    for name, value in zip(names.split(","), said.split(","), strict=False):
        chosen = value.strip().rpartition(":")[0] or value.strip()
        if chosen:
            yield name.strip().partition(":")[0], chosen
