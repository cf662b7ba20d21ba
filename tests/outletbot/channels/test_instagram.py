"""
The Instagram channel, against a server that fetches pictures and keeps Meta's rules.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from outletbot.channels import (
    Disowned,
    Draft,
    Image,
    Limited,
    Numbers,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.images import fit_image
from outletbot.channels.instagram import SKEW, Instagram
from outletbot.channels.instagram_limits import CAPABILITIES
from outletbot.sandbox.faults import Fault
from tests.outletbot.channels.contract import (
    LINK,
    NOON,
    ChannelContract,
    World,
    make_draft,
    make_image,
)
from tests.outletbot.meta_server import (
    NODE,
    OUTLET,
    PAGE,
    TOKEN,
    Meta,
    answering,
    meta_server,
)
from tests.outletbot.meta_spec import SPEC

MEDIA = f"POST {NODE}/media"
PUBLISH = f"POST {NODE}/media_publish"
READ = f"GET {NODE}"


@pytest.fixture
async def world() -> AsyncIterator[Meta]:
    async with meta_server(Instagram) as meta:
        yield meta


def pictured(meta: Meta, text: str = "Parka, half price", **facts: Any) -> Draft:
    return make_draft(text, images=(meta.show(),), **facts)


class TooLateError(Exception): ...


class TestContract(ChannelContract):
    def draft(
        self, world: World, text: str = "Parka, half price", **facts: Any
    ) -> Draft:
        assert isinstance(world, Meta)
        return pictured(world, text, **facts)


@pytest.mark.skipif(not SPEC.exists(), reason=f"Meta's description is not at {SPEC}")
async def test_every_call_is_described_by_meta(world: Meta) -> None:
    """Each test checks this for its calls; here they are known to be described."""
    channel, draft = world.channel(), pictured(world)
    published = await channel.publish(draft, key="post_1")
    answer = make_draft("Sold out", answers=published.remote_id)
    await channel.publish(answer, key="post_2")
    await channel.find(answer)
    await channel.measure([published.remote_id])
    await channel.find(draft)
    await channel.delete(published.remote_id)

    assert world.recorder.violations() == []
    assert set(world.recorder.names) == {
        "GET IGUser",
        "GET IGUser/content_publishing_limit",
        "POST IGUser/media",
        "GET IGContainer",
        "POST IGUser/media_publish",
        "GET IGMedia",
        "POST IGMedia/comments",
        "GET IGMedia/comments",
        "GET IGMedia/insights",
        "GET IGUser/media",
        "DELETE IGMedia",
    }


class TestPublish:
    async def test_says_where_the_post_is(self, world: Meta) -> None:
        published = await world.channel().publish(pictured(world), key="post_1")

        (media,) = world.books.things("media")
        place = f"{world.url}/@outlet#{media['id']}"
        assert published == Published(media["id"], place)

    async def test_has_the_picture_ready_before_it_goes(self, world: Meta) -> None:
        async def stop() -> None:
            (container,) = world.books.things("container")
            assert container["status"] == "FINISHED"
            raise TooLateError

        with pytest.raises(TooLateError):
            await world.channel().publish(pictured(world), key="post_1", go=stop)

        assert world.texts() == []

    async def test_an_answer_goes_when_it_is_told_to(self, world: Meta) -> None:
        channel = world.channel()
        published = await channel.publish(pictured(world), key="post_1")

        async def stop() -> None:
            raise TooLateError

        answer = make_draft("Sold out", answers=published.remote_id)
        with pytest.raises(TooLateError):
            await channel.publish(answer, key="post_2", go=stop)

        assert len(world.texts()) == 1

    async def test_brings_what_the_picture_shows(self, world: Meta) -> None:
        draft = make_draft(images=(world.show(alt="A red parka" * 100),))

        await world.channel().publish(draft, key="post_1")

        (container,) = world.books.things("container")
        assert container["alt"] == ("A red parka" * 100)[:1000]

    async def test_several_pictures_are_a_carousel(self, world: Meta) -> None:
        images = (world.show("front.jpeg", alt=""), world.show("back.jpeg"))

        await world.channel().publish(make_draft(images=images), key="post_1")

        (media,) = world.books.things("media")
        assert len(media["pictures"]) == 2
        assert media["caption"] == make_draft().text

    async def test_without_a_picture_nothing_is_posted(self, world: Meta) -> None:
        with pytest.raises(Rejected, match="no post without a picture"):
            await world.channel().publish(make_draft(), key="post_1")
        with pytest.raises(Rejected, match="no public address"):
            await world.channel().publish(
                make_draft(images=(make_image(),)), key="post_1"
            )

        assert world.recorder.calls == []

    async def test_waits_for_the_picture_and_gives_up_in_time(
        self, world: Meta
    ) -> None:
        world.books.looks_until_finished = 1_000_000

        with pytest.raises(TryLater, match="still working on the picture"):
            await world.channel().publish(pictured(world), key="post_1")

        assert world.texts() == []

    async def test_what_is_wrong_with_a_picture_may_be_told_late(self) -> None:
        told = [
            {"data": [{"quota_usage": 0}]},
            {"id": "7"},
            {"status_code": "ERROR", "status": "Error: it failed, code 2207005"},
        ]
        async with answering(*told) as base_url, meta_server(Instagram) as meta:
            with pytest.raises(Rejected, match="takes JPEG pictures"):
                await meta.channel(base_url=base_url).publish(
                    pictured(meta), key="post_1"
                )

    @pytest.mark.parametrize("told", [{"status_code": "GONE"}, []])
    async def test_a_status_that_makes_no_sense_is_asked_again(self, told: Any) -> None:
        answers = ({"data": []}, {"id": "7"}, told)
        async with answering(*answers) as base_url, meta_server(Instagram) as meta:
            with pytest.raises(TryLater, match="makes no sense"):
                await meta.channel(base_url=base_url).publish(
                    pictured(meta), key="post_1"
                )

    async def test_an_error_without_words_is_about_the_picture(self) -> None:
        answers = ({"data": []}, {"id": "7"}, {"status_code": "ERROR"})
        async with answering(*answers) as base_url, meta_server(Instagram) as meta:
            with pytest.raises(Rejected, match="it cannot be used"):
                await meta.channel(base_url=base_url).publish(
                    pictured(meta), key="post_1"
                )

    @pytest.mark.parametrize("fault", [*Fault])
    async def test_a_lost_container_does_no_harm(
        self, world: Meta, fault: Fault
    ) -> None:
        world.faults.next(MEDIA, fault)

        if fault is Fault.SLOW:
            await world.channel().publish(pictured(world), key="post_1")
            return
        with pytest.raises(TryLater):
            await world.channel().publish(pictured(world), key="post_1")

        assert world.texts() == []

    async def test_a_container_that_was_overtaken_by_time_is_made_anew(
        self, world: Meta
    ) -> None:
        container = world.books.add(
            "container", PAGE, caption="", children=[], item=False, status="FINISHED"
        )
        world.clock.advance(timedelta(days=1))

        with pytest.raises(TryLater, match="expired"):
            await self._publish_container(world, container)

    async def test_a_container_that_is_not_ready_is_waited_for(
        self, world: Meta
    ) -> None:
        container = world.books.add(
            "container", PAGE, caption="", children=[], item=False, status="IN_PROGRESS"
        )

        with pytest.raises(TryLater, match="not ready"):
            await self._publish_container(world, container)

    async def _publish_container(self, world: Meta, container: str) -> None:
        """Publish one that somebody else made."""
        channel = world.channel()
        assert isinstance(channel, Instagram)
        await channel._graph.post_for_id(  # noqa: SLF001 - there is no other way
            f"/{OUTLET.instagram_id}/media_publish",
            {"creation_id": container},
            lost=Unconfirmed,
        )

    async def test_begins_nothing_when_the_day_is_full(self, world: Meta) -> None:
        world.books.daily_posts = 1
        channel = world.channel()
        await channel.publish(pictured(world), key="post_1")
        containers = len(world.books.things("container"))

        with pytest.raises(Limited, match="takes 1 posts in 24 hours") as caught:
            await channel.publish(pictured(world, "Boots"), key="post_2")

        assert caught.value.after == timedelta(hours=1)
        assert len(world.books.things("container")) == containers
        world.clock.advance(timedelta(days=1, seconds=1))
        await channel.publish(pictured(world, "Boots"), key="post_2")

    async def test_a_day_that_fills_up_meanwhile_is_heeded_too(
        self, world: Meta
    ) -> None:
        container = world.books.add(
            "container", PAGE, caption="", children=[], item=False, status="FINISHED"
        )
        world.books.daily_posts = 0

        with pytest.raises(Limited, match="in a day"):
            await self._publish_container(world, container)

    async def test_a_post_is_out_even_if_its_address_is_not_told(
        self, world: Meta
    ) -> None:
        # The container is looked at twice before.
        world.faults.next(READ, Fault.SLOW, Fault.SLOW, Fault.ERROR_BEFORE)

        published = await world.channel().publish(pictured(world), key="post_1")

        assert published.url == "https://www.instagram.com/"

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("wide.jpeg", make_image(size=(900, 100)).content, "4:5 to 1.91:1"),
            ("tall.jpeg", make_image(size=(100, 900)).content, "4:5 to 1.91:1"),
            ("parka.png", b"\x89PNG", "takes JPEG pictures"),
            ("heavy.jpeg", bytes(8 * 1024 * 1024 + 1), "2207004"),
        ],
    )
    async def test_a_picture_that_does_not_fit_is_explained(
        self, world: Meta, name: str, content: bytes, words: str
    ) -> None:
        image = world.show(name, content)

        with pytest.raises(Rejected, match=words):
            await world.channel().publish(make_draft(images=(image,)), key="post_1")

    @pytest.mark.parametrize(
        "address", ["gone.jpeg", "https://example.com/parka.jpeg", "http://127.0.0.1:9"]
    )
    async def test_a_picture_that_nobody_can_fetch_is_tried_again(
        self, world: Meta, address: str
    ) -> None:
        address = address if "//" in address else f"{world.shop}/{address}"
        image = replace(make_image(), address=address)

        with pytest.raises(TryLater, match="open to everybody"):
            await world.channel().publish(make_draft(images=(image,)), key="post_1")

    async def test_pictures_are_made_fit_by_its_own_rules(self, world: Meta) -> None:
        buffer = make_image(size=(3000, 400))
        fitted = fit_image(
            Image(buffer.content, "image/jpeg", "A belt"), CAPABILITIES.images
        )
        image = world.show("belt.jpeg", fitted.content)

        await world.channel().publish(make_draft(images=(image,)), key="post_1")

        assert len(world.texts()) == 1

    @pytest.mark.parametrize(("sign", "count"), [("#", 6), ("@", 21)])
    async def test_too_many_tags_are_explained(
        self, world: Meta, sign: str, count: int
    ) -> None:
        tags = " ".join(f"{sign}deal{number}" for number in range(count))

        with pytest.raises(Rejected, match="5 hashtags and 20 @ fit"):
            await world.channel().publish(pictured(world, tags), key="post_1")


class TestFind:
    async def test_looks_through_pages_of_posts(self, world: Meta) -> None:
        channel, draft = world.channel(), pictured(world)
        wanted = await channel.publish(draft, key="post_1")
        for number in range(120):
            world.books.add("media", PAGE, caption=f"{LINK}{number}", pictures=[])

        assert await channel.find(draft) == wanted
        assert world.recorder.names.count("GET IGUser/media") == 3

    async def test_stops_at_what_is_too_old(self, world: Meta) -> None:
        channel = world.channel()
        await channel.publish(pictured(world), key="post_1")
        for _ in range(60):
            world.books.add("media", PAGE, caption="", pictures=[])
        since = NOON + SKEW + timedelta(seconds=1)

        assert await channel.find(pictured(world, since=since)) is None
        assert world.recorder.names.count("GET IGUser/media") == 1

    async def test_a_reader_who_repeats_the_link_is_not_us(self, world: Meta) -> None:
        channel = world.channel()
        published = await channel.publish(pictured(world), key="post_1")
        of = published.remote_id
        world.books.add("note", PAGE, text=LINK, of=of, username="reader")

        assert await channel.find(make_draft(answers=of)) is None

    async def test_a_moment_that_is_none_makes_no_sense(self) -> None:
        answer = {"data": [{"id": "1", "timestamp": "yesterday"}]}
        async with answering(answer) as base_url, meta_server(Instagram) as meta:
            with pytest.raises(TryLater, match="makes no sense"):
                await meta.channel(base_url=base_url).find(make_draft())


class TestAfterwards:
    async def test_what_is_posted_stays_as_it_is(self, world: Meta) -> None:
        with pytest.raises(Rejected, match="delete it, or comment on it"):
            await world.channel().edit("1", make_draft())

        assert world.recorder.calls == []

    async def test_deleting_takes_a_permission(self) -> None:
        scopes = tuple(s for s in OUTLET.scopes if s != "instagram_manage_contents")
        account = replace(OUTLET, scopes=scopes)
        async with meta_server(Instagram, account) as meta:
            published = await meta.channel().publish(pictured(meta), key="post_1")

            with pytest.raises(Rejected, match="allow instagram_manage_contents"):
                await meta.channel().delete(published.remote_id)

    async def test_what_is_still_there_was_not_deleted(self, world: Meta) -> None:
        """Meta says of it that it does not exist, "or does not support" deleting."""
        container = world.books.add("container", PAGE, looks=0, status="FINISHED")

        with pytest.raises(Rejected, match="does not support this operation"):
            await world.channel().delete(container)

    async def test_measures_what_it_is_told(self, world: Meta) -> None:
        channel = world.channel()
        published = await channel.publish(pictured(world), key="post_1")
        await channel.publish(
            make_draft("Yes", answers=published.remote_id), key="post_2"
        )
        world.books.count(published.remote_id, "likes", 7)
        world.books.count(published.remote_id, "views", 900)

        numbers = await channel.measure([published.remote_id, "9"])

        assert numbers == {published.remote_id: Numbers(likes=7, replies=1, views=900)}


class TestAccess:
    async def test_a_bare_token_knows_its_account(self, world: Meta) -> None:
        channel = world.channel(account_id="")

        assert await channel.check() == "@outlet"
        assert await channel.find(make_draft()) is None

    async def test_looking_for_posts_first_asks_who_we_are(self, world: Meta) -> None:
        assert await world.channel(account_id="").find(make_draft()) is None

    async def test_a_page_without_an_account_is_told_what_to_do(self) -> None:
        async with meta_server(Instagram, replace(OUTLET, instagram_id="")) as meta:
            with pytest.raises(Rejected, match="Connect one to the page"):
                await meta.channel(account_id="").check()

    async def test_an_account_that_is_none_makes_no_sense(self) -> None:
        async with answering({"id": "1"}) as base_url, meta_server(Instagram) as meta:
            with pytest.raises(TryLater, match="makes no sense"):
                await meta.channel(base_url=base_url).check()

    async def test_a_token_that_has_ended_is_said_to_have(self) -> None:
        account = replace(OUTLET, expires_at=NOON)
        async with meta_server(Instagram, account) as meta:
            with pytest.raises(Disowned, match="the access token has expired"):
                await meta.channel().check()

    def test_the_sandbox_shows_a_token_to_nobody(self) -> None:
        assert TOKEN not in repr(OUTLET)
