"""Emptying: offers that a complete file does not mention have no stock any more.

A file knows of the offers that files with the same header brought, and of those of
which nobody knows any more where they came from; what came otherwise is left alone.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import insert
from sqlmodel import Session, col, select, update

from offers.befores import OfferBefore
from offers.catalog import Offer
from offers.comparing import Recount
from offers.ids import new_id
from offers.imports import FeedImport
from offers.levels import outdate_levels
from offers.seen import Seen
from offers.shrinking import Shrinkage
from offers.stock import log_recounts

PAGE = 1_000


def measure_shrinkage(
    session: Session, entry: FeedImport, seen: Seen, *, emptied: int
) -> Shrinkage:
    """Compare what is known with the skus that a file has."""
    known = stocked = missing = missing_stocked = 0
    for _, sku, quantity in _known(session, entry):
        has_stock = bool(quantity and quantity > 0)
        known += 1
        stocked += has_stock
        if sku not in seen:
            missing += 1
            missing_stocked += has_stock
    return Shrinkage(known, stocked, emptied, missing, missing_stocked)


def _known(
    session: Session, entry: FeedImport
) -> Iterator[tuple[str, str, int | None]]:
    """Yield id, sku and quantity of what a file may know of, in the order of skus."""
    after = ""
    while page := _page(session, entry, after, PAGE):
        yield from page
        after = page[-1][1]


def _page(
    session: Session, entry: FeedImport, after: str, limit: int, *, lock: bool = False
) -> Sequence[tuple[str, str, int | None]]:
    alike = select(FeedImport.id).where(
        FeedImport.retailer_id == entry.retailer_id,
        FeedImport.fingerprint == entry.fingerprint,
    )
    statement = (
        select(Offer.id, Offer.sku, Offer.quantity)
        .where(
            Offer.retailer_id == entry.retailer_id,
            col(Offer.sku) > after,
            (col(Offer.source) == "") | col(Offer.source).in_(alike),
        )
        .order_by(col(Offer.sku))
        .limit(limit)
    )
    if lock:  # an order may take units meanwhile
        statement = statement.with_for_update(key_share=True, of=Offer)
    return session.exec(statement).all()


def empty_missing(
    session: Session,
    entry: FeedImport,
    seen: Seen,
    *,
    after: str,
    now: datetime,
    limit: int = PAGE,
) -> tuple[str, list[str]]:
    """Take offers that are not *seen* to no stock, of the next *limit* after *after*.

    Returns how far it came, nothing at the end, and the skus of those it emptied.
    """
    page = _page(session, entry, after, limit, lock=True)
    gone = [(i, sku, q) for i, sku, q in page if q and q > 0 and sku not in seen]
    if gone:
        _empty(session, entry, gone, now)
    return (page[-1][1] if len(page) == limit else ""), [sku for _, sku, _ in gone]


def _empty(
    session: Session,
    entry: FeedImport,
    gone: Sequence[tuple[str, str, int]],
    now: datetime,
) -> None:
    session.exec(
        update(Offer)
        .where(col(Offer.id).in_([offer_id for offer_id, _, _ in gone]))
        .values(quantity=0, counted_at=now)
    )
    outdate_levels(session, [offer_id for offer_id, _, _ in gone])
    befores = [
        {
            "id": new_id("before", now),
            "retailer_id": entry.retailer_id,
            "import_id": entry.id,
            "offer_id": offer_id,
            "before": json.dumps({"quantity": quantity}),
            "after": json.dumps({"quantity": 0}),
        }
        for offer_id, _, quantity in gone
    ]
    session.exec(insert(OfferBefore), params=befores)
    recounts = [Recount(offer_id, quantity, 0) for offer_id, _, quantity in gone]
    log_recounts(session, entry.retailer_id, recounts, source_id=entry.id, now=now)
