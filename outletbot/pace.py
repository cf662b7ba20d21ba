"""Pace: no more is asked of the provider in a second than it allows.

Turns are taken in the database, where all processes take them (``offers.pacing``).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from offers.pacing import Lane, slow_down, take_turns
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.payments import PaymentGateway, TooFast

log = structlog.get_logger(__name__)


class Pace:
    """Lets a process write to the provider in its turn."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._doors: defaultdict[tuple[str, Lane], asyncio.Lock]
        self._doors = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def turn(
        self, gateway: PaymentGateway, lane: Lane, *, begins_at: datetime | None = None
    ) -> AsyncIterator[None]:
        """Wait for a turn, or for the one taken before; write within the block.

        If the provider complains of the pace there, every process slows down.
        """
        if begins_at is None:
            await self._queue(gateway, lane)
        else:
            await self.wait(begins_at)
        try:
            yield
        except TooFast:
            account_id, now = gateway.account_id, self._clock()
            log.warning("pace_too_fast", account=account_id, lane=lane)
            await self._database.transact(slow_down, account_id, now=now)
            raise

    async def _queue(self, gateway: PaymentGateway, lane: Lane) -> None:
        """Wait for a turn; who asks when it could begin finds what others leave."""
        async with self._doors[gateway.account_id, lane]:
            await self.wait(await self._take(gateway, lane))

    async def _take(self, gateway: PaymentGateway, lane: Lane) -> datetime:
        (turn,) = await self._database.transact(
            take_turns,
            gateway.account_id,
            lane,
            wanted=1,
            pace=gateway.writes_per_second,
            now=self._clock(),
        )
        return turn

    async def wait(self, begins_at: datetime) -> None:
        """Wait for a turn that was taken."""
        await asyncio.sleep((begins_at - self._clock()).total_seconds())
