"""Shelving: rows of a feed become offers.

Importing a row twice equals importing it once. What a feed does not say stays as it
was, and an offer that a feed does not mention stays too.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, insert
from sqlmodel import Session, col, select, update

from offers.befores import OfferBefore
from offers.catalog import Offer
from offers.comparing import (
    DAYS,
    PRICED,
    Offered,
    Recount,
    Tally,
    known_offers,
    sort_out,
)
from offers.feed.facts import NAMES, FactRows, Facts, facts_of
from offers.feed.rows import FeedRow
from offers.ids import MOST_AT_ONCE, new_id
from offers.newcomers import add_newcomers
from offers.packing import Origin, pack_newcomers
from offers.placing import Places, at_places, outdate, place_new
from offers.prices import PriceKind, PricePoint
from offers.retailers import Retailer


def import_rows(
    session: Session,
    retailer_id: str,
    rows: Sequence[FeedRow],
    *,
    source: str,
    now: datetime,
) -> tuple[Tally, list[Recount]]:
    """Bring *rows* into the catalog, logging every new price.

    *source* says where they come from, such as ``feed_01j…``, for the price log.
    Returns the quantities that changed too: they are for the stock's ledger.
    """
    facts = [facts_of(row) for row in rows]
    places = [(row.sku, row.quantities) for row in rows if row.quantities]
    return import_facts(
        session, retailer_id, facts, places=places, source=source, now=now
    )


def import_facts(
    session: Session,
    retailer_id: str,
    rows: Sequence[Facts],
    *,
    places: Places = (),
    source: str,
    now: datetime,
    minted_at: datetime | None = None,
) -> tuple[Tally, list[Recount]]:
    """Do as ``import_rows``; *minted_at* is the time in the ids of new offers."""
    _await_turn(session, retailer_id)
    known = known_offers(session, retailer_id, rows, lock=True)
    of_known = [(sku, told) for sku, told in places if sku in known]
    of_new = [(sku, told) for sku, told in places if sku not in known]
    rows = at_places(session, retailer_id, rows, of_known, known, now)
    done = sort_out(rows, known)
    minted_at = minted_at or now
    while not _add_all(session, retailer_id, done.fresh, source, now, minted_at):
        # Somebody was quicker, by whom they are known now.
        known = known_offers(session, retailer_id, rows, lock=True)
        refused, done = done.fresh, sort_out(rows, known)
        if done.fresh == refused:
            msg = "offers that nobody knows cannot be entered either"
            raise RuntimeError(msg)
    _update(session, done.changed, now)
    _keep_befores(session, done.changed, source, now)
    _log_prices(session, done.changed, source, now)
    outdate(session, done.changed, of_known)
    place_new(session, retailer_id, of_new, now)
    return done.tally, _recounts(done.changed)


def _await_turn(session: Session, retailer_id: str) -> None:
    """Import for one retailer at a time: who comes second finds what the first made."""
    mine = select(Retailer.id).where(Retailer.id == retailer_id)
    session.exec(mine.with_for_update(key_share=True)).one_or_none()


def _add_all(
    session: Session,
    retailer_id: str,
    fresh: Sequence[Facts],
    source: str,
    now: datetime,
    minted_at: datetime,
) -> bool:
    """Enter new offers, unless one of them is known meanwhile."""
    origin = Origin(session.get_bind().dialect.name, retailer_id, source, now)
    starts = range(0, len(fresh), MOST_AT_ONCE)
    packed = (
        pack_newcomers(
            FactRows(fresh[i : i + MOST_AT_ONCE]), origin, minted_at=minted_at
        )
        for i in starts
    )
    return all(some is not None and add_newcomers(session, some) for some in packed)


def _update(
    session: Session, changed: Sequence[tuple[Offered, Offered]], now: datetime
) -> None:
    if not changed:
        return
    names = (*NAMES, "counted_at", "imported_at")
    statement = (
        update(Offer)
        .where(col(Offer.id) == bindparam("offer_id"))
        .values({name: bindparam(name) for name in names})
    )
    parameters = [_updated(before, after, now) for before, after in changed]
    session.connection().execute(statement, parameters)


def _updated(before: Offered, after: Offered, now: datetime) -> Offered:
    values = {name: after.get(name, before[name]) for name in NAMES}
    days = {n: date.fromisoformat(str(values[n])) for n in DAYS if values[n]}
    return {
        **values,
        **days,
        "offer_id": before["id"],
        "counted_at": now if "quantity" in after else before["counted_at"],
        "imported_at": now,
    }


def _keep_befores(
    session: Session,
    changed: Sequence[tuple[Offered, Offered]],
    source: str,
    now: datetime,
) -> None:
    rows = [
        {
            "id": new_id("before", now),
            "retailer_id": before["retailer_id"],
            "import_id": source,
            "offer_id": before["id"],
            "before": _as_json({name: before[name] for name in after}),
            "after": _as_json(after),
        }
        for before, after in changed
    ]
    if rows:
        session.exec(insert(OfferBefore), params=rows)


def _as_json(facts: Offered) -> str:
    return json.dumps(facts, ensure_ascii=False, default=str)


def _log_prices(
    session: Session,
    changed: Sequence[tuple[Offered, Offered]],
    source: str,
    now: datetime,
) -> None:
    points = [
        {
            "id": new_id("price", now),
            "retailer_id": before["retailer_id"],
            "offer_id": before["id"],
            "price_amount": after.get("price_amount", before["price_amount"]),
            "currency": after.get("currency", before["currency"]),
            "applied_at": now,
            "source": source,
            "kind": PriceKind.FEED,
            "tax": after.get("tax", before["tax"]),
            "country": "",
        }
        for before, after in changed
        if not after.keys().isdisjoint(PRICED)
    ]
    if points:
        session.exec(insert(PricePoint), params=points)


def _recounts(changed: Iterable[tuple[Offered, Offered]]) -> list[Recount]:
    counts = [(b["id"], b["quantity"] or 0, a.get("quantity")) for b, a in changed]
    return [
        Recount(str(offer_id), before, after)
        for offer_id, before, after in counts
        if isinstance(before, int) and isinstance(after, int)
    ]
