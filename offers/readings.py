"""Readings: how far the payment provider's lists were read, account by account.

Each account in which something was asked of the provider has two lists that are read
again and again: its events and its books. Whoever reads takes a lease; what was read
is taken in before the position moves on, so that nothing is passed over and what is
read twice is known.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment
from offers.holds import Hold
from offers.ids import new_id
from offers.leases import lease
from offers.payment_accounts import HOUSE, PaymentAccount
from offers.retailers import Retailer

LEASE = timedelta(minutes=5)
LEEWAY = timedelta(hours=1)
"""How far the provider's clock and ours may be apart."""

RECENT = 1_000
"""How many of the latest holds are looked at for one that the house's account has."""


class Subject(StrEnum):
    EVENTS = "events"
    BOOKS = "books"


class Reading(SQLModel, table=True):
    """How far a list of the provider was read: *position* is the last id taken in.

    *read_at* is when a reading that came to the list's end had begun; *trouble* is why
    the last one did not.
    """

    __table_args__ = (UniqueConstraint("account_id", "subject"),)

    id: str = Field(primary_key=True)
    account_id: str
    subject: str
    position: str = ""
    due_at: datetime = Field(sa_type=Moment, index=True)
    attempts: int = 0
    read_at: datetime | None = Field(default=None, sa_type=Moment)
    trouble: str = ""


def lease_due_readings(
    session: Session, subject: Subject, *, now: datetime, limit: int = 4
) -> list[Reading]:
    """Take what is to be read now; an account's first reading is due at once."""
    _begin_readings(session, now=now)
    due = (col(Reading.subject) == subject, col(Reading.due_at) <= now)
    values = {"due_at": now + LEASE, "attempts": col(Reading.attempts) + 1}
    return lease(session, Reading, due, values, order=Reading.due_at, limit=limit)


def advance_reading(session: Session, reading_id: str, position: str) -> None:
    """Everything up to *position* was taken in."""
    session.exec(
        update(Reading).where(col(Reading.id) == reading_id).values(position=position)
    )


def finish_reading(
    session: Session, reading_id: str, *, began_at: datetime, again_at: datetime
) -> None:
    """The list was read to its end, as it was at *began_at*."""
    session.exec(
        update(Reading)
        .where(col(Reading.id) == reading_id)
        .values(read_at=began_at, due_at=again_at, attempts=0, trouble="")
    )


def put_off_reading(
    session: Session, reading_id: str, *, until: datetime, reason: str = ""
) -> None:
    """It was not read to its end, for a *reason* or because there is so much."""
    session.exec(
        update(Reading)
        .where(col(Reading.id) == reading_id)
        .values(due_at=until, trouble=reason)
    )


def find_reading(session: Session, account_id: str, subject: Subject) -> Reading | None:
    statement = select(Reading).where(
        Reading.account_id == account_id, Reading.subject == subject
    )
    return session.exec(statement).one_or_none()


def began_at(session: Session, account_id: str, *, now: datetime) -> datetime:
    """Return when an account's business with us began, at the earliest."""
    if account_id == HOUSE:
        first = select(Retailer.created_at).order_by(col(Retailer.created_at)).limit(1)
        return (session.exec(first).one_or_none() or now) - LEEWAY
    return session.get_one(PaymentAccount, account_id).connected_at - LEEWAY


def _begin_readings(session: Session, *, now: datetime) -> None:
    known = set(session.exec(select(Reading.account_id)))
    accounts = session.exec(
        select(PaymentAccount.id).where(col(PaymentAccount.proved_at).is_not(None))
    )
    wanted = set(accounts) - known
    if HOUSE not in known and _house_was_asked(session):
        wanted.add(HOUSE)
    if wanted:
        _insert(session, sorted(wanted), now)


def _house_was_asked(session: Session) -> bool:
    """An installation that never used the house's account has no key for it either."""
    recent = select(Hold.account_id, Hold.request).order_by(col(Hold.id).desc())
    rows = recent.limit(RECENT).subquery()
    asked = select(rows.c.request).where(
        rows.c.account_id == HOUSE, rows.c.request != ""
    )
    return session.exec(asked.limit(1)).first() is not None


def _insert(session: Session, account_ids: Sequence[str], now: datetime) -> None:
    on_postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if on_postgres else sqlite.insert
    rows = [
        Reading(
            id=new_id("reading", now), account_id=account, subject=subject, due_at=now
        ).model_dump()
        for account in account_ids
        for subject in Subject
    ]
    session.connection().execute(insert(Reading).values(rows).on_conflict_do_nothing())
