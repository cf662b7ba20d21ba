"""Accounts are kept open: tokens renewed before they end, and looked at once a day.

An account that is to post soon is looked at more often, so that its owner is told days
before the post if they have to sign in again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from offers.accounts import ChannelAccount
from offers.keeping import lease_checking, lease_refreshing
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.tokens import Keeper

log = structlog.get_logger(__name__)


async def keep_accounts(database: Database, keeper: Keeper, clock: Clock) -> int:
    """Renew and look at what is due. Return how many accounts that was."""
    ending = await database.transact(lease_refreshing, now=clock())
    await _each(keeper.refresh, ending)
    unproved = await database.transact(lease_checking, now=clock())
    await _each(partial(_look_at, keeper), unproved)
    return len(ending) + len(unproved)


async def _look_at(keeper: Keeper, account: ChannelAccount) -> None:
    """Look at an account; what its network says of us is noted by the keeper."""
    await keeper.check(account)


async def _each(
    work: Callable[[ChannelAccount], Awaitable[object]],
    leased: Sequence[ChannelAccount],
) -> None:
    """Do *work* for all at once: a slow network keeps only its own accounts waiting."""
    results = await asyncio.gather(
        *(work(account) for account in leased), return_exceptions=True
    )
    for account, result in zip(leased, results, strict=True):
        if isinstance(result, Exception):
            log.error("account_not_kept", account=account.id, exc_info=result)
