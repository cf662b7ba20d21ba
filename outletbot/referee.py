"""The referee: where machines do not agree what time it is, the database says.

Leases, holds and deals are compared by the clocks of several processes. A process
whose machine is ten minutes off would take others' leases and open deals early, so it
asks the database now and then, and goes by its time while the two differ too much.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from outletbot.clock import Clock, utc_now
from outletbot.db import Database, time_there

log = structlog.get_logger(__name__)

TOLERANCE = timedelta(seconds=5)
SLOWEST = 1.0  # seconds: a later answer says too little about the time
EVERY = timedelta(seconds=10)

# Where the system can tell, time goes on while the machine is asleep.
STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

Ticks = Callable[[], float]


def ticks() -> float:
    """Return seconds that nobody sets."""
    return time.clock_gettime(STEADY)


class RefereedClock:
    """Call it for the time: this machine's, unless the referee's is another by far.

    Between two words of the referee its time goes on by *ticks*, seconds that nobody
    sets, so that it does not matter when this machine's clock is set.
    """

    def __init__(self, clock: Clock = utc_now, ticks: Ticks = ticks) -> None:
        self._clock = clock
        self._ticks = ticks
        self._word: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        ours = self._clock()
        theirs = self._theirs(ours)
        return ours if abs(ours - theirs) <= TOLERANCE else theirs

    @property
    def ahead(self) -> timedelta:
        """How far this machine's clock is before the referee's."""
        ours = self._clock()
        return ours - self._theirs(ours)

    async def ask(self, database: Database) -> None:
        """Ask the referee for the time, if it is another machine and answers soon."""
        asked = self._ticks()
        theirs = await database.read(time_there)
        took = self._ticks() - asked
        if theirs is None or took > SLOWEST:
            return
        self._word = theirs, asked + took / 2
        if abs(self.ahead) > TOLERANCE:
            log.warning("clock_is_off", ahead=round(self.ahead.total_seconds(), 1))

    def _theirs(self, ours: datetime) -> datetime:
        if self._word is None:
            return ours
        said, at = self._word
        return said + timedelta(seconds=self._ticks() - at)


@asynccontextmanager
async def refereed_clock(
    database: Database, *, every: timedelta = EVERY
) -> AsyncIterator[RefereedClock]:
    """Yield a clock that asks *database* now, and again *every* so often."""
    clock = RefereedClock()
    await _ask(clock, database)
    asking = asyncio.create_task(_go_on_asking(clock, database, every))
    yield clock
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking


async def _go_on_asking(
    clock: RefereedClock, database: Database, every: timedelta
) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        await _ask(clock, database)


async def _ask(clock: RefereedClock, database: Database) -> None:
    """A database that is away is no reason to stand still."""
    with suppress(SQLAlchemyError):
        await clock.ask(database)
