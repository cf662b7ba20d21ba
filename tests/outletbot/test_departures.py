"""
Posts that are due at the same instant are noted together and leave at that instant, or
at their network's pace, retailers in turns.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select
from structlog.testing import capture_logs

from offers.accounts import OUTLET
from offers.allowances import Departure, Verdict
from offers.deals import Deal
from offers.departures import depart
from offers.posting import lease_due_posts
from offers.posts import Post, PostState
from outletbot.channels import Draft, Go, Published, at_once
from outletbot.channels.telegram import CAPABILITIES
from outletbot.db import Database
from outletbot.departures import MARGIN, Departures, Held
from outletbot.jobs.publishing import AHEAD, AT_ONCE, Publisher
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_deal,
    make_offer,
    make_retailer,
    north,
    post_of,
)
from tests.fakes import FakeChannel, FakeNetworks


class Counted:
    """A database that keeps how many departures came in each transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.batches: list[int] = []

    async def transact(self, work: Callable[..., Any], *args: Any, **more: Any) -> Any:
        self.batches.append(len(args[0]))
        await asyncio.sleep(0.01)
        return await self._database.transact(work, *args, **more)


class Broken:
    async def transact(self, *_args: Any, **_more: Any) -> Any:
        msg = "the database is away"
        raise ConnectionError(msg)


def ready(session: Session) -> Departure:
    deal = make_deal(session, opens_at=NOON, opened_at=None)
    post = post_of(session, deal)
    session.commit()
    fresh = session.get_one(Deal, deal.id, populate_existing=True)
    session.refresh(post)
    session.expunge_all()
    return Departure(post, fresh, "Parka")


async def test_those_that_come_meanwhile_are_noted_together(
    database: Database, session: Session
) -> None:
    counted = Counted(database)
    departures = Departures(counted, lambda: NOON)  # type: ignore[arg-type]
    everything = [ready(session) for _ in range(20)]

    await asyncio.gather(*(departures.leave(one) for one in everything))

    assert sum(counted.batches) == 20
    assert len(counted.batches) <= 2


async def test_nobody_leaves_before_the_instant(
    database: Database, session: Session
) -> None:
    moments = iter([NOON - MARGIN, NOON - MARGIN, NOON - SECOND / 50, NOON])
    last = NOON

    def clock() -> datetime:
        nonlocal last
        last = next(moments, NOON)
        return last

    await Departures(database, clock).leave(ready(session))

    assert last == NOON


async def test_what_is_not_to_go_out_is_held(
    database: Database, session: Session
) -> None:
    one = ready(session)
    one.post.fence += 1

    with pytest.raises(Held) as held:
        await Departures(database, lambda: NOON).leave(one)

    assert held.value.verdict is Verdict.NOT_OURS


async def test_each_is_told_that_nothing_was_noted(session: Session) -> None:
    departures = Departures(Broken(), lambda: NOON)  # type: ignore[arg-type]
    both = [departures.leave(ready(session)) for _ in range(2)]

    for outcome in await asyncio.gather(*both, return_exceptions=True):
        assert isinstance(outcome, ConnectionError)


@dataclass
class Channel(FakeChannel):
    """A Telegram channel that keeps when each post came; *clock* is asked for it."""

    capabilities: Any = CAPABILITIES
    now: datetime = NOON
    times: list[datetime] = field(default_factory=list)

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        published = await super().publish(draft, key=key, go=go)
        self.times.append(self.now)
        return published


@dataclass
class Line:
    """One worker that posts to one channel, whose clock is the test's."""

    database: Database
    channel: Channel = field(default_factory=Channel)

    def __post_init__(self) -> None:
        self.publisher = Publisher(
            self.database,
            FakeNetworks({OUTLET: self.channel}),  # type: ignore[arg-type]
            lambda: self.channel.now,
            public_url="https://outlet.example",
        )

    async def look(self, now: datetime) -> int:
        """Let everything that may go out by *now* do so. Return how many were tried."""
        self.channel.now, tried = now, 0
        while taken := await self.publisher.publish_due():
            await self.publisher.finish()
            tried += taken
        return tried


@pytest.fixture(autouse=True)
def _logged() -> Iterator[None]:
    with capture_logs():
        yield


def plan(session: Session, number: int, slug: str = "north") -> None:
    """Plan as many deals that all open, and are posted, at noon."""
    retailer = north(session) if slug == "north" else make_retailer(session, slug)
    for _ in range(number):
        offer = make_offer(session, retailer_id=retailer.id)
        make_deal(session, offer, opens_at=NOON, opened_at=None, closes_at=NOON + HOUR)
    session.commit()


def most_within(times: list[datetime], span: timedelta) -> int:
    return max(sum(first <= one < first + span for one in times) for first in times)


class TestPace:
    async def test_sixty_posts_at_once_go_out_as_telegram_allows(
        self, database: Database, session: Session
    ) -> None:
        plan(session, 60)
        line = Line(database)

        tried = sum([await line.look(NOON + k * SECOND / 2) for k in range(2 * 141)])

        times = line.channel.times
        assert len(times) == len(line.channel.drafts) == 60
        assert most_within(times, SECOND) == 1
        assert most_within(times, MINUTE) == 20
        assert times[-1] <= NOON + 2 * MINUTE + 20 * SECOND
        assert tried <= 4 * 60

    async def test_who_waits_for_a_turn_is_left_alone_until_then(
        self, database: Database, session: Session
    ) -> None:
        plan(session, 10)
        line = Line(database)
        assert await line.look(NOON) == 10

        looks = [await line.look(NOON + k * SECOND / 10) for k in range(1, 10)]

        assert looks == [0] * 9
        assert await line.look(NOON + SECOND) == 1
        assert len(line.channel.times) == 2

    async def test_another_worker_leaves_them_alone_too(
        self, database: Database, session: Session
    ) -> None:
        plan(session, 10)
        await Line(database).look(NOON)

        assert await Line(database).look(NOON + SECOND / 2) == 0

    def test_the_pace_counts_from_when_a_post_leaves(self, session: Session) -> None:
        rates = [(rate.times, rate.per) for rate in CAPABILITIES.posts]
        first, second = (ready(session) for _ in range(2))
        both = [
            Departure(one.post, one.deal, "Parka", rates=rates)
            for one in (first, second)
        ]

        depart(session, both, now=NOON - MARGIN)
        session.commit()

        went, waits = sorted(session.exec(select(Post)), key=lambda post: post.due_at)[
            ::-1
        ]
        assert (went.state, went.begun_at) == (PostState.SENDING, NOON)
        assert (waits.state, waits.due_at) == (PostState.SCHEDULED, NOON + SECOND)


class TestTurns:
    async def test_two_retailers_share_the_first_hundred(
        self, database: Database, session: Session
    ) -> None:
        plan(session, AT_ONCE)
        plan(session, AT_ONCE * 6 // 10, "south")

        leased = await database.transact(
            lease_due_posts, now=NOON - AHEAD, ahead=AHEAD, limit=AT_ONCE
        )

        shares = Counter(post.retailer_id for post in leased)
        assert list(shares.values()) == [AT_ONCE // 2] * 2

    async def test_one_with_little_to_say_is_not_kept_waiting(
        self, database: Database, session: Session
    ) -> None:
        plan(session, AT_ONCE + 20)
        plan(session, 2, "south")
        channel = Channel(capabilities=FakeChannel().capabilities)
        line = Line(database, channel)
        south = {
            post.id
            for post in session.exec(select(Post))
            if post.retailer_id != north(session).id
        }

        await line.publisher.publish_due()
        await line.publisher.finish()

        assert len(channel.keys) == AT_ONCE
        assert south <= set(channel.keys)
