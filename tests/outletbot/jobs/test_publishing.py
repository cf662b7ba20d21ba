"""
A post goes out when its deal opens, once, whatever becomes of the answer, of the
network or of the worker.

The network is a Mastodon sandbox behind the real channel.
"""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from offers.accounts import ChannelAccount
from offers.follow_ups import say
from offers.posting import (
    LEASE,
    keep_lease,
    lease_due_posts,
)
from offers.posts import Post, PostKind, PostState
from outletbot.channels import (
    CannotLook,
    Channel,
    Disowned,
    Draft,
    Go,
    Limited,
    Published,
    Rejected,
    TryLater,
    at_once,
)
from outletbot.jobs.publishing import AHEAD, Publisher, backoff
from outletbot.sandbox.faults import Fault
from tests.factories import HOUR, MINUTE, NOON, SECOND, outlet_account, post_of
from tests.fakes import FakeChannel, FakeNetworks
from tests.outletbot.jobs.conftest import PUBLIC_URL, Press

POST = "POST /api/v1/statuses"
LIST = "GET /api/v1/accounts/{id}/statuses"
MEDIA = "POST /api/v2/media"


class TestOnTime:
    async def test_publishes_at_the_instant(self, press: Press) -> None:
        post = press.plan(opens_at=NOON)

        await press.publish()

        published = press.now(post)
        (status,) = press.mastodon.sandbox.statuses.values()
        assert published.state is PostState.PUBLISHED
        assert published.published_at == NOON
        assert (published.remote_id, published.text) == (status.id, status.now.text)
        assert f"{PUBLIC_URL}/d/{post.code}" in status.now.text
        assert status.language == "en"
        assert [media.description for media in status.now.media] == [
            press.deal_of(post).title
        ]

    async def test_leaves_what_is_not_due(self, press: Press) -> None:
        post = press.plan(opens_at=NOON + AHEAD + timedelta(milliseconds=1))

        taken = await press.publish()

        assert taken == 0
        assert press.now(post).state is PostState.SCHEDULED
        assert press.mastodon.texts == []

    async def test_never_posts_before_the_opening_by_the_clock(
        self, press: Press
    ) -> None:
        """It is leased early, and the clock was set back after that."""
        post = press.plan(opens_at=NOON + timedelta(milliseconds=50))
        publisher = press.publisher()
        await publisher.publish_due()
        press.clock.now = NOON - timedelta(milliseconds=100)

        early = asyncio.create_task(publisher.finish())
        done, _ = await asyncio.wait([early], timeout=0.4)
        posted_early = list(press.mastodon.texts)
        press.clock.now = NOON + timedelta(milliseconds=50)
        await early

        assert (done, posted_early) == (set(), [])
        assert press.now(post).published_at == NOON + timedelta(milliseconds=50)

    async def test_publishes_once_by_any_number_of_workers(self, press: Press) -> None:
        press.plan()

        taken = await asyncio.gather(*(press.publish() for _ in range(4)))

        assert sum(taken) == 1
        assert len(press.mastodon.texts) == 1

    async def test_a_slow_network_keeps_nobody_waiting(self, press: Press) -> None:
        slow = press.plan()
        wall = outlet_account(press.session)
        fast = _Noticed()
        never = _Hanging()
        networks = FakeNetworks({"mastodon": never, wall.kind: fast})
        publisher = press.publisher(networks)
        await publisher.publish_due()
        await never.reached.wait()

        other = press.plan()
        press.change(other, due_at=NOON + 1000 * HOUR)
        other = post_of(press.session, press.deal_of(other))
        press.change(other, due_at=NOON)
        await publisher.publish_due()
        async with asyncio.timeout(10):
            await fast.taken.wait()

        assert press.now(slow).state is PostState.SENDING
        never.let_go.set()
        await publisher.finish()
        assert press.now(other).state is PostState.PUBLISHED
        assert press.now(slow).state is PostState.PUBLISHED

    async def test_takes_no_more_than_it_can_carry(self, press: Press) -> None:
        publisher = press.publisher()
        standing = asyncio.Event()
        waiting = {asyncio.create_task(_wait(standing)) for _ in range(100)}
        publisher._under_way |= waiting  # noqa: SLF001
        press.plan()

        taken = await publisher.publish_due()

        assert taken == 0
        standing.set()
        await publisher.finish()


class TestLostAnswer:
    @pytest.mark.parametrize(
        "fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.CUT_BODY]
    )
    async def test_adopts_a_post_that_went_out(
        self, press: Press, fault: Fault
    ) -> None:
        post = press.plan()
        press.mastodon.faults.next(POST, fault)

        await press.publish()
        unsure = press.now(post)
        press.clock.advance(HOUR)  # the server has forgotten the key by then
        await press.publish()

        assert (unsure.state, unsure.remote_id) == (PostState.SENDING, None)
        assert unsure.failure
        assert len(press.mastodon.texts) == 1
        published = press.now(post)
        assert published.state is PostState.PUBLISHED
        assert published.remote_id in press.mastodon.sandbox.statuses

    @pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.ERROR_BEFORE])
    async def test_repeats_a_post_that_did_not_go_out(
        self, press: Press, fault: Fault
    ) -> None:
        post = press.plan()
        press.mastodon.faults.next(POST, fault)

        await press.publish()
        unsure = press.now(post).state
        press.clock.advance(15 * SECOND)
        await press.publish()

        assert unsure is PostState.SENDING
        assert len(press.mastodon.texts) == 1
        assert press.now(post).state is PostState.PUBLISHED

    async def test_repeats_nothing_before_it_could_look(self, press: Press) -> None:
        post = press.plan()
        press.mastodon.faults.next(POST, Fault.TIMEOUT_AFTER)
        # A read is repeated once by the client's library if the server hangs up.
        press.mastodon.faults.next(LIST, Fault.ERROR_BEFORE, Fault.TOO_MANY)

        await press.publish()
        for _ in range(2):
            press.clock.advance(15 * SECOND)
            await press.publish()
            assert press.now(post).state is PostState.SENDING
        press.clock.now = press.now(post).due_at  # as long as the server wants
        await press.publish()

        assert press.clock.now == NOON + 5 * MINUTE
        assert len(press.mastodon.texts) == 1
        assert press.now(post).state is PostState.PUBLISHED

    async def test_tells_a_person_after_an_hour_of_silence(self, press: Press) -> None:
        post = press.plan()
        press.mastodon.faults.next(POST, Fault.TIMEOUT_AFTER)
        await press.publish()

        press.clock.advance(HOUR)
        press.mastodon.faults.next(LIST, Fault.ERROR_BEFORE)
        await press.publish()

        doubtful = press.now(post)
        assert doubtful.state is PostState.UNCONFIRMED
        assert "problem on our end" in doubtful.failure


class TestRefusal:
    async def test_waits_as_long_as_the_server_says(self, press: Press) -> None:
        post = press.plan()
        press.mastodon.faults.next(POST, Fault.TOO_MANY)

        await press.publish()

        waiting = press.now(post)
        assert waiting.state is PostState.SCHEDULED
        assert waiting.due_at == NOON + 5 * MINUTE  # a window of five minutes
        assert "Too many requests" in waiting.failure
        press.clock.advance(5 * MINUTE)
        await press.publish()
        assert press.now(post).state is PostState.PUBLISHED
        assert press.now(post).failure == ""

    async def test_waits_by_itself_if_the_server_says_nothing(
        self, press: Press
    ) -> None:
        post = press.plan()
        press.mastodon.faults.next(MEDIA, Fault.ERROR_BEFORE)

        await press.publish()

        assert press.now(post).due_at == NOON + 15 * SECOND
        assert press.now(post).state is PostState.SCHEDULED

    async def test_gives_up_an_hour_late(self, press: Press) -> None:
        post = press.plan()
        press.clock.advance(HOUR)
        press.mastodon.faults.next(MEDIA, Fault.ERROR_BEFORE)

        await press.publish()

        assert press.now(post).state is PostState.FAILED

    async def test_tells_a_person_that_a_token_is_no_longer_good(
        self, press: Press, real_networks
    ) -> None:
        post = press.plan()
        press.mastodon.sandbox.accounts.clear()

        await press.publish(real_networks())

        failed = press.now(post)
        assert failed.state is PostState.FAILED
        assert "Connect the account again" in failed.failure
        assert "Connect the account again" in press.trouble()

    async def test_another_refusal_is_the_posts_alone(self, press: Press) -> None:
        post = press.plan()
        too_long = FakeChannel(trouble=Rejected("It is too long."))

        await press.publish(FakeNetworks({"mastodon": too_long}))

        assert press.now(post).failure == "It is too long."
        assert not press.trouble()

    async def test_tells_a_person_that_a_token_cannot_be_read(
        self, press: Press, real_networks
    ) -> None:
        post = press.plan()
        press.change(press.account, sealed_token="sealed with another key")

        await press.publish(real_networks())

        failed = press.now(post)
        assert failed.state is PostState.FAILED
        assert "SECRET_KEY" in failed.failure

    async def test_works_with_a_sealed_token(self, press: Press, real_networks) -> None:
        post = press.plan()

        await press.publish(real_networks())

        assert press.now(post).state is PostState.PUBLISHED

    async def test_a_bug_in_one_post_is_no_reason_to_lose_the_others(
        self, press: Press
    ) -> None:
        post = press.plan()
        networks = FakeNetworks({"mastodon": FakeChannel(trouble=KeyError("a bug"))})

        await press.publish(networks)
        press.clock.advance(LEASE)
        await press.publish()

        assert press.now(post).state is PostState.PUBLISHED


class TestOver:
    async def test_posts_nothing_that_is_sold_out(self, press: Press) -> None:
        post = press.plan()
        press.change(press.deal_of(post), sold=10, sold_out_at=NOON)

        await press.publish()

        skipped = press.now(post)
        assert skipped.state is PostState.SKIPPED
        assert "over" in skipped.failure
        assert press.mastodon.texts == []

    async def test_posts_nothing_that_has_ended(self, press: Press) -> None:
        post = press.plan()
        press.clock.advance(24 * HOUR)

        await press.publish()

        assert press.now(post).state is PostState.SKIPPED

    async def test_finds_a_post_of_a_deal_that_is_over_meanwhile(
        self, press: Press
    ) -> None:
        post = press.plan()
        press.mastodon.faults.next(POST, Fault.TIMEOUT_AFTER)
        await press.publish()
        press.change(press.deal_of(post), sold=10, sold_out_at=NOON)

        press.clock.advance(15 * SECOND)
        await press.publish()

        assert press.now(post).state is PostState.PUBLISHED


class TestAnswers:
    async def test_nothing_is_said_below_a_post_that_somebody_deleted(
        self, press: Press
    ) -> None:
        announcement = press.plan()
        await press.publish()
        press.mastodon.sandbox.statuses.clear()
        press.session.rollback()
        answer = say(press.session, announcement, PostKind.HALF_GONE, now=NOON)
        press.session.commit()
        press.change(press.deal_of(announcement), opened_at=NOON, allotment=20, sold=10)

        await press.publish()

        assert press.now(answer).state is PostState.SKIPPED
        assert "gone" in press.now(answer).failure
        assert press.mastodon.texts == []


class TestZombie:
    async def test_with_an_old_fence_does_nothing(self, press: Press) -> None:
        post = press.plan()
        (slept,) = await press.database.transact(
            lease_due_posts, now=NOON, ahead=timedelta()
        )
        press.clock.advance(LEASE)
        await press.publish()
        press.clock.advance(HOUR)  # the server has forgotten the key by then

        zombie = press.publisher()
        await zombie._publish(slept)  # noqa: SLF001  (it wakes up with what it had)

        assert len(press.mastodon.texts) == 1
        assert press.now(post).state is PostState.PUBLISHED

    async def test_cannot_take_back_what_another_has_published(
        self, press: Press
    ) -> None:
        post = press.plan()
        (slept,) = await press.database.transact(
            lease_due_posts, now=NOON, ahead=timedelta()
        )
        press.clock.advance(LEASE)
        await press.publish()

        zombie = press.publisher()
        await zombie._leave_unconfirmed(slept, "I know nothing")  # noqa: SLF001

        assert press.now(post).state is PostState.PUBLISHED


class _Slow(FakeChannel):
    """A network that takes its time: for a picture, or for the post itself.

    It knows no keys: whoever sends twice has two posts there.
    """

    def __init__(self, *, uploading: bool) -> None:
        super().__init__()
        self.uploading = uploading
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        if self.uploading:
            await self._dawdle()
        await go()
        if not self.uploading:
            await self._dawdle()
        key = f"{key} {len(self.drafts)}"
        return await super().publish(draft, key=key)

    async def _dawdle(self) -> None:
        self.reached.set()
        await self.let_go.wait()


SLOW = pytest.mark.parametrize("uploading", [True, False])


class TestLease:
    """Two minutes, and a slow network takes longer."""

    @SLOW
    async def test_is_kept_as_long_as_a_network_takes(
        self, press: Press, *, uploading: bool
    ) -> None:
        post, slow = press.plan(), _Slow(uploading=uploading)
        networks = FakeNetworks({"mastodon": slow})
        publisher = press.publisher(networks, renew=timedelta(milliseconds=5))
        await publisher.publish_due()
        await slow.reached.wait()

        for _ in range(6):
            press.clock.advance(LEASE / 2)
            ends_at = press.clock.now + LEASE
            await press.reach(lambda: press.now(post).due_at == ends_at)  # noqa: B023
            assert await press.publish(networks) == 0

        slow.let_go.set()
        await publisher.finish()
        assert len(slow.drafts) == 1
        assert press.now(post).state is PostState.PUBLISHED

    async def test_a_picture_that_takes_longer_is_nobodys_second_post(
        self, press: Press
    ) -> None:
        """The first worker is held up with all it does, and does not renew it."""
        post, slow, quick = press.plan(), _Slow(uploading=True), _Slow(uploading=True)
        quick.let_go.set()
        first = press.publisher(FakeNetworks({"mastodon": slow}))
        await first.publish_due()
        await slow.reached.wait()

        press.clock.advance(LEASE)
        await press.publish(FakeNetworks({"mastodon": quick}))
        slow.let_go.set()
        await first.finish()

        assert (len(slow.drafts), len(quick.drafts)) == (0, 1)
        assert press.now(post).state is PostState.PUBLISHED

    async def test_nobody_else_sends_before_they_have_looked(
        self, press: Press
    ) -> None:
        """It is held up after the call that decided, and another takes over."""
        post, slow = press.plan(), _Late()
        networks = FakeNetworks({"mastodon": slow})
        first = press.publisher(networks)
        await first.publish_due()
        await slow.reached.wait()

        press.clock.advance(LEASE)
        await press.publish(networks)
        slow.let_go.set()
        await first.finish()

        assert len(slow.drafts) == 1
        assert press.now(post).state is PostState.PUBLISHED

    async def test_who_was_held_up_too_long_before_the_call_does_not_make_it(
        self, press: Press
    ) -> None:
        post, slow = press.plan(), _Slow(uploading=False)
        slow.let_go.set()
        publisher = press.publisher(FakeNetworks({"mastodon": slow}))
        press.change(post, due_at=NOON + SECOND, first_due_at=NOON + SECOND)
        await publisher.publish_due()
        async with asyncio.timeout(10):
            while press.now(post).state is not PostState.SENDING:
                press.clock.advance(timedelta(milliseconds=10))
                await asyncio.sleep(0.01)
        press.clock.advance(LEASE)

        await publisher.finish()

        assert slow.drafts == []
        assert press.now(post).state is PostState.SENDING
        await press.publish(FakeNetworks({"mastodon": slow}))
        assert len(slow.drafts) == 1

    async def test_is_not_renewed_by_who_has_lost_it(self, press: Press) -> None:
        post = press.plan()
        (slept,) = await press.database.transact(
            lease_due_posts, now=NOON, ahead=timedelta()
        )
        late = NOON + LEASE
        (other,) = await press.database.transact(
            lease_due_posts, now=late, ahead=timedelta()
        )

        await press.database.transact(keep_lease, slept, now=late + MINUTE)
        assert press.now(post).due_at == late + LEASE
        await press.database.transact(keep_lease, other, now=late + MINUTE)
        assert press.now(post).due_at == late + LEASE + MINUTE

    @pytest.mark.parametrize("state", [PostState.SCHEDULED, PostState.SENDING])
    async def test_ends_soon_if_something_broke(
        self, press: Press, state: PostState
    ) -> None:
        post = press.plan()
        press.change(post, state=state)

        await press.publish(FakeNetworks({"mastodon": FakeChannel(trouble=KeyError())}))

        assert press.now(post).state is state
        assert press.now(post).due_at == NOON + 15 * SECOND


class _Late(FakeChannel):
    """A network that shows a post at once, and answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        key = f"{key} {len(self.drafts)}"
        published = await super().publish(draft, key=key, go=go)
        self.reached.set()
        await self.let_go.wait()
        return published


@dataclass
class _DeadlyChannel:
    """The real channel, in which the worker is killed at some step."""

    real: Channel
    dice: random.Random
    deaths: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        async def leave() -> None:
            await go()
            self._perhaps_die("before the effect")

        published = await self.real.publish(draft, key=key, go=leave)
        self._perhaps_die("after the effect")
        return published

    async def find(self, draft: Draft) -> Published | None:
        self._perhaps_die("before the look")
        found = await self.real.find(draft)
        self._perhaps_die("after the look")
        return found

    def _perhaps_die(self, where: str) -> None:
        if self.dice.random() < 0.5:
            self.deaths.append(where)
            raise asyncio.CancelledError


@dataclass
class _DeadlyNetworks:
    channel_of: _DeadlyChannel

    async def channel(self, account: ChannelAccount) -> _DeadlyChannel:
        return self.channel_of


class TestKill:
    async def test_after_the_effect_leaves_one_post(self, press: Press) -> None:
        post = press.plan()
        deadly = _DeadlyChannel(press.mastodon.channel(), _Doomed())

        await _run_and_die(press, deadly)
        assert deadly.deaths == ["after the effect"]
        press.clock.advance(LEASE)
        await press.publish()

        assert len(press.mastodon.texts) == 1
        assert press.now(post).state is PostState.PUBLISHED

    async def test_two_hundred_times_leaves_one_post_each(self, press: Press) -> None:
        """By chance, but the same chance each time."""
        dice = random.Random(2009)  # noqa: S311  (no secret)
        deadly = _DeadlyChannel(press.mastodon.channel(), dice)
        press.mastodon.rate_limits.budgets = {
            name: type(budget)(100_000, budget.window)
            for name, budget in press.mastodon.rate_limits.budgets.items()
        }
        posts = []

        while len(deadly.deaths) < 200:
            post = press.plan(opens_at=press.clock.now)
            posts.append(post)
            while press.now(post).state is not PostState.PUBLISHED:
                await _run_and_die(press, deadly)
                press.clock.advance(LEASE)

        texts = press.mastodon.texts
        assert len(texts) == len(posts)
        for post in posts:
            assert sum(f"/d/{post.code}" in text for text in texts) == 1
        assert set(deadly.deaths) == {
            "before the effect",
            "after the effect",
            "before the look",
            "after the look",
        }


class _Doomed(random.Random):
    """Lives until the effect is there."""

    def __init__(self) -> None:
        super().__init__()
        self.rolls = iter([0.9, 0.1])

    def random(self) -> float:
        return next(self.rolls, 0.9)


async def _run_and_die(press: Press, deadly: _DeadlyChannel) -> None:
    """Let a worker do what is due; dying, it leaves everything as it is."""
    press.session.rollback()
    publisher: Publisher = press.publisher(_DeadlyNetworks(deadly))
    await publisher.publish_due()
    await asyncio.gather(*publisher._under_way, return_exceptions=True)  # noqa: SLF001


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 15), (1, 30), (2, 60), (5, 480), (6, 900), (50, 900)]
)
def test_waits_longer_each_time(attempts: int, seconds: int) -> None:
    assert backoff(attempts) == seconds * SECOND


class _Noticed(FakeChannel):
    """A network that says when it took something."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = asyncio.Event()

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        self.taken.set()
        return await super().publish(draft, key=key, go=go)


class _Hanging(FakeChannel):
    """A network that takes a post and does not answer until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        async def leave() -> None:
            await go()
            self.reached.set()
            await self.let_go.wait()

        return await super().publish(draft, key=key, go=leave)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


class TestLimited:
    async def test_leaves_the_account_alone_until_then(self, press: Press) -> None:
        post = press.plan()
        press.mastodon.faults.next(POST, Fault.TOO_MANY)

        await press.publish()

        until = NOON + 5 * MINUTE  # when Mastodon's next window begins
        assert press.now(post).state is PostState.SCHEDULED
        assert press.account_now().rest_until == until
        other = press.plan()
        assert await press.publish() == 0
        press.clock.now = until
        await press.publish()
        assert press.now(other).state is PostState.PUBLISHED
        assert press.now(post).state is PostState.PUBLISHED

    async def test_goes_on_as_long_as_there_is_something_to_sell(
        self, press: Press
    ) -> None:
        day = Limited("too often", after=24 * HOUR + SECOND)
        post = press.plan()

        await press.publish(FakeNetworks({"mastodon": FakeChannel(trouble=day)}))

        assert press.now(post).state is PostState.FAILED

    async def test_hours_are_waited_for_a_deal_that_runs_for_a_day(
        self, press: Press
    ) -> None:
        hours = Limited("too often", after=5 * HOUR)
        post = press.plan()

        await press.publish(FakeNetworks({"mastodon": FakeChannel(trouble=hours)}))

        assert press.now(post).state is PostState.SCHEDULED
        assert press.now(post).due_at == NOON + 5 * HOUR


class TestWhereNobodyCanLook:
    async def test_a_person_is_asked_before_anything_is_repeated(
        self, press: Press
    ) -> None:
        post = press.plan()
        blind = _Blind(lost=1)
        networks = FakeNetworks({"mastodon": blind})
        await press.publish(networks)

        press.clock.advance(MINUTE)
        await press.publish(networks)

        asked = press.now(post)
        assert asked.state is PostState.UNCONFIRMED
        assert "nobody can look" in asked.failure
        assert len(blind.drafts) == 1


class TestHeld:
    async def test_a_pause_in_the_last_moment_counts(self, press: Press) -> None:
        post = press.plan()
        slow = _PausedMeanwhile(press)

        await press.publish(FakeNetworks({"mastodon": slow}))

        assert slow.drafts == []
        assert press.now(post).state is PostState.SCHEDULED
        assert await press.publish() == 0

    async def test_a_text_that_is_no_longer_true_is_made_anew(
        self, press: Press
    ) -> None:
        post = press.plan()
        slow = _ChangedMeanwhile(press, post)

        await press.publish(FakeNetworks({"mastodon": slow}))
        assert slow.drafts == []
        await press.publish()

        assert press.now(post).state is PostState.PUBLISHED
        assert "7 available" in press.mastodon.texts[0]


class _Blind(FakeChannel):
    async def find(self, draft: Draft) -> Published | None:
        msg = "nobody can look here"
        raise CannotLook(msg)


@dataclass
class _PausedMeanwhile(FakeChannel):
    press: Any = None

    def __init__(self, press: Press) -> None:
        super().__init__()
        self.press = press

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        self.press.change(self.press.account, paused=True)
        return await super().publish(draft, key=key, go=go)


@dataclass
class _ChangedMeanwhile(FakeChannel):
    press: Any = None
    post: Any = None

    def __init__(self, press: Press, post: Post) -> None:
        super().__init__()
        self.press, self.post = press, post

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        self.press.change(self.press.deal_of(self.post), withheld=3)
        return await super().publish(draft, key=key, go=go)


class TestTokens:
    """Whoever opens an account may have to renew its token first."""

    async def test_one_that_cannot_be_renewed_now_is_waited_for(
        self, press: Press
    ) -> None:
        post = press.plan()

        await press.publish(_Closed(TryLater("the network is down")))

        waiting = press.now(post)
        assert waiting.state is PostState.SCHEDULED
        assert waiting.due_at == NOON + 15 * SECOND

    async def test_a_post_that_may_be_out_is_still_to_be_looked_for(
        self, press: Press
    ) -> None:
        post = press.plan()
        press.mastodon.faults.next(POST, Fault.TIMEOUT_AFTER)
        await press.publish()
        press.clock.advance(MINUTE)

        await press.publish(_Closed(TryLater("the network is down")))

        assert press.now(post).state is PostState.SENDING

    async def test_one_that_is_refused_is_the_accounts_trouble(
        self, press: Press
    ) -> None:
        post = press.plan()

        await press.publish(_Closed(Disowned("Connect it again.")))

        assert press.now(post).state is PostState.FAILED
        assert press.trouble() == "Connect it again."


@dataclass
class _Closed:
    error: Exception

    async def channel(self, account: ChannelAccount) -> Channel:
        raise self.error
