"""Placing: a feed's units by place go to the levels, and their sum to the offers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, select, update

from offers.catalog import Offer
from offers.comparing import AT_ONCE, QUANTITY, SKU, Offered
from offers.feed.facts import Facts
from offers.levels import outdate_levels, take_levels

Places = Sequence[tuple[str, Sequence[tuple[str, int]]]]
"""The units of skus by place, for those of which a feed tells them."""


def at_places(
    session: Session,
    retailer_id: str,
    rows: Sequence[Facts],
    places: Places,
    known: Mapping[object, Offered],
    now: datetime,
) -> Sequence[Facts]:
    """Keep where known offers are; return *rows* with the units where they count."""
    if not places:
        return rows
    levels = [(str(known[sku]["id"]), told) for sku, told in places]
    counts = take_levels(session, retailer_id, levels, now=now)
    of = {sku: counts[str(known[sku]["id"])] for sku, _ in places}
    return [
        (*row[:QUANTITY], of[str(row[SKU])], *row[QUANTITY + 1 :])
        if row[SKU] in of
        else row
        for row in rows
    ]


def outdate(
    session: Session, changed: Sequence[tuple[Offered, Offered]], placed: Places
) -> None:
    """Where a file says how many there are in all, no place is known any more."""
    by_place = {sku for sku, _ in placed}
    outdate_levels(
        session,
        [
            str(before["id"])
            for before, after in changed
            if "quantity" in after and before["sku"] not in by_place
        ],
    )


def place_new(
    session: Session, retailer_id: str, places: Places, now: datetime
) -> None:
    """Keep where new offers are, and count what is at places that count."""
    if not places:
        return
    ids = dict(_ids(session, retailer_id, [sku for sku, _ in places]))
    levels = [(ids[sku], told) for sku, told in places if sku in ids]
    counts = take_levels(session, retailer_id, levels, now=now)
    for offer_id, told in levels:
        if counts[offer_id] != sum(units for _, units in told):
            values = {"quantity": counts[offer_id]}
            session.exec(update(Offer).where(col(Offer.id) == offer_id).values(values))


def _ids(
    session: Session, retailer_id: str, skus: Sequence[str]
) -> Iterable[tuple[str, str]]:
    for start in range(0, len(skus), AT_ONCE):
        some = col(Offer.sku).in_(skus[start : start + AT_ONCE])
        mine = col(Offer.retailer_id) == retailer_id
        yield from session.exec(select(Offer.sku, Offer.id).where(mine, some))
