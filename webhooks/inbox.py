"""What arrived: each message once, whatever the sender repeats."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment
from offers.ids import new_id
from offers.leases import lease

LEASE = timedelta(minutes=1)


class Arrival(SQLModel, table=True):
    """*sent_at* is the sender's time; *retailer_id* is empty for the whole house.

    *account_id* is the payment account it is about, empty for the house's own.
    """

    __table_args__ = (
        UniqueConstraint("source", "retailer_id", "message_id"),
        Index("ix_arrival_due", "handled_at", "due_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = ""
    account_id: str = ""
    source: str
    message_id: str
    type: str
    payload: dict[str, Any] = Field(sa_type=JSON)
    sent_at: datetime = Field(sa_type=Moment)
    received_at: datetime = Field(sa_type=Moment)
    due_at: datetime = Field(sa_type=Moment)
    attempts: int = 0
    handled_at: datetime | None = Field(default=None, sa_type=Moment)
    outcome: str = ""


def new_arrival(
    source: str,
    message_id: str,
    kind: str,
    payload: dict[str, Any],
    *,
    retailer_id: str = "",
    account_id: str = "",
    sent_at: datetime,
    now: datetime,
) -> Arrival:
    return Arrival(
        id=new_id("arrival", now),
        retailer_id=retailer_id,
        account_id=account_id,
        source=source,
        message_id=message_id,
        type=kind,
        payload=payload,
        sent_at=sent_at,
        received_at=now,
        due_at=now,
    )


def receive(session: Session, arrival: Arrival) -> bool:
    """Keep *arrival*, unless it came before. Return whether it is new."""
    on_postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(Arrival) if on_postgres else sqlite.insert(Arrival)
    statement = insert.values(arrival.model_dump()).on_conflict_do_nothing()
    # PostgreSQL's driver does not count what an INSERT did, so it is asked for the row.
    kept = session.connection().execute(statement.returning(col(Arrival.id)))
    return kept.first() is not None


def lease_arrivals(
    session: Session, *, now: datetime, limit: int = 50
) -> list[Arrival]:
    """Take messages that were not acted on yet, the oldest first."""
    due = (col(Arrival.handled_at).is_(None), col(Arrival.due_at) <= now)
    attempts = col(Arrival.attempts) + 1
    values = {"due_at": now + LEASE, "attempts": attempts}
    leased = lease(session, Arrival, due, values, order=Arrival.id, limit=limit)
    return sorted(leased, key=lambda arrival: arrival.id)


def unhandled(session: Session) -> int:
    """Return how many messages nobody has acted on yet."""
    waiting = select(func.count(col(Arrival.id))).where(
        col(Arrival.handled_at).is_(None)
    )
    return int(session.exec(waiting).one())


def mark_handled(
    session: Session, arrival_id: str, outcome: str, *, now: datetime
) -> bool:
    """Note what became of a message. Return whether nobody had acted on it before."""
    marked = session.exec(
        update(Arrival)
        .where(col(Arrival.id) == arrival_id, col(Arrival.handled_at).is_(None))
        .values(handled_at=now, outcome=outcome)
    )
    return marked.rowcount == 1


def put_off(session: Session, arrival_id: str, *, until: datetime, reason: str) -> None:
    """It could not be acted on now; try again at *until*."""
    session.exec(
        update(Arrival)
        .where(col(Arrival.id) == arrival_id)
        .values(due_at=until, outcome=reason)
    )
