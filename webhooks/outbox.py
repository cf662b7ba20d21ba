"""What we owe others: written with the change, leased, sent, retried, given up loudly.

The schedule is that of Standard Webhooks: at once, then after 5 s, 5 min, 30 min, 2 h,
5 h, 10 h, 14 h, 20 h and 24 h.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment, word
from offers.ids import new_id
from offers.leases import lease
from offers.retailers import get_retailer

LEASE = timedelta(minutes=1)
SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


class DeliveryState(StrEnum):
    DUE = "due"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class Delivery(SQLModel, table=True):
    """*body* is what is sent, to the letter, at each attempt."""

    __table_args__ = (
        Index("ix_delivery_due", "state", "due_at"),
        Index("ix_delivery_retailer", "retailer_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    type: str
    body: str
    state: DeliveryState = Field(default=DeliveryState.DUE, sa_type=word(DeliveryState))
    attempts: int = 0
    due_at: datetime = Field(sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    delivered_at: datetime | None = Field(default=None, sa_type=Moment)


class DeliveryAttempt(SQLModel, table=True):
    """*status* is the endpoint's HTTP status, or none if it never answered."""

    __tablename__ = "delivery_attempt"

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    delivery_id: str = Field(foreign_key="delivery.id", index=True)
    tried_at: datetime = Field(sa_type=Moment)
    status: int | None = None
    answer: str = ""


def enqueue(
    session: Session,
    retailer_id: str,
    kind: str,
    data: Mapping[str, object],
    *,
    now: datetime,
) -> Delivery | None:
    """Owe *retailer_id* a message, if it has an endpoint to hear it."""
    if not get_retailer(session, retailer_id).webhook_url:
        return None
    body = {"type": kind, "timestamp": now.isoformat(), "data": dict(data)}
    delivery = Delivery(
        id=new_id("msg", now),
        retailer_id=retailer_id,
        type=kind,
        body=json.dumps(body, ensure_ascii=False),
        due_at=now,
        created_at=now,
    )
    session.add(delivery)
    session.flush()
    return delivery


def lease_due_deliveries(
    session: Session, *, now: datetime, limit: int = 20
) -> list[Delivery]:
    """Take messages that are due, so that nobody else takes them for a while."""
    due = (col(Delivery.state) == DeliveryState.DUE, col(Delivery.due_at) <= now)
    attempts = col(Delivery.attempts) + 1
    values = {"due_at": now + LEASE, "attempts": attempts}
    leased = lease(session, Delivery, due, values, order=Delivery.due_at, limit=limit)
    return sorted(leased, key=lambda delivery: delivery.id)


def record_attempt(
    session: Session,
    delivery: Delivery,
    *,
    status: int | None,
    answer: str,
    now: datetime,
) -> DeliveryState:
    """Note what the endpoint said; any 2xx is thanks, 410 a request to stop."""
    session.add(
        DeliveryAttempt(
            id=new_id("attempt", now),
            retailer_id=delivery.retailer_id,
            delivery_id=delivery.id,
            tried_at=now,
            status=status,
            answer=answer[:500],
        )
    )
    if status is not None and 200 <= status < 300:
        return _move(session, delivery, state=DeliveryState.DELIVERED, delivered_at=now)
    if status == 410 or delivery.attempts > len(SCHEDULE):
        return _move(session, delivery, state=DeliveryState.GIVEN_UP)
    wait = SCHEDULE[delivery.attempts - 1]
    return _move(session, delivery, state=DeliveryState.DUE, due_at=now + wait)


def deliver_again(
    session: Session, retailer_id: str, delivery_id: str, *, now: datetime
) -> None:
    """Send a message once more, because somebody asked."""
    session.exec(
        update(Delivery)
        .where(
            col(Delivery.id) == delivery_id, col(Delivery.retailer_id) == retailer_id
        )
        .values(state=DeliveryState.DUE, due_at=now, attempts=0)
    )


def deliveries(
    session: Session, retailer_id: str, *, limit: int = 100
) -> list[Delivery]:
    """Return what a retailer was and will be told, the latest first."""
    statement = (
        select(Delivery)
        .where(Delivery.retailer_id == retailer_id)
        .order_by(col(Delivery.id).desc())
        .limit(limit)
    )
    return list(session.exec(statement))


def attempts(
    session: Session, retailer_id: str, delivery_id: str
) -> list[DeliveryAttempt]:
    statement = (
        select(DeliveryAttempt)
        .where(
            DeliveryAttempt.retailer_id == retailer_id,
            DeliveryAttempt.delivery_id == delivery_id,
        )
        .order_by(col(DeliveryAttempt.id))
    )
    return list(session.exec(statement))


def attempts_by_delivery(
    session: Session, retailer_id: str, delivery_ids: Sequence[str]
) -> dict[str, list[DeliveryAttempt]]:
    """Return the attempts of several messages by the messages' ids, the last first.

    A message that was not tried yet has no entry.
    """
    statement = (
        select(DeliveryAttempt)
        .where(
            DeliveryAttempt.retailer_id == retailer_id,
            col(DeliveryAttempt.delivery_id).in_(delivery_ids),
        )
        .order_by(col(DeliveryAttempt.id).desc())
    )
    tried: dict[str, list[DeliveryAttempt]] = {}
    for attempt in session.exec(statement):
        tried.setdefault(attempt.delivery_id, []).append(attempt)
    return tried


def _move(
    session: Session, delivery: Delivery, *, state: DeliveryState, **values: object
) -> DeliveryState:
    """Whoever was too slow cannot undo what another said of it."""
    session.exec(
        update(Delivery)
        .where(
            col(Delivery.id) == delivery.id, col(Delivery.state) == DeliveryState.DUE
        )
        .values(state=state, **values)
    )
    return state
