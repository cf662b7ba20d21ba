"""Posts whose deal is over say so, or go, as the retailer chose for the channel."""

import asyncio
from datetime import timedelta

import structlog
from sqlmodel import Session

from offers.accounts import Afterwards, ChannelAccount
from offers.deals import Deal
from offers.posts import (
    Post,
    give_up_retiring,
    lease_retiring_posts,
    mark_retired,
    put_off_retiring,
)
from offers.retailers import Retailer
from outletbot.channels import Channel, ChannelError, Draft, Rejected, TryLater
from outletbot.clock import Clock
from outletbot.composing import compose_over
from outletbot.db import Database
from outletbot.jobs.publishing import backoff
from outletbot.networks import Networks
from outletbot.sealing import CannotOpen

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 12


async def retire_due_posts(database: Database, networks: Networks, clock: Clock) -> int:
    """Retire what is due. Return how many posts were tried."""
    posts = await database.transact(lease_retiring_posts, now=clock())
    await asyncio.gather(*(_retire(post, database, networks, clock) for post in posts))
    return len(posts)


async def _retire(
    post: Post, database: Database, networks: Networks, clock: Clock
) -> None:
    account, deal, retailer = await database.read(_gather, post)
    text = post.text
    try:
        channel = networks.channel(account)
        if account.afterwards is Afterwards.EDIT:
            text = compose_over(deal, post.text, retailer, channel)
        draft = Draft(text, "", retailer.language, post.first_due_at)
        await _do(channel, account.afterwards, post, draft)
    except (Rejected, CannotOpen) as refusal:
        await database.transact(give_up_retiring, post, str(refusal), now=clock())
        log.warning("post_not_retired", post=post.id, reason=str(refusal))
    except ChannelError as error:
        await _put_off(post, error, database, clock)
    else:
        await database.transact(mark_retired, post, text, now=clock())
        log.info("post_retired", post=post.id, how=account.afterwards)


async def _do(channel: Channel, how: Afterwards, post: Post, draft: Draft) -> None:
    """Editing and deleting twice is as good as once, so doubts are no matter."""
    match how:
        case Afterwards.EDIT:
            await channel.edit(post.remote_id or "", draft)
        case Afterwards.DELETE:
            await channel.delete(post.remote_id or "")
        case Afterwards.LEAVE | Afterwards.ANSWER:
            pass


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


def _gather(session: Session, post: Post) -> tuple[ChannelAccount, Deal, Retailer]:
    return (
        session.get_one(ChannelAccount, post.account_id),
        session.get_one(Deal, post.deal_id),
        session.get_one(Retailer, post.retailer_id),
    )
