"""Beats: each worker says now and then that it is alive, and what its clock is worth.

A post goes out only if somebody is there to send it: who has not been heard of for half
a minute is not counted on.
"""

from datetime import datetime, timedelta

from sqlmodel import Field, Session, SQLModel, col, delete, select, update

from offers.columns import Moment
from offers.ids import new_id

EVERY = timedelta(seconds=10)
SILENT = timedelta(seconds=30)
"""A worker that was not heard of for so long is not running."""

FORGOTTEN = timedelta(days=1)


class WorkerBeat(SQLModel, table=True):
    """*ahead_ms* is how far the worker's own clock is before the database's."""

    __tablename__ = "worker_beat"

    id: str = Field(primary_key=True)
    started_at: datetime = Field(sa_type=Moment)
    beat_at: datetime = Field(sa_type=Moment, index=True)
    ahead_ms: int = 0

    @property
    def ahead(self) -> timedelta:
        return timedelta(milliseconds=self.ahead_ms)

    def is_alive(self, now: datetime) -> bool:
        return self.beat_at > now - SILENT


def begin_beating(session: Session, *, now: datetime) -> str:
    """Note a worker that has just started. Return the id by which it beats."""
    beat = WorkerBeat(id=new_id("worker", now), started_at=now, beat_at=now)
    session.add(beat)
    session.flush()
    return beat.id


def beat(
    session: Session, worker_id: str, *, ahead: timedelta = timedelta(), now: datetime
) -> bool:
    """Note that a worker is alive. Return whether it was still known.

    Workers that have been silent for a day are forgotten.
    """
    noted = session.exec(
        update(WorkerBeat)
        .where(col(WorkerBeat.id) == worker_id)
        .values(beat_at=now, ahead_ms=round(ahead / timedelta(milliseconds=1)))
    )
    session.exec(delete(WorkerBeat).where(col(WorkerBeat.beat_at) < now - FORGOTTEN))
    return noted.rowcount == 1


def stop_beating(session: Session, worker_id: str) -> None:
    """Forget a worker that has stopped, so that nobody counts on it meanwhile."""
    session.exec(delete(WorkerBeat).where(col(WorkerBeat.id) == worker_id))


def last_beat(session: Session) -> WorkerBeat | None:
    """Return the latest beat of any worker; None if none was ever heard of."""
    latest = select(WorkerBeat).order_by(col(WorkerBeat.beat_at).desc()).limit(1)
    return session.exec(latest).first()
