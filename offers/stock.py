"""Stock: what the retailer has, by their account, and every change of it.

A count from the retailer is absolute and belongs to a moment. One that is older than
what we know is dropped; one of the same moment is not, since their clock may tell
seconds only. Orders paid after that moment are not in it and are taken off.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, func, insert
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.catalog import Offer
from offers.columns import Moment, word
from offers.comparing import Recount
from offers.ids import new_id
from offers.levels import move_levels, sum_levels
from offers.scope import find_own


class Cause(StrEnum):
    FEED = "feed"
    MESSAGE = "message"
    ORDER = "order"
    REFUND = "refund"


class StockMovement(SQLModel, table=True):
    __tablename__ = "stock_movement"
    __table_args__ = (
        Index("ix_stock_movement_offer", "retailer_id", "offer_id", "moved_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    offer_id: str = Field(foreign_key="offer.id")
    change: int
    quantity: int  # what there is afterwards
    cause: Cause = Field(sa_type=word(Cause))
    source_id: str
    place_id: str = ""  # where it came off, if places are told apart
    moved_at: datetime = Field(sa_type=Moment)


def count_stock(
    session: Session,
    offer: Offer,
    quantity: int,
    *,
    counted_at: datetime,
    sold_since: int,
    cause: Cause,
    source_id: str,
    now: datetime,
) -> bool:
    """Take over the retailer's count. Return whether it was news.

    *sold_since* units were paid for here after *counted_at*, so the count still
    includes them.
    """
    if offer.counted_at is not None and counted_at < offer.counted_at:
        return False
    present = max(0, quantity - sold_since)
    change = present - (offer.quantity or 0)
    offer.quantity = present
    offer.counted_at = counted_at
    session.add(offer)
    _log(session, offer, change, cause=cause, source_id=source_id, now=now)
    return True


def recount(
    session: Session,
    offer: Offer,
    *,
    counted_at: datetime,
    cause: Cause,
    source_id: str,
    now: datetime,
) -> bool:
    """Add up the places of a locked *offer* that count. Return whether it is news.

    Where no place is known any more, nobody knows how many there are.
    """
    before, offer.quantity = offer.quantity, sum_levels(session, offer)
    offer.counted_at = max(counted_at, offer.counted_at or counted_at)
    session.add(offer)
    session.flush()
    if offer.quantity == before:
        return False
    if offer.quantity is not None:
        change = offer.quantity - (before or 0)
        _log(session, offer, change, cause=cause, source_id=source_id, now=now)
    return True


def gone_since(session: Session, offer: Offer, place_id: str, since: datetime) -> int:
    """Return how many units went from a place here after *since*, net of returns.

    Those of which nobody knows where they came off are counted at each place.
    """
    statement = select(func.coalesce(func.sum(col(StockMovement.change)), 0)).where(
        StockMovement.retailer_id == offer.retailer_id,
        StockMovement.offer_id == offer.id,
        col(StockMovement.cause).in_((Cause.ORDER, Cause.REFUND)),
        col(StockMovement.place_id).in_(("", place_id)),
        col(StockMovement.moved_at) > since,
    )
    return -int(session.exec(statement).one())


def moved_by(
    session: Session, offer: Offer, source_ids: Sequence[str], *, since: datetime
) -> list[tuple[str, int]]:
    """Return what an order and its refunds changed at places, the most sold first.

    They were not before *since*: an offer's ledger may be long.
    """
    change = func.sum(col(StockMovement.change))
    statement = (
        select(StockMovement.place_id, change)
        .where(
            StockMovement.retailer_id == offer.retailer_id,
            StockMovement.offer_id == offer.id,
            StockMovement.place_id != "",
            col(StockMovement.moved_at) >= since,
            col(StockMovement.source_id).in_(source_ids),
        )
        .group_by(col(StockMovement.place_id))
        .order_by(change, col(StockMovement.place_id))
    )
    return [(place_id, int(units)) for place_id, units in session.exec(statement)]


def move_stock(
    session: Session,
    offer: Offer,
    change: int,
    *,
    cause: Cause,
    source_id: str,
    now: datetime,
    place_id: str = "",
) -> None:
    """Add *change* units, sold ones being less than none; unknown stays unknown.

    They come off the places where they are, or off *place_id* alone.
    """
    moved = session.exec(
        update(Offer)
        .where(col(Offer.id) == offer.id, col(Offer.quantity).is_not(None))
        .values(quantity=col(Offer.quantity) + change)
    )
    session.refresh(offer)
    if not moved.rowcount:
        return
    parts = move_levels(session, offer, change, place_id=place_id)
    for place, part in parts:
        _log(session, offer, part, cause=cause, source_id=source_id, now=now, at=place)


def _log(
    session: Session,
    offer: Offer,
    change: int,
    *,
    cause: Cause,
    source_id: str,
    now: datetime,
    at: str = "",
) -> None:
    session.add(
        StockMovement(
            id=new_id("movement", now),
            retailer_id=offer.retailer_id,
            offer_id=offer.id,
            change=change,
            quantity=offer.quantity or 0,
            cause=cause,
            source_id=source_id,
            place_id=at,
            moved_at=now,
        )
    )


def log_recounts(
    session: Session,
    retailer_id: str,
    recounts: Sequence[Recount],
    *,
    source_id: str,
    now: datetime,
) -> None:
    """Enter what a feed changed into the ledger."""
    rows = [
        {
            "id": new_id("movement", now),
            "retailer_id": retailer_id,
            "offer_id": recount.offer_id,
            "change": recount.after - recount.before,
            "quantity": recount.after,
            "cause": Cause.FEED,
            "source_id": source_id,
            "place_id": "",
            "moved_at": now,
        }
        for recount in recounts
    ]
    if rows:
        session.exec(insert(StockMovement), params=rows)


def movements(
    session: Session, retailer_id: str, offer_id: str, *, limit: int
) -> list[StockMovement]:
    """Return how the stock of an offer changed, the latest change first.

    What its first feed counted is in no ledger: a large file has many of them, and it
    is told by all that came after.
    """
    statement = (
        select(StockMovement)
        .where(
            StockMovement.retailer_id == retailer_id,
            StockMovement.offer_id == offer_id,
        )
        .order_by(col(StockMovement.moved_at).desc(), col(StockMovement.id).desc())
        .limit(limit)
    )
    found = list(session.exec(statement))
    first = _first_count(
        find_own(session, Offer, retailer_id, offer_id), found[-1] if found else None
    )
    return [*found, first] if first is not None and len(found) < limit else found


def _first_count(
    offer: Offer | None, earliest: StockMovement | None
) -> StockMovement | None:
    """Return what an offer began with, before its *earliest* movement."""
    if offer is None or offer.first_seen_at is None:
        return None
    began = earliest.quantity - earliest.change if earliest else offer.quantity
    if not began:
        return None
    return StockMovement(
        id="",
        retailer_id=offer.retailer_id,
        offer_id=offer.id,
        change=began,
        quantity=began,
        cause=Cause.FEED,
        source_id=offer.source,
        moved_at=offer.first_seen_at,
    )
