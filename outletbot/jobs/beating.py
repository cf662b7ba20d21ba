"""The worker says that it is alive, and how far its machine's clock is off."""

from datetime import timedelta

from offers.beats import beat, begin_beating, stop_beating
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.referee import RefereedClock


class Heart:
    """Of one worker; it begins to beat when it is first asked to."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._worker_id = ""

    async def beat(self) -> int:
        """Beat once. Return 0: there is never more to do at once."""
        known = bool(self._worker_id) and await self._database.transact(
            beat, self._worker_id, ahead=_ahead(self._clock), now=self._clock()
        )
        if not known:
            self._worker_id = await self._database.transact(
                begin_beating, now=self._clock()
            )
        return 0

    async def stop(self) -> None:
        """Say that this worker has stopped."""
        if self._worker_id:
            await self._database.transact(stop_beating, self._worker_id)


def _ahead(clock: Clock) -> timedelta:
    """Return how far this machine's clock is off, if anybody can tell."""
    return clock.ahead if isinstance(clock, RefereedClock) else timedelta()
