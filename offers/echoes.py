"""Echoes: what we sold or took back, owed to the shops that keep the same stock.

A row is written with the order or the refund. It is told to the shop later
(``offers.tellings``), and from then on the shop's own counts include it: such a count
is our own echo, no sale. Which of our units a count does not include yet is known here,
by the shop's own clock (docs/decisions/0025-told-and-owed.md).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Index, UniqueConstraint, func
from sqlmodel import Field, Session, SQLModel, and_, col, or_, select, update

from offers.catalog import Offer
from offers.columns import Moment, word
from offers.ids import new_id
from offers.shops import BY_FILE, BY_MESSAGE, ShopConnection, ShopKind, StockPlace
from offers.stock import Cause, StockMovement

TELLABLE = (ShopKind.SHOPIFY, ShopKind.WOOCOMMERCE)
"""The kinds whose stock we change ourselves; others hear ``stock.changed``."""

ANYWHERE = ""
"""The place of an echo of which nobody knows yet where in the shop it belongs."""


class EchoState(StrEnum):
    DUE = "due"
    TOLD = "told"
    GIVEN_UP = "given_up"


class Echo(SQLModel, table=True):
    """*change* units at a place of a shop, less than none if they were sold.

    Those of one item go together, under the first of them, *lead_id*, by whose key the
    shop knows the call. *sent_at* is when a call may first have reached the shop,
    *applied_at* the shop's own time of the change and *level_after* what it had then.
    *taken_off_at* is the moment of the last count that did not seem to include it, and
    *taken_off_from* what that count was.
    """

    __table_args__ = (
        UniqueConstraint("shop_id", "source_id", "place_key"),
        Index("ix_echo_due", "state", "due_at"),
        Index("ix_echo_offer", "retailer_id", "offer_id", "shop_id"),
        Index("ix_echo_lead", "lead_id"),
        Index("ix_echo_taken_off", "taken_off_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    shop_id: str  # no foreign key: what a shop was told outlives the connection
    offer_id: str = Field(foreign_key="offer.id")
    sku: str
    item_key: str = ""
    place_key: str = ANYWHERE
    change: int
    cause: Cause = Field(sa_type=word(Cause))
    source_id: str
    state: EchoState = Field(default=EchoState.DUE, sa_type=word(EchoState))
    lead_id: str = ""
    due_at: datetime = Field(sa_type=Moment)
    attempts: int = 0
    refusals: int = 0
    created_at: datetime = Field(sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    told_at: datetime | None = Field(default=None, sa_type=Moment)
    applied_at: datetime | None = Field(default=None, sa_type=Moment)
    level_after: int | None = None
    taken_off_at: datetime | None = Field(default=None, sa_type=Moment)
    taken_off_from: int | None = None
    failure: str = ""
    failing_since: datetime | None = Field(default=None, sa_type=Moment)


def owe_sale(
    session: Session, offer: Offer, order_id: str, units: int, *, now: datetime
) -> list[Echo]:
    """Owe the retailer's shops that *units* were sold here."""
    telling = _telling(session, offer.retailer_id)
    if not telling:
        return []
    moved = _places_of(session, offer, order_id, now)
    if moved:  # told apart: the other shops have not lost any
        places = [each for each in moved if each[0] in telling]
    else:
        places = [(shop_id, ANYWHERE, -units) for shop_id in telling]
    return _owe(session, offer, Cause.ORDER, order_id, places, now=now)


def owe_restock(
    session: Session,
    offer: Offer,
    refund_id: str,
    units: int,
    *,
    order_id: str,
    now: datetime,
) -> list[Echo]:
    """Owe them that *units* came back; only those who are told of the sale."""
    sold = session.exec(
        select(Echo).where(
            Echo.retailer_id == offer.retailer_id, Echo.source_id == order_id
        )
    ).all()
    told_of_sale = {echo.shop_id for echo in sold}
    moved = _places_of(session, offer, refund_id, now)
    if moved:
        places = [each for each in moved if each[0] in told_of_sale]
    else:
        places = [(echo.shop_id, echo.place_key, units) for echo in _one_a_shop(sold)]
    return _owe(session, offer, Cause.REFUND, refund_id, places, now=now)


def not_in_count(
    session: Session,
    offer: Offer,
    shop_id: str,
    place_key: str,
    quantity: int,
    counted_at: datetime,
) -> int:
    """Return how many units a shop's count has too many, of those it is told of.

    *quantity* is the count and *counted_at* its moment, by the shop's clock. It
    includes what was told and applied up to then; in the very second, only if it is no
    higher than what the shop had left after it. What it does not include is noted,
    since a call whose answer was lost may have been in it after all.
    """
    included = _includes(quantity, counted_at)
    missing = session.exec(
        update(Echo)
        .where(*_at(offer, shop_id, place_key), ~func.coalesce(included, False))
        .values(taken_off_at=counted_at, taken_off_from=quantity)
        .returning(col(Echo.change))
        .execution_options(synchronize_session=False)
    ).all()
    return -sum(int(change) for (change,) in missing)


def _includes(quantity: int, counted_at: datetime) -> ColumnElement[bool]:
    same_second = and_(
        col(Echo.applied_at) == counted_at,
        or_(col(Echo.level_after).is_(None), col(Echo.level_after) >= quantity),
    )
    earlier = col(Echo.applied_at) < counted_at
    return and_(col(Echo.state) == EchoState.TOLD, or_(earlier, same_second))


def told_apart(
    session: Session, offer: Offer, shop_id: str, place_key: str, since: datetime
) -> int:
    """Return how many units sold here after *since* are judged by ``not_in_count``."""
    statement = select(func.coalesce(func.sum(Echo.change), 0)).where(
        *_at(offer, shop_id, place_key), col(Echo.created_at) > since
    )
    return -int(session.exec(statement).one())


def _at(offer: Offer, shop_id: str, place_key: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Echo.retailer_id) == offer.retailer_id,
        col(Echo.offer_id) == offer.id,
        col(Echo.shop_id) == shop_id,
        col(Echo.place_key).in_({place_key, ANYWHERE}),
    )


def _telling(session: Session, retailer_id: str) -> list[str]:
    """Return the shops of a retailer that are told what is sold here."""
    statement = (
        select(ShopConnection.id)
        .where(
            ShopConnection.retailer_id == retailer_id,
            col(ShopConnection.tells_back),
            col(ShopConnection.kind).in_(TELLABLE),
        )
        .order_by(col(ShopConnection.id))
    )
    return list(session.exec(statement))


def _places_of(
    session: Session, offer: Offer, source_id: str, now: datetime
) -> list[tuple[str, str, int]]:
    """Return from which places of which shops the units of an order or refund came.

    A file's places are no shop's. It is of this transaction, of *now*: an offer's
    ledger may be long.
    """
    statement = (
        select(StockPlace.shop_id, StockPlace.place_key, func.sum(StockMovement.change))
        .join(StockPlace, col(StockPlace.id) == col(StockMovement.place_id))
        .where(
            StockMovement.retailer_id == offer.retailer_id,
            StockMovement.offer_id == offer.id,
            StockMovement.source_id == source_id,
            col(StockMovement.moved_at) >= now,
            col(StockPlace.shop_id).not_in((BY_FILE, BY_MESSAGE)),
        )
        .group_by(col(StockPlace.shop_id), col(StockPlace.place_key))
        .order_by(col(StockPlace.shop_id), col(StockPlace.place_key))
    )
    return [(shop, place, int(units)) for shop, place, units in session.exec(statement)]


def _one_a_shop(echoes: Sequence[Echo]) -> list[Echo]:
    return list({echo.shop_id: echo for echo in echoes}.values())


def _owe(
    session: Session,
    offer: Offer,
    cause: Cause,
    source_id: str,
    places: Sequence[tuple[str, str, int]],
    *,
    now: datetime,
) -> list[Echo]:
    owed = [
        Echo(
            id=new_id("echo", now),
            retailer_id=offer.retailer_id,
            shop_id=shop_id,
            offer_id=offer.id,
            sku=offer.sku,
            place_key=place_key,
            change=change,
            cause=cause,
            source_id=source_id,
            due_at=now,
            created_at=now,
        )
        for shop_id, place_key, change in places
        if change
    ]
    session.add_all(owed)
    session.flush()
    return owed
