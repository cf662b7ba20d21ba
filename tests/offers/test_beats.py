"""
A worker is known to be alive as long as it says so.
"""

from datetime import timedelta

from sqlmodel import Session

from offers.beats import (
    EVERY,
    FORGOTTEN,
    SILENT,
    WorkerBeat,
    beat,
    begin_beating,
    last_beat,
    stop_beating,
)
from tests.factories import NOON, SECOND


def test_a_worker_is_alive_until_it_has_been_silent(session: Session) -> None:
    begin_beating(session, now=NOON)

    last = last_beat(session)

    assert last is not None
    assert last.is_alive(NOON + SILENT - SECOND)
    assert not last.is_alive(NOON + SILENT)


def test_a_beat_may_be_lost() -> None:
    assert 2 * EVERY < SILENT


def test_nobody_was_heard_of_at_first(session: Session) -> None:
    assert last_beat(session) is None


def test_the_latest_of_several_workers_counts(session: Session) -> None:
    first = begin_beating(session, now=NOON)
    second = begin_beating(session, now=NOON)

    assert beat(session, first, ahead=timedelta(seconds=-7), now=NOON + SECOND)

    session.expire_all()
    last = last_beat(session)
    assert last is not None
    assert (last.id, last.ahead) == (first, timedelta(seconds=-7))
    assert second != first


def test_a_worker_that_stops_is_forgotten_at_once(session: Session) -> None:
    worker = begin_beating(session, now=NOON)

    stop_beating(session, worker)

    assert last_beat(session) is None
    assert not beat(session, worker, now=NOON)


def test_one_that_died_is_forgotten_after_a_day(session: Session) -> None:
    dead = begin_beating(session, now=NOON)
    alive = begin_beating(session, now=NOON)

    beat(session, alive, now=NOON + FORGOTTEN + SECOND)

    session.expire_all()
    assert session.get(WorkerBeat, dead) is None
    assert session.get(WorkerBeat, alive) is not None
