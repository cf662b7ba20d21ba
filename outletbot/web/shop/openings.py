"""Openings: payment pages that are being asked for.

A shopper waits a few seconds for theirs; the asking goes on when they wait no longer.
"""

import asyncio

from offers.holds import Hold
from outletbot.paying import Paying

PATIENCE = 5.0
FINISH = 10.0


class Openings:
    """Knows what is under way, so that it is finished before the process ends."""

    def __init__(self, paying: Paying, *, patience: float = PATIENCE) -> None:
        self._paying = paying
        self._patience = patience
        self._running: set[asyncio.Task[Hold]] = set()

    async def open(self, hold: Hold) -> Hold:
        """Return the hold with its payment page, or as it was if that takes long."""
        opening = asyncio.create_task(self._paying.open(hold.id))
        self._running.add(opening)
        opening.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait({opening}, timeout=self._patience)
        return opening.result() if done else hold

    async def finish(self) -> None:
        """Let what is under way be written down."""
        if self._running:
            await asyncio.wait(self._running, timeout=FINISH)
