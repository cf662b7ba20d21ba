"""Clicks are counted in memory and written once a second.

A crash loses the last second of them: they are statistics, and that is accepted.
"""

import asyncio
from collections import Counter
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from offers.clicks import Arrived, Visitor, record_clicks
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.web.shop.deal_view import DealView

log = structlog.get_logger(__name__)

FLUSH = timedelta(seconds=1)


class ClickBuffer:
    """One for each process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._counts: Counter[Arrived] = Counter()

    def count(self, view: DealView, visitor: Visitor) -> None:
        """Note one arrival by the post that *view* was reached by."""
        minute = self._clock().replace(second=0, microsecond=0)
        arrived = Arrived(view.retailer_id, view.deal_id, view.post_id, minute, visitor)
        self._counts[arrived] += 1

    async def flush(self) -> None:
        """Write what was counted; if that fails, it is kept for the next time."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            await self._database.transact(record_clicks, counts)
        except SQLAlchemyError as error:
            self._counts.update(counts)
            log.warning("clicks_not_written", reason=str(error))

    async def run(self) -> None:
        """Write once a second, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH.total_seconds())
            await self.flush()
