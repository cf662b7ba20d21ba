"""Tellings: owed echoes on their way to a shop, each once.

Before a call everything that is owed of one item at one place is gathered and noted as
sent: while that is in doubt nothing else of the offer is told to that shop, and what is
told again is the same, by the same key. Whoever changes this locks the offer first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, and_, col, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from offers.allotments import lock
from offers.catalog import Offer
from offers.echoes import ANYWHERE, TELLABLE, Echo, EchoState
from offers.leases import lease
from offers.shops import ShopConnection

LEASE = timedelta(minutes=2)
RETRY = timedelta(seconds=15)
"""So long what has to wait for another call about the same offer is left alone."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One call to a shop: *change* units of an item, the sum of what is owed of it.

    *key* is how the shop recognises the call, *sent_at* when it was first made, None if
    it never was: *change* is then still open, and nothing of it can have happened.
    *due_at* is until when it is ours to make.
    """

    id: str
    retailer_id: str
    shop_id: str
    sku: str
    item_key: str
    place_key: str
    change: int
    key: str
    attempts: int
    sent_at: datetime | None
    due_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Doubted:
    """A shop's count, as it came, that was taken while a telling was in doubt."""

    echo_id: str
    retailer_id: str
    offer_id: str
    shop_id: str
    item_key: str
    place_key: str
    quantity: int
    counted_at: datetime


def lease_due_echoes(
    session: Session, *, now: datetime, limit: int = 20
) -> list[Telling]:
    """Take what is to be told now, one call an item, to shops that are not paused."""
    able = select(ShopConnection.id).where(
        ~col(ShopConnection.paused), col(ShopConnection.kind).in_(TELLABLE)
    )
    due = (
        col(Echo.state) == EchoState.DUE,
        col(Echo.due_at) <= now,
        or_(col(Echo.lead_id) == "", col(Echo.lead_id) == col(Echo.id)),
        col(Echo.shop_id).in_(able),
    )
    values = {"due_at": now + LEASE, "attempts": col(Echo.attempts) + 1}
    leased = lease(session, Echo, due, values, order=Echo.due_at, limit=limit)
    return [
        _telling(session, echo) for echo in sorted(leased, key=lambda echo: echo.id)
    ]


def begin(
    session: Session, telling: Telling, item_key: str, place_key: str, *, now: datetime
) -> Telling | None:
    """Note that *telling* is about to be made, of all that is owed of its item now.

    Returns it as it was until now. ``None`` if it is somebody else's by now, or another
    call about the offer is in doubt.
    """
    echo = locked(session, telling.id)
    ours = echo.state is EchoState.DUE and echo.due_at == telling.due_at
    if not ours or echo.lead_id not in {"", echo.id}:
        return None
    sent_at, until = echo.sent_at, now + LEASE
    if sent_at is None:
        if session.exec(_in_doubt(echo)).first() is not None:
            _move(session, [echo.id], due_at=now + RETRY)
            return None
        owed = session.exec(_together(echo, place_key)).all()
        facts = {"lead_id": echo.id, "item_key": item_key, "place_key": place_key}
        _move(session, owed, **facts, sent_at=now)
    _move(session, [echo.id], due_at=until)
    session.refresh(echo)
    return replace(_telling(session, echo), sent_at=sent_at)


def note_told(
    session: Session,
    telling_id: str,
    *,
    applied_at: datetime,
    level_after: int | None,
    now: datetime,
) -> bool:
    """The shop has done it; *applied_at* is its own time. Return whether that is news.

    A count that came meanwhile may have included it: see ``doubted``.
    """
    lead = locked(session, telling_id)
    if lead.state is EchoState.TOLD:
        return False
    told = {"applied_at": applied_at, "level_after": level_after, "told_at": now}
    change_untold(
        session,
        lead,
        state=EchoState.TOLD,
        lead_id=lead.id,
        failure="",
        failing_since=None,
        **told,
    )
    return True


def doubted(session: Session, *, limit: int = 20) -> list[Doubted]:
    """Return counts that seemed to lack what was told, and had it after all.

    They are to be taken over once more, then to be ``cleared``.
    """
    at, was = col(Echo.taken_off_at), col(Echo.taken_off_from)
    same_second = and_(
        col(Echo.applied_at) == at,
        or_(col(Echo.level_after).is_(None), col(Echo.level_after) >= was),
    )
    statement = (
        select(Echo)
        .where(
            col(Echo.state) == EchoState.TOLD,
            at.is_not(None),
            or_(col(Echo.applied_at) < at, same_second),
        )
        .order_by(at, col(Echo.id))
        .limit(limit)
    )
    return [_doubted(echo) for echo in session.exec(statement)]


def clear(session: Session, one: Doubted) -> None:
    """A count in doubt was taken over once more, or is older than what is known."""
    session.exec(
        update(Echo)
        .where(col(Echo.id) == one.echo_id, col(Echo.taken_off_at) == one.counted_at)
        .values(taken_off_at=None, taken_off_from=None)
        .execution_options(synchronize_session=False)
    )


def put_off(
    session: Session, telling: Telling, *, until: datetime, reason: str, now: datetime
) -> None:
    """Try the same again at *until*: it may have been done."""
    lead = _locked_own(session, telling)
    if lead is not None:
        change_untold(session, lead, **_failing(reason, now), due_at=until)


def release(
    session: Session, telling: Telling, *, until: datetime, reason: str, now: datetime
) -> None:
    """It was provably not done: at *until* it may be told anew, with what is owed then.

    Its key is not used again, since a shop may repeat a refusal to the same key.
    """
    lead = _locked_own(session, telling)
    if lead is None:
        return
    change_untold(
        session,
        lead,
        **_failing(reason, now),
        due_at=until,
        lead_id="",
        sent_at=None,
        refusals=col(Echo.refusals) + int(lead.sent_at is not None),
    )


def give_up(session: Session, telling: Telling, *, reason: str, now: datetime) -> None:
    """A person has to look: what it says of the shop is not known, or not possible."""
    lead = _locked_own(session, telling)
    if lead is not None:
        change_untold(session, lead, **_failing(reason, now), state=EchoState.GIVEN_UP)


def _telling(session: Session, echo: Echo) -> Telling:
    change = session.exec(select(func.sum(Echo.change)).where(_of(echo))).one()
    return Telling(
        id=echo.id,
        retailer_id=echo.retailer_id,
        shop_id=echo.shop_id,
        sku=echo.sku,
        item_key=echo.item_key,
        place_key=echo.place_key,
        change=int(change),
        key=f"{echo.id}-{echo.refusals}",
        attempts=echo.attempts,
        sent_at=echo.sent_at,
        due_at=echo.due_at,
        created_at=echo.created_at,
    )


def _of(lead: Echo) -> ColumnElement[bool]:
    """Everything that goes with *lead*; alone if it was not gathered yet."""
    return or_(col(Echo.id) == lead.id, col(Echo.lead_id) == lead.id)


def locked(session: Session, echo_id: str) -> Echo:
    """Return an echo whose offer is locked: a count may be looking at it."""
    echo = session.get_one(Echo, echo_id)
    lock(session, session.get_one(Offer, echo.offer_id))
    session.refresh(echo)
    return echo


def _locked_own(session: Session, telling: Telling) -> Echo | None:
    """Return what *telling* is of, unless somebody else has taken it up since."""
    echo = locked(session, telling.id)
    ours = echo.state is EchoState.DUE and echo.attempts == telling.attempts
    return echo if ours else None


def _doubted(echo: Echo) -> Doubted:
    return Doubted(
        echo.id,
        echo.retailer_id,
        echo.offer_id,
        echo.shop_id,
        echo.item_key,
        echo.place_key,
        echo.taken_off_from or 0,
        echo.taken_off_at or echo.created_at,
    )


def _failing(reason: str, now: datetime) -> dict[str, Any]:
    since = func.coalesce(col(Echo.failing_since), now)
    return {"failure": reason, "failing_since": since}


def change_untold(session: Session, lead: Echo, **values: Any) -> None:
    """Change all that goes with *lead* and was not told yet."""
    session.exec(
        update(Echo)
        .where(_of(lead), col(Echo.state) != EchoState.TOLD)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(lead)


def _in_doubt(echo: Echo) -> SelectOfScalar[str]:
    return select(Echo.id).where(
        Echo.shop_id == echo.shop_id,
        Echo.offer_id == echo.offer_id,
        Echo.state != EchoState.TOLD,
        col(Echo.sent_at).is_not(None),
    )


def _together(echo: Echo, place_key: str) -> SelectOfScalar[str]:
    """What is owed of the same item, at this place or anywhere."""
    return select(Echo.id).where(
        Echo.shop_id == echo.shop_id,
        Echo.offer_id == echo.offer_id,
        Echo.state == EchoState.DUE,
        Echo.lead_id == "",
        col(Echo.place_key).in_({place_key, ANYWHERE, echo.place_key}),
    )


def _move(session: Session, echo_ids: Sequence[str], **values: object) -> None:
    session.exec(
        update(Echo)
        .where(col(Echo.id).in_(echo_ids))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
