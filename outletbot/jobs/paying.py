"""Holds get their payment page, and end by the provider's word."""

import asyncio

from offers.payment_pages import lease_lapsed_holds, unopened_holds
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.paying import Paying


async def open_missing_pages(database: Database, paying: Paying, clock: Clock) -> int:
    """Ask for the pages that no request is asking for any more."""
    holds = await database.read(unopened_holds, now=clock())
    opened = await asyncio.gather(*(paying.open(hold.id) for hold in holds))
    return sum(hold.checkout_id is not None for hold in opened)


async def expire_holds(database: Database, paying: Paying, clock: Clock) -> int:
    """End holds whose time is up. Return how many came to an end."""
    holds = await database.transact(lease_lapsed_holds, now=clock())
    outcomes = await asyncio.gather(*(paying.close(hold) for hold in holds))
    return sum(outcome is not None for outcome in outcomes)
