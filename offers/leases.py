"""Leases: rows that are due, taken so that nobody else takes them for a while.

One conditional UPDATE, whatever the database: on PostgreSQL over rows that nobody else
has locked, on SQLite under the one writer's lock. Who takes a row and dies leaves it to
the next, once the lease is over.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement
from sqlmodel import Session, SQLModel, col, select, update

Row = TypeVar("Row", bound=SQLModel)


def lease(
    session: Session,
    table: type[Row],
    due: Sequence[ColumnElement[bool]],
    values: Mapping[str, object],
    *,
    order: Any,
    limit: int,
) -> list[Row]:
    """Take up to *limit* rows that are *due*, by *order*, and set *values* in them.

    Returns them as they are then, in no order.
    """
    key = table.__table__.c.id  # type: ignore[attr-defined]  # every table has one
    # A subquery may be run again for each row, and find others each time.
    first = (
        select(key)
        .where(*due)
        .order_by(order)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("first")
    )
    leased = session.scalars(
        update(table)
        .where(*due, col(key).in_(select(first.c.id)))
        .values(values)
        .returning(table)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return list(leased.all())


def give_back(session: Session, rows: Sequence[Any], *, now: datetime) -> int:
    """Let others take *rows* at once that were leased by ``due_at`` and not begun.

    Return how many: what somebody else has taken since stays theirs.
    """
    given = 0
    for row in rows:
        table = type(row)
        done = session.exec(
            update(table)
            .where(col(table.id) == row.id, col(table.due_at) == row.due_at)
            .values(due_at=now, attempts=col(table.attempts) - 1)
        )
        given += done.rowcount
    return given
