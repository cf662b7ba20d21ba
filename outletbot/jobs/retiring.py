"""Posts whose deal is over say so, are answered or go, as the retailer chose."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from offers.accounts import Afterwards, note_trouble
from offers.deals import Deal
from offers.follow_ups import is_said, is_worth_saying, say
from offers.posting import (
    give_up_retiring,
    lease_retiring_posts,
    let_stand,
    mark_retired,
    note_whereabouts,
    put_off_retiring,
    rest_retiring,
)
from offers.posts import Post, PostKind
from outletbot.channels import (
    Ability,
    Capabilities,
    Channel,
    ChannelError,
    Disowned,
    Limited,
    Rejected,
    TryLater,
)
from outletbot.channels.calls import NotThere
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.drafting import Matter, draft_over, gather
from outletbot.jobs.publishing import backoff
from outletbot.networks import Opener
from outletbot.sealing import CannotOpen

log = structlog.get_logger(__name__)

AT_ONCE = 100
FEW = 20
"""So many posts are taken at a time, so that several workers share them."""

MAX_ATTEMPTS = 100
"""A day's worth, a quarter of an hour apart: networks have been away for hours."""

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


class Retirer:
    """Retires posts; a slow network keeps nobody waiting but its own posts."""

    def __init__(
        self, database: Database, opener: Opener, clock: Clock, *, public_url: str
    ) -> None:
        self._database = database
        self._opener = opener
        self._clock = clock
        self._public_url = public_url
        self._under_way: set[asyncio.Task[None]] = set()

    async def retire_due(self) -> int:
        """Begin to retire what is due. Return how many posts that is."""
        room = min(AT_ONCE - len(self._under_way), FEW)
        if room <= 0:
            return 0
        posts = await self._database.transact(
            lease_retiring_posts, now=self._clock(), limit=room
        )
        for post in posts:
            task = asyncio.create_task(self._guarded(post))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(posts)

    async def finish(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way)

    async def _guarded(self, post: Post) -> None:
        """A bug in one post's way is no reason to leave the others as they are."""
        try:
            await self._retire(post)
        except Exception:
            log.exception("post_not_retired", post=post.id)

    async def _retire(self, post: Post) -> None:
        matter = await self._database.read(gather, post)
        if not _is_over(matter.deal, now=self._clock()):
            await self._database.transact(let_stand, post)
            log.info("post_stands", post=post.id)
            return
        try:
            channel = await self._opener.channel(matter.account)
            how = feasible(matter, channel.capabilities, now=self._clock())
            if how is not Afterwards.LEAVE:
                matter = await self._located(matter, channel)
            text = await _do(how, matter, channel, self._public_url)
        except CannotOpen as error:
            await self._wait_for_owner(post, f"{error}. Reconnect it.")
        except Disowned as refusal:
            await self._wait_for_owner(post, str(refusal))
        except NotThere as gone:
            await self._database.transact(
                mark_retired, post, post.text, now=self._clock(), note=str(gone)
            )
            log.info("post_gone", post=post.id, reason=str(gone))
        except Rejected as refusal:
            await self._give_up(post, str(refusal))
        except ChannelError as error:
            await self._put_off(post, error)
        else:
            cost = _cost_of(how, channel.capabilities)
            await self._database.transact(
                _record, post, how, text, cost, now=self._clock()
            )
            log.info("post_retired", post=post.id, how=how)

    async def _located(self, matter: Matter, channel: Channel) -> Matter:
        """Return *matter* with a post that is known to be somewhere.

        Of one that a person said is out we may not know what its network calls it.
        """
        post = matter.post
        if post.remote_id:
            return matter
        draft = draft_over(matter, channel, public_url=self._public_url)
        able = Ability.FIND in channel.capabilities.abilities
        found = await channel.find(draft) if able else None
        if found is None:
            msg = "It is not known which post this is on the network: change it there."
            raise Rejected(msg)
        where = {"remote_id": found.remote_id, "url": found.url}
        await self._database.transact(note_whereabouts, post, **where)
        return replace(matter, post=post.model_copy(update=where))

    async def _wait_for_owner(self, post: Post, reason: str) -> None:
        """What lets nobody in now is done as soon as somebody connects it again."""
        await self._database.transact(_note_closed, post, reason, now=self._clock())
        log.warning("post_retiring_put_off", post=post.id, reason=reason)

    async def _give_up(self, post: Post, reason: str) -> None:
        await self._database.transact(give_up_retiring, post, reason, now=self._clock())
        log.error("post_not_retired", post=post.id, reason=reason)

    async def _put_off(self, post: Post, error: ChannelError) -> None:
        now, after = self._clock(), error.after if isinstance(error, TryLater) else None
        if isinstance(error, Limited):
            until = now + (after or UNKNOWN_REST)
            await self._database.transact(rest_retiring, post, until=until)
        elif post.retire_attempts >= MAX_ATTEMPTS:
            await self._give_up(post, str(error))
            return
        else:
            until = now + (after or backoff(post.retire_attempts))
            await self._database.transact(
                put_off_retiring, post, until=until, reason=str(error)
            )
        name = "post_retiring_put_off"
        log.warning(name, post=post.id, reason=str(error), until=until)


async def retire_due_posts(
    database: Database, opener: Opener, clock: Clock, *, public_url: str
) -> int:
    """Retire what is due, and wait for it. Return how many posts were tried."""
    retirer = Retirer(database, opener, clock, public_url=public_url)
    tried = await retirer.retire_due()
    await retirer.finish()
    return tried


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


def _is_over(deal: Deal, *, now: datetime) -> bool:
    """Whether it is, whoever's clock is ahead."""
    return deal.closed_at is not None or is_worth_saying(PostKind.OVER, deal, now=now)


def _cost_of(how: Afterwards, takes: Capabilities) -> int:
    """Return what the network takes for it, in millionths of a US dollar."""
    deleted = how is Afterwards.DELETE and takes.fees is not None
    return int(takes.fees.delete * 1_000_000) if deleted and takes.fees else 0


def _record(
    session: Session,
    post: Post,
    how: Afterwards,
    text: str,
    cost_micros: int,
    *,
    now: datetime,
) -> None:
    """Note that a post is retired; an answer to it is planned, and goes out at once."""
    ours = mark_retired(session, post, text, now=now, cost_micros=cost_micros)
    if ours and how is Afterwards.ANSWER and not is_said(session, post, PostKind.OVER):
        say(session, post, PostKind.OVER, now=now)


def _note_closed(session: Session, post: Post, reason: str, *, now: datetime) -> None:
    """A refused token is the account's trouble too, which its people are told."""
    put_off_retiring(session, post, until=now, reason=reason)
    note_trouble(session, post.retailer_id, post.account_id, reason, now=now)
