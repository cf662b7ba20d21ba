"""Stock by Standard Webhooks, from any shop or till that signs as they do.

    {"type": "stock.updated", "timestamp": "2026-03-02T12:00:00Z",
     "data": {"items": [{"sku": "A1", "quantity": 3, "location": "main",
                         "price": "12.50"}]}}

Quantities are absolute, as of the timestamp; without a location they are of everything.
A price is in the major unit of the offer's own currency.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from offers.errors import InvalidField
from offers.sentences import Sentence
from offers.shops import CountWord, ItemWord, Words
from webhooks.reading import MOST, amount_of, key_of

STOCK_UPDATED = "stock.updated"
MAX_ITEMS = 1_000


def check_message(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the type and the data of a message.

    Raises:
        InvalidField: If it has none, or an item that cannot be.
    """
    match said:
        case {"type": str(kind), "data": {"items": list(items)} as data}:
            _check_items(items)
            return key_of(kind), data
    raise InvalidField("data", Sentence("The message needs a type and data.items."))


def words(data: Mapping[str, Any], *, sent_at: datetime, nowhere: str | None) -> Words:
    """Return what items say; *nowhere* is the place of those that name none."""
    items = [item for item in data.get("items", ()) if isinstance(item, dict)]
    return Words(
        items=tuple(_prices(items, sent_at)),
        counts=tuple(_counts(items, sent_at, nowhere)),
    )


def _counts(
    items: list[dict[str, Any]], sent_at: datetime, nowhere: str | None
) -> Iterator[CountWord]:
    for item in items:
        match item:
            case {"sku": str(sku), "quantity": int(quantity)} if key_of(sku):
                yield CountWord(
                    item_key=key_of(sku),
                    sku=key_of(sku),
                    quantity=quantity,
                    counted_at=sent_at,
                    place_key=key_of(item.get("location")) or nowhere,
                )


def _prices(items: list[dict[str, Any]], sent_at: datetime) -> Iterator[ItemWord]:
    for item in items:
        sku, price = key_of(item.get("sku")), amount_of(item.get("price"))
        if sku and price is not None:
            yield ItemWord(item_key=sku, sku=sku, as_of=sent_at, price=price)


def _check_items(items: list[Any]) -> None:
    if len(items) > MAX_ITEMS:
        most = Sentence("Send {most} items at most.", most=MAX_ITEMS)
        raise InvalidField("data.items", most, str(len(items)))
    for number, item in enumerate(items):
        problem = _problem(item)
        if problem is not None:
            field = f"data.items[{number}]"
            raise InvalidField(field, problem, str(item)[:200])


def _problem(item: object) -> Sentence | None:
    match item:
        case {"sku": str(), "quantity": bool()}:
            pass
        case {"sku": str(sku), "quantity": int(quantity), **rest} if (
            sku.isprintable() and 0 <= quantity <= MOST
        ):
            return _problem_of_more(rest)
    return Sentence("Each item needs a sku and a quantity of 0 or more.")


def _problem_of_more(rest: Mapping[Any, Any]) -> Sentence | None:
    location, price = rest.get("location"), rest.get("price")
    if location is not None and not (isinstance(location, str) and key_of(location)):
        return Sentence("A location is a short text.")
    if price is not None and (isinstance(price, float) or amount_of(price) is None):
        return Sentence("A price is a text such as 12.50.")
    return None
