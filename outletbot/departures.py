"""Departures: posts that are due at the same instant are noted together, then sent.

A post is ready before its time. A moment before it, all that wait are looked at and
written down in one transaction, whatever comes meanwhile in the next one; then each
sleeps to the instant. So a hundred posts leave at once, not one commit after another.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from offers.allowances import Departure, Verdict
from offers.departures import depart
from offers.posting import LEASE, keep_lease, let_go
from offers.posts import Post
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.together import Together

log = structlog.get_logger(__name__)

MARGIN = timedelta(milliseconds=400)
"""So long before its time a post is written down as about to go out."""

LET_GO = timedelta(seconds=15)
"""So long after something broke a post may be taken by the next."""

RENEW = LEASE / 4
"""So often whoever is about a post holds on to it."""


class Held(Exception):
    """A post does not go out now; what becomes of it is written down."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class Departures:
    """*renew* is how often a lease is renewed while its post is under way."""

    def __init__(
        self, database: Database, clock: Clock, *, renew: timedelta = RENEW
    ) -> None:
        self._database = database
        self._clock = clock
        self._renew = renew
        self._noting = Together(self._note)

    @asynccontextmanager
    async def holding(self, post: Post) -> AsyncIterator[None]:
        """Keep a leased post from all others meanwhile, however long that takes.

        A picture may take longer than a lease lasts; a worker that died renews nothing.
        If something breaks, others need not wait until the lease ends.
        """
        holding = asyncio.create_task(self._hold(post))
        try:
            yield
        except Exception:
            until = self._clock() + LET_GO
            await self._database.transact(let_go, post, until=until)
            raise
        finally:
            holding.cancel()

    async def leave(self, departure: Departure) -> None:
        """Return at the instant at which the post is to go out.

        Raises:
            Held: If it is not to go out, or was kept so long since that was noted that
                others may be looking for it by now.
        """
        due_at = departure.post.first_due_at
        await self._sleep(due_at - MARGIN - self._clock())
        asked_at = self._clock()
        verdict = await self._noting.do(departure)
        if verdict is not Verdict.GO:
            raise Held(verdict)
        while (early := due_at - self._clock()) > timedelta():
            await self._sleep(early)
        if self._clock() - asked_at > LEASE / 2:
            raise Held(Verdict.NOT_OURS)

    async def _hold(self, post: Post) -> None:
        while True:
            await asyncio.sleep(self._renew.total_seconds())
            try:
                await self._database.transact(keep_lease, post, now=self._clock())
            except Exception:
                log.exception("lease_not_renewed", post=post.id)

    async def _note(self, departures: Sequence[Departure]) -> list[Verdict]:
        verdicts = await self._database.transact(depart, departures, now=self._clock())
        return [verdicts[one.post.id] for one in departures]

    async def _sleep(self, span: timedelta) -> None:
        if span > timedelta():
            await asyncio.sleep(span.total_seconds())
