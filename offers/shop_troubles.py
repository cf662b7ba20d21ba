"""Shop troubles: what a shop could not be told, and what a person can do about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, and_, col, or_, select

from offers.echoes import Echo, EchoState
from offers.errors import WrongState
from offers.scope import get_own
from offers.sentences import Sentence
from offers.shops import ShopConnection
from offers.tellings import change_untold, locked, note_told

WORRY = timedelta(minutes=15)
"""So long telling may fail before somebody has to look."""


@dataclass(frozen=True, slots=True)
class ShopTrouble:
    """A shop that could not be told of some *changes*, and the reason of one."""

    shop: ShopConnection
    changes: int
    reason: str


def is_in_trouble(now: datetime) -> ColumnElement[bool]:
    """Whether an echo could not be told for a while, or was given up."""
    return or_(
        col(Echo.state) == EchoState.GIVEN_UP,
        and_(col(Echo.state) == EchoState.DUE, col(Echo.failing_since) <= now - WORRY),
    )


def shops_in_trouble(
    session: Session, which: ColumnElement[bool], *, now: datetime
) -> tuple[ShopTrouble, ...]:
    """Return the shops among *which* that could not be told, with why."""
    statement = (
        select(ShopConnection, func.count(col(Echo.id)), func.max(Echo.failure))
        .join(Echo, col(Echo.shop_id) == col(ShopConnection.id))
        .where(which, is_in_trouble(now))
        .group_by(col(ShopConnection.id))
        .order_by(col(ShopConnection.id))
    )
    return tuple(ShopTrouble(*row) for row in session.exec(statement))


def tell_again(
    session: Session, retailer_id: str, echo_id: str, *, now: datetime
) -> None:
    """Try once more now, because somebody asked.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If the shop was told.
    """
    lead = _open(session, retailer_id, echo_id)
    change_untold(session, lead, state=EchoState.DUE, due_at=now)


def settle_by_hand(
    session: Session, retailer_id: str, echo_id: str, *, now: datetime
) -> None:
    """Somebody has changed the stock in the shop themselves, or seen that it was.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If the shop was told.
    """
    lead = _open(session, retailer_id, echo_id)
    note_told(session, lead.id, applied_at=now, level_after=None, now=now)


def troubled(session: Session, retailer_id: str, *, now: datetime) -> list[Echo]:
    """Return what could not be told for a while, the oldest first."""
    statement = (
        select(Echo)
        .where(Echo.retailer_id == retailer_id, is_in_trouble(now))
        .order_by(col(Echo.id))
    )
    return list(session.exec(statement))


def echoes(
    session: Session, retailer_id: str, shop_id: str, *, limit: int = 100
) -> list[Echo]:
    """Return what a shop was and will be told, the latest first."""
    statement = (
        select(Echo)
        .where(Echo.retailer_id == retailer_id, Echo.shop_id == shop_id)
        .order_by(col(Echo.id).desc())
        .limit(limit)
    )
    return list(session.exec(statement))


def _open(session: Session, retailer_id: str, echo_id: str) -> Echo:
    get_own(session, Echo, retailer_id, echo_id)
    echo = locked(session, echo_id)
    if echo.state is EchoState.TOLD:
        raise WrongState(Sentence("The shop was told of this already."))
    return session.get_one(Echo, echo.lead_id) if echo.lead_id else echo
