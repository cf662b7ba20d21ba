"""Departures: posts that are due at the same instant are noted together, then sent.

A post is ready before its time. A moment before it, all that wait are looked at and
written down in one transaction, whatever comes meanwhile in the next one; then each
sleeps to the instant. So a hundred posts leave at once, not one commit after another.
"""

import asyncio
from datetime import timedelta

from offers.departures import Departure, Verdict, depart
from outletbot.clock import Clock
from outletbot.db import Database

MARGIN = timedelta(milliseconds=200)
"""So long before its time a post is written down as about to go out."""


class Held(Exception):
    """A post does not go out now; what becomes of it is written down."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class Departures:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[tuple[Departure, asyncio.Future[Verdict]]] = []
        self._noting: asyncio.Task[None] | None = None

    async def leave(self, departure: Departure) -> None:
        """Return at the instant at which the post is to go out.

        Raises:
            Held: If it is not to go out.
        """
        due_at = departure.post.first_due_at
        await self._sleep(due_at - MARGIN - self._clock())
        verdict = await self._noted(departure)
        if verdict is not Verdict.GO:
            raise Held(verdict)
        while (early := due_at - self._clock()) > timedelta():
            await self._sleep(early)

    async def _noted(self, departure: Departure) -> Verdict:
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((departure, future))
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note())
        return await future

    async def _note(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                verdicts = await self._database.transact(
                    depart, [one for one, _ in batch], now=self._clock()
                )
            except Exception as error:  # noqa: BLE001  (each of them is told)
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            else:
                for one, future in batch:
                    if not future.done():
                        future.set_result(verdicts[one.post.id])

    async def _sleep(self, span: timedelta) -> None:
        if span > timedelta():
            await asyncio.sleep(span.total_seconds())
