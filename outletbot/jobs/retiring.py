"""Posts whose deal is over say so, are answered or go, as the retailer chose."""

import asyncio
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from offers.accounts import Afterwards
from offers.follow_ups import is_said, say
from offers.posting import (
    give_up_retiring,
    lease_retiring_posts,
    mark_retired,
    put_off_retiring,
    rest_retiring,
)
from offers.posts import Post, PostKind
from outletbot.channels import (
    Ability,
    Capabilities,
    Channel,
    ChannelError,
    Limited,
    Rejected,
    TryLater,
)
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.drafting import Matter, draft_over, gather
from outletbot.jobs.publishing import backoff
from outletbot.networks import Opener
from outletbot.sealing import CannotOpen

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 12
UNKNOWN_REST = timedelta(minutes=5)

INSTEAD = {
    Afterwards.EDIT: (Afterwards.EDIT, Afterwards.ANSWER, Afterwards.LEAVE),
    Afterwards.ANSWER: (Afterwards.ANSWER, Afterwards.EDIT, Afterwards.LEAVE),
    Afterwards.DELETE: (
        Afterwards.DELETE,
        Afterwards.EDIT,
        Afterwards.ANSWER,
        Afterwards.LEAVE,
    ),
    Afterwards.LEAVE: (Afterwards.LEAVE,),
}
"""What is done if the network does not allow what was chosen: the next best."""


async def retire_due_posts(
    database: Database, opener: Opener, clock: Clock, *, public_url: str
) -> int:
    """Retire what is due. Return how many posts were tried."""
    posts = await database.transact(lease_retiring_posts, now=clock())
    retiring = (_retire(one, database, opener, clock, public_url) for one in posts)
    await asyncio.gather(*retiring)
    return len(posts)


async def _retire(
    post: Post, database: Database, opener: Opener, clock: Clock, public_url: str
) -> None:
    matter = await database.read(gather, post)
    try:
        channel = await opener.channel(matter.account)
        how = feasible(matter, channel.capabilities, now=clock())
        text = await _do(how, matter, channel, public_url)
    except (Rejected, CannotOpen) as refusal:
        await database.transact(give_up_retiring, post, str(refusal), now=clock())
        log.warning("post_not_retired", post=post.id, reason=str(refusal))
    except ChannelError as error:
        await _put_off(post, error, database, clock)
    else:
        await database.transact(_record, post, how, text, now=clock())
        log.info("post_retired", post=post.id, how=how)


def feasible(matter: Matter, takes: Capabilities, *, now: datetime) -> Afterwards:
    """Return what is done with a post: what was chosen, or the next best."""
    age = now - (matter.post.published_at or matter.post.first_due_at)
    able = {
        Afterwards.LEAVE: True,
        Afterwards.EDIT: _allows(takes, Ability.EDIT, takes.edit_window, age),
        Afterwards.DELETE: _allows(takes, Ability.DELETE, takes.delete_window, age),
        # Only what announced the deal is answered; the rest stands below it.
        Afterwards.ANSWER: Ability.ANSWER in takes.abilities
        and matter.post.kind is PostKind.ANNOUNCEMENT,
    }
    return next(one for one in INSTEAD[matter.account.afterwards] if able[one])


def _allows(
    takes: Capabilities, ability: Ability, window: timedelta | None, age: timedelta
) -> bool:
    return ability in takes.abilities and (window is None or age < window)


async def _do(
    how: Afterwards, matter: Matter, channel: Channel, public_url: str
) -> str:
    """Edit or delete a post. Return its text; twice is as good as once."""
    remote_id = matter.post.remote_id or ""
    if how is Afterwards.EDIT:
        draft = draft_over(matter, channel, public_url=public_url)
        await channel.edit(remote_id, draft)
        return draft.text
    if how is Afterwards.DELETE:
        await channel.delete(remote_id)
    return matter.post.text


def _record(
    session: Session, post: Post, how: Afterwards, text: str, *, now: datetime
) -> None:
    """Note that a post is retired; an answer to it is planned, and goes out at once."""
    mark_retired(session, post, text, now=now)
    if how is Afterwards.ANSWER and not is_said(session, post, PostKind.OVER):
        say(session, post, PostKind.OVER, now=now)


async def _put_off(
    post: Post, error: ChannelError, database: Database, clock: Clock
) -> None:
    if isinstance(error, Limited):
        until = clock() + (error.after or UNKNOWN_REST)
        await database.transact(rest_retiring, post, until=until)
    elif post.retire_attempts >= MAX_ATTEMPTS:
        await database.transact(give_up_retiring, post, str(error), now=clock())
        return
    else:
        wait = timedelta(seconds=5)
        if isinstance(error, TryLater):
            wait = error.after or backoff(post.retire_attempts)
        until = clock() + wait
        await database.transact(put_off_retiring, post, until=until, reason=str(error))
    log.warning("post_retiring_put_off", post=post.id, reason=str(error), until=until)
