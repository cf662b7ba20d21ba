"""
The X channel, against a server that keeps X's rules and breaks at will.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from PIL import Image as Pillow
from pytest_aiohttp.plugin import AiohttpServer

from outletbot.channels import (
    ChannelError,
    Disowned,
    Image,
    Limited,
    Numbers,
    Poll,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.calls import NotThere, Refusal
from outletbot.channels.x import PAGE, X, site_of
from outletbot.channels.x_api import judge_x
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.x_state import Wish
from tests.outletbot.channels.contract import (
    LINK,
    NOON,
    OTHER,
    ChannelContract,
    make_draft,
    make_image,
)
from tests.outletbot.x_server import FAN, OUTLET, TOKEN, XWorld, x_world
from tests.outletbot.x_spec import SPEC

POLL = Poll("Which one?", ("Parka", "Boots"), timedelta(hours=2))
UPLOAD, DESCRIBE = "POST /2/media/upload", "POST /2/media/metadata"
TIMELINE = "GET /2/users/{id}/tweets"


@pytest.fixture
async def world() -> AsyncIterator[XWorld]:
    async with x_world() as world:
        yield world


async def answering(
    world: XWorld, aiohttp_server: AiohttpServer, *answers: Any, status: int = 200
) -> X:
    """Return a channel to a server that says just that, the last for ever."""
    left = list(answers)

    async def answer(_request: web.Request) -> web.StreamResponse:
        content = left.pop(0) if len(left) > 1 else left[0]
        return web.json_response(content, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = await aiohttp_server(app)
    return world.channel(base_url=str(server.make_url("/")), account_id=OUTLET.id)


def post_many(world: XWorld, count: int, *, link: str = OTHER) -> list[str]:
    """Post as if by hand, a second apart. Return the ids, oldest first."""
    ids = []
    for number in range(count):
        world.clock.advance(timedelta(seconds=1))
        wish = Wish(f"Parka {number} {link}")
        ids.append(world.sandbox.create_post(OUTLET, wish)["id"])
    return ids


class TestContract(ChannelContract):
    pass


class TestPublish:
    async def test_returns_where_the_post_is(self, world: XWorld) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")

        (post,) = world.posts()
        url = f"{world.url}/i/status/{post['id']}"
        assert published == Published(post["id"], url)
        async with world.http.get(url) as page:
            assert "Parka, half price" in await page.text()

    def test_people_see_it_at_x_com(self) -> None:
        assert site_of("https://api.x.com") == "https://x.com"
        assert site_of("http://127.0.0.1:8080/") == "http://127.0.0.1:8080"

    async def test_280_is_not_too_long(self, world: XWorld) -> None:
        channel = world.channel()
        draft = make_draft("x" * (280 - 23 - 1))
        assert channel.length(draft.text) == 280

        await channel.publish(draft, key="post_1")
        with pytest.raises(Rejected, match=r"too long.* Shorten the text\.$"):
            await channel.publish(make_draft("y" * 257), key="post_2")

    async def test_pictures_are_shown_with_what_they_show(self, world: XWorld) -> None:
        images = (make_image("A red parka"), make_image("", colour="blue"))

        await world.channel().publish(make_draft(images=images), key="post_1")

        shelf, (post,) = world.sandbox.shelf, world.posts()
        media = [shelf.get("media", one) for one in post["media_ids"]]
        assert [one["alt"] for one in media if one] == ["A red parka", ""]
        assert shelf.content("media", post["media_ids"][0])
        assert world.recorder.names == [UPLOAD, DESCRIBE, UPLOAD, "POST /2/tweets"]

    async def test_a_picture_is_made_fit(self, world: XWorld) -> None:
        noise = Pillow.effect_noise((2600, 1800), 100).convert("RGB")
        buffer = BytesIO()
        noise.save(buffer, "PNG")
        image = Image(buffer.getvalue(), "image/png", "x" * 1200)
        assert len(image.content) > 5_000_000

        await world.channel().publish(make_draft(images=[image]), key="post_1")

        (media_id,) = world.posts()[0]["media_ids"]
        media = world.sandbox.shelf.get("media", media_id)
        assert media is not None
        assert media["size"] <= 5_000_000
        assert media["alt"] == "x" * 999 + "…"

    async def test_a_fifth_picture_is_refused(self, world: XWorld) -> None:
        images = [make_image(str(number)) for number in range(5)]

        with pytest.raises(Rejected, match="between 1 and 4"):
            await world.channel().publish(make_draft(images=images), key="post_1")

    async def test_waits_for_a_picture(self) -> None:
        async with x_world(looks_until_ready=3) as world:
            draft = make_draft(images=[make_image()])

            await world.channel().publish(draft, key="post_1")

            assert len(world.recorder.named("GET /2/media/upload")) == 3
            if SPEC.exists():
                assert world.recorder.violations() == []

    async def test_does_not_wait_for_ever(self) -> None:
        async with x_world(looks_until_ready=1_000_000) as world:
            draft = make_draft(images=[make_image()])

            with pytest.raises(TryLater, match="still working"):
                await world.channel().publish(draft, key="post_1")

            assert world.texts() == []

    @pytest.mark.parametrize(
        ("answer", "meaning"),
        [
            ({"data": {"id": "1", "processing_info": {"state": "failed"}}}, Rejected),
            ({"data": {}}, TryLater),
        ],
    )
    async def test_a_picture_that_cannot_be_used(
        self,
        world: XWorld,
        aiohttp_server: AiohttpServer,
        answer: object,
        meaning: type[ChannelError],
    ) -> None:
        channel = await answering(world, aiohttp_server, answer)

        with pytest.raises(meaning):
            await channel.publish(make_draft(images=[make_image()]), key="post_1")

    @pytest.mark.parametrize("call", [UPLOAD, DESCRIBE])
    @pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER])
    async def test_a_lost_picture_does_no_harm(
        self, world: XWorld, call: str, fault: Fault
    ) -> None:
        draft = make_draft(images=[make_image()])
        world.faults.next(call, fault)

        with pytest.raises(TryLater):
            await world.channel().publish(draft, key="post_1")
        assert world.texts() == []

        await world.channel().publish(draft, key="post_1")
        assert len(world.texts()) == 1

    async def test_a_poll_has_no_pictures(self, world: XWorld) -> None:
        draft = make_draft(poll=POLL, images=[make_image()])

        await world.channel().publish(draft, key="post_1")

        (post,) = world.posts()
        assert post["options"] == ["Parka", "Boots"]
        assert post["minutes"] == 120
        assert post["media_ids"] == []

    @pytest.mark.parametrize(
        "poll",
        [
            replace(POLL, options=("Parka",)),
            replace(POLL, options=("Parka", "x" * 26)),
            replace(POLL, duration=timedelta(minutes=4)),
            replace(POLL, duration=timedelta(days=8)),
        ],
    )
    async def test_a_poll_that_x_does_not_take(self, world: XWorld, poll: Poll) -> None:
        with pytest.raises(Rejected, match="Change the post"):
            await world.channel().publish(make_draft(poll=poll), key="post_1")

    async def test_an_answer_that_the_plan_does_not_allow(self) -> None:
        async with x_world(account=replace(OUTLET, answers=False)) as world:
            channel = world.channel()
            published = await channel.publish(make_draft(), key="post_1")
            answer = make_draft("Sold out", answers=published.remote_id)

            with pytest.raises(
                Rejected, match="self-serve plans may answer only"
            ) as no:
                await channel.publish(answer, key="post_2")

            assert not isinstance(no.value, Disowned)
            assert len(world.texts()) == 1

    async def test_an_answer_to_what_is_gone(self, world: XWorld) -> None:
        with pytest.raises(Rejected, match="deleted or not visible"):
            await world.channel().publish(make_draft(answers="1"), key="post_1")

    async def test_the_same_text_is_looked_for(self, world: XWorld) -> None:
        world.faults.next("POST /2/tweets", Fault.TIMEOUT_AFTER)
        channel, draft = world.channel(), make_draft()
        with pytest.raises(Unconfirmed):
            await channel.publish(draft, key="post_1")

        with pytest.raises(Unconfirmed, match="may be out already"):
            await channel.publish(draft, key="post_1")

        assert len(world.texts()) == 1
        found = await channel.find(draft)
        assert found is not None
        assert found.remote_id == world.posts()[0]["id"]

    @pytest.mark.parametrize("answer", [{"data": {}}, [], None])
    async def test_nonsense_proves_nothing(
        self, world: XWorld, aiohttp_server: AiohttpServer, answer: object
    ) -> None:
        channel = await answering(world, aiohttp_server, answer)

        with pytest.raises(Unconfirmed):
            await channel.publish(make_draft(), key="post_1")

    async def test_without_credits_it_says_what_to_do(self, world: XWorld) -> None:
        world.sandbox.credits = Decimal("0.30")
        channel = world.channel()
        await channel.publish(make_draft(), key="post_1")
        assert world.sandbox.credits == Decimal("0.10")

        with pytest.raises(Rejected, match="Buy credits"):
            await channel.publish(make_draft("Boots"), key="post_2")

    async def test_a_token_ends(self) -> None:
        account = replace(OUTLET, expires_at=NOON + timedelta(hours=2))
        async with x_world(account=account) as world:
            await world.channel().publish(make_draft(), key="post_1")
            world.clock.advance(timedelta(hours=2))

            with pytest.raises(Disowned, match="Connect the account again"):
                await world.channel().publish(make_draft("Boots"), key="post_2")

    async def test_a_token_may_not_do_everything(self) -> None:
        account = replace(OUTLET, scopes=("tweet.read", "users.read"))
        async with x_world(account=account) as world:
            assert await world.channel().check() == "@outlet"

            with pytest.raises(Rejected, match="allow everything") as caught:
                await world.channel().publish(make_draft(), key="post_1")
            assert not isinstance(caught.value, Disowned)


class TestFind:
    async def test_finds_what_is_pages_back(self, world: XWorld) -> None:
        (wanted,) = post_many(world, 1, link=LINK)
        post_many(world, 2 * PAGE)

        found = await world.channel().find(make_draft())

        assert found is not None
        assert found.remote_id == wanted
        assert len(world.recorder.named(TIMELINE)) == 3

    async def test_the_newest_of_two_is_found(self, world: XWorld) -> None:
        ids = post_many(world, 2, link=LINK)

        found = await world.channel().find(make_draft())

        assert found is not None
        assert found.remote_id == ids[-1]

    async def test_nothing_older_is_looked_at(self, world: XWorld) -> None:
        post_many(world, 1, link=LINK)
        world.clock.advance(timedelta(hours=1))

        since = NOON + timedelta(minutes=6)
        assert await world.channel().find(make_draft(since=since)) is None
        skewed = NOON + timedelta(minutes=5)
        assert await world.channel().find(make_draft(since=skewed)) is not None

    async def test_no_answer_is_taken_for_a_post(self, world: XWorld) -> None:
        (post_id,) = post_many(world, 1)
        wish = Wish(f"Sold out {LINK}", answers=post_id)
        answer_id = world.sandbox.create_post(OUTLET, wish)["id"]
        deep = Wish(f"Really {OTHER}", answers=answer_id)
        deep_id = world.sandbox.create_post(OUTLET, deep)["id"]

        channel = world.channel()
        assert await channel.find(make_draft()) is None
        found = await channel.find(make_draft(answers=post_id))
        assert found is not None
        assert found.remote_id == answer_id
        found = await channel.find(make_draft(link=OTHER, answers=answer_id))
        assert found is not None
        assert found.remote_id == deep_id

    async def test_nobody_elses_post_is_ours(self, world: XWorld) -> None:
        world.sandbox.create_post(FAN, Wish(f"Look {LINK}"))

        assert await world.channel().find(make_draft()) is None

    async def test_does_not_ask_who_it_is_if_it_knows(self, world: XWorld) -> None:
        await world.channel(account_id=OUTLET.id).find(make_draft())

        assert world.recorder.names == [TIMELINE]

    @pytest.mark.parametrize(
        ("post", "found"),
        [
            ({"conversation_id": "7"}, True),
            ({"conversation_id": "6"}, False),
            ({}, True),
            ({"referenced_tweets": [{"type": "replied_to", "id": "6"}]}, False),
            ({"referenced_tweets": [{"type": "quoted", "id": "6"}]}, True),
            ({"referenced_posts": [{"type": "replied_to", "id": "6"}]}, False),
            ({"entities": {"urls": [{"expanded_url": OTHER}]}}, False),
            ({"entities": {"hashtags": []}}, False),
        ],
    )
    async def test_reads_what_x_says_of_a_post(
        self,
        world: XWorld,
        aiohttp_server: AiohttpServer,
        post: dict[str, object],
        found: bool,  # noqa: FBT001 - a parameter of the test
    ) -> None:
        urls = {"urls": [{"expanded_url": LINK}]}
        whole = {"id": "7", "text": "https://t.co/abc", "entities": urls} | post
        answer = {"data": [whole], "meta": {"result_count": 1}}
        channel = await answering(world, aiohttp_server, answer)

        assert (await channel.find(make_draft()) is not None) is found

    async def test_a_link_that_x_takes_for_none_is_in_the_text(
        self, world: XWorld, aiohttp_server: AiohttpServer
    ) -> None:
        link = "http://localhost:8080/d/k7Qx2mZp9LwT"
        post = {"id": "7", "text": f"Parka\n{link}", "conversation_id": "7"}
        answer = {"data": [post], "meta": {"result_count": 1}}
        channel = await answering(world, aiohttp_server, answer)

        assert await channel.find(make_draft(link=link)) is not None

    @pytest.mark.parametrize(
        "answer",
        [{"errors": [{"title": "Not Found"}]}, {"data": {}}, {"data": [{}]}, [], None],
    )
    async def test_nonsense_is_no_empty_page(
        self, world: XWorld, aiohttp_server: AiohttpServer, answer: object
    ) -> None:
        channel = await answering(world, aiohttp_server, answer)

        with pytest.raises(TryLater, match="makes no sense"):
            await channel.find(make_draft())

    async def test_nonsense_is_no_name(
        self, world: XWorld, aiohttp_server: AiohttpServer
    ) -> None:
        channel = await answering(world, aiohttp_server, {"data": {"id": 7}})

        with pytest.raises(TryLater, match="makes no sense"):
            await channel.check()


class TestEditAndDelete:
    async def test_what_is_out_stays_as_it_is(self, world: XWorld) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")

        with pytest.raises(Rejected, match="stays as it is"):
            await world.channel().edit(published.remote_id, make_draft("SOLD OUT"))

        assert "SOLD OUT" not in world.texts()[0]

    async def test_the_rate_of_deletions_is_told(self, world: XWorld) -> None:
        world.clock.advance(timedelta(minutes=5))
        for _ in range(50):
            await world.channel().delete("1")

        with pytest.raises(Limited) as caught:
            await world.channel().delete("1")
        assert caught.value.after == timedelta(minutes=10)

        world.clock.advance(timedelta(minutes=10))
        await world.channel().delete("1")

    async def test_nobody_elses_post_is_taken_back(self, world: XWorld) -> None:
        post_id = world.sandbox.create_post(FAN, Wish("Hello"))["id"]

        with pytest.raises(Rejected, match="not authorized to delete"):
            await world.channel().delete(post_id)

    @pytest.mark.parametrize("answer", [{"data": {"deleted": False}}, {}])
    async def test_what_was_not_deleted_is_tried_again(
        self, world: XWorld, aiohttp_server: AiohttpServer, answer: object
    ) -> None:
        channel = await answering(world, aiohttp_server, answer)

        with pytest.raises(TryLater):
            await channel.delete("1")

    async def test_a_lost_deletion_is_in_doubt(self, world: XWorld) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")
        world.faults.next(world.delete_call, Fault.TIMEOUT_AFTER)

        with pytest.raises(Unconfirmed):
            await world.channel().delete(published.remote_id)


class TestMeasure:
    async def test_counts_what_x_counts(self, world: XWorld) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")
        post = world.posts()[0]
        post["metrics"] = {"likes": 5, "reposts": 2, "views": 321}
        world.sandbox.shelf.keep("post", post["id"], post)
        world.sandbox.create_post(FAN, Wish("Mine!", answers=post["id"]))

        numbers = await world.channel().measure([published.remote_id, "1"])

        assert numbers == {published.remote_id: Numbers(5, 2, 1, 321)}

    async def test_asks_for_a_hundred_at_once(self, world: XWorld) -> None:
        ids = post_many(world, PAGE + 1)

        assert list(await world.channel().measure(ids)) == ids
        assert len(world.recorder.calls) == 2
        assert await world.channel().measure([]) == {}
        assert len(world.recorder.calls) == 2

    async def test_reads_the_old_words_too(
        self, world: XWorld, aiohttp_server: AiohttpServer
    ) -> None:
        old = {"id": "7", "public_metrics": {"retweet_count": 3, "like_count": "x"}}
        answer = {"data": [old, {"id": "8"}]}
        channel = await answering(world, aiohttp_server, answer)

        numbers = await channel.measure(["7", "8"])

        assert numbers == {"7": Numbers(reposts=3), "8": Numbers()}


@pytest.mark.skipif(not SPEC.exists(), reason=f"X's description is not at {SPEC}")
async def test_every_call_is_as_documented(world: XWorld) -> None:
    channel = world.channel()
    await channel.check()
    draft = make_draft(images=[make_image()])
    published = await channel.publish(draft, key="post_1")
    answer = make_draft("Sold out", answers=published.remote_id)
    answered = await channel.publish(answer, key="post_2")
    await channel.publish(make_draft("Which?", link=OTHER, poll=POLL), key="post_3")
    post_many(world, PAGE)
    assert await channel.find(draft) == published
    assert await channel.find(answer) == answered
    await channel.measure([published.remote_id, "1"])
    await channel.delete(answered.remote_id)
    await channel.delete(answered.remote_id)

    assert len(set(world.recorder.names)) == 7
    assert world.recorder.violations() == []


class TestJudge:
    def refusal(
        self, status: int, content: object, headers: dict[str, str] | None = None
    ) -> Refusal:
        return Refusal("X", status, "Odd", headers or {}, content, TryLater, NOON)

    @pytest.mark.parametrize(
        ("status", "content", "meaning", "words"),
        [
            (402, {"title": "CreditsDepleted"}, Rejected, "Buy credits"),
            (402, None, Rejected, "X says: 402 Odd. The credits"),
            (
                429,
                {"type": "https://api.twitter.com/2/problems/usage-capped"},
                Rejected,
                "spending cap",
            ),
            (
                403,
                {"type": "https://api.twitter.com/2/problems/credits"},
                Rejected,
                "Buy credits",
            ),
            (429, {"title": "Too Many Requests"}, Limited, "Too Many Requests"),
            (503, {"type": "https://api.x.com/2/problems/credits"}, TryLater, "503"),
            (401, {"detail": "Unauthorized"}, Disowned, "Connect the account again"),
            (403, {"detail": "User is suspended."}, Rejected, "X has suspended it"),
            (403, {"detail": "temporarily locked"}, Rejected, "unlock it"),
            (403, {"detail": "attached to a Project"}, Rejected, "Whoever runs"),
            (404, {"errors": [{"detail": "Gone away"}]}, NotThere, "Gone away"),
            (400, {"errors": [{"message": "Bad ids"}]}, Rejected, "Bad ids"),
            (413, ["odd"], Rejected, "smaller picture"),
        ],
    )
    def test_says_what_it_means(
        self, status: int, content: object, meaning: type[ChannelError], words: str
    ) -> None:
        error = judge_x(self.refusal(status, content))

        assert type(error) is meaning
        assert words in str(error)

    @pytest.mark.parametrize(
        ("headers", "after"),
        [
            ({}, None),
            ({"x-rate-limit-reset": "soon"}, None),
            ({"x-rate-limit-reset": "+90"}, timedelta(seconds=90)),
            ({"x-rate-limit-reset": "-90"}, timedelta(seconds=1)),
            ({"x-rate-limit-reset": "+9999999"}, timedelta(days=1)),
            (
                {
                    "x-rate-limit-reset": "+90",
                    "x-rate-limit-remaining": "12",
                    "x-app-limit-24hour-reset": "+7200",
                    "x-app-limit-24hour-remaining": "0",
                },
                timedelta(hours=2),
            ),
        ],
    )
    def test_knows_until_when(
        self, headers: dict[str, str], after: timedelta | None
    ) -> None:
        moments = {
            name: str(int(NOON.timestamp()) + int(value)) if value[0] in "+-" else value
            for name, value in headers.items()
        }

        error = judge_x(self.refusal(429, {}, moments))

        assert isinstance(error, Limited)
        assert error.after == after


async def test_a_hundred_posts_are_enough_for_a_while(world: XWorld) -> None:
    channel = world.channel()
    for number in range(100):
        await channel.publish(make_draft(f"Parka {number}"), key=str(number))

    with pytest.raises(Limited) as caught:
        await channel.publish(make_draft(), key="post_1")

    assert caught.value.after == timedelta(minutes=15)


def test_no_secret_is_shown(world: XWorld) -> None:
    assert TOKEN not in repr(world.channel())
    assert TOKEN not in repr(OUTLET)
