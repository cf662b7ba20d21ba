"""Posts whose deal is over say so, or go, as the retailer chose for the channel."""

import asyncio
from datetime import timedelta

import structlog

from offers.accounts import Afterwards
from offers.posts import (
    Post,
    give_up_retiring,
    lease_retiring_posts,
    mark_retired,
    put_off_retiring,
)
from outletbot.channels import ChannelError, Rejected, TryLater
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.drafting import draft_over, gather
from outletbot.jobs.publishing import backoff
from outletbot.networks import Networks
from outletbot.sealing import CannotOpen

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 12


async def retire_due_posts(
    database: Database, networks: Networks, clock: Clock, *, public_url: str
) -> int:
    """Retire what is due. Return how many posts were tried."""
    posts = await database.transact(lease_retiring_posts, now=clock())
    retiring = (_retire(one, database, networks, clock, public_url) for one in posts)
    await asyncio.gather(*retiring)
    return len(posts)


async def _retire(
    post: Post, database: Database, networks: Networks, clock: Clock, public_url: str
) -> None:
    matter = await database.read(gather, post)
    how, text = matter.account.afterwards, post.text
    try:
        channel = networks.channel(matter.account)
        if how is Afterwards.EDIT:
            draft = draft_over(matter, channel, public_url=public_url)
            text = draft.text
            await channel.edit(post.remote_id or "", draft)
        elif how is Afterwards.DELETE:
            await channel.delete(post.remote_id or "")
    except (Rejected, CannotOpen) as refusal:
        await database.transact(give_up_retiring, post, str(refusal), now=clock())
        log.warning("post_not_retired", post=post.id, reason=str(refusal))
    except ChannelError as error:
        await _put_off(post, error, database, clock)
    else:
        await database.transact(mark_retired, post, text, now=clock())
        log.info("post_retired", post=post.id, how=how)


async def _put_off(
    post: Post, error: ChannelError, database: Database, clock: Clock
) -> None:
    if post.retire_attempts >= MAX_ATTEMPTS:
        await database.transact(give_up_retiring, post, str(error), now=clock())
        return
    wait = timedelta(seconds=5)
    if isinstance(error, TryLater):
        wait = error.after or backoff(post.retire_attempts)
    await database.transact(
        put_off_retiring, post, until=clock() + wait, reason=str(error)
    )
    log.warning("post_retiring_put_off", post=post.id, reason=str(error))
