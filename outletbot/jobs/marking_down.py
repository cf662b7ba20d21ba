"""Prices fall by the plans that are armed."""

import structlog

from offers.markdown_steps import apply_due_steps
from outletbot.clock import Clock
from outletbot.db import Database

log = structlog.get_logger(__name__)


async def mark_down(database: Database, clock: Clock) -> int:
    """Take the steps that are due. Return how many prices fell."""
    falls = await database.transact(apply_due_steps, now=clock())
    for fall in falls:
        log.info("price_fell", deal=fall.deal_id, step=fall.step_id, price=fall.price)
    return len(falls)
