"""Departures: posts that are due at the same instant are noted together, then sent.

A post is ready before its time. A moment before it, all that wait are looked at and
written down in one transaction, whatever comes meanwhile in the next one; then each
sleeps to the instant. So a hundred posts leave at once, not one commit after another.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from offers.departures import Departure, Verdict, depart
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.together import Together

MARGIN = timedelta(milliseconds=400)
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
        self._noting = Together(self._note)

    async def leave(self, departure: Departure) -> None:
        """Return at the instant at which the post is to go out.

        Raises:
            Held: If it is not to go out.
        """
        due_at = departure.post.first_due_at
        await self._sleep(due_at - MARGIN - self._clock())
        verdict = await self._noting.do(departure)
        if verdict is not Verdict.GO:
            raise Held(verdict)
        while (early := due_at - self._clock()) > timedelta():
            await self._sleep(early)

    async def _note(self, departures: Sequence[Departure]) -> list[Verdict]:
        verdicts = await self._database.transact(depart, departures, now=self._clock())
        return [verdicts[one.post.id] for one in departures]

    async def _sleep(self, span: timedelta) -> None:
        if span > timedelta():
            await asyncio.sleep(span.total_seconds())
