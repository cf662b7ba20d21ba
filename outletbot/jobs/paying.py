"""Holds get their payment page, and end by the provider's word."""

import asyncio

from offers.lines import lines
from offers.payment_pages import lease_lapsed_holds
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.lines import Lines
from outletbot.paying import Paying


async def open_missing_pages(
    database: Database,
    paying: Paying,
    clock: Clock,
    stop: asyncio.Event | None = None,
) -> int:
    """Serve the lines that no request serves fast enough, until *stop* is set.

    Return how many pages were opened.
    """
    accounts = await database.read(lines, now=clock())
    serving = Lines(paying, stop)
    opened = await asyncio.gather(*(serving.serve(account) for account in accounts))
    return sum(opened)


async def expire_holds(database: Database, paying: Paying, clock: Clock) -> int:
    """End holds whose time is up. Return how many came to an end."""
    holds = await database.transact(lease_lapsed_holds, now=clock())
    outcomes = await asyncio.gather(*(paying.close(hold) for hold in holds))
    return sum(outcome is not None for outcome in outcomes)
