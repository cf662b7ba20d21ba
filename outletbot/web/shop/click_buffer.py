"""Clicks are counted in memory and written once a second.

A crash loses the last second of them: they are statistics, and that is accepted.
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from offers.clicks import Arrived, Visitor, record_clicks
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.web.shop.deal_view import DealView

log = structlog.get_logger(__name__)

FLUSH = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class ClickBuffer:
    """One for each process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._minute = self._next_minute = datetime.min.replace(tzinfo=UTC)
        self._within: Counter[tuple[str, str, str, Visitor]] = Counter()
        self._unwritten: Counter[Arrived] = Counter()

    def count(self, view: DealView, visitor: Visitor) -> None:
        """Note one arrival by the post that *view* was reached by."""
        now = self._clock()
        if not self._minute <= now < self._next_minute:
            self._put_away()
            self._minute = now.replace(second=0, microsecond=0)
            self._next_minute = self._minute + MINUTE
        self._within[view.retailer_id, view.deal_id, view.post_id, visitor] += 1

    async def flush(self) -> None:
        """Write what was counted; if that fails, it is kept for the next time."""
        self._put_away()
        counts, self._unwritten = self._unwritten, Counter()
        if not counts:
            return
        try:
            await self._database.transact(record_clicks, counts)
        except SQLAlchemyError as error:
            self._unwritten.update(counts)
            log.warning("clicks_not_written", reason=str(error))

    async def run(self) -> None:
        """Write once a second, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH.total_seconds())
            await self.flush()

    def _put_away(self) -> None:
        """Name the minute of what was counted within it."""
        for (retailer_id, deal_id, post_id, visitor), count in self._within.items():
            arrived = Arrived(retailer_id, deal_id, post_id, self._minute, visitor)
            self._unwritten[arrived] += count
        self._within.clear()
