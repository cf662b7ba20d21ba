"""
The Threads channel, against a server that keeps Threads' rules and breaks at will.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any, TypeAlias

import pytest
from aiohttp import web
from PIL import Image as Pillow
from pytest_aiohttp.plugin import AiohttpServer

from outletbot.channels import (
    Card,
    Disowned,
    Limited,
    Numbers,
    Poll,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.threads import PAGE, Threads
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.threads_state import SCOPES
from tests.outletbot.channels.contract import (
    LINK,
    NOON,
    ChannelContract,
    make_draft,
    make_image,
)
from tests.outletbot.threads_server import FAN, OUTLET, ThreadsWorld, threads_world

Saying: TypeAlias = Callable[..., Awaitable[Threads]]

POLL = Poll("Which one?", ("Parka", "Boots"), timedelta(days=2))
MAKE = "POST /v1.0/{user}/threads"


@pytest.fixture
async def world() -> AsyncIterator[ThreadsWorld]:
    async with threads_world() as world:
        yield world


@pytest.fixture
async def saying(world: ThreadsWorld, aiohttp_server: AiohttpServer) -> Saying:
    """Make a channel to a server that says what it is told to, by the path's end."""

    async def make(**answers: Any) -> Threads:
        async def answer(request: web.Request) -> web.StreamResponse:
            said = answers[request.path.rpartition("/")[2]]
            return said() if callable(said) else web.json_response(said)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        server = await aiohttp_server(app)
        return world.channel(base_url=str(server.make_url("/")))

    return make


def refusing(status: int = 400, **error: Any) -> Callable[[], web.Response]:
    return lambda: web.json_response({"error": error}, status=status)


def post_of(world: ThreadsWorld, text: str, **facts: Any) -> None:
    """Let there be another post."""
    post = {**world.posts()[0], "text": text, **facts}
    world.sandbox.shelf.keep("post", str(world.sandbox.shelf.number()), post)


class TestContract(ChannelContract):
    pass


class TestPublish:
    async def test_returns_where_the_post_is(self, world: ThreadsWorld) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")

        ((number, post),) = world.sandbox.posts()
        url = f"{world.url}/@north.outlet/post/{number}"
        assert published == Published(number, url)
        assert post["media_type"] == "TEXT"
        assert "link_attachment" not in post

    async def test_leaves_when_it_may(self, world: ThreadsWorld) -> None:
        async def not_now() -> None:
            msg = "The deal is over."
            raise Rejected(msg)

        with pytest.raises(Rejected, match="is over"):
            await world.channel().publish(make_draft(), key="post_1", go=not_now)

        assert world.texts() == []
        assert world.paths.count("POST /v1.0/me/threads") == 1

    async def test_one_picture_is_a_picture(self, world: ThreadsWorld) -> None:
        draft = make_draft(images=(world.image("x" * 1001),))

        await world.channel().publish(draft, key="post_1")

        (post,) = world.posts()
        assert post["media_type"] == "IMAGE"
        assert post["alt_text"] == "x" * 1000
        assert world.sandbox.shelf.content("container", post["container"])

    async def test_several_pictures_are_a_carousel(self, world: ThreadsWorld) -> None:
        draft = make_draft(images=(world.image("A red parka"), world.image("")))

        await world.channel().publish(draft, key="post_1")

        (post,) = world.posts()
        alts = [
            (world.sandbox.shelf.get("container", child) or {}).get("alt_text")
            for child in post["children"]
        ]
        assert alts == ["A red parka", None]

    async def test_a_card_is_the_link_attached(self, world: ThreadsWorld) -> None:
        draft = replace(make_draft(card=Card("Parka")), text="Half price")

        published = await world.channel().publish(draft, key="post_1")

        assert world.posts()[0]["link_attachment"] == LINK
        assert await world.channel().find(draft) == published

    async def test_a_poll_has_its_options(self, world: ThreadsWorld) -> None:
        draft = make_draft(poll=POLL, images=(world.image(),))

        await world.channel().publish(draft, key="post_1")

        options = {"option_a": "Parka", "option_b": "Boots"}
        assert world.posts()[0]["poll_attachment"] == options

    async def test_a_poll_of_five_is_refused(self, world: ThreadsWorld) -> None:
        draft = make_draft(poll=replace(POLL, options=("a", "b", "c", "d", "e")))

        with pytest.raises(Rejected, match="two to four"):
            await world.channel().publish(draft, key="post_1")

    async def test_a_picture_without_an_address_is_refused(
        self, world: ThreadsWorld
    ) -> None:
        draft = make_draft(images=(make_image(),))

        with pytest.raises(Rejected, match="no public address"):
            await world.channel().publish(draft, key="post_1")

    async def test_a_picture_that_cannot_be_fetched_is_tried_later(
        self, world: ThreadsWorld
    ) -> None:
        image = world.image()
        world.pictures.clear()

        with pytest.raises(TryLater, match="open to everybody"):
            await world.channel().publish(make_draft(images=(image,)), key="post_1")

    @pytest.mark.parametrize(
        "content", [b"nothing", make_image().content + b"\0" * 8_000_000]
    )
    async def test_a_picture_that_does_not_fit_is_named(
        self, world: ThreadsWorld, content: bytes
    ) -> None:
        draft = make_draft(images=(world.image(content=content),))

        with pytest.raises(Rejected, match="JPEG and PNG"):
            await world.channel().publish(draft, key="post_1")

    async def test_a_picture_of_no_shape_comes_to_nothing(
        self, world: ThreadsWorld
    ) -> None:
        buffer = BytesIO()
        Pillow.new("RGB", (1100, 100)).save(buffer, "PNG")
        draft = make_draft(images=(world.image(content=buffer.getvalue()),))

        with pytest.raises(Rejected, match="INVALID_ASPEC_RATIO"):
            await world.channel().publish(draft, key="post_1")

    async def test_too_many_links_are_refused_in_words(
        self, world: ThreadsWorld
    ) -> None:
        links = " ".join(f"https://x.example/{number}" for number in range(5))

        with pytest.raises(Rejected, match="Five different links"):
            await world.channel().publish(make_draft(links), key="post_1")

    async def test_a_post_that_is_never_finished_is_tried_later(self) -> None:
        async with threads_world(looks_until_finished=1_000_000) as world:
            with pytest.raises(TryLater, match="still working"):
                await world.channel().publish(make_draft(), key="post_1")

            assert world.texts() == []

    @pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER])
    async def test_nothing_is_lost_with_a_container(
        self, world: ThreadsWorld, fault: Fault
    ) -> None:
        world.faults.next(MAKE, fault)

        with pytest.raises(TryLater):
            await world.channel().publish(make_draft(), key="post_1")

        assert world.texts() == []

    async def test_publishes_once_for_the_same_key(self, world: ThreadsWorld) -> None:
        channel, draft = world.channel(), make_draft()
        world.faults.next(world.publish_call, Fault.ERROR_AFTER)
        with pytest.raises(Unconfirmed):
            await channel.publish(draft, key="post_1")

        published = await channel.publish(draft, key="post_1")

        assert len(world.texts()) == 1
        assert await channel.find(draft) == published

    async def test_a_container_that_was_not_published_is_used(
        self, world: ThreadsWorld
    ) -> None:
        channel, draft = world.channel(), make_draft()
        world.faults.next(world.publish_call, Fault.ERROR_BEFORE)
        with pytest.raises(Unconfirmed):
            await channel.publish(draft, key="post_1")

        await channel.publish(draft, key="post_1")

        assert world.paths.count("POST /v1.0/me/threads") == 1
        assert len(world.texts()) == 1

    @pytest.mark.parametrize("gone", [False, True])
    async def test_a_container_that_is_too_old_is_made_again(
        self, world: ThreadsWorld, *, gone: bool
    ) -> None:
        channel, draft = world.channel(), make_draft()
        world.faults.next(world.publish_call, Fault.ERROR_BEFORE)
        with pytest.raises(Unconfirmed):
            await channel.publish(draft, key="post_1")
        world.clock.advance(timedelta(days=1))
        if gone:
            ((number, _),) = world.sandbox.shelf.all("container")
            world.sandbox.shelf.drop("container", number)

        await channel.publish(draft, key="post_1")

        assert world.paths.count("POST /v1.0/me/threads") == 2
        assert len(world.texts()) == 1

    async def test_a_published_post_that_is_not_shown_is_unconfirmed(
        self, world: ThreadsWorld
    ) -> None:
        channel, draft = world.channel(), make_draft()
        await channel.publish(draft, key="post_1")
        unseen = replace(draft, since=NOON + timedelta(hours=1))

        with pytest.raises(Unconfirmed, match="does not show it yet"):
            await channel.publish(unseen, key="post_1")

    async def test_a_container_that_is_not_found_yet_is_tried_later(
        self, saying: Saying
    ) -> None:
        channel = await saying(
            threads_publishing_limit={},
            threads={"id": "7"},
            **{"7": {"status": "FINISHED"}},
            threads_publish=refusing(code=24, error_subcode=4279009, message="no"),
        )

        with pytest.raises(TryLater, match="not got hold of"):
            await channel.publish(make_draft(), key="post_1")

    @pytest.mark.parametrize("words", ["UNKNOWN", None])
    async def test_a_container_that_fails_for_no_reason_is_tried_later(
        self, saying: Saying, words: str | None
    ) -> None:
        channel = await saying(
            threads_publishing_limit={"data": [{}]},
            threads={"id": "7"},
            **{"7": {"status": "ERROR", "error_message": words}},
        )

        with pytest.raises(TryLater, match="does not say why"):
            await channel.publish(make_draft(), key="post_1")

    async def test_a_state_that_makes_no_sense_is_tried_later(
        self, saying: Saying
    ) -> None:
        channel = await saying(
            threads_publishing_limit={"data": []}, threads={"id": "7"}, **{"7": {}}
        )

        with pytest.raises(TryLater, match="makes no sense"):
            await channel.publish(make_draft(), key="post_1")

    async def test_a_post_whose_address_is_not_told_is_out(
        self, saying: Saying
    ) -> None:
        channel = await saying(
            threads_publishing_limit={},
            threads={"id": "7"},
            **{"7": {"status": "FINISHED"}},
            threads_publish={"id": "8"},
            **{"8": refusing(500, code=2, message="no")},
        )

        published = await channel.publish(make_draft(), key="post_1")

        assert published == Published("8", "https://www.threads.com/")

    async def test_an_address_may_be_left_out(self, saying: Saying) -> None:
        channel = await saying(
            threads_publishing_limit={},
            threads={"id": "7"},
            **{"7": {"status": "FINISHED"}},
            threads_publish={"id": "8"},
            **{"8": {"id": "8"}},
        )

        published = await channel.publish(make_draft(), key="post_1")

        assert published.url == "https://www.threads.com/"

    async def test_an_expired_token_is_disowned(self) -> None:
        account = replace(OUTLET, expires_at=NOON)
        async with threads_world(account=account) as world:
            with pytest.raises(Disowned, match="expired"):
                await world.channel().publish(make_draft(), key="post_1")

    async def test_what_is_not_allowed_is_said(self) -> None:
        account = replace(OUTLET, scopes=("threads_basic",))
        async with threads_world(account=account) as world:
            with pytest.raises(Rejected, match="allow threads_content_publish"):
                await world.channel().publish(make_draft(), key="post_1")


class TestQuota:
    @pytest.mark.parametrize(("kind", "most"), [("post", 250), ("reply", 1000)])
    async def test_begins_nothing_that_could_not_be_published(
        self, world: ThreadsWorld, kind: str, most: int
    ) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        for number in range(most):
            post_of(world, f"Another {number}", kind=kind)
        answers = published.remote_id if kind == "reply" else ""

        with pytest.raises(Limited, match=f"{most}.* in 24 hours") as caught:
            await channel.publish(make_draft(answers=answers), key="post_2")

        assert caught.value.after == timedelta(hours=1)
        assert world.paths.count("POST /v1.0/me/threads") == 1

    async def test_a_quota_that_is_found_out_late_is_one(self, saying: Saying) -> None:
        channel = await saying(
            threads_publishing_limit={},
            threads={"id": "7"},
            **{"7": {"status": "FINISHED"}},
            threads_publish=refusing(code=9, error_subcode=2207042, message="no"),
        )

        with pytest.raises(Limited, match="in a day") as caught:
            await channel.publish(make_draft(), key="post_1")

        assert caught.value.after == timedelta(hours=1)

    async def test_a_day_later_there_is_room(self, world: ThreadsWorld) -> None:
        channel = world.channel()
        await channel.publish(make_draft(), key="post_1")
        for number in range(250):
            post_of(world, f"Another {number}")
        world.clock.advance(timedelta(days=1))

        await channel.publish(make_draft("Boots"), key="post_2")


class TestFind:
    async def test_looks_back_page_by_page(self, world: ThreadsWorld) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        for number in range(int(PAGE)):
            post_of(world, f"Another {number}")

        assert await channel.find(make_draft()) == published
        assert world.paths.count("GET /v1.0/me/threads") == 2

    async def test_does_not_look_before_the_post_was_due(
        self, world: ThreadsWorld
    ) -> None:
        channel = world.channel()
        await channel.publish(make_draft(), key="post_1")

        due = NOON + timedelta(minutes=6)
        assert await channel.find(make_draft(since=due)) is None
        assert await channel.find(make_draft(since=NOON + timedelta(minutes=5)))

    async def test_is_not_misled_by_a_longer_link(self, world: ThreadsWorld) -> None:
        channel = world.channel()
        await channel.publish(make_draft(link=f"{LINK}_2"), key="post_1")

        assert await channel.find(make_draft()) is None

    async def test_takes_no_others_answer_for_ours(self, world: ThreadsWorld) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        answer = make_draft("Sold out", answers=published.remote_id)
        post_of(
            world,
            f"Look: {LINK}",
            user_id=FAN.user_id,
            kind="reply",
            reply_to_id=published.remote_id,
        )

        assert await channel.find(answer) is None
        answered = await channel.publish(answer, key="post_2")
        assert await channel.find(answer) == answered
        assert await channel.find(make_draft()) == published

    async def test_an_answer_to_what_is_gone_is_not_there(
        self, world: ThreadsWorld
    ) -> None:
        assert await world.channel().find(make_draft(answers="1")) is None

    @pytest.mark.parametrize("page", [[], {}, {"data": [{"timestamp": "now"}]}])
    async def test_a_list_that_makes_no_sense_is_tried_later(
        self, saying: Saying, page: Any
    ) -> None:
        channel = await saying(threads=page)

        with pytest.raises(TryLater, match="makes no sense"):
            await channel.find(make_draft())


class TestRest:
    async def test_a_profile_without_a_name_makes_no_sense(
        self, saying: Saying
    ) -> None:
        channel = await saying(me={"id": "1"})

        with pytest.raises(TryLater, match="makes no sense"):
            await channel.check()

    async def test_nothing_can_be_edited(self, world: ThreadsWorld) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")

        with pytest.raises(Rejected, match="delete it, or answer it"):
            await world.channel().edit(published.remote_id, make_draft("Over"))

        assert world.texts() == [make_draft().text]

    async def test_a_day_has_100_deletions(self, world: ThreadsWorld) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")
        for number in range(100):
            gone = {"gone": True, "gone_at": NOON.isoformat()}
            post_of(world, f"Another {number}", **gone)

        with pytest.raises(Limited):
            await world.channel().delete(published.remote_id)

    async def test_tells_how_posts_do(self, world: ThreadsWorld) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        counts = {"views": 40, "likes": 3, "reposts": 2, "quotes": 1}
        world.sandbox.measure(published.remote_id, **counts)
        await channel.publish(make_draft(answers=published.remote_id), key="post_2")

        numbers = await channel.measure([published.remote_id, "1"])

        assert numbers == {published.remote_id: Numbers(3, 3, 1, 40)}

    async def test_says_no_more_than_it_was_told(self, saying: Saying) -> None:
        channel = await saying(insights={"data": [{"name": "views", "values": []}]})

        assert await channel.measure(["1"]) == {"1": Numbers()}

    async def test_numbers_that_make_no_sense_are_tried_later(
        self, saying: Saying
    ) -> None:
        channel = await saying(insights=[])

        with pytest.raises(TryLater, match="makes no sense"):
            await channel.measure(["1"])

    async def test_who_may_not_see_numbers_is_told_so(self) -> None:
        scopes = tuple(scope for scope in SCOPES if "insights" not in scope)
        account = replace(OUTLET, scopes=scopes)
        async with threads_world(account=account) as world:
            with pytest.raises(Rejected, match="threads_manage_insights"):
                await world.channel().measure(["1"])
