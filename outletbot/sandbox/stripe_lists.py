"""Lists as Stripe gives them: newest first, filtered, by the page, and expanded."""

import copy
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from outletbot.sandbox.stripe_books import SPOKEN, Account, Json
from outletbot.sandbox.stripe_errors import Invalid

# Parameters of lists that are no plain "this field has this value".
_APART = frozenset(
    (
        "created",
        "delivery_success",
        "ending_before",
        "expand",
        "limit",
        "starting_after",
        "type",
        "types",
    )
)
_DEEPEST = 4

KINDS = {
    "ch": "charge",
    "cs": "checkout.session",
    "du": "dispute",
    "fee": "application_fee",
    "fr": "fee_refund",
    "pi": "payment_intent",
    "po": "payout",
    "py": "charge",
    "pyr": "refund",
    "re": "refund",
    "txn": "balance_transaction",
}


def page_of(
    account: Account,
    kind: str,
    asked: Json,
    url: str,
    *,
    only: Callable[[Json], bool] = bool,
) -> Json:
    """Return the page of a list that *asked* asks for, of the objects that are *only*.

    Raises:
        Invalid: If the limit is not 1 to 100, or the cursor is of another list.
    """
    limit = asked.get("limit", 10)
    if not 1 <= limit <= 100:
        message = "Invalid integer: limit can range between 1 and 100."
        raise Invalid(message, param="limit", code="parameter_invalid_integer")
    things = account.rows(kind)

    def wanted(thing: Json) -> bool:
        return _is_asked(thing, asked) and only(thing)

    if "ending_before" in asked:
        forward = range(_place(account, kind, asked, "ending_before") + 1, len(things))
        data, more = _take(things, forward, wanted, limit)
        data.reverse()
    else:
        backward = range(_place(account, kind, asked, "starting_after") - 1, -1, -1)
        data, more = _take(things, backward, wanted, limit)
    return {"object": "list", "url": url, "has_more": more, "data": data}


def _take(
    things: Sequence[Json], places: range, wanted: Callable[[Json], bool], limit: int
) -> tuple[list[Json], bool]:
    """Return the first *limit* that were asked for, and whether there are more."""
    found = (things[place] for place in places if wanted(things[place]))
    data = list(islice(found, limit + 1))
    return data[:limit], len(data) > limit


def _place(account: Account, kind: str, asked: Json, cursor: str) -> int:
    if cursor not in asked:
        return len(account.rows(kind))
    place = account.place(kind, asked[cursor])
    if place is None:
        message = f"No such {SPOKEN.get(kind, kind)}: '{asked[cursor]}'"
        raise Invalid(message, param=cursor, code="resource_missing")
    return place


def _is_asked(thing: Json, asked: Json) -> bool:
    types = [asked["type"]] if "type" in asked else asked.get("types")
    if types and not any(fnmatchcase(thing["type"], each) for each in types):
        return False
    if "delivery_success" in asked:
        taken = thing["pending_webhooks"] == 0
        if taken is not asked["delivery_success"]:
            return False
    if "created" in asked and not _is_within(thing["created"], asked["created"]):
        return False
    plain = asked.keys() - _APART
    return all(thing.get(name) == asked[name] for name in plain)


def _is_within(created: int, span: int | dict[str, int]) -> bool:
    if isinstance(span, int):
        return created == span
    return (
        created >= span.get("gte", created)
        and created > span.get("gt", created - 1)
        and created <= span.get("lte", created)
        and created < span.get("lt", created + 1)
    )


def expand(account: Account, thing: Json, paths: list[str]) -> Json:
    """Return a copy of *thing* with the ids on *paths* replaced by what they name.

    Raises:
        Invalid: If there is nothing to expand there.
    """
    answer = copy.deepcopy(thing)
    for path in paths:
        parts = path.split(".")
        if len(parts) > _DEEPEST:
            message = f"You cannot expand more than {_DEEPEST} levels of a property."
            raise Invalid(message, param="expand")
        _expand(account, answer, parts, path)
    return answer


def _expand(account: Account, thing: Any, parts: list[str], path: str) -> None:
    if isinstance(thing, list):
        for each in thing:
            _expand(account, each, parts, path)
        return
    name, *rest = parts
    if not isinstance(thing, dict) or not (name in thing or name == "line_items"):
        message = f"This property cannot be expanded ({path})."
        raise Invalid(message, param="expand")
    if thing.get(name) is None and name != "line_items":
        return
    if not isinstance(thing.get(name), dict | list):
        thing[name] = _named(account, thing, name, path)
    if rest:
        _expand(account, thing[name], rest, path)


def _named(account: Account, thing: Json, name: str, path: str) -> Json:
    if name == "line_items" and thing["object"] == "checkout.session":
        return line_items(account, thing["id"])
    kind = KINDS.get(str(thing.get(name)).split("_")[0])
    found = kind and account.find(kind, thing[name])
    if not found:
        message = f"This property cannot be expanded ({path})."
        raise Invalid(message, param="expand")
    return copy.deepcopy(found)


def line_items(account: Account, session_id: str) -> Json:
    data = account.get("line_items", session_id)["data"]
    url = f"/v1/checkout/sessions/{session_id}/line_items"
    return {
        "object": "list",
        "url": url,
        "has_more": False,
        "data": [{k: v for k, v in each.items() if k != "images"} for each in data],
    }
