"""Posts that are due go out to their channels, to the instant, once.

A post is leased some seconds early, made ready, and sent when its time comes. That it
is about to be sent is written down first, so whoever finds it half done looks for it on
the network, by its own link, before anything is repeated.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from sqlmodel import Session

from offers.accounts import note_trouble
from offers.allowances import Departure
from offers.follow_ups import is_worth_saying
from offers.posting import (
    lease_due_posts,
    leave_unconfirmed,
    mark_failed,
    mark_published,
    mark_skipped,
    mark_unconfirmed,
    postpone,
    rest,
)
from offers.posts import Post, PostState
from outletbot.channels import (
    Ability,
    CannotLook,
    Channel,
    Disowned,
    Draft,
    Limited,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.calls import NotThere
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.departures import RENEW, Departures, Held
from outletbot.drafting import Matter, draft_post, gather_all
from outletbot.networks import Opener
from outletbot.sealing import CannotOpen
from outletbot.together import Together

log = structlog.get_logger(__name__)

AHEAD = timedelta(seconds=5)
AT_ONCE = 100
LOOK_AGAIN = timedelta(seconds=15)
GIVE_UP = timedelta(hours=1)

FEW = AT_ONCE // 2
BREATH = 0.1
"""Seconds to wait for more room if there is for *FEW* posts only, lest each of them is
leased alone."""

Note = tuple[Post, Published, datetime]
Reading = asyncio.Future[dict[str, Matter | Exception]]


class Publisher:
    def __init__(
        self,
        database: Database,
        opener: Opener,
        clock: Clock,
        *,
        public_url: str,
        renew: timedelta = RENEW,
    ) -> None:
        self._database = database
        self._opener = opener
        self._clock = clock
        self._public_url = public_url
        self._departures = Departures(database, clock, renew=renew)
        self._notes = Together(self._note)
        self._under_way: set[asyncio.Task[None]] = set()

    async def publish_due(self) -> int:
        """Start to publish what is due. Return how many posts that is.

        A slow network keeps nobody waiting but its own posts.
        """
        if AT_ONCE - len(self._under_way) < FEW:
            await asyncio.sleep(BREATH)
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return 0
        posts = await self._database.transact(
            lease_due_posts, now=self._clock(), ahead=AHEAD, limit=room
        )
        for group in _by_deal(posts):
            reading = self._read(group)
            for post in group:
                task = asyncio.create_task(self._guarded(post, reading))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
        return len(posts)

    async def finish(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way)

    async def _guarded(self, post: Post, reading: Reading) -> None:
        """A bug in one post's way is no reason to lose the others'."""
        try:
            async with self._departures.holding(post):
                await self._publish(post, reading)
        except Exception:
            log.exception("post_not_handled", post=post.id)

    def _read(self, posts: Sequence[Post]) -> Reading:
        return asyncio.ensure_future(self._database.read(gather_all, posts))

    async def _publish(self, post: Post, reading: Reading | None = None) -> None:
        reading = reading or self._read([post])
        matter = (await asyncio.shield(reading))[post.id]
        if isinstance(matter, Exception):
            raise matter
        sent = post.state is PostState.SENDING
        try:
            channel = await self._opener.channel(matter.account)
            draft = self._draft(matter, channel)
        except CannotOpen as error:
            await self._refuse(post, Disowned(f"{error}. Reconnect it."), sent=sent)
            return
        except Rejected as refusal:
            await self._refuse(post, refusal, sent=sent)
            return
        except TryLater as delay:
            await (self._look_later if sent else self._postpone)(matter, delay)
            return
        if sent and await self._settled(post, channel, draft):
            return
        if not await self._skipped(matter):
            await self._send(matter, channel, draft)

    def _draft(self, matter: Matter, channel: Channel) -> Draft:
        draft = draft_post(matter, channel, public_url=self._public_url)
        able = Ability.ANSWER in channel.capabilities.abilities
        return draft if able else replace(draft, answers="")

    async def _send(self, matter: Matter, channel: Channel, draft: Draft) -> None:
        post, departure = matter.post, _departure(matter, channel, draft)

        async def go() -> None:
            await self._departures.leave(departure)

        try:
            published = await channel.publish(draft, key=post.id, go=go)
        except Held as held:
            log.info("post_held", post=post.id, verdict=held.verdict)
        except TryLater as delay:
            await self._postpone(matter, delay)
        except Rejected as refusal:
            if draft.answers and isinstance(refusal, NotThere):
                await self._skip(post, str(refusal))  # there is nothing to answer
            else:
                await self._refuse(post, refusal, sent=False)
        except Unconfirmed as doubt:
            await self._leave_unconfirmed(post, str(doubt))
        else:
            await self._record(post, published)

    async def _settled(self, post: Post, channel: Channel, draft: Draft) -> bool:
        """Look for a post that may be out. Whether nothing more is to be done now."""
        try:
            found = await channel.find(draft)
        except TryLater as delay:
            await self._leave_unconfirmed(post, str(delay), after=delay.after)
            return True
        except CannotLook as blind:
            await self._ask_a_person(post, str(blind))
            return True
        except Rejected as refusal:
            await self._refuse(post, refusal, sent=True)
            return True
        if found is None:
            return False
        await self._record(post, found)
        return True

    async def _skipped(self, matter: Matter) -> bool:
        """Nothing is made ready that can no longer be bought."""
        post = matter.post
        if is_worth_saying(post.kind, matter.deal, now=self._clock()):
            return False
        await self._skip(post, "the deal was over before this could be posted")
        return True

    async def _skip(self, post: Post, reason: str) -> None:
        await self._database.transact(mark_skipped, post, reason)
        log.info("post_skipped", post=post.id, reason=reason)

    async def _record(self, post: Post, published: Published) -> None:
        now = self._clock()
        await self._notes.do((post, published, now))
        late = (now - post.first_due_at).total_seconds()
        log.info("post_published", post=post.id, url=published.url, late=round(late, 3))

    async def _note(self, notes: Sequence[Note]) -> list[None]:
        await self._database.transact(_note_all, notes)
        return [None] * len(notes)

    async def _refuse(self, post: Post, refusal: Rejected, *, sent: bool) -> None:
        """A post that was *sent* and cannot be looked for may be out."""
        await self._database.transact(
            _note_refusal, post, refusal, sent=sent, now=self._clock()
        )
        log.warning("post_failed", post=post.id, reason=str(refusal))

    async def _postpone(self, matter: Matter, delay: TryLater) -> None:
        """Try again later: a limited account until the deal is over, others an hour."""
        post, now = matter.post, self._clock()
        until = now + (delay.after or backoff(post.attempts))
        last = post.first_due_at + GIVE_UP
        if isinstance(delay, Limited):
            last = max(last, matter.deal.closes_at)
            await self._database.transact(rest, post.account_id, until=until)
        if until > last:
            await self._database.transact(mark_failed, post, str(delay))
        else:
            await self._database.transact(
                postpone, post, until=until, reason=str(delay)
            )
        log.warning("post_postponed", post=post.id, reason=str(delay), until=until)

    async def _look_later(self, matter: Matter, delay: TryLater) -> None:
        await self._leave_unconfirmed(matter.post, str(delay), after=delay.after)

    async def _leave_unconfirmed(
        self, post: Post, reason: str, *, after: timedelta | None = None
    ) -> None:
        until = self._clock() + max(after or LOOK_AGAIN, LOOK_AGAIN)
        if until - post.first_due_at > GIVE_UP:
            await self._ask_a_person(post, reason)
            return
        await self._database.transact(
            leave_unconfirmed, post, until=until, reason=reason
        )
        log.warning("post_unconfirmed", post=post.id, reason=reason)

    async def _ask_a_person(self, post: Post, reason: str) -> None:
        await self._database.transact(mark_unconfirmed, post, reason)
        log.warning("post_needs_a_look", post=post.id, reason=reason)


def backoff(attempts: int) -> timedelta:
    """15 s, 30 s, 1 min, 2 min … up to a quarter of an hour."""
    return min(timedelta(seconds=15 << min(attempts, 8)), timedelta(minutes=15))


def _by_deal(posts: Sequence[Post]) -> list[list[Post]]:
    deals = defaultdict(list)
    for post in posts:
        deals[post.deal_id].append(post)
    return list(deals.values())


def _note_all(session: Session, notes: Sequence[Note]) -> None:
    for post, published, now in sorted(notes, key=lambda note: note[0].id):
        mark_published(
            session, post, remote_id=published.remote_id, url=published.url, now=now
        )


def _departure(matter: Matter, channel: Channel, draft: Draft) -> Departure:
    fees = channel.capabilities.fees
    dollars = fees.post_with_link if fees else Decimal(0)
    return Departure(
        matter.post,
        matter.deal,
        draft.text,
        int(dollars * 1_000_000),
        [(rate.times, rate.per) for rate in channel.capabilities.posts],
        matter.reduction,
    )


def _note_refusal(
    session: Session, post: Post, refusal: Rejected, *, sent: bool, now: datetime
) -> None:
    """A refused token is the account's trouble too: it fails every later post."""
    (mark_unconfirmed if sent else mark_failed)(session, post, str(refusal))
    if isinstance(refusal, Disowned):
        note_trouble(session, post.retailer_id, post.account_id, str(refusal), now=now)
