"""What comes out of a built file, as short values that a test can compare."""

from typing import Any

from offers.feed import Feed, FeedRow, RowError, Skipped
from offers.feed.tables import DELIMITER, ENCODING
from offers.feed.unpacking import Kind
from offers.money import Money
from tests.offers.feed.building import built
from tests.offers.feed.feeds import opened
from tests.offers.feed.packed import unpacked

# The price now, the price before, and how many there are.
Shelf = tuple[str | None, str | None, int | None]


def feed_of(name: str, **how: Any) -> Feed:
    found = unpacked(built(name))
    if found.kind is not Kind.TEXT:
        how |= {"encoding": ENCODING, "delimiter": DELIMITER}
    return opened(found.stream.read(), **how)


def offers_of(name: str, **how: Any) -> dict[str, FeedRow]:
    """Read a file in which no row is bad; the offers by their sku."""
    rows = list(feed_of(name, **how).rows())
    assert [row for row in rows if isinstance(row, RowError)] == []
    return {row.sku: row for row in rows if isinstance(row, FeedRow)}


def skipped_of(name: str) -> dict[int, str]:
    """Return why lines were skipped, by their number."""
    rows = feed_of(name).rows()
    return {row.line: str(row.reason) for row in rows if isinstance(row, Skipped)}


def fields_of(name: str) -> dict[str, str]:
    """Return the field of each column that is read."""
    return {c.column: c.field for c in feed_of(name).columns if c.field}


def reason_of(name: str, column: str) -> str:
    """Return why a column is not read."""
    (found,) = (c for c in feed_of(name).columns if c.column == column)
    assert found.field is None
    return str(found.reason)


def shelves(offers: dict[str, FeedRow]) -> dict[str, Shelf]:
    return {
        sku: (said(offer.price), said(offer.list_price), offer.quantity)
        for sku, offer in offers.items()
    }


def said(money: Money | None) -> str | None:
    return None if money is None else str(money)
