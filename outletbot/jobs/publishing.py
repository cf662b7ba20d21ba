"""Posts that are due go out to their channels, to the instant, once.

A post is leased a second early and sent when its time comes. That it is about to be
sent is written down first, so whoever finds it half done looks for it on the network,
by its own link, before anything is repeated.
"""

import asyncio
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from offers.accounts import note_trouble
from offers.deals import Phase
from offers.posts import (
    Post,
    PostState,
    begin_sending,
    lease_due_posts,
    leave_unconfirmed,
    mark_failed,
    mark_published,
    mark_skipped,
    postpone,
)
from outletbot.channels import (
    Channel,
    Disowned,
    Draft,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.drafting import Matter, draft_post, gather
from outletbot.networks import Networks
from outletbot.sealing import CannotOpen

log = structlog.get_logger(__name__)

AHEAD = timedelta(seconds=1)
AT_ONCE = 100
LOOK_AGAIN = timedelta(seconds=15)
GIVE_UP = timedelta(hours=1)


class Publisher:
    def __init__(
        self,
        database: Database,
        networks: Networks,
        clock: Clock,
        *,
        public_url: str,
    ) -> None:
        self._database = database
        self._networks = networks
        self._clock = clock
        self._public_url = public_url
        self._under_way: set[asyncio.Task[None]] = set()

    async def publish_due(self) -> int:
        """Start to publish what is due. Return how many posts that is.

        A slow network keeps nobody waiting but its own posts.
        """
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return 0
        posts = await self._database.transact(
            lease_due_posts, now=self._clock(), ahead=AHEAD, limit=room
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
        """A bug in one post's way is no reason to lose the others'."""
        try:
            await self._publish(post)
        except Exception:
            log.exception("post_not_handled", post=post.id)

    async def _publish(self, post: Post) -> None:
        matter = await self._database.read(gather, post)
        try:
            channel = self._networks.channel(matter.account)
        except CannotOpen as error:
            await self._database.transact(mark_failed, post, f"{error}. Reconnect it.")
            log.warning("post_failed", post=post.id, reason=str(error))
            return
        if post.state is PostState.SENDING and await self._settled(matter, channel):
            return
        await self._wait_for(post)
        if await self._skipped(matter):
            return
        draft = draft_post(matter, channel, public_url=self._public_url)
        ours = await self._database.transact(
            begin_sending, post.id, post.fence, draft.text, now=self._clock()
        )
        if not ours:
            log.warning("post_lease_lost", post=post.id)
            return
        await self._send(post, channel, draft)

    async def _send(self, post: Post, channel: Channel, draft: Draft) -> None:
        try:
            published = await channel.publish(draft, key=post.id)
        except TryLater as delay:
            await self._postpone(post, delay)
        except Rejected as refusal:
            await self._database.transact(_fail, post, refusal, now=self._clock())
            log.warning("post_failed", post=post.id, reason=str(refusal))
        except Unconfirmed as doubt:
            await self._leave_unconfirmed(post, str(doubt))
        else:
            await self._record(post, published)

    async def _settled(self, matter: Matter, channel: Channel) -> bool:
        """Look for a post that may be out. Whether nothing more is to be done now."""
        post = matter.post
        try:
            found = await channel.find(
                draft_post(matter, channel, public_url=self._public_url)
            )
        except TryLater as delay:
            await self._leave_unconfirmed(post, str(delay))
            return True
        except Rejected as refusal:
            await self._database.transact(_fail, post, refusal, now=self._clock())
            return True
        if found is None:
            return False
        await self._record(post, found)
        return True

    async def _skipped(self, matter: Matter) -> bool:
        """Nothing is posted that can no longer be bought."""
        now, deal = self._clock(), matter.deal
        if deal.phase(now) not in {Phase.SOLD_OUT, Phase.ENDED}:
            return False
        reason = "the deal was over before this could be posted"
        await self._database.transact(mark_skipped, matter.post, reason)
        log.info("post_skipped", post=matter.post.id)
        return True

    async def _wait_for(self, post: Post) -> None:
        """Sleep to the instant by the clock, which may be set while we sleep."""
        while (early := post.first_due_at - self._clock()) > timedelta():  # noqa: ASYNC110  (what is awaited is a time)
            await asyncio.sleep(early.total_seconds())

    async def _record(self, post: Post, published: Published) -> None:
        now = self._clock()
        await self._database.transact(
            mark_published,
            post,
            remote_id=published.remote_id,
            url=published.url,
            now=now,
        )
        late = (now - post.first_due_at).total_seconds()
        log.info("post_published", post=post.id, url=published.url, late=round(late, 3))

    async def _postpone(self, post: Post, delay: TryLater) -> None:
        wait = delay.after or backoff(post.attempts)
        until = self._clock() + wait
        if until - post.first_due_at > GIVE_UP:
            await self._database.transact(mark_failed, post, str(delay))
        else:
            await self._database.transact(
                postpone, post, until=until, reason=str(delay)
            )
        log.warning("post_postponed", post=post.id, reason=str(delay), wait=str(wait))

    async def _leave_unconfirmed(self, post: Post, reason: str) -> None:
        until = self._clock() + LOOK_AGAIN
        if until - post.first_due_at > GIVE_UP:
            await self._database.transact(mark_failed, post, reason)
        else:
            await self._database.transact(
                leave_unconfirmed, post, until=until, reason=reason
            )
        log.warning("post_unconfirmed", post=post.id, reason=reason)


def backoff(attempts: int) -> timedelta:
    """15 s, 30 s, 1 min, 2 min … up to a quarter of an hour."""
    return min(timedelta(seconds=15 << min(attempts, 8)), timedelta(minutes=15))


def _fail(session: Session, post: Post, refusal: Rejected, *, now: datetime) -> None:
    """A refused token is the account's trouble too: it fails every later post."""
    mark_failed(session, post, str(refusal))
    if isinstance(refusal, Disowned):
        note_trouble(session, post.retailer_id, post.account_id, str(refusal), now=now)
