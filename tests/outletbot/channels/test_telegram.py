"""
The Telegram channel, against a server that keeps Telegram's rules and breaks at will.
"""

import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from outletbot.channels import (
    CannotLook,
    ChannelError,
    Disowned,
    Limited,
    Poll,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.calls import NotThere
from outletbot.channels.telegram import chat_of
from outletbot.sandbox.faults import Fault
from tests.outletbot.channels.contract import (
    LINK,
    ChannelContract,
    make_draft,
    make_image,
)
from tests.outletbot.elsewhere import elsewhere
from tests.outletbot.telegram_server import (
    PRIVATE,
    TOKEN,
    Server,
    telegram_server,
)
from tests.outletbot.telegram_spec import SPEC

EDIT = "POST /bot{token}/editMessageText"
POLL = Poll("Which colour?", ("Red", "Blue"), timedelta(hours=6))
PREVIEW = {"url": LINK, "prefer_large_media": True}
PICTURE = make_image()


@pytest.fixture
async def world() -> AsyncIterator[Server]:
    async with telegram_server() as server:
        yield server


class TestContract(ChannelContract):
    pass


def test_the_description_is_there() -> None:
    if not SPEC.exists():
        pytest.skip(f"calls are not checked: {SPEC} is absent")


class TestCheck:
    async def test_names_a_private_channel_by_its_title(self, world: Server) -> None:
        channel = world.channel_of(PRIVATE.access_token, str(PRIVATE.channel_id))

        assert await channel.check() == "The Club"

    @pytest.mark.parametrize(
        ("rights", "missing", "meaning"),
        [
            ({"can_edit_messages"}, "Post Messages, Delete Messages of O", Disowned),
            ({"can_post_messages"}, "Edit Messages of Others, Delete Me", Rejected),
            (
                {"can_post_messages", "can_edit_messages"},
                "turn on: Delete Messages of Others.",
                Rejected,
            ),
        ],
    )
    async def test_says_which_right_is_missing_and_where_to_give_it(
        self,
        world: Server,
        rights: set[str],
        missing: str,
        meaning: type[ChannelError],
    ) -> None:
        world.change(rights=frozenset(rights))

        with pytest.raises(meaning, match=missing) as caught:
            await world.channel().check()

        assert type(caught.value) is meaning
        assert "@outlet_bot lacks rights in @outlet" in str(caught.value)
        assert "Administrators" in str(caught.value)

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("kicked", "bot was kicked"),
            ("left", "bot is not a member"),
            ("member", "is no administrator of @outlet"),
        ],
    )
    async def test_a_bot_that_is_no_administrator_is_to_become_one(
        self, world: Server, status: str, words: str
    ) -> None:
        world.change(status=status)

        with pytest.raises(Disowned, match=words) as caught:
            await world.channel().check()

        assert "Administrators" in str(caught.value)

    async def test_an_owner_may_everything(self, world: Server) -> None:
        world.change(status="creator")

        assert await world.channel().check() == "@outlet"

    async def test_a_channel_that_is_not_there_is_misspelt(self, world: Server) -> None:
        with pytest.raises(Disowned, match=r"chat not found.*Check the channel's name"):
            await world.channel(account_id="@outlte").check()

    async def test_a_group_is_no_channel(self, world: Server) -> None:
        world.change(kind="supergroup", handle="")
        channel = world.channel(account_id=str(PRIVATE.channel_id))
        world.sandbox.accounts.pop(PRIVATE.access_token)
        world.change(kind="supergroup", channel_id=PRIVATE.channel_id, handle="")

        with pytest.raises(Rejected, match="This is a supergroup chat"):
            await channel.check()

    async def test_a_group_that_moved_says_where_it_is_now(self, world: Server) -> None:
        world.change(moved_to=-1007777777777)

        with pytest.raises(Disowned, match="connect it again as -1007777777777"):
            await world.channel().check()

    async def test_a_token_of_the_wrong_form_is_refused(self, world: Server) -> None:
        with pytest.raises(Disowned, match=r"Not Found \(404\).*@BotFather") as caught:
            await world.channel_of("no/token?", "@outlet").check()

        assert "no/token" not in str(caught.value)

    async def test_a_page_of_somebody_else_disowns_nobody(self, world: Server) -> None:
        async with elsewhere(lambda _: web.Response(status=404, text="?")) as url:
            with pytest.raises(Rejected, match="may be wrong") as caught:
                await world.channel(base_url=url).delete("1")

        assert type(caught.value) is Rejected

    @pytest.mark.parametrize(
        ("results", "words"),
        [
            ([{"id": "x"}], "who the bot is"),
            ([{"id": 1, "username": "b"}, {}], "which channel"),
        ],
    )
    async def test_an_answer_of_another_kind_is_asked_for_later(
        self, world: Server, results: list[object], words: str
    ) -> None:
        def answer(_request: web.Request) -> web.Response:
            return web.json_response({"ok": True, "result": results.pop(0)})

        async with elsewhere(answer) as url:
            with pytest.raises(TryLater, match=words):
                await world.channel(base_url=url).check()


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
        number = message["message_id"]
        assert published == Published(str(number), f"https://t.me/outlet/{number}")

    async def test_a_private_channel_has_addresses_for_its_members(
        self, world: Server
    ) -> None:
        channel = world.channel_of(PRIVATE.access_token, str(PRIVATE.channel_id))

        published = await channel.publish(make_draft(), key="post_1")

        assert published.url == f"https://t.me/c/5555555555/{published.remote_id}"

    async def test_shows_the_link_as_a_large_preview(self, world: Server) -> None:
        await world.channel().publish(make_draft(), key="post_1")

        assert world.messages[0]["link_preview_options"] == PREVIEW

    async def test_the_text_goes_below_the_picture(self, world: Server) -> None:
        draft = make_draft(images=[PICTURE])

        published = await world.channel().publish(draft, key="post_1")

        (message,) = world.messages
        assert published.remote_id == str(message["message_id"])
        assert message["caption"] == draft.text
        assert (message["photo"]["width"], message["photo"]["height"]) == (640, 480)

    async def test_several_pictures_are_one_post(self, world: Server) -> None:
        draft = make_draft(images=[PICTURE, make_image(colour="blue"), PICTURE])
        channel = world.channel()

        published = await channel.publish(draft, key="post_1")
        assert world.texts() == [draft.text, "", ""]
        assert len({one["media_group_id"] for one in world.messages}) == 1

        over = replace(draft, text=f"SOLD OUT\n{LINK}")
        await channel.edit(published.remote_id, over)
        assert world.texts() == [over.text, "", ""]

        await channel.delete(published.remote_id)
        assert world.messages == []

    async def test_a_picture_of_any_shape_is_made_to_fit(self, world: Server) -> None:
        images = [make_image(size=(3000, 100)), make_image(size=(40, 2000))]

        await world.channel().publish(make_draft(images=images), key="post_1")

        shapes = [one["photo"] for one in world.messages]
        assert all(0.05 <= one["width"] / one["height"] <= 20 for one in shapes)

    async def test_a_caption_is_shorter_than_a_text(self, world: Server) -> None:
        channel = world.channel()
        room = channel.capabilities.room(pictured=True) - channel.length(f"\n{LINK}")
        fits, longer = "😀" * (room // 2), "😀" * (room // 2 + 1)

        await channel.publish(make_draft(fits, images=[PICTURE]), key="post_1")
        with pytest.raises(Rejected, match="1024 characters fit"):
            await channel.publish(make_draft(longer, images=[PICTURE]), key="post_2")

        assert len(world.messages) == 1

    async def test_a_poll_stands_below_the_text(self, world: Server) -> None:
        channel, draft = world.channel(), make_draft(poll=POLL, images=[PICTURE])

        published = await channel.publish(draft, key="post_1")

        (message,) = world.messages
        assert message["poll"] == {
            "question": "Which colour?",
            "options": ["Red", "Blue"],
            "open_period": 6 * 3600,
            "description": draft.text,
        }
        with pytest.raises(Rejected, match="A poll stays as it is"):
            await channel.edit(published.remote_id, draft)

    async def test_an_answer_names_its_post(self, world: Server) -> None:
        channel = world.channel()
        album = make_draft(images=[PICTURE, PICTURE])
        published = await channel.publish(album, key="post_1")
        first = world.messages[0]["message_id"]

        for number, more in enumerate(({}, {"images": [PICTURE]}, {"poll": POLL})):
            answer = make_draft("Sold out", answers=published.remote_id, **more)
            await channel.publish(answer, key=f"answer_{number}")

        assert [one.get("answers") for one in world.messages[2:]] == [first] * 3

    async def test_nothing_answers_what_is_gone(self, world: Server) -> None:
        answer = make_draft("Sold out", answers="99")

        with pytest.raises(NotThere, match="The post is gone"):
            await world.channel().publish(answer, key="post_1")

        assert world.messages == []

    async def test_is_limited_after_twenty_in_a_minute(self, world: Server) -> None:
        channel = world.channel()
        for number in range(20):
            await channel.publish(make_draft(), key=f"post_{number}")

        with pytest.raises(Limited) as caught:
            await channel.publish(make_draft(), key="post_20")
        assert caught.value.after == timedelta(minutes=1)

        world.clock.advance(caught.value.after)
        await channel.publish(make_draft(), key="post_20")
        assert len(world.messages) == 21

    @pytest.mark.parametrize("change", [{"rights": frozenset()}, {"status": "kicked"}])
    async def test_a_bot_that_lost_its_place_is_disowned(
        self, world: Server, change: dict[str, object]
    ) -> None:
        world.change(**change)

        with pytest.raises(Disowned, match="add the bot there with the rights to post"):
            await world.channel().publish(make_draft(), key="post_1")

    async def test_whatever_is_forbidden_is_a_matter_of_rights(
        self, world: Server
    ) -> None:
        words = {"ok": False, "description": "Forbidden: not today"}
        async with elsewhere(lambda _: web.json_response(words, status=403)) as url:
            with pytest.raises(Disowned, match=r"not today.*Administrators"):
                await world.channel(base_url=url).publish(make_draft(), key="post_1")

    async def test_an_answer_of_another_kind_confirms_nothing(
        self, world: Server
    ) -> None:
        for body in ({"ok": True, "result": True}, {"ok": "perhaps"}, []):
            async with elsewhere(lambda _, body=body: web.json_response(body)) as url:
                with pytest.raises(Unconfirmed):
                    await world.channel(base_url=url).publish(
                        make_draft(), key="post_1"
                    )


class TestEdit:
    async def test_tries_the_other_kind_of_post(self, world: Server) -> None:
        channel, pictured = world.channel(), make_draft(images=[PICTURE])
        bare = await channel.publish(make_draft(), key="post_1")
        photo = await channel.publish(pictured, key="post_2")
        over = make_draft("SOLD OUT")

        await channel.edit(bare.remote_id, replace(over, images=[PICTURE]))
        await channel.edit(photo.remote_id, over)

        assert world.texts() == [over.text] * 2
        assert "photo" in world.messages[1]

    async def test_keeps_the_preview(self, world: Server) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")

        await channel.edit(published.remote_id, make_draft("SOLD OUT"))

        (call,) = world.recorder.named("editMessageText")
        assert call.fields["link_preview_options"] == PREVIEW

    async def test_a_post_that_is_gone_is_not_there(self, world: Server) -> None:
        with pytest.raises(NotThere):
            await world.channel().edit("99", make_draft())

    async def test_may_have_been_done_if_the_answer_is_lost(
        self, world: Server
    ) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        world.faults.next(EDIT, Fault.TIMEOUT_AFTER)

        with pytest.raises(Unconfirmed):
            await channel.edit(published.remote_id, make_draft("SOLD OUT"))

    async def test_is_done_later_if_telegram_fails(self, world: Server) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        world.faults.next(EDIT, Fault.ERROR_BEFORE)

        with pytest.raises(TryLater):
            await channel.edit(published.remote_id, make_draft("SOLD OUT"))


class TestDelete:
    async def test_not_after_two_days(self, world: Server) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        window = channel.capabilities.delete_window
        assert window is not None
        world.clock.advance(window)

        with pytest.raises(Rejected, match="for 48 hours only"):
            await channel.delete(published.remote_id)

        assert len(world.messages) == 1


async def test_nobody_can_look(world: Server) -> None:
    with pytest.raises(CannotLook, match="Open the channel and look"):
        await world.channel().find(make_draft())


async def test_counts_as_telegram_counts(world: Server) -> None:
    assert [world.channel().length(text) for text in ("", "été", "😀", "\ud83d")] == [
        0,
        3,
        2,
        1,
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("@outlet", "@outlet"),
        (" outlet ", "@outlet"),
        ("https://t.me/outlet", "@outlet"),
        ("t.me/outlet/12", "@outlet"),
        ("https://t.me/s/outlet", "@outlet"),
        ("http://telegram.me/outlet", "@outlet"),
        ("https://t.me/c/1234567890/12", "-1001234567890"),
        ("-1001234567890", "-1001234567890"),
    ],
)
def test_a_channel_may_be_named_as_people_find_it(written: str, meant: str) -> None:
    assert chat_of(written) == meant


class TestTheToken:
    """It is in every address, and aiohttp's exceptions name addresses."""

    @pytest.mark.parametrize(
        "fault", [Fault.TIMEOUT_BEFORE, Fault.CUT_BODY, Fault.ERROR_BEFORE]
    )
    async def test_is_in_no_traceback(self, world: Server, fault: Fault) -> None:
        world.faults.next(world.publish_call, fault)

        with pytest.raises(ChannelError) as caught:
            await world.channel().publish(make_draft(), key="post_1")

        assert TOKEN not in printed(caught.value)

    async def test_is_in_no_line_of_a_log(
        self, world: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        world.faults.next(world.publish_call, Fault.TIMEOUT_BEFORE, Fault.CUT_BODY)

        for _ in range(2):
            with pytest.raises(Unconfirmed):
                await world.channel().publish(make_draft(), key="post_1")

        # The server is here as well, and says who called.
        servers = {"aiohttp.access", "aiohttp.server"}
        ours = [line for line in caplog.records if line.name not in servers]
        assert all(TOKEN not in line.getMessage() for line in ours)

    async def test_is_not_in_what_is_said_of_a_bad_address(self, world: Server) -> None:
        with pytest.raises(Rejected, match="is not the address") as caught:
            await world.channel(base_url="http://[::1").check()

        assert TOKEN not in printed(caught.value)

    async def test_is_not_said_when_telegram_sends_us_elsewhere(
        self, world: Server
    ) -> None:
        def away(request: web.Request) -> web.Response:
            raise web.HTTPMovedPermanently(f"https://elsewhere.example{request.path}")

        async with elsewhere(away) as url:
            with pytest.raises(Rejected, match="may be wrong") as caught:
                await world.channel(base_url=url).check()

        assert TOKEN not in printed(caught.value)


def printed(error: Exception) -> str:
    return "".join(traceback.format_exception(error))
