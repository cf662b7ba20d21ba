"""Newcomers: many offers that nobody knew, entered at once, with their first prices.

A large file is mostly made of them. Ids of one batch follow each other, so that indexes
grow at their end instead of all over.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, text

from offers.drivers import enter, kept
from offers.feed.facts import NAMES, Facts
from offers.ids import new_ids

_UNSAID: Mapping[str, str] = {
    "description": "",
    "tax": "unknown",
    "options": "[]",
    "tags": "[]",
    "image_urls": "[]",
}
"""What is kept of a new offer where its file says nothing."""


def add_newcomers(
    session: Session,
    retailer_id: str,
    rows: Sequence[Facts],
    *,
    source: str,
    now: datetime,
    minted_at: datetime,
) -> bool:
    """Enter offers and their prices; none if one of them is known by its sku.

    Nor if one has no title or price: it cannot be new. *minted_at* is the time in the
    ids: batches of one *now* that each have a later one grow the indexes at their end.
    """
    moment = kept(now)
    columns = _columns(rows, moment)
    if None in columns["title"] or None in columns["price_amount"]:
        return False
    ids = new_ids("offer", minted_at, len(rows))
    same = {
        "retailer_id": retailer_id,
        "imported_at": moment,
        "first_seen_at": moment,
        "source": source,
    }
    try:
        with session.begin_nested():
            enter(session, "offer", {"id": ids, **columns}, same)
    except IntegrityError:
        return False
    session.execute(_FIRST_PRICES, {"first": ids[0], "last": ids[-1]})
    return True


_FIRST_PRICES = text("""
    INSERT INTO price_point (
        id, retailer_id, offer_id, price_amount, currency, applied_at, source,
        kind, tax, country
    )
    SELECT 'price' || substr(id, 6),
        retailer_id, id, price_amount, currency, imported_at, source,
        'feed', tax, ''
    FROM offer WHERE id BETWEEN :first AND :last
""")


def _columns(rows: Sequence[Facts], moment: str) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = dict(
        zip(NAMES, zip(*rows, strict=True), strict=True)
    )
    for name, unsaid in _UNSAID.items():
        column = columns[name]
        if None in column:
            columns[name] = [unsaid if each is None else each for each in column]
    counts = columns["quantity"]
    columns["counted_at"] = [None if n is None else moment for n in counts]
    return columns
