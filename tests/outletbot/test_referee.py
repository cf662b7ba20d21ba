"""
Where clocks differ the database's counts; a database that is away says nothing.
"""

import asyncio
from contextlib import closing
from datetime import datetime, timedelta

from structlog.testing import capture_logs

from outletbot.clock import utc_now
from outletbot.db import Database, time_there
from outletbot.referee import RefereedClock, refereed_clock, ticks
from tests.factories import MINUTE, NOON, SECOND

BOTH_DATABASES = True


class Machine:
    """A machine's clock, which is set, and its seconds, which nobody sets."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.seconds = 1_000.0

    def clock(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return self.seconds

    def passes(self, by: timedelta) -> None:
        self.now += by
        self.seconds += by.total_seconds()


class Referee:
    """A database that says what time it is, and takes its time to."""

    def __init__(self, machine: Machine, now: datetime | None) -> None:
        self.machine, self.now = machine, now
        self.took = timedelta()

    async def read(self, _work: object) -> datetime | None:
        self.machine.passes(self.took)
        return self.now


async def asked(machine: Machine, now: datetime | None) -> RefereedClock:
    clock = RefereedClock(machine.clock, machine.ticks)
    await clock.ask(Referee(machine, now))  # type: ignore[arg-type]
    return clock


async def test_goes_by_its_own_clock_while_they_agree() -> None:
    machine = Machine(NOON)

    clock = await asked(machine, NOON + 4 * SECOND)
    machine.passes(MINUTE)

    assert clock() == NOON + MINUTE
    assert clock.ahead == -4 * SECOND


async def test_goes_by_the_referee_when_its_own_is_off() -> None:
    machine = Machine(NOON + 10 * MINUTE)

    with capture_logs() as logs:
        clock = await asked(machine, NOON)
    machine.passes(7 * SECOND)

    assert clock() == NOON + 7 * SECOND
    assert [(one["event"], one["ahead"]) for one in logs] == [("clock_is_off", 600.0)]


async def test_does_not_mind_that_its_own_is_set_between_two_words() -> None:
    machine = Machine(NOON)
    clock = await asked(machine, NOON)

    machine.passes(SECOND)
    machine.now -= 10 * MINUTE

    assert clock() == NOON + SECOND


async def test_halves_the_time_that_an_answer_took() -> None:
    machine = Machine(NOON + MINUTE)
    clock = RefereedClock(machine.clock, machine.ticks)
    referee = Referee(machine, NOON)
    referee.took = SECOND

    await clock.ask(referee)  # type: ignore[arg-type]

    assert clock() == NOON + SECOND / 2


async def test_does_not_trust_an_answer_that_took_long() -> None:
    machine = Machine(NOON + MINUTE)
    clock = RefereedClock(machine.clock, machine.ticks)
    referee = Referee(machine, NOON)
    referee.took = 2 * SECOND

    await clock.ask(referee)  # type: ignore[arg-type]

    assert clock() == NOON + MINUTE + 2 * SECOND


async def test_a_file_knows_no_other_time() -> None:
    clock = await asked(Machine(NOON), None)

    assert clock() == NOON


async def test_asks_a_server_for_its_time(database: Database) -> None:
    before = utc_now()
    there = database.read_here(time_there)
    after = utc_now()

    if database.engine.dialect.name == "sqlite":
        assert there is None
    else:
        assert there is not None
        assert before - SECOND <= there <= after + SECOND


async def test_asks_now_and_again(database: Database) -> None:
    async with refereed_clock(database, every=timedelta(milliseconds=1)) as clock:
        told = []
        for _ in range(2):
            told.append(clock())
            await asyncio.sleep(0.02)

    assert told[0] < told[1]
    assert abs(utc_now() - clock()) < SECOND


async def test_a_database_that_is_away_keeps_nobody_from_working() -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=1"
    with closing(Database.connect(url)) as database:
        async with refereed_clock(database) as clock:
            assert abs(utc_now() - clock()) < SECOND


def test_ticks_go_on() -> None:
    assert ticks() <= ticks()
