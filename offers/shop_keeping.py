"""Keeping shops: what a retailer settles about the shops and places of their stock.

Where that changes what there is, the offers are returned: their deals are to follow.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Delete, func
from sqlmodel import Session, col, delete, select, update

from offers.catalog import Offer
from offers.deals import Deal
from offers.levels import has_levels
from offers.retailers import get_retailer
from offers.scope import get_own
from offers.shops import (
    ShopConnection,
    ShopItem,
    StockLevel,
    StockPlace,
    WaitingCount,
)
from offers.stock import Cause, recount

MOST_SHOPS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A place as the retailer sees it: *units* of *offers* are there."""

    id: str
    shop_id: str
    name: str
    counts: bool
    offers: int
    units: int


def connect_shop(session: Session, shop: ShopConnection) -> ShopConnection:
    session.add(shop)
    session.flush()
    return shop


def change_shop(
    session: Session, retailer_id: str, shop_id: str, changes: Mapping[str, object]
) -> None:
    """Keep what was changed of a shop, by its columns, and nothing else of it.

    Raises:
        Missing: If it is not this retailer's.
    """
    shop = get_own(session, ShopConnection, retailer_id, shop_id)
    for name, value in changes.items():
        setattr(shop, name, value)
    session.add(shop)


def renew_secret(
    session: Session, retailer_id: str, shop_id: str, sealed: str, *, until: datetime
) -> None:
    """Believe a new secret, and the one before *until* then, too.

    Raises:
        Missing: If the shop is not this retailer's.
    """
    shop = get_own(session, ShopConnection, retailer_id, shop_id)
    if shop.sealed_secret:
        shop.sealed_old_secret, shop.old_secret_until = shop.sealed_secret, until
    shop.sealed_secret = sealed
    session.add(shop)


def pause_shop(
    session: Session, retailer_id: str, shop_id: str, *, paused: bool
) -> None:
    """Take nothing over from a shop for now; what it says last is kept.

    Raises:
        Missing: If it is not this retailer's.
    """
    shop = get_own(session, ShopConnection, retailer_id, shop_id)
    shop.paused = paused
    session.add(shop)
    session.flush()


def disconnect_shop(
    session: Session, retailer_id: str, shop_id: str, *, now: datetime
) -> set[str]:
    """Forget a shop; what it said last of an offer stays, if no other shop has it.

    Raises:
        Missing: If it is not this retailer's.
    """
    shop = get_own(session, ShopConnection, retailer_id, shop_id)
    places = select(StockPlace.id).where(
        StockPlace.retailer_id == retailer_id, StockPlace.shop_id == shop_id
    )
    here = col(StockLevel.place_id).in_(places)
    offer_ids = set(session.exec(select(StockLevel.offer_id).where(here)))
    _delete(session, delete(StockLevel).where(here))
    for model in (StockPlace, ShopItem, WaitingCount):
        theirs = (
            col(model.retailer_id) == retailer_id,
            col(model.shop_id) == shop_id,
        )
        _delete(session, delete(model).where(*theirs))
    session.delete(shop)
    session.flush()
    return _recount(session, offer_ids, shop_id, now)


def places(session: Session, retailer_id: str) -> list[Place]:
    """Return where a retailer's stock is kept, by shop and name."""
    statement = (
        select(
            StockPlace,
            func.count(col(StockLevel.id)),
            func.coalesce(func.sum(col(StockLevel.quantity)), 0),
        )
        .outerjoin(StockLevel, col(StockLevel.place_id) == col(StockPlace.id))
        .where(StockPlace.retailer_id == retailer_id)
        .group_by(col(StockPlace.id))
        .order_by(col(StockPlace.shop_id), col(StockPlace.name), col(StockPlace.id))
    )
    return [
        Place(place.id, place.shop_id, place.name, place.counts, offers, int(units))
        for place, offers, units in session.exec(statement)
    ]


def name_places(
    session: Session, retailer_id: str, names: Iterable[tuple[str, str]]
) -> None:
    """Call places as the retailer does; an empty name changes nothing.

    Raises:
        Missing: If one is not this retailer's.
    """
    for place_id, name in names:
        place = get_own(session, StockPlace, retailer_id, place_id)
        place.name = name or place.name
        session.add(place)


def let_count(
    session: Session,
    retailer_id: str,
    seen: Collection[str],
    counting: Collection[str],
    *,
    now: datetime,
) -> set[str]:
    """Of the places that a retailer has *seen* let those *counting* count, alone.

    Raises:
        Missing: If one is not this retailer's.
    """
    changed = []
    for place_id in sorted(seen):
        place = get_own(session, StockPlace, retailer_id, place_id)
        if place.counts != (place_id in counting):
            changed.append(place_id)
    turned = update(StockPlace).where(col(StockPlace.id).in_(changed))
    session.exec(turned.values(counts=~col(StockPlace.counts)))
    there = select(StockLevel.offer_id).where(col(StockLevel.place_id).in_(changed))
    return _recount(session, set(session.exec(there)), "places", now)


def keep_back(session: Session, retailer_id: str, units: int) -> set[str]:
    """Keep some units of each offer out of deals. Return the offers in deals.

    Raises:
        Missing: If there is no such retailer.
    """
    retailer = get_retailer(session, retailer_id)
    if retailer.stock_buffer == units:
        return set()
    retailer.stock_buffer = units
    session.add(retailer)
    session.flush()
    in_deals = select(Deal.offer_id).where(
        Deal.retailer_id == retailer_id, col(Deal.closed_at).is_(None)
    )
    return set(session.exec(in_deals))


def _recount(
    session: Session, offer_ids: Iterable[str], source_id: str, now: datetime
) -> set[str]:
    """Add up the places anew, where some are known. Return the offers that changed."""
    changed = set()
    for offer_id in sorted(offer_ids):
        offer = session.get_one(
            Offer, offer_id, with_for_update={"key_share": True}, populate_existing=True
        )
        if has_levels(session, offer) and recount(
            session,
            offer,
            counted_at=offer.counted_at or now,
            cause=Cause.MESSAGE,
            source_id=source_id,
            now=now,
        ):
            changed.add(offer_id)
    return changed


def _delete(session: Session, statement: Delete) -> None:
    session.exec(statement.execution_options(synchronize_session=False))
