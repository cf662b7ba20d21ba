"""What arrived: each message once, whatever the sender repeats."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, func
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Field, Session, SQLModel, col, select, text, update

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
    return arrival.id in receive_all(session, [arrival])


def receive_all(session: Session, arrivals: Sequence[Arrival]) -> set[str]:
    """Keep *arrivals* that did not come before. Return the ids of those that are new.

    Of those that are the same message the first is kept.
    """
    if not arrivals:
        return set()
    # In the same order everywhere: who keeps some waits for nobody who waits for them.
    rows = [arrival.model_dump() for arrival in sorted(arrivals, key=_identity)]
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        kept = connection.execute(_KEEP_ON_POSTGRES, {"rows": _as_json(rows)})
    else:
        kept = connection.execute(_KEEP_ON_SQLITE, rows)
    return set(kept.scalars())


def _identity(arrival: Arrival) -> tuple[str, str, str]:
    return arrival.source, arrival.retailer_id, arrival.message_id


def _as_json(rows: Sequence[dict[str, Any]]) -> str:
    """Return *rows*, payloads as text: PostgreSQL keeps some that it cannot read."""
    texts = [{**row, "payload": json.dumps(row["payload"])} for row in rows]
    return json.dumps(texts, default=str)


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


_KEEP_ON_SQLITE = insert(Arrival).on_conflict_do_nothing().returning(col(Arrival.id))

# One value, however many rows: the driver takes its time for each.
_KEEP_ON_POSTGRES = text("""
    INSERT INTO arrival (
        id, retailer_id, account_id, source, message_id, type, payload,
        sent_at, received_at, due_at, attempts, handled_at, outcome
    )
    SELECT
        id, retailer_id, account_id, source, message_id, type, CAST(payload AS json),
        sent_at, received_at, due_at, attempts, handled_at, outcome
    FROM json_to_recordset(:rows) AS arrived (
        id text, retailer_id text, account_id text, source text, message_id text,
        type text, payload text, sent_at timestamptz, received_at timestamptz,
        due_at timestamptz, attempts int, handled_at timestamptz, outcome text
    )
    ON CONFLICT DO NOTHING
    RETURNING id
""")
