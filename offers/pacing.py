"""Pacing: turns to write to the payment provider, shared by all processes.

The provider takes so many writes a second from an account and refuses what is more. So
each account has a row that says when its next write may begin; who wants to write
takes the next turns, a fifth of a second's worth at a time, and waits for them. What
opens payment pages and what ends things (expiry, refunds) are two lanes: neither
starves the other, and each may use what the other leaves.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment

SLICE = timedelta(milliseconds=200)
"""How much of an account's pace a process may take at once."""

SAVED = timedelta(milliseconds=50)
"""How much of it may be saved up: with the shares below no second has more than the
provider allows."""

FURTHEST = timedelta(seconds=30)
"""A turn later than this was taken by a machine whose clock is wrong."""

PAUSE = timedelta(seconds=1)
LEAST_PERCENT = 10
RECOVERY = 5
"""After a complaint nobody writes for a while; then at half the pace, and by so many
percent more each second."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Lane(StrEnum):
    OPENING = "opening"
    ENDING = "ending"


SHARES = {Lane.OPENING: 0.82, Lane.ENDING: 0.1}


class PaymentPace(SQLModel, table=True):
    """When each lane's next turn begins, and how much of the pace is used.

    That is *percent* at *slowed_at*, and more since then.
    """

    __tablename__ = "payment_pace"

    account_id: str = Field(primary_key=True)
    opening_at: datetime = Field(default=LONG_AGO, sa_type=Moment)
    ending_at: datetime = Field(default=LONG_AGO, sa_type=Moment)
    percent: int = 100
    slowed_at: datetime = Field(default=LONG_AGO, sa_type=Moment)

    def next_turn(self, lane: Lane, now: datetime) -> datetime:
        """Return when the next turn begins; before *now* if turns were saved up."""
        at = self.opening_at if lane is Lane.OPENING else self.ending_at
        return now - SAVED if at > now + FURTHEST else max(at, now - SAVED)

    def take(self, lane: Lane, pace: float, now: datetime) -> datetime:
        """Take the next turn of *lane*, or one that the other leaves unused."""
        other = Lane.ENDING if lane is Lane.OPENING else Lane.OPENING
        theirs, one = self.next_turn(other, now), 1 / (pace * SHARES[other])
        # Whoever opens pages in a rush has taken more than the next turn; what ends
        # things has few turns, and keeps them.
        grace = timedelta(seconds=one) if lane is Lane.ENDING else timedelta()
        if self.next_turn(lane, now) > max(now, theirs) and theirs <= now + grace:
            lane = other
        begins = self.next_turn(lane, now)
        ends = begins + timedelta(seconds=1 / (pace * SHARES[lane]))
        if lane is Lane.OPENING:
            self.opening_at = ends
        else:
            self.ending_at = ends
        return max(begins, now)

    def percent_at(self, now: datetime) -> int:
        passed = max(0, int((now - self.slowed_at).total_seconds()))
        return min(100, self.percent + RECOVERY * passed)


def take_turns(
    session: Session,
    account_id: str,
    lane: Lane,
    *,
    wanted: int,
    pace: float,
    now: datetime,
) -> list[datetime]:
    """Return when *wanted* writes may begin; these turns are taken.

    *pace* is how many writes a second the provider allows.
    """
    row = _lock(session, account_id)
    pace = pace * row.percent_at(now) / 100
    turns = [row.take(lane, pace, now) for _ in range(wanted)]
    session.add(row)
    return turns


def most_at_once(
    session: Session, account_id: str, lane: Lane, pace: float, now: datetime
) -> int:
    """Return how many turns one process may take at once: a slice's worth of them.

    From then on until the transaction ends nobody else takes any.
    """
    pace = pace * _lock(session, account_id).percent_at(now) / 100
    return max(1, int(pace * SHARES[lane] * SLICE.total_seconds()))


def slow_down(session: Session, account_id: str, *, now: datetime) -> None:
    """The provider said that it is too much: pause, and go on at half the pace.

    Several complaints of one moment count once.
    """
    row = _lock(session, account_id)
    if now - PAUSE < row.slowed_at <= now:
        return
    row.percent = max(LEAST_PERCENT, row.percent_at(now) // 2)
    row.slowed_at = now
    row.opening_at = max(row.next_turn(Lane.OPENING, now), now + PAUSE)
    row.ending_at = max(row.next_turn(Lane.ENDING, now), now + PAUSE)
    session.add(row)


def wait_for(
    session: Session, account_id: str, *, place: int, pace: float, now: datetime
) -> timedelta:
    """Return how long the *place*-th in line waits until its page is asked for."""
    row = session.get(PaymentPace, account_id) or PaymentPace(account_id=account_id)
    pace = pace * row.percent_at(now) / 100 * SHARES[Lane.OPENING]
    begins = row.next_turn(Lane.OPENING, now) + timedelta(seconds=(place - 1) / pace)
    return max(begins - now, timedelta())


def is_busy(session: Session, account_id: str, *, now: datetime) -> bool:
    """Whether pages of an account were opened within the last moment."""
    row = session.get(PaymentPace, account_id)
    return row is not None and row.opening_at > now - 2 * PAUSE


def _lock(session: Session, account_id: str) -> PaymentPace:
    on_postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if on_postgres else sqlite.insert
    fresh = PaymentPace(account_id=account_id).model_dump()
    missing = insert(PaymentPace).values(fresh).on_conflict_do_nothing()
    session.connection().execute(missing)
    return session.exec(
        select(PaymentPace)
        .where(col(PaymentPace.account_id) == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
