"""
Turns to write to the provider: who asks when it could begin finds what others leave.
"""

import asyncio
from datetime import datetime

import pytest

from offers.pacing import Lane
from outletbot.db import Database
from outletbot.pace import Pace
from tests.factories import NOON, SECOND
from tests.fakes import FakePayments

BOTH_DATABASES = True


class Timed(Pace):
    """Waits in no time: the clock goes on instead."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, lambda: self.now)
        self.now = NOON
        self.begun: list[datetime] = []

    async def wait(self, begins_at: datetime) -> None:
        self.now = max(self.now, begins_at)
        self.begun.append(self.now)


@pytest.fixture
def pace(database: Database) -> Timed:
    return Timed(database)


async def test_many_who_end_things_have_the_whole_pace_while_nothing_is_opened(
    pace: Timed,
) -> None:
    stripe = FakePayments(writes_per_second=100)

    async def end() -> None:
        async with pace.turn(stripe, Lane.ENDING):
            pass

    await asyncio.gather(*(end() for _ in range(50)))

    assert len(pace.begun) == 50
    assert pace.begun == sorted(pace.begun)
    assert pace.now < NOON + SECOND


async def test_a_turn_that_was_taken_before_is_waited_for(pace: Timed) -> None:
    later = NOON + 3 * SECOND

    async with pace.turn(FakePayments(), Lane.OPENING, begins_at=later):
        assert pace.now == later
