"""
The Facebook channel, against a server that keeps Meta's rules and breaks at will.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image as Pillow

from outletbot.channels import (
    Disowned,
    Image,
    Limited,
    Numbers,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.facebook import SKEW, Facebook
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.windows import Budget
from tests.outletbot.channels.contract import (
    LINK,
    NOON,
    ChannelContract,
    make_draft,
    make_image,
)
from tests.outletbot.meta_server import (
    APP,
    NODE,
    OUTLET,
    PAGE,
    TOKEN,
    Meta,
    answering,
    meta_server,
)
from tests.outletbot.meta_spec import SPEC

FEED = f"POST {NODE}/feed"
PHOTOS = f"POST {NODE}/photos"
READ = f"GET {NODE}"


@pytest.fixture
async def world() -> AsyncIterator[Meta]:
    async with meta_server(Facebook) as meta:
        yield meta


class TooLateError(Exception): ...


class TestContract(ChannelContract): ...


@pytest.mark.skipif(not SPEC.exists(), reason=f"Meta's description is not at {SPEC}")
async def test_every_call_is_described_by_meta(world: Meta) -> None:
    """Each test checks this for its calls; here they are known to be described."""
    channel = world.channel()
    images = (make_image(),)
    published = await channel.publish(make_draft(images=images), key="post_1")
    await channel.edit(published.remote_id, make_draft("SOLD OUT"))
    answer = make_draft("Sold out", answers=published.remote_id)
    await channel.publish(answer, key="post_2")
    await channel.find(answer)
    await channel.measure([published.remote_id])
    await channel.find(make_draft())
    await channel.delete(published.remote_id)

    assert world.recorder.violations() == []
    assert set(world.recorder.names) == {
        "POST Page/photos",
        "POST Page/feed",
        "GET PagePost",
        "POST PagePost",
        "POST PagePost/comments",
        "GET PagePost/comments",
        "GET Comment",
        "GET PagePost/insights",
        "GET Page/published_posts",
        "DELETE PagePost",
    }


class TestPublish:
    async def test_shows_the_link_as_a_card(self, world: Meta) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")

        (post,) = world.books.things("post")
        assert post["link"] == LINK
        assert published.url == f"{world.url}/@outlet#{published.remote_id}"

    async def test_has_the_pictures_ready_before_it_goes(self, world: Meta) -> None:
        async def stop() -> None:
            assert len(world.books.things("photo")) == 1
            raise TooLateError

        draft = make_draft(images=(make_image(),))
        with pytest.raises(TooLateError):
            await world.channel().publish(draft, key="post_1", go=stop)

        assert world.texts() == []

    async def test_brings_pictures_and_what_they_show(self, world: Meta) -> None:
        images = (make_image("A red parka"), make_image("Its lining", colour="blue"))

        await world.channel().publish(make_draft(images=images), key="post_1")

        (post,) = world.books.things("post")
        photos = [world.books.thing(photo) for photo in post["photos"]]
        assert [photo["alt"] for photo in photos] == ["A red parka", "Its lining"]
        assert post["link"] == ""

    async def test_a_heavy_png_becomes_a_jpeg_that_fits(self, world: Meta) -> None:
        noise = Pillow.effect_noise((1600, 1600), 100).convert("RGB")
        buffer = BytesIO()
        noise.save(buffer, "PNG")
        image = Image(buffer.getvalue(), "image/png", "Noise")
        assert len(image.content) > 3_000_000

        await world.channel().publish(make_draft(images=(image,)), key="post_1")

        (photo,) = world.books.things("photo")
        content = world.books.shelf.content("thing", photo["id"])
        assert content is not None
        assert content.startswith(b"\xff\xd8")
        assert len(content) <= 4_000_000

    async def test_an_answer_may_have_a_picture(self, world: Meta) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        answer = make_draft(
            "Sold out", answers=published.remote_id, images=(make_image(),)
        )

        await channel.publish(answer, key="post_2")

        (comment,) = world.books.things("comment")
        assert len(comment["photos"]) == 1

    @pytest.mark.parametrize("fault", [*Fault])
    async def test_a_lost_picture_is_sent_again(
        self, world: Meta, fault: Fault
    ) -> None:
        world.faults.next(PHOTOS, fault)
        draft = make_draft(images=(make_image(),))

        if fault is Fault.SLOW:
            await world.channel().publish(draft, key="post_1")
            return
        with pytest.raises(TryLater):
            await world.channel().publish(draft, key="post_1")

        assert world.texts() == []

    async def test_the_same_again_is_taken_for_ours(self, world: Meta) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")

        with pytest.raises(Unconfirmed, match="identical"):
            await channel.publish(make_draft(), key="post_1")

        assert await channel.find(make_draft()) == published

    async def test_a_post_is_out_even_if_its_address_is_not_told(
        self, world: Meta
    ) -> None:
        world.faults.next(READ, Fault.TIMEOUT_BEFORE)

        published = await world.channel().publish(make_draft(), key="post_1")

        assert published.url == f"https://www.facebook.com/{published.remote_id}"

    async def test_a_link_that_is_none_is_said_to_be(self, world: Meta) -> None:
        draft = make_draft(link="outlet")

        with pytest.raises(Rejected, match="check that anybody can open it"):
            await world.channel().publish(draft, key="post_1")

    async def test_a_block_is_waited_for(self, world: Meta) -> None:
        world.faults.next(FEED, Fault.LOCKED)

        with pytest.raises(Limited, match="breaking its rules") as caught:
            await world.channel().publish(make_draft(), key="post_1")

        assert caught.value.after == timedelta(hours=1)

    async def test_an_answer_without_an_id_proves_nothing(self) -> None:
        async with answering({}) as base_url, meta_server() as meta:
            with pytest.raises(Unconfirmed, match="makes no sense"):
                await meta.channel(base_url=base_url).publish(
                    make_draft(), key="post_1"
                )

    async def test_an_upload_without_an_id_is_tried_again(self) -> None:
        async with answering([]) as base_url, meta_server() as meta:
            with pytest.raises(TryLater, match="makes no sense"):
                await meta.channel(base_url=base_url).publish(
                    make_draft(images=(make_image(),)), key="post_1"
                )

    def test_emoji_count_for_two(self, world: Meta) -> None:
        assert world.channel().length("a👍é") == 4


class TestFind:
    async def test_looks_through_pages_of_posts(self, world: Meta) -> None:
        channel = world.channel()
        wanted = await channel.publish(make_draft(), key="post_1")
        for number in range(230):
            world.books.add("post", PAGE, f"{PAGE}_{{}}", message=f"{LINK}{number}")

        assert await channel.find(make_draft()) == wanted
        assert world.recorder.names.count("GET Page/published_posts") == 3

    async def test_stops_at_what_is_too_old(self, world: Meta) -> None:
        channel = world.channel()
        await channel.publish(make_draft(), key="post_1")
        for _ in range(120):
            world.books.add("post", PAGE, f"{PAGE}_{{}}", message="Hello")
        since = NOON + SKEW + timedelta(seconds=1)

        assert await channel.find(make_draft(since=since)) is None
        assert world.recorder.names.count("GET Page/published_posts") == 1

    async def test_a_reader_who_repeats_the_link_is_not_us(self, world: Meta) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        number = published.remote_id.rpartition("_")[2]
        reader = {"id": "1", "name": "A Reader"}
        facts = {"of": published.remote_id, "author": reader, "photos": []}
        world.books.add("comment", PAGE, f"{number}_{{}}", message=LINK, **facts)

        answer = make_draft(answers=published.remote_id)

        assert await channel.find(answer) is None

    @pytest.mark.parametrize(
        "content",
        [
            {"data": [{"id": "1", "message": LINK}]},
            {"data": [{"id": "1", "created_time": "yesterday"}]},
            {"data": "none"},
            [],
        ],
    )
    async def test_an_answer_that_makes_no_sense_is_asked_again(
        self, content: Any
    ) -> None:
        async with answering(content) as base_url, meta_server() as meta:
            with pytest.raises(TryLater, match="makes no sense"):
                await meta.channel(base_url=base_url).find(make_draft())

    async def test_a_server_that_gives_the_same_page_for_ever_is_left(self) -> None:
        post = {"id": "1", "created_time": "2026-03-02T12:00:00"}
        page = {"data": [post], "paging": {"next": "https://example.com/?after=Mg=="}}
        async with answering(page) as base_url, meta_server() as meta:
            assert await meta.channel(base_url=base_url).find(make_draft()) is None


class TestEdit:
    async def test_keeps_the_pictures(self, world: Meta) -> None:
        channel, draft = world.channel(), make_draft(images=(make_image(),))
        published = await channel.publish(draft, key="post_1")

        await channel.edit(published.remote_id, replace(draft, text="SOLD OUT"))

        (post,) = world.books.things("post")
        assert post["message"] == "SOLD OUT"
        assert len(post["photos"]) == 1

    async def test_an_answer_can_be_edited_too(self, world: Meta) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        answer = make_draft("Sold out", answers=published.remote_id)
        answered = await channel.publish(answer, key="post_2")

        await channel.edit(answered.remote_id, make_draft("Back again"))

        assert world.texts()[1].startswith("Back again")

    async def test_what_is_gone_is_said_to_be(self, world: Meta) -> None:
        with pytest.raises(Rejected, match="does not exist"):
            await world.channel().edit("1_2", make_draft())

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (Fault.TIMEOUT_AFTER, Unconfirmed),
            (Fault.ERROR_BEFORE, TryLater),
            (Fault.TOO_MANY, Limited),
        ],
    )
    async def test_says_what_became_of_it(
        self, world: Meta, fault: Fault, error: type[Exception]
    ) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        world.faults.next(f"POST {NODE}", fault)

        with pytest.raises(error):
            await channel.edit(published.remote_id, make_draft("SOLD OUT"))


class TestMeasure:
    async def test_tells_what_it_knows(self, world: Meta) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        await channel.publish(
            make_draft("Yes", answers=published.remote_id), key="post_2"
        )
        for name, number in {"likes": 7, "shares": 3, "views": 900}.items():
            world.books.count(published.remote_id, name, number)

        numbers = await channel.measure([published.remote_id, "9_9"])

        assert numbers == {published.remote_id: Numbers(7, 3, 1, 900)}

    async def test_views_are_left_out_where_insights_may_not_be_read(self) -> None:
        scopes = tuple(scope for scope in OUTLET.scopes if scope != "read_insights")
        async with meta_server(Facebook, replace(OUTLET, scopes=scopes)) as meta:
            channel = meta.channel()
            published = await channel.publish(make_draft(), key="post_1")

            for _ in range(2):
                numbers = await channel.measure([published.remote_id])
                assert numbers[published.remote_id].views is None

            assert meta.recorder.names.count("GET PagePost/insights") == 1

    async def test_a_lost_token_is_no_missing_permission(self, world: Meta) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        ends = NOON + timedelta(hours=1)
        world.books.keep_token(TOKEN, PAGE, OUTLET.scopes, ends)
        world.clock.advance(timedelta(hours=2))

        with pytest.raises(Disowned, match="has expired"):
            await channel.measure([published.remote_id])

    async def test_numbers_that_are_none_are_not_told(self) -> None:
        answers = {"reactions": 7, "shares": {"count": "3"}, "data": [{"values": []}]}
        async with answering(answers) as base_url, meta_server() as meta:
            numbers = await meta.channel(base_url=base_url).measure(["1"])

        assert numbers == {"1": Numbers()}


class TestAccess:
    async def test_a_bare_token_knows_its_page(self, world: Meta) -> None:
        channel = world.channel(account_id="")

        published = await channel.publish(make_draft(), key="post_1")

        assert published.remote_id.startswith(PAGE)
        assert await channel.check() == "@outlet"

    async def test_a_page_without_a_handle_has_a_name(self) -> None:
        async with meta_server(Facebook, replace(OUTLET, handle="")) as meta:
            assert await meta.channel().check() == "North Outlet"

    async def test_a_permission_that_is_missing_is_named(self) -> None:
        account = replace(OUTLET, scopes=("pages_read_engagement",))
        async with meta_server(Facebook, account) as meta:
            with pytest.raises(Rejected, match="allow pages_manage_posts") as caught:
                await meta.channel().publish(make_draft(), key="post_1")

        assert not isinstance(caught.value, Disowned)

    async def test_the_app_proves_itself(self) -> None:
        app = replace(APP, wants_proof=True)
        async with meta_server(Facebook, app=app) as meta:
            assert await meta.channel(app_secret=APP.client_secret).check()
            with pytest.raises(Rejected, match="require an appsecret_proof"):
                await meta.channel().check()
            with pytest.raises(Rejected, match="Invalid appsecret_proof"):
                await meta.channel(app_secret="another").check()

    async def test_calls_are_counted(self) -> None:
        calls = Budget(2, timedelta(hours=1))
        async with meta_server(Facebook, calls=calls) as meta:
            channel = meta.channel()
            await channel.check()
            await channel.check()

            with pytest.raises(Limited) as caught:
                await channel.check()

            assert caught.value.after == timedelta(minutes=61)

    async def test_a_page_that_is_no_page_makes_no_sense(self) -> None:
        async with answering({"id": "1"}) as base_url, meta_server() as meta:
            with pytest.raises(TryLater, match="makes no sense"):
                await meta.channel(base_url=base_url).check()
