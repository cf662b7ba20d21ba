"""
The sandbox is a Telegram to Telegram's own rules, and to a client that is not ours.
"""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import telegram
from aiohttp.test_utils import unused_port

from outletbot.sandbox.telegram_rules import units
from tests.outletbot.channels.contract import LINK, make_draft, make_image
from tests.outletbot.telegram_server import (
    FAN,
    OUTLET,
    PRIVATE,
    TOKEN,
    Server,
    telegram_server,
)

PICTURE = make_image().content


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with telegram_server() as server:
        yield server


@pytest.fixture
async def bot(server: Server) -> AsyncIterator[telegram.Bot]:
    """python-telegram-bot, which knows nothing of us."""
    async with telegram.Bot(TOKEN, base_url=f"{server.url}/bot") as bot:
        yield bot


async def ask(server: Server, method: str, **fields: Any) -> dict[str, Any]:
    return await ask_as(server, TOKEN, method, **fields)


async def ask_as(
    server: Server, token: str, method: str, **fields: Any
) -> dict[str, Any]:
    url = f"{server.url}/bot{token}/{method}"
    async with server.http.post(url, json=fields) as response:
        answer = await response.json()
        assert answer.get("error_code", 200) == response.status
        return answer


async def ask_with_files(
    server: Server, method: str, files: dict[str, bytes], **fields: Any
) -> dict[str, Any]:
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    for name, content in files.items():
        form.add_field(name, BytesIO(content), filename=f"{name}.jpg")
    url = f"{server.url}/bot{TOKEN}/{method}"
    async with server.http.post(url, data=form) as response:
        return await response.json()


class TestAnotherClient:
    async def test_sends_edits_and_deletes(
        self, server: Server, bot: telegram.Bot
    ) -> None:
        sent = await bot.send_message("@outlet", f"Parka {LINK}")
        assert sent.link == f"https://t.me/outlet/{sent.message_id}"

        edited = await sent.edit_text("SOLD OUT")
        assert isinstance(edited, telegram.Message)
        assert (edited.text, server.texts()) == ("SOLD OUT", ["SOLD OUT"])

        with pytest.raises(telegram.error.BadRequest, match="not modified"):
            await sent.edit_text("SOLD OUT")
        assert await sent.delete()
        with pytest.raises(telegram.error.BadRequest, match="delete not found"):
            await sent.delete()

    async def test_sends_pictures(self, server: Server, bot: telegram.Bot) -> None:
        photo = await bot.send_photo("@outlet", PICTURE, caption="Parka")
        album = await bot.send_media_group(
            "@outlet",
            [telegram.InputMediaPhoto(PICTURE), telegram.InputMediaPhoto(PICTURE)],
            caption="Boots",
            reply_parameters=telegram.ReplyParameters(photo.message_id),
        )
        await photo.edit_caption("SOLD OUT")

        assert server.texts() == ["SOLD OUT", "Boots", ""]
        assert (photo.photo[-1].width, photo.photo[-1].height) == (640, 480)
        assert len({message.media_group_id for message in album}) == 1

    async def test_asks_what_we_post(self, server: Server, bot: telegram.Bot) -> None:
        published = await server.channel().publish(make_draft(), key="post_1")

        edited = await bot.edit_message_text(
            "Seen", chat_id="@outlet", message_id=int(published.remote_id)
        )

        assert isinstance(edited, telegram.Message)
        assert edited.link == published.url

    async def test_asks_who_it_is(self, bot: telegram.Bot) -> None:
        chat = await bot.get_chat("@outlet")
        member = await chat.get_member((await bot.get_me()).id)

        assert (chat.id, chat.title) == (OUTLET.channel_id, OUTLET.title)
        assert isinstance(member, telegram.ChatMemberAdministrator)
        assert member.can_post_messages

    async def test_polls(self, bot: telegram.Bot) -> None:
        sent = await bot.send_poll("@outlet", "Which?", ["Red", "Blue"])

        assert sent.poll is not None
        assert [option.text for option in sent.poll.options] == ["Red", "Blue"]

    async def test_is_refused_with_a_wrong_token(self, server: Server) -> None:
        bot = telegram.Bot("4711:AAwrong", base_url=f"{server.url}/bot")
        await bot.request.initialize()
        with pytest.raises(telegram.error.InvalidToken):
            await bot.get_me()
        await bot.request.shutdown()


class TestRefuses:
    @pytest.mark.parametrize(
        ("method", "fields", "words"),
        [
            ("sendMessage", {"text": " "}, "message text is empty"),
            ("sendMessage", {"text": "😀" * 2049}, "message is too long"),
            ("sendMessage", {"text": "x", "reply_parameters": "{"}, "can't parse"),
            ("sendPhoto", {"photo": "https://x.example/1.jpg"}, "wrong remote file"),
            ("sendMediaGroup", {"media": []}, "album must have from 2"),
            ("sendMediaGroup", {"media": [{"type": "video"}] * 2}, "album must"),
            ("sendPoll", {"question": "", "options": ["x"]}, "poll question"),
            ("sendPoll", {"question": "?", "options": []}, "poll must have"),
            ("sendPoll", {"question": "?", "options": ["x"] * 13}, "poll must have"),
            ("sendPoll", {"question": "?", "options": ["x" * 101]}, "poll options"),
            ("sendPoll", {"question": "?", "options": [{}]}, "option must have"),
            (
                "sendPoll",
                {"question": "?", "options": ["x"], "open_period": 4},
                "open period",
            ),
            ("getChatMember", {"user_id": 1}, "PARTICIPANT_ID_INVALID"),
        ],
    )
    async def test_what_telegram_refuses(
        self, server: Server, method: str, fields: dict[str, Any], words: str
    ) -> None:
        answer = await ask(server, method, chat_id="@outlet", **fields)
        server.recorder.calls.clear()  # it is not as documented, which is the point

        assert answer["error_code"] == 400
        assert words in answer["description"]
        assert server.messages == []

    async def test_pictures_of_the_wrong_kind(self, server: Server) -> None:
        wrong = {
            "IMAGE_PROCESS_FAILED": b"no picture",
            "PHOTO_INVALID_DIMENSIONS": make_image(size=(2100, 100)).content,
            "Request Entity Too Large": b"x" * 10_000_001,
        }
        for words, content in wrong.items():
            answer = await ask_with_files(
                server, "sendPhoto", {"photo": content}, chat_id="@outlet"
            )
            assert words in answer["description"]

    async def test_a_long_caption(self, server: Server) -> None:
        answer = await ask_with_files(
            server,
            "sendPhoto",
            {"photo": PICTURE},
            chat_id="@outlet",
            caption="x" * 1025,
        )

        assert answer["description"] == "Bad Request: message caption is too long"

    async def test_what_is_no_json(self, server: Server) -> None:
        url, kind = (
            f"{server.url}/bot{TOKEN}/getMe",
            {"Content-Type": "application/json"},
        )
        async with server.http.post(url, data="{", headers=kind) as response:
            answer = await response.json()

        assert answer["description"] == "Bad Request: can't parse the request"

    async def test_no_query_is_lost(self, server: Server) -> None:
        async with server.http.get(f"{server.url}/bot{TOKEN}/getMe?x=1") as response:
            assert (await response.json())["result"]["username"] == "outlet_bot"

    async def test_a_method_that_there_is_not(self, server: Server) -> None:
        async with server.http.get(f"{server.url}/bot{TOKEN}/getUpdates") as response:
            assert response.status == 404

        server.recorder.calls.clear()

    async def test_another_bots_channel(self, server: Server) -> None:
        for token, wanted in ((TOKEN, FAN), (FAN.access_token, OUTLET)):
            answer = await ask_as(
                server, token, "sendMessage", chat_id=f"@{wanted.handle}", text="x"
            )
            assert answer["error_code"] == 403

    async def test_a_bot_without_rights(self, server: Server) -> None:
        sent = await ask(server, "sendMessage", chat_id="@outlet", text="x")
        message = {"chat_id": "@outlet", "message_id": sent["result"]["message_id"]}
        server.change(rights=frozenset())

        edited = await ask(server, "editMessageText", text="y", **message)
        deleted = await ask(server, "deleteMessage", **message)

        assert edited["description"] == "Bad Request: message can't be edited"
        assert "can't be deleted" in deleted["description"]

    async def test_no_reply_unless_it_may_go_without(self, server: Server) -> None:
        nothing = {"message_id": 99}
        message = {"chat_id": "@outlet", "text": "x"}

        refused = await ask(server, "sendMessage", reply_parameters=nothing, **message)
        nothing["allow_sending_without_reply"] = True
        taken = await ask(server, "sendMessage", reply_parameters=nothing, **message)

        assert refused["description"].endswith("message to be replied not found")
        assert taken["ok"]


async def test_people_see_the_posts(server: Server) -> None:
    channel = server.channel()
    club = server.channel_of(PRIVATE.access_token, str(PRIVATE.channel_id))
    await club.publish(make_draft("For members"), key="post_0")
    album = make_draft("Boots", images=[make_image(), make_image()])
    first = await channel.publish(make_draft(), key="post_1")
    await channel.publish(album, key="post_2")
    await channel.publish(make_draft("Gone", answers=first.remote_id), key="post_3")
    await channel.edit(first.remote_id, make_draft("Parka, SOLD OUT"))
    await ask(
        server,
        "sendPoll",
        chat_id="@outlet",
        question="Which?",
        options=[{"text": "R"}],
    )

    page = await read(server, "/@outlet")
    assert page.index("Boots") < page.index("Parka, SOLD OUT")
    for words in ("edited", "answers message", "Which?", "○ R", f'href="{LINK}"'):
        assert words in page
    assert page.count("<img") == 2
    assert "For members" not in page
    photo = page.split('<img src="')[1].split('"')[0]
    async with server.http.get(photo) as response:
        assert response.content_type == "image/jpeg"


async def test_a_private_channel_is_seen_under_its_number(server: Server) -> None:
    assert "The Club" in await read(server, f"/@{PRIVATE.channel_id}")


@pytest.mark.parametrize("path", ["/@nobody", "/photos/99"])
async def test_what_is_not_there(server: Server, path: str) -> None:
    async with server.http.get(f"{server.url}{path}") as response:
        assert response.status == 404


async def test_goes_on_after_a_restart(tmp_path: Path) -> None:
    port, state_path = unused_port(), tmp_path / "telegram.db"
    async with telegram_server(port=port, state_path=state_path) as server:
        first = await server.channel().publish(make_draft(), key="post_1")

    async with telegram_server(port=port, state_path=state_path) as server:
        second = await server.channel().publish(make_draft("Boots"), key="post_2")
        await server.channel().delete(first.remote_id)

        assert int(second.remote_id) > int(first.remote_id)
        assert [text.split("\n")[0] for text in server.texts()] == ["Boots"]


async def test_says_how_long_to_wait(server: Server) -> None:
    for _ in range(20):
        await ask(server, "sendMessage", chat_id="@outlet", text="x")
    server.clock.advance(timedelta(seconds=15))

    answer = await ask(server, "sendMessage", chat_id="@outlet", text="x")

    assert answer["parameters"] == {"retry_after": 45}
    assert answer["description"] == "Too Many Requests: retry after 45"


def test_counts_as_javascript_does() -> None:
    assert [units(text) for text in ("", "é", "😀", "👨‍👩‍👧")] == [0, 1, 2, 8]


async def read(server: Server, path: str) -> str:
    async with server.http.get(f"{server.url}{path}") as response:
        assert response.status == 200
        return await response.text()
