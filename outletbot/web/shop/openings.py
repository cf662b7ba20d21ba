"""Openings: payment pages that shoppers wait for.

A shopper waits a few seconds for theirs, unless the line is longer than that; the
asking goes on when they wait no longer.
"""

import asyncio
from datetime import timedelta

from offers.holds import UNPAGED, Hold, get_hold
from offers.lines import Place
from outletbot.db import Database
from outletbot.lines import Lines
from outletbot.paying import Paying

PATIENCE = timedelta(seconds=5)
GLANCE = timedelta(milliseconds=300)
FINISH = 10.0


class Openings:
    """Serves the lines of those who wait at this process's door."""

    def __init__(
        self, paying: Paying, database: Database, *, patience: timedelta = PATIENCE
    ) -> None:
        self._paying = paying
        self._database = database
        self._patience = patience
        self._lines = Lines(paying)

    async def open(self, hold: Hold) -> Hold:
        """Return the hold with its payment page, or as it is if that takes long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience.total_seconds()
        while hold.state in UNPAGED:
            left = until - loop.time()
            place = await self._paying.place(hold)
            if place is None or place.wait >= self._patience:
                await self._lines.open(hold, patience=0)
                return hold
            had_its_turn = await self._lines.open(hold, patience=left)
            hold = await self._database.read(get_hold, hold.id)
            if had_its_turn or left <= 0:
                return hold
            if hold.state in UNPAGED:
                await asyncio.sleep(GLANCE.total_seconds())
        return hold

    async def move(self, hold: Hold) -> Place | None:
        """Let the line move, and return where *hold* stands in it."""
        await self._lines.open(hold, patience=0)
        return await self._paying.place(hold)

    async def finish(self) -> None:
        """Let what is under way be written down."""
        await self._lines.finish(FINISH)
