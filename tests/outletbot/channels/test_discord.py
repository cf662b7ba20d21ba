"""
The Discord channel, against a server that keeps Discord's rules and breaks at will.
"""

import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from outletbot.channels import (
    CannotLook,
    Card,
    ChannelError,
    Disowned,
    Limited,
    Numbers,
    Poll,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.calls import NotThere
from outletbot.channels.discord_webhook import read_webhook_url
from outletbot.sandbox.discord import MESSAGE
from outletbot.sandbox.faults import Fault
from tests.outletbot.channels.contract import (
    LINK,
    ChannelContract,
    make_draft,
    make_image,
)
from tests.outletbot.discord_server import OUTLET, TOKEN, Server, discord_server
from tests.outletbot.discord_spec import SPEC
from tests.outletbot.elsewhere import elsewhere

PICTURE = make_image()
POLL = Poll("Which colour?", ("Red", "Blue"), timedelta(minutes=90))
EDIT = f"PATCH {MESSAGE}"


@pytest.fixture
async def world() -> AsyncIterator[Server]:
    async with discord_server() as server:
        yield server
        violations = server.recorder.violations() if SPEC.exists() else []
        assert not violations, violations


class TestContract(ChannelContract):
    pass


def test_the_description_is_there() -> None:
    if not SPEC.exists():
        pytest.skip(f"calls are not checked: {SPEC} is absent")


class TestCheck:
    async def test_tells_the_webhook_and_its_channel(self, world: Server) -> None:
        handle = await world.channel().check()

        assert handle == f"North Outlet (channel {OUTLET.channel_id})"

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            ({"webhook_id": "1177000000000000009"}, "Unknown Webhook (404)"),
            ({"good": False}, "Invalid Webhook Token (401)"),
        ],
    )
    async def test_says_how_to_make_a_new_webhook(
        self, world: Server, facts: dict[str, object], words: str
    ) -> None:
        with pytest.raises(Disowned) as caught:
            await world.channel(**facts).check()

        assert str(caught.value).startswith(f"Discord says: {words}.")
        assert "New Webhook" in str(caught.value)

    async def test_asks_later_what_makes_no_sense(self, world: Server) -> None:
        async with elsewhere(lambda _: web.json_response({})) as url:
            with pytest.raises(TryLater, match="which channel the webhook is for"):
                await world.channel(base_url=url).check()

    @pytest.mark.parametrize(
        ("answer", "meaning", "words"),
        [
            (({"message": "Unauthorized", "code": 0}, 401), Disowned, "New Webhook"),
            (({"message": "404: Not Found", "code": 0}, 404), Rejected, "may be wrong"),
            (({"message": "Missing Access", "code": 50001}, 403), Rejected, "Ask who"),
            (([], 404), Rejected, "Discord says: 404 Not Found. Discord's address"),
            (([], 503), TryLater, "503 Service Unavailable"),
        ],
    )
    async def test_other_refusals_mean_what_http_says(
        self,
        world: Server,
        answer: tuple[object, int],
        meaning: type[ChannelError],
        words: str,
    ) -> None:
        body, status = answer
        async with elsewhere(lambda _: web.json_response(body, status=status)) as url:
            with pytest.raises(meaning, match=words) as caught:
                await world.channel(base_url=url).check()

        assert type(caught.value) is meaning


class TestPublish:
    async def test_waits_until_it_may(self, world: Server) -> None:
        async def not_now() -> None:
            assert world.texts() == []
            raise TimeoutError

        draft = make_draft(images=[PICTURE])
        with pytest.raises(TimeoutError):
            await world.channel().publish(draft, key="post_1", go=not_now)

        assert world.texts() == []

    async def test_returns_where_the_post_is(self, world: Server) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")

        (message,) = world.messages
        place = f"{OUTLET.guild_id}/{OUTLET.channel_id}/{message['id']}"
        url = f"https://discord.com/channels/{place}"
        assert published == Published(message["id"], url)

    async def test_asks_once_which_server_it_is(self, world: Server) -> None:
        channel = world.channel()

        await channel.publish(make_draft(), key="post_1")
        await channel.publish(make_draft(), key="post_2")

        assert len(world.recorder.named("GET")) == 1

    async def test_mentions_nobody(self, world: Server) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft("@everyone"), key="post_1")
        await channel.edit(published.remote_id, make_draft("@here"))

        calls = [*world.recorder.named("POST"), *world.recorder.named("PATCH")]
        assert [call.body["allowed_mentions"] for call in calls] == [{"parse": []}] * 2

    async def test_says_who_calls(self, world: Server) -> None:
        await world.channel().check()

        (call,) = world.recorder.calls
        assert call.headers["User-Agent"].startswith("DiscordBot (outletbot, ")

    async def test_brings_the_pictures_and_what_they_show(self, world: Server) -> None:
        images = [make_image("A red parka"), make_image("é" * 1100), make_image("")]

        await world.channel().publish(make_draft(images=images), key="post_1")

        (message,) = world.messages
        attached = message["attachments"]
        alts = [one.get("description") for one in attached]
        assert alts == ["A red parka", "é" * 1023 + "…", None]
        assert [one["filename"] for one in attached] == [
            "image0.jpeg",
            "image1.jpeg",
            "image2.jpeg",
        ]

    async def test_a_card_is_an_embed(self, world: Server) -> None:
        card = Card("P" * 300, "Warm. " * 1000, PICTURE)

        await world.channel().publish(make_draft(card=card), key="post_1")

        (message,) = world.messages
        (embed,) = message["embeds"]
        assert embed == {
            "title": card.title[:256],
            "description": card.description[:4096],
            "url": LINK,
            "image": {"url": "attachment://image0.jpeg"},
        }
        assert message["attachments"][0]["filename"] == "image0.jpeg"

    async def test_a_card_may_be_a_title(self, world: Server) -> None:
        await world.channel().publish(make_draft(card=Card("Parka")), key="post_1")

        (message,) = world.messages
        assert message["embeds"] == [{"title": "Parka", "url": LINK}]
        assert message["attachments"] == []

    async def test_pictures_go_before_a_card(self, world: Server) -> None:
        draft = make_draft(card=Card("Parka", image=PICTURE), images=[PICTURE])

        await world.channel().publish(draft, key="post_1")

        (message,) = world.messages
        assert (len(message["attachments"]), message["embeds"]) == (1, [])

    async def test_a_poll_stays_as_it_is(self, world: Server) -> None:
        channel = world.channel()
        draft = make_draft(poll=POLL, images=[PICTURE], card=Card("Parka"))

        published = await channel.publish(draft, key="post_1")

        (message,) = world.messages
        assert message["poll"] == {
            "question": {"text": "Which colour?"},
            "answers": [
                {"poll_media": {"text": "Red"}},
                {"poll_media": {"text": "Blue"}},
            ],
            "duration": 2,
        }
        assert (message["attachments"], message["embeds"]) == ([], [])
        with pytest.raises(Rejected, match="A poll stays as it is"):
            await channel.edit(published.remote_id, make_draft("SOLD OUT"))

    async def test_a_webhook_answers_nothing(self, world: Server) -> None:
        with pytest.raises(Rejected, match="cannot answer"):
            await world.channel().publish(make_draft(answers="1"), key="post_1")

        assert world.recorder.calls == []

    async def test_says_what_is_wrong_with_which_part(self, world: Server) -> None:
        with pytest.raises(Rejected) as caught:
            await world.channel().publish(make_draft("x" * 2000), key="post_1")

        assert str(caught.value) == (
            "Discord says: Invalid Form Body: content: Must be 2000 or fewer in length"
            " (400). Change the post and send it again."
        )

    async def test_is_limited_after_five_in_two_seconds(self, world: Server) -> None:
        channel = world.channel()
        world.clock.advance(timedelta(milliseconds=500))
        for number in range(5):
            await channel.publish(make_draft(), key=f"post_{number}")

        with pytest.raises(Limited) as caught:
            await channel.publish(make_draft(), key="post_5")
        assert caught.value.after == timedelta(seconds=1.5)

        world.clock.advance(caught.value.after)
        await channel.publish(make_draft(), key="post_5")
        assert len(world.messages) == 6

    @pytest.mark.parametrize(
        ("headers", "after"),
        [
            ({"Retry-After": "1800"}, timedelta(minutes=30)),
            ({"X-RateLimit-Reset-After": "0.25"}, timedelta(seconds=1)),
            ({}, None),
        ],
    )
    async def test_what_stands_before_discord_limits_us_too(
        self, world: Server, headers: dict[str, str], after: timedelta | None
    ) -> None:
        def ban(_request: web.Request) -> web.Response:
            return web.Response(status=429, text="error code: 1015", headers=headers)

        async with elsewhere(ban) as url:
            with pytest.raises(Limited) as caught:
                await world.channel(base_url=url).publish(make_draft(), key="post_1")

        assert caught.value.after == after

    async def test_an_answer_of_another_kind_confirms_nothing(
        self, world: Server
    ) -> None:
        webhook = {"name": "x", "channel_id": "1", "guild_id": "2"}
        async with elsewhere(lambda _: web.json_response(webhook)) as url:
            with pytest.raises(Unconfirmed, match="something else"):
                await world.channel(base_url=url).publish(make_draft(), key="post_1")


class TestEdit:
    async def test_keeps_pictures_and_cards(self, world: Server) -> None:
        channel = world.channel()
        drafts = [make_draft(images=[PICTURE]), make_draft(card=Card("Parka"))]
        for draft in drafts:
            published = await channel.publish(draft, key=draft.text)
            over = replace(draft, text=f"SOLD OUT\n{LINK}")
            await channel.edit(published.remote_id, over)

        pictured, carded = world.messages
        assert world.texts() == [f"SOLD OUT\n{LINK}"] * 2
        assert (len(pictured["attachments"]), len(carded["embeds"])) == (1, 1)

    async def test_a_post_that_is_gone_is_not_there(self, world: Server) -> None:
        with pytest.raises(NotThere, match="The post is gone"):
            await world.channel().edit("99", make_draft())

    @pytest.mark.parametrize(
        ("fault", "meaning"),
        [(Fault.TIMEOUT_AFTER, Unconfirmed), (Fault.ERROR_BEFORE, TryLater)],
    )
    async def test_what_is_lost_and_what_is_broken(
        self, world: Server, fault: Fault, meaning: type[ChannelError]
    ) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        world.faults.next(EDIT, fault)

        with pytest.raises(meaning):
            await channel.edit(published.remote_id, make_draft("SOLD OUT"))


async def test_a_webhook_that_is_gone_deletes_nothing(world: Server) -> None:
    channel = world.channel()
    published = await channel.publish(make_draft(), key="post_1")
    del world.sandbox.accounts[OUTLET.webhook_id]

    with pytest.raises(Disowned, match="Unknown Webhook"):
        await channel.delete(published.remote_id)


async def test_nobody_can_look(world: Server) -> None:
    with pytest.raises(CannotLook, match="Open the channel and look"):
        await world.channel().find(make_draft())


async def test_counts_reactions_of_all_kinds(world: Server) -> None:
    channel = world.channel()
    first = await channel.publish(make_draft(), key="post_1")
    second = await channel.publish(make_draft(), key="post_2")
    world.sandbox.react(first.remote_id, "🔥", 3)
    world.sandbox.react(first.remote_id, "👍", 1)

    numbers = await channel.measure([first.remote_id, "99", second.remote_id])

    assert numbers == {
        first.remote_id: Numbers(likes=4),
        second.remote_id: Numbers(likes=None),
    }


class TestTheUrl:
    PATH = f"/webhooks/{OUTLET.webhook_id}/{TOKEN}"

    @pytest.mark.parametrize(
        "url",
        [
            f"https://discord.com/api{PATH}",
            f"  <https://discordapp.com/api{PATH}> ",
            f"https://ptb.discord.com/api{PATH}?wait=true&thread_id=1",
            f"https://canary.discord.com/api/v10{PATH}/slack",
            f"discord.com/api{PATH}/",
        ],
    )
    def test_is_read_as_it_is_pasted(self, url: str) -> None:
        credentials = read_webhook_url(url)

        assert credentials.access_token == OUTLET.access_token
        assert credentials.account_id == OUTLET.webhook_id

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            (" ", "Paste the webhook's URL"),
            (f"https://discord.com@evil.example/api{PATH}", "no address of discord"),
            (f"https://hooks.example/api{PATH}", "no address of discord.com"),
            ("https://[oops", "no address of discord.com"),
            ("https://discord.gg/s3cret", "no address of discord.com"),
            ("https://discord.com/channels/1/2", "Discord's, but no webhook's"),
            (f"https://discord.com/api{PATH[:50]}", "is not complete"),
            ("https://discord.com/api/webhooks/12/s3cret", "is not complete"),
        ],
    )
    def test_says_what_else_it_is(self, url: str, words: str) -> None:
        with pytest.raises(Rejected, match=words) as caught:
            read_webhook_url(url)

        assert "Copy Webhook URL" in str(caught.value)
        assert "s3cret" not in str(caught.value)


class TestTheSecret:
    """It is in every address, and aiohttp's exceptions name addresses."""

    @pytest.mark.parametrize(
        "fault", [Fault.TIMEOUT_BEFORE, Fault.CUT_BODY, Fault.ERROR_BEFORE]
    )
    async def test_is_in_no_traceback(self, world: Server, fault: Fault) -> None:
        world.faults.next(world.publish_call, fault)

        with pytest.raises(ChannelError) as caught:
            await world.channel().publish(make_draft(), key="post_1")

        assert "s3cret" not in "".join(traceback.format_exception(caught.value))

    async def test_is_not_said_when_discord_sends_us_elsewhere(
        self, world: Server
    ) -> None:
        def away(request: web.Request) -> web.Response:
            raise web.HTTPMovedPermanently(f"https://elsewhere.example{request.path}")

        async with elsewhere(away) as url:
            with pytest.raises(Rejected, match="may be wrong") as caught:
                await world.channel(base_url=url).check()

        assert "s3cret" not in "".join(traceback.format_exception(caught.value))
