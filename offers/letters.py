"""Letters: mail that we owe people: written with the change, leased, sent, retried.

What cannot be sent is tried again after 1 min, 5 min, 15 min, 1 h, 3 h, 6 h and 12 h,
then given up loudly: it is about alarms, and later than that nobody is helped by it.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment, word
from offers.errors import WrongState
from offers.ids import new_id
from offers.leases import lease
from offers.sentences import Sentence

LEASE = timedelta(minutes=2)
"""Longer than a mail server is waited for."""

TEST_PAUSE = timedelta(minutes=1)

SCHEDULE = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
)


class LetterState(StrEnum):
    DUE = "due"
    SENT = "sent"
    GIVEN_UP = "given_up"


class Letter(SQLModel, table=True):
    """*subject* is one line; *failure* is what the mail server said last, if it did."""

    __table_args__ = (
        Index("ix_letter_due", "state", "due_at"),
        Index("ix_letter_retailer", "retailer_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    recipient: str
    subject: str
    body: str
    state: LetterState = Field(default=LetterState.DUE, sa_type=word(LetterState))
    attempts: int = 0
    due_at: datetime = Field(sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    failure: str = ""


def write_letter(
    session: Session,
    retailer_id: str,
    *,
    recipient: str,
    subject: str,
    body: str,
    now: datetime,
) -> Letter:
    """Owe somebody a letter, in the words in which it is sent."""
    letter = Letter(
        id=new_id("letter", now),
        retailer_id=retailer_id,
        recipient=recipient,
        subject=" ".join(subject.split()),
        body=body,
        due_at=now,
        created_at=now,
    )
    session.add(letter)
    session.flush()
    return letter


def write_test(
    session: Session,
    retailer_id: str,
    *,
    recipient: str,
    subject: str,
    body: str,
    now: datetime,
) -> Letter:
    """Write a letter that its writer hands over at once, as if it was leased.

    Raises:
        WrongState: If one was written a moment ago: whoever is named gets them all.
    """
    last = last_letter(session, retailer_id)
    if last is not None and last.created_at > now - TEST_PAUSE:
        raise WrongState(
            Sentence(
                "A mail was written less than a minute ago. Wait for it to arrive."
            )
        )
    letter = write_letter(
        session, retailer_id, recipient=recipient, subject=subject, body=body, now=now
    )
    letter.attempts, letter.due_at = 1, now + LEASE
    session.flush()
    return letter


def lease_due_letters(
    session: Session, *, now: datetime, limit: int = 20
) -> list[Letter]:
    """Take letters that are due, so that nobody else takes them for a while."""
    due = (col(Letter.state) == LetterState.DUE, col(Letter.due_at) <= now)
    values = {"due_at": now + LEASE, "attempts": col(Letter.attempts) + 1}
    leased = lease(session, Letter, due, values, order=Letter.due_at, limit=limit)
    return sorted(leased, key=lambda letter: letter.id)


def mark_sent(session: Session, letter: Letter, *, now: datetime) -> LetterState:
    """The mail server has it: a fact, whoever holds the lease by now."""
    session.exec(
        update(Letter)
        .where(col(Letter.id) == letter.id, col(Letter.state) != LetterState.SENT)
        .values(state=LetterState.SENT, sent_at=now, failure="")
    )
    return LetterState.SENT


def put_off_letter(
    session: Session, letter: Letter, reason: str, *, for_good: bool, now: datetime
) -> LetterState:
    """Try again by the schedule; give up at its end, or if it was refused *for_good*.

    Whoever was too slow cannot undo what another said of it.
    """
    over = for_good or letter.attempts > len(SCHEDULE)
    values: dict[str, object] = {"failure": reason[:500]}
    if over:
        values["state"] = LetterState.GIVEN_UP
    else:
        values["due_at"] = now + SCHEDULE[letter.attempts - 1]
    session.exec(
        update(Letter)
        .where(
            col(Letter.id) == letter.id,
            col(Letter.state) == LetterState.DUE,
            col(Letter.attempts) == letter.attempts,
        )
        .values(values)
    )
    return LetterState.GIVEN_UP if over else LetterState.DUE


def last_letter(session: Session, retailer_id: str) -> Letter | None:
    """Return what was last written to a retailer's people, if anything was."""
    statement = (
        select(Letter)
        .where(Letter.retailer_id == retailer_id)
        .order_by(col(Letter.id).desc())
        .limit(1)
    )
    return session.exec(statement).first()
