"""
The sandbox is a Discord to Discord's own rules, and to a client that is not ours.
"""

import json
import warnings
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from outletbot.channels import Poll
from tests.outletbot.channels.contract import LINK, make_draft, make_image
from tests.outletbot.discord_server import OTHER, OUTLET, Server, discord_server
from tests.outletbot.discord_spec import BASE

with warnings.catch_warnings():
    # It imports audioop, which Python 3.13 has no more.
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord
    from discord.http import Route

PICTURE = make_image().content
POLL = {"question": {"text": "?"}, "answers": [{"poll_media": {"text": "Red"}}]}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with discord_server() as server:
        yield server


@pytest.fixture
def webhook(server: Server, monkeypatch: pytest.MonkeyPatch) -> discord.Webhook:
    """discord.py, which knows nothing of us, and only one address of Discord."""
    monkeypatch.setattr(Route, "BASE", server.url + BASE)
    url = f"https://discord.com/api/webhooks/{OUTLET.access_token}"
    return discord.Webhook.from_url(url, session=server.http)


async def ask(
    server: Server,
    method: str,
    path: str = "",
    *,
    of: str = OUTLET.access_token,
    **more: Any,
) -> tuple[int, Any]:
    url = f"{server.url}{BASE}/webhooks/{of}{path}"
    async with server.http.request(method, url, **more) as response:
        body = await response.read()
        return response.status, json.loads(body) if body else None


class TestAnotherClient:
    async def test_sends_edits_and_deletes(
        self, server: Server, webhook: discord.Webhook
    ) -> None:
        sent = await webhook.send(f"Parka {LINK}", wait=True)
        assert server.texts() == [f"Parka {LINK}"]

        edited = await sent.edit(content="SOLD OUT")
        assert (edited.content, server.texts()) == ("SOLD OUT", ["SOLD OUT"])
        assert edited.edited_at is not None

        await sent.delete()
        with pytest.raises(discord.NotFound, match="Unknown Message"):
            await sent.delete()

    async def test_sends_pictures_embeds_and_polls(
        self, server: Server, webhook: discord.Webhook
    ) -> None:
        file = discord.File(BytesIO(PICTURE), "parka.jpg", description="A red parka")
        embed = discord.Embed(title="Parka", url=LINK)
        pictured = await webhook.send(file=file, embed=embed, wait=True)
        poll = discord.Poll("Which?", timedelta(hours=2))
        poll.add_answer(text="Red")
        polled = await webhook.send(poll=poll, wait=True)

        (attachment,) = pictured.attachments
        assert attachment.description == "A red parka"
        assert (attachment.width, attachment.height) == (640, 480)
        assert pictured.embeds[0].title == "Parka"
        assert polled.poll is not None
        assert [answer.text for answer in polled.poll.answers] == ["Red"]

    async def test_takes_and_adds_pictures(
        self, server: Server, webhook: discord.Webhook
    ) -> None:
        files = [discord.File(BytesIO(PICTURE), f"{name}.jpg") for name in "ab"]
        sent = await webhook.send("Parka", files=files, wait=True)

        more = discord.File(BytesIO(PICTURE), "c.jpg")
        edited = await sent.edit(attachments=[sent.attachments[1], more])

        assert [one.filename for one in edited.attachments] == ["b.jpg", "c.jpg"]

    async def test_sees_what_we_post(
        self, server: Server, webhook: discord.Webhook
    ) -> None:
        published = await server.channel().publish(make_draft(), key="post_1")

        seen = await webhook.fetch_message(int(published.remote_id))

        assert seen.content == make_draft().text
        # A webhook's message knows its channel, and not its server.
        assert str(seen.channel.id) == OUTLET.channel_id

    async def test_asks_what_the_webhook_is(self, webhook: discord.Webhook) -> None:
        seen = await webhook.fetch()

        assert (seen.name, str(seen.channel_id)) == (OUTLET.name, OUTLET.channel_id)


class TestRefuses:
    @pytest.mark.parametrize(
        ("wish", "place"),
        [
            ({"content": "x" * 2001}, "content"),
            ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title"),
            ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description"),
            ({"embeds": [{"description": "x" * 4000}] * 2}, "embeds"),
            ({"embeds": [{}] * 11}, "embeds"),
            (
                {"attachments": [{"id": "0", "description": "x" * 1025}]},
                "attachments.0.description",
            ),
            ({"poll": {**POLL, "answers": []}}, "poll.answers"),
            (
                {"poll": {**POLL, "answers": [{"poll_media": {"text": "x" * 56}}]}},
                "poll.answers.0.poll_media.text",
            ),
            ({"poll": {**POLL, "question": {"text": ""}}}, "poll.question.text"),
            ({"poll": {**POLL, "duration": 769}}, "poll.duration"),
        ],
    )
    async def test_what_discord_refuses(
        self, server: Server, wish: dict[str, Any], place: str
    ) -> None:
        status, answer = await ask(server, "POST", json=wish)

        assert (status, answer["code"]) == (400, 50035)
        errors = answer["errors"]
        for name in place.split("."):
            errors = errors[name]
        assert errors["_errors"][0]["message"]
        assert server.messages == []

    async def test_an_empty_message(self, server: Server) -> None:
        assert (await ask(server, "POST", json={}))[1]["code"] == 50006

    async def test_a_heavy_file(self, server: Server) -> None:
        form = aiohttp.FormData({"payload_json": "{}"})
        heavy = BytesIO(b"x" * (10 * 1024 * 1024 + 1))
        form.add_field("files[0]", heavy, filename="a.jpg")

        assert await ask(server, "POST", data=form) == (
            413,
            {"message": "Request entity too large", "code": 40005},
        )

    @pytest.mark.parametrize("form", [True, False])
    async def test_what_is_no_json(self, server: Server, form: bool) -> None:  # noqa: FBT001 - a parameter of the test
        data = aiohttp.FormData({"payload_json": "{", "x": "y"}) if form else "{"
        kind = {} if form else {"headers": {"Content-Type": "application/json"}}

        _, answer = await ask(server, "POST", data=data, **kind)
        assert answer["code"] == 50109

    async def test_another_webhooks_messages(self, server: Server) -> None:
        published = await server.channel().publish(make_draft(), key="post_1")
        path = f"/messages/{published.remote_id}"

        _, answer = await ask(server, "DELETE", path, of=OTHER.access_token)

        assert answer["code"] == 10008

    async def test_a_call_that_there_is_not(self, server: Server) -> None:
        async with server.http.get(f"{server.url}{BASE}/gateway") as response:
            assert await response.json() == {"message": "404: Not Found", "code": 0}


class TestPosts:
    async def test_are_not_told_of_if_nobody_waits(self, server: Server) -> None:
        assert await ask(server, "POST", json={"content": "x"}) == (204, None)
        assert server.texts() == ["x"]

    async def test_come_as_multipart_of_any_making(self, server: Server) -> None:
        """A part with a type and no name, as aiohttp and others write JSON."""
        with aiohttp.MultipartWriter("form-data") as form:
            part = form.append_json({"content": "x"})
            part.set_content_disposition("form-data", name="payload_json")
            file = form.append(b"no picture")
            file.set_content_disposition(
                "form-data", name="files[0]", filename="notes.txt"
            )

        _, answer = await ask(server, "POST", "?wait=true", data=form)
        (attachment,) = answer["attachments"]
        async with server.http.get(attachment["url"]) as response:
            assert await response.read() == b"no picture"

        assert "width" not in attachment

    async def test_may_lose_their_embeds_but_not_everything(
        self, server: Server
    ) -> None:
        wish = {"content": "x", "embeds": [{"title": "Parka"}]}
        _, posted = await ask(server, "POST", "?wait=true", json=wish)
        path = f"/messages/{posted['id']}"

        _, edited = await ask(server, "PATCH", path, json={"embeds": None})
        _, refused = await ask(server, "PATCH", path, json={"content": ""})

        assert edited["embeds"] == []
        assert refused["code"] == 50006


class TestRates:
    async def test_every_answer_tells_what_is_left(self, server: Server) -> None:
        url = f"{server.url}{BASE}/webhooks/{OUTLET.access_token}"
        async with server.http.post(url, json={"content": "x"}) as response:
            headers = response.headers

        assert headers["X-RateLimit-Limit"] == "5"
        assert headers["X-RateLimit-Remaining"] == "4"
        assert headers["X-RateLimit-Reset-After"] == "2.000"

    async def test_thirty_posts_a_minute_in_a_channel(self, server: Server) -> None:
        for _ in range(30):
            assert (await ask(server, "POST", json={"content": "x"}))[0] == 204
            server.clock.advance(timedelta(seconds=1))

        status, answer = await ask(server, "POST", json={"content": "x"})

        assert (status, answer["retry_after"], answer["global"]) == (429, 30.0, False)


async def test_people_see_the_posts(server: Server) -> None:
    channel = server.channel()
    images = [make_image("A red parka")]
    first = await channel.publish(make_draft(images=images), key="post_1")
    poll = Poll("Which?", ("Red",), timedelta(hours=1))
    await channel.publish(make_draft("Choose", poll=poll), key="post_2")
    await ask(server, "POST", json={"embeds": [{"title": "Boots", "url": LINK}]})
    await channel.edit(first.remote_id, make_draft("SOLD OUT"))
    await ask(server, "POST", of=OTHER.access_token, json={"content": "Elsewhere"})

    page = await read(server, "/@outlet")
    assert page.index("Choose") < page.index("SOLD OUT")
    for words in ("edited", "Which?", "○ Red", "Boots", 'alt="A red parka"'):
        assert words in page
    assert "Elsewhere" not in page
    picture = page.split('<img src="')[1].split('"')[0]
    async with server.http.get(picture) as response:
        assert response.content_type == "image/jpeg"


@pytest.mark.parametrize("path", ["/@nobody", "/attachments/1/2/3.jpg"])
async def test_what_is_not_there(server: Server, path: str) -> None:
    async with server.http.get(f"{server.url}{path}") as response:
        assert response.status == 404


async def test_nobody_reacts_to_what_is_not_there(server: Server) -> None:
    server.sandbox.react("99", "🔥", 1)

    assert server.messages == []


async def test_goes_on_after_a_restart(tmp_path: Path) -> None:
    port, state_path = unused_port(), tmp_path / "discord.db"
    draft = make_draft(images=[make_image()])
    async with discord_server(port=port, state_path=state_path) as server:
        first = await server.channel().publish(draft, key="post_1")

    async with discord_server(port=port, state_path=state_path) as server:
        second = await server.channel().publish(make_draft("Boots"), key="post_2")
        assert int(second.remote_id) > int(first.remote_id)
        await server.channel().delete(first.remote_id)

        assert [text.split("\n")[0] for text in server.texts()] == ["Boots"]


async def read(server: Server, path: str) -> str:
    async with server.http.get(f"{server.url}{path}") as response:
        assert response.status == 200
        return await response.text()
