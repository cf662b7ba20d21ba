"""
A post whose deal is over says so, goes, or stays, as the retailer chose; and whoever
failed to do it tries again.
"""

from dataclasses import replace

import pytest

from offers.accounts import Afterwards
from offers.posting import (
    LEASE,
)
from offers.posts import (
    Post,
    PostState,
    retire_posts,
)
from outletbot.channels import Ability
from outletbot.drafting import gather
from outletbot.jobs.retiring import MAX_ATTEMPTS, feasible, retire_due_posts
from outletbot.sandbox.faults import Fault
from tests.factories import MINUTE, NOON, SECOND
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
        press.change(press.deal_of(post), sold=3, sold_out_at=None)

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

    async def test_is_given_up_if_the_post_is_gone(self, press: Press) -> None:
        post = await sell_out(press)
        press.mastodon.sandbox.statuses.clear()

        await retire(press)

        given_up = press.now(post)
        assert given_up.state is PostState.PUBLISHED
        assert given_up.retired_at is not None
        assert "gone" in given_up.failure

    async def test_is_given_up_after_a_dozen_tries(self, press: Press) -> None:
        post = await sell_out(press)
        networks = FakeNetworks({"mastodon": FakeChannel(down=True)})

        for _ in range(MAX_ATTEMPTS + 1):
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
        with pytest.raises(MemoryError):
            await retire(press, networks)

        at_once = await retire(press)
        press.clock.advance(LEASE + SECOND)
        later = await retire(press)

        assert (at_once, later) == (0, 1)
        assert press.now(post).state is PostState.RETIRED


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
    assert press.now(post).retired_at is not None


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
