"""
A post whose deal is over says so, goes, or stays, as the retailer chose; and whoever
failed to do it tries again.
"""

import asyncio
from dataclasses import replace

import pytest

from offers.accounts import Afterwards
from offers.posting import LEASE, lease_retiring_posts, let_stand
from offers.posts import (
    Post,
    PostState,
    retire_posts,
)
from outletbot.channels import Ability, Disowned, Draft, Limited
from outletbot.channels.telegram import CAPABILITIES
from outletbot.channels.x_limits import CAPABILITIES as X_TAKES
from outletbot.drafting import gather
from outletbot.jobs.retiring import (
    MAX_ATTEMPTS,
    Retirer,
    feasible,
    retire_due_posts,
)
from outletbot.sandbox.faults import Fault
from tests.factories import HOUR, MINUTE, NOON, SECOND
from tests.fakes import FakeChannel, FakeNetworks
from tests.outletbot.jobs.conftest import PUBLIC_URL, Press

BOTH_DATABASES = True

EDIT = "PUT /api/v1/statuses/{id}"
DELETE = "DELETE /api/v1/statuses/{id}"


async def sell_out(press: Press, how: Afterwards = Afterwards.EDIT) -> Post:
    """Publish a post; then its deal is sold out within seven minutes."""
    press.change(press.account, afterwards=how)
    post = press.plan()
    await press.publish()
    press.clock.advance(7 * MINUTE)
    sold = {"opened_at": NOON, "sold": 10, "sold_out_at": press.clock.now}
    press.change(press.deal_of(post), **sold)
    await press.database.transact(retire_posts, post.deal_id, now=press.clock.now)
    return press.now(post)


async def retire(press: Press, networks: object = None) -> int:
    press.session.rollback()
    networks = networks or press.networks
    return await retire_due_posts(
        press.database,
        networks,  # type: ignore[arg-type]
        press.clock,
        public_url=PUBLIC_URL,
    )


class TestEdit:
    async def test_says_sold_out_and_keeps_the_picture(self, press: Press) -> None:
        post = await sell_out(press)

        tried = await retire(press)

        (status,) = press.mastodon.sandbox.statuses.values()
        assert tried == 1
        assert status.now.text == f"SOLD OUT after 7 min · {status.versions[0].text}"
        assert post.code in status.now.text
        assert status.now.media == status.versions[0].media
        assert status.language == "en"
        retired = press.now(post)
        assert (retired.state, retired.text) == (PostState.RETIRED, status.now.text)
        assert retired.retired_at == press.clock.now

    async def test_says_ended_if_something_is_left(self, press: Press) -> None:
        post = await sell_out(press)
        ended = {"sold": 3, "sold_out_at": None, "closes_at": press.clock.now}
        press.change(press.deal_of(post), **ended)

        await retire(press)

        assert press.mastodon.texts[0].startswith("ENDED · ")

    async def test_is_done_once(self, press: Press) -> None:
        post = await sell_out(press)
        await retire(press)

        again = await retire(press)

        assert again == 0
        (status,) = press.mastodon.sandbox.statuses.values()
        assert len(status.versions) == 2
        assert press.now(post).retire_attempts == 0

    @pytest.mark.parametrize(
        "fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.ERROR_BEFORE]
    )
    async def test_is_repeated_if_nobody_answered(
        self, press: Press, fault: Fault
    ) -> None:
        post = await sell_out(press)
        press.mastodon.faults.next(EDIT, fault)

        await retire(press)
        waiting = press.now(post)
        press.clock.advance(MINUTE)
        await retire(press)

        assert press.now(post).state is PostState.RETIRED
        assert press.mastodon.texts[0].count("SOLD OUT") == 1
        assert waiting.state in {PostState.PUBLISHED, PostState.RETIRED}

    async def test_waits_as_long_as_the_server_says(self, press: Press) -> None:
        post = await sell_out(press)
        press.mastodon.faults.next(EDIT, Fault.TOO_MANY)

        await retire(press)

        waiting = press.now(post)
        assert waiting.state is PostState.PUBLISHED
        assert waiting.retire_at == NOON + 10 * MINUTE  # when the next window begins
        assert waiting.retire_attempts == 0  # to be told so is no failure

    async def test_waits_no_longer_than_the_server_says(self, press: Press) -> None:
        post = await sell_out(press)
        limited = FakeChannel(trouble=Limited("Slowly.", after=2 * SECOND))

        await retire(press, FakeNetworks({"mastodon": limited}))
        press.clock.advance(2 * SECOND)
        await retire(press)

        assert press.now(post).state is PostState.RETIRED

    async def test_needs_nothing_if_the_post_is_gone(self, press: Press) -> None:
        post = await sell_out(press)
        press.mastodon.sandbox.statuses.clear()

        await retire(press)

        gone = press.now(post)
        assert gone.state is PostState.RETIRED
        assert "gone" in gone.failure

    async def test_is_given_up_after_a_day_of_tries(self, press: Press) -> None:
        post = await sell_out(press)
        networks = FakeNetworks({"mastodon": FakeChannel(down=True)})
        press.change(post, retire_attempts=MAX_ATTEMPTS - 2)

        for _ in range(3):
            assert press.now(post).retired_at is None
            assert await retire(press, networks) == 1
            press.clock.advance(MINUTE)

        assert await retire(press, networks) == 0
        assert press.now(post).retired_at is not None
        assert press.now(post).failure == "the network is down"

    async def test_is_left_to_the_next_by_a_worker_that_died(
        self, press: Press
    ) -> None:
        post = await sell_out(press)
        networks = FakeNetworks({"mastodon": FakeChannel(trouble=MemoryError("died"))})
        await retire(press, networks)

        at_once = await retire(press)
        press.clock.advance(LEASE + SECOND)
        later = await retire(press)

        assert (at_once, later) == (0, 1)
        assert press.now(post).state is PostState.RETIRED

    async def test_is_put_off_longer_each_time_the_answer_is_lost(
        self, press: Press
    ) -> None:
        """A minute's worth of lost answers used to end it, and nobody was told."""
        post = await sell_out(press)
        networks = FakeNetworks({"mastodon": FakeChannel(lost=20)})

        for _ in range(20):
            assert await retire(press, networks) == 1
            press.clock.now = press.now(post).retire_at
        await retire(press, networks)

        assert press.now(post).state is PostState.RETIRED

    async def test_one_posts_bug_is_no_reason_to_leave_the_others(
        self, press: Press
    ) -> None:
        broken, other = await sell_out(press), await sell_out(press)

        await retire(press, FakeNetworks({"mastodon": _Choking(broken)}))

        assert press.now(other).state is PostState.RETIRED
        assert press.now(broken).retired_at is None

    async def test_a_slow_network_keeps_nobody_waiting(self, press: Press) -> None:
        slow, other = await sell_out(press), await sell_out(press)
        networks = FakeNetworks({"mastodon": (hanging := _Hanging(slow))})
        retirer = Retirer(
            press.database,
            networks,  # type: ignore[arg-type]
            press.clock,
            public_url=PUBLIC_URL,
        )

        taken = await retirer.retire_due()
        await press.reach(lambda: press.now(other).state is PostState.RETIRED)
        await hanging.reached.wait()

        assert taken == 2
        assert press.now(slow).state is PostState.PUBLISHED
        assert await retirer.retire_due() == 0
        hanging.let_go.set()
        await retirer.finish()
        assert press.now(slow).state is PostState.RETIRED


class _Choking(FakeChannel):
    """A channel that has a bug in the way of one post."""

    def __init__(self, post: Post) -> None:
        super().__init__()
        self.bad = post.remote_id

    async def edit(self, remote_id: str, draft: Draft) -> None:
        if remote_id == self.bad:
            raise MemoryError
        await super().edit(remote_id, draft)


class _Hanging(FakeChannel):
    """A network that does not answer what is asked of one post until it is told to."""

    def __init__(self, post: Post) -> None:
        super().__init__()
        self.slow = post.remote_id
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    async def edit(self, remote_id: str, draft: Draft) -> None:
        if remote_id == self.slow:
            self.reached.set()
            await self.let_go.wait()
        await super().edit(remote_id, draft)


class TestStanding:
    """Units came back after it was sold out, and nothing was said yet."""

    async def test_a_deal_that_goes_on_is_not_said_to_be_over(
        self, press: Press
    ) -> None:
        post = await sell_out(press)
        press.change(press.deal_of(post), sold=3, sold_out_at=None)

        await retire(press)

        assert press.mastodon.texts == [post.text]
        assert press.now(post).retire_at is None
        press.change(press.deal_of(post), sold=10, sold_out_at=press.clock.now)
        await press.database.transact(retire_posts, post.deal_id, now=press.clock.now)
        await retire(press)
        assert press.mastodon.texts[0].startswith("SOLD OUT")

    async def test_it_is_if_it_was_over_again_meanwhile(self, press: Press) -> None:
        post = await sell_out(press)
        (leased,) = await press.database.transact(
            lease_retiring_posts, now=press.clock.now
        )
        again = press.clock.now + SECOND
        await press.database.transact(retire_posts, post.deal_id, now=again)

        await press.database.transact(let_stand, leased)

        assert press.now(post).retire_at == again


class TestClosed:
    """What opens the account is no longer good: its owner has to connect it again."""

    async def test_waits_until_it_is_connected_again(self, press: Press) -> None:
        post = await sell_out(press)
        refused = FakeNetworks({"mastodon": FakeChannel(trouble=Disowned("Again."))})
        await retire(press, refused)
        assert (press.now(post).retired_at, press.trouble()) == (None, "Again.")

        press.clock.advance(24 * HOUR)
        assert await retire(press) == 0
        press.change(press.account, trouble="")
        assert await retire(press) == 1

        assert press.now(post).state is PostState.RETIRED

    async def test_asks_nothing_of_a_network_that_was_disconnected(
        self, press: Press
    ) -> None:
        post = await sell_out(press)
        press.change(press.account, disconnected_at=NOON, sealed_token="")

        assert await retire(press) == 0

        assert press.now(post).retired_at is None


class TestAdopted:
    """A person said that it is out: nobody told us what the network calls it."""

    async def test_is_found_and_edited(self, press: Press) -> None:
        post = await sell_out(press)
        known = post.remote_id
        press.change(post, remote_id=None, url=None)

        await retire(press)

        assert press.mastodon.texts[0].startswith("SOLD OUT")
        assert press.now(post).remote_id == known

    @pytest.mark.parametrize("how", [Afterwards.EDIT, Afterwards.DELETE])
    async def test_is_left_to_people_where_nobody_can_look(
        self, press: Press, how: Afterwards
    ) -> None:
        post = await sell_out(press, how)
        press.change(post, remote_id=None)
        channel = FakeChannel(capabilities=CAPABILITIES)

        await retire(press, FakeNetworks({"mastodon": channel}))

        assert "change it there" in press.now(post).failure
        assert press.now(post).state is PostState.PUBLISHED
        assert not channel.calls


async def test_what_a_deletion_costs_counts(press: Press) -> None:
    post = await sell_out(press, Afterwards.DELETE)
    press.change(post, cost_micros=200_000)
    channel = FakeChannel(capabilities=X_TAKES)

    await retire(press, FakeNetworks({"mastodon": channel}))

    assert press.now(post).cost_micros == 210_000


class TestDelete:
    async def test_takes_the_post_back(self, press: Press) -> None:
        post = await sell_out(press, Afterwards.DELETE)

        await retire(press)

        assert press.mastodon.texts == []
        assert press.now(post).state is PostState.RETIRED

    async def test_is_content_if_it_is_gone_already(self, press: Press) -> None:
        post = await sell_out(press, Afterwards.DELETE)
        press.mastodon.faults.next(DELETE, Fault.ERROR_AFTER)

        await retire(press)
        press.clock.advance(MINUTE)
        await retire(press)

        assert press.now(post).state is PostState.RETIRED


class TestLeave:
    async def test_changes_nothing(self, press: Press) -> None:
        post = await sell_out(press, Afterwards.LEAVE)

        await retire(press)

        assert press.mastodon.texts == [post.text]
        assert press.now(post).state is PostState.RETIRED
        assert press.now(post).text == post.text


async def test_a_token_that_cannot_be_read_is_told(press: Press, real_networks) -> None:
    post = await sell_out(press)
    press.change(press.account, sealed_token="sealed with another key")

    await retire(press, real_networks())

    assert "SECRET_KEY" in press.now(post).failure
    assert "SECRET_KEY" in press.trouble()
    assert press.now(post).retired_at is None  # it can be connected again


async def test_a_post_whose_fate_is_learned_late_is_retired_all_the_same(
    press: Press,
) -> None:
    post = press.plan()
    press.mastodon.faults.next("POST /api/v1/statuses", Fault.TIMEOUT_AFTER)
    await press.publish()
    sold = {"opened_at": NOON, "sold": 10, "sold_out_at": NOON}
    press.change(press.deal_of(post), **sold)
    await press.database.transact(retire_posts, post.deal_id, now=NOON)
    too_early = await retire(press)

    press.clock.advance(15 * SECOND)
    await press.publish()
    await retire(press)

    assert too_early == 0
    assert press.mastodon.texts[0].startswith("SOLD OUT")


class TestAnswer:
    async def test_the_end_is_said_in_an_answer_once(self, press: Press) -> None:
        post = await sell_out(press, Afterwards.ANSWER)

        await retire(press)
        await retire(press)
        await press.publish()

        assert press.now(post).state is PostState.RETIRED
        first, answer = press.mastodon.sandbox.statuses.values()
        assert answer.in_reply_to is not None
        assert answer.in_reply_to.status_id == first.id
        assert len(press.mastodon.texts) == 2

    async def test_many_deletions_wait_for_the_network_without_being_given_up(
        self, press: Press
    ) -> None:
        posts = [await sell_out(press, Afterwards.DELETE) for _ in range(3)]
        press.mastodon.faults.next(DELETE, *[Fault.TOO_MANY] * 3)

        await retire(press)

        waiting = [press.now(post) for post in posts]
        assert {post.retire_attempts for post in waiting} == {0}
        assert len({post.retire_at for post in waiting}) == 1
        press.clock.now = waiting[0].retire_at
        await retire(press)
        assert {press.now(post).state for post in posts} == {PostState.RETIRED}
        assert press.mastodon.texts == []


EVERY = frozenset(Ability)


@pytest.mark.parametrize(
    ("chosen", "abilities", "done"),
    [
        (Afterwards.EDIT, EVERY, Afterwards.EDIT),
        (Afterwards.EDIT, EVERY - {Ability.EDIT}, Afterwards.ANSWER),
        (Afterwards.EDIT, {Ability.DELETE}, Afterwards.LEAVE),
        (Afterwards.ANSWER, EVERY, Afterwards.ANSWER),
        (Afterwards.ANSWER, EVERY - {Ability.ANSWER}, Afterwards.EDIT),
        (Afterwards.DELETE, EVERY, Afterwards.DELETE),
        (Afterwards.DELETE, EVERY - {Ability.DELETE}, Afterwards.EDIT),
        (Afterwards.LEAVE, EVERY, Afterwards.LEAVE),
    ],
)
async def test_what_the_network_cannot_do_is_done_in_the_next_best_way(
    press: Press, chosen: Afterwards, abilities: frozenset[Ability], done: Afterwards
) -> None:
    post = await sell_out(press, chosen)
    takes = replace(FakeChannel().capabilities, abilities=frozenset(abilities))
    matter = await press.database.read(gather, post)

    assert feasible(matter, takes, now=press.clock.now) is done


async def test_what_is_too_old_to_be_deleted_is_edited(press: Press) -> None:
    post = await sell_out(press, Afterwards.DELETE)
    takes = replace(FakeChannel().capabilities, delete_window=48 * 60 * MINUTE)
    matter = await press.database.read(gather, post)

    soon, late = NOON + 60 * MINUTE, NOON + 49 * 60 * MINUTE
    assert feasible(matter, takes, now=soon) is Afterwards.DELETE
    assert feasible(matter, takes, now=late) is Afterwards.EDIT
