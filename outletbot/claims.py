"""Claims: holds asked for at once are committed at once.

What arrives while a batch commits is the next batch; there is no timer. A batch is one
transaction, and nobody is answered before it is committed.
"""

import asyncio
from collections import deque

from offers.claims import Claim, place_holds
from offers.errors import OfferError
from offers.holds import Hold
from outletbot.clock import Clock
from outletbot.db import Database

MAX_BATCH = 512
MAX_WAITING = 8_192


class Busy(Exception):
    """More claims wait than can be answered in time; try again in *seconds*."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


class ClaimQueue:
    """One queue for each process; the database decides between processes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: deque[tuple[Claim, asyncio.Future[Hold | OfferError]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def claim(self, claim: Claim) -> Hold:
        """Return the hold that *claim* was granted; the same key gives the same.

        Raises:
            OfferError: With the reason why it was not granted.
            Busy: If too many wait already.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise Busy(seconds=2)
        answer: asyncio.Future[Hold | OfferError] = (
            asyncio.get_running_loop().create_future()
        )
        self._waiting.append((claim, answer))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._commit_batches())
        granted = await answer
        if isinstance(granted, OfferError):
            raise granted
        return granted

    async def _commit_batches(self) -> None:
        while self._waiting:
            size = min(len(self._waiting), MAX_BATCH)
            batch = [self._waiting.popleft() for _ in range(size)]
            await self._commit(batch)

    async def _commit(
        self, batch: list[tuple[Claim, asyncio.Future[Hold | OfferError]]]
    ) -> None:
        claims = [claim for claim, _ in batch]
        try:
            answers = await self._database.transact(
                place_holds, claims, now=self._clock()
            )
        except Exception as error:  # noqa: BLE001  (each waiting request raises it)
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():  # the shopper may have gone
                future.set_result(answer)
