"""
The way into a Mastodon account, by an app that is registered at its own server.
"""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer

from outletbot.channels import ChannelError, Limited, Rejected, TryLater
from outletbot.channels.calls import Unclear
from outletbot.channels.mastodon_oauth import (
    SCOPES,
    MastodonApp,
    MastodonDoor,
    MastodonEntrance,
)
from outletbot.channels.oauth import Entrance, challenge_of
from outletbot.sandbox.faults import Fault
from tests.outletbot.mastodon_server import (
    IMPATIENT,
    NOON,
    Server,
    make_draft,
    mastodon_server,
)

BACK = "https://outlet.example.com/channels/return/mastodon"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-of-43-characters"
APPS, TOKEN_CALL = "POST /api/v1/apps", "POST /oauth/token"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with mastodon_server() as server:
        yield server


def way_in(server: Server, base_url: str = "") -> MastodonEntrance:
    return MastodonEntrance(
        server.http, base_url or server.url, clock=server.clock, patience=IMPATIENT
    )


async def allow(
    server: Server, door: MastodonDoor, answer: str = "allow"
) -> dict[str, str]:
    """Do what the merchant does on the server's page. Return what comes back."""
    url = door.authorization_url(
        redirect_uri=BACK, state="a-state", challenge=challenge_of(VERIFIER)
    )
    async with server.http.get(url) as page:
        text = await page.text()
        assert page.status == 200, text
    assert "write:media" in text
    (account,) = re.findall(r"<option>(outlet)</option>", text)
    form = {"account": account, "answer": answer}
    async with server.http.post(url, data=form, allow_redirects=False) as sent:
        address, _, query = sent.headers["Location"].partition("?")
    assert address == BACK
    return {name: values[0] for name, values in parse_qs(query).items()}


async def odd_server(
    server: Server, aiohttp_server: AiohttpServer, content: Any, status: int = 200
) -> MastodonEntrance:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(content, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return way_in(server, str((await aiohttp_server(app)).make_url("/")))


class TestRegistering:
    async def test_gives_an_app_of_its_own_each_time(self, server: Server) -> None:
        entrance = way_in(server)

        first = await entrance.register(BACK, website="https://outlet.example.com")
        second = await entrance.register(BACK)

        assert first != second
        assert first.client_secret not in repr(first)
        assert server.recorder.calls[0].body == {
            "client_name": "outletbot",
            "redirect_uris": BACK,
            "scopes": " ".join(SCOPES),
            "website": "https://outlet.example.com",
        }

    async def test_is_refused_an_address_that_is_none(self, server: Server) -> None:
        with pytest.raises(Rejected, match="absolute URI"):
            await way_in(server).register("nowhere")

    @pytest.mark.parametrize("status", [404, 405])
    async def test_of_another_server_asks_whether_it_is_one(
        self, server: Server, aiohttp_server: AiohttpServer, status: int
    ) -> None:
        entrance = await odd_server(server, aiohttp_server, {}, status)

        with pytest.raises(Rejected, match="the address of a Mastodon server"):
            await entrance.register(BACK)

    async def test_does_not_take_anything_for_an_app(
        self, server: Server, aiohttp_server: AiohttpServer
    ) -> None:
        entrance = await odd_server(server, aiohttp_server, {"client_id": "1"})

        with pytest.raises(Unclear):
            await entrance.register(BACK)

    @pytest.mark.parametrize(
        "fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_BEFORE, Fault.CUT_BODY]
    )
    async def test_may_be_tried_again(self, server: Server, fault: Fault) -> None:
        server.faults.next(APPS, fault)

        with pytest.raises(TryLater):
            await way_in(server).register(BACK)

    async def test_waits_as_long_as_the_server_says(self, server: Server) -> None:
        server.faults.next(APPS, Fault.TOO_MANY)

        with pytest.raises(Limited) as caught:
            await way_in(server).register(BACK)

        assert caught.value.after == timedelta(minutes=5)


class TestGoingThrough:
    async def test_asks_for_what_is_needed_and_tells_no_secret(
        self, server: Server
    ) -> None:
        door: Entrance = way_in(server).through(MastodonApp("our-id", "a-secret"))

        url = door.authorization_url(redirect_uri=BACK, state="s", challenge="c")

        assert url.startswith(f"{server.url}/oauth/authorize?")
        assert parse_qs(urlsplit(url).query) == {
            "response_type": ["code"],
            "client_id": ["our-id"],
            "redirect_uri": [BACK],
            "scope": [" ".join(SCOPES)],
            "state": ["s"],
            "code_challenge": ["c"],
            "code_challenge_method": ["S256"],
        }

    async def test_lets_us_into_one_account_for_good(self, server: Server) -> None:
        entrance = way_in(server)
        door = entrance.through(await entrance.register(BACK))
        back = await allow(server, door)
        assert back["state"] == "a-state"

        (candidate,) = await door.exchange(
            back["code"], redirect_uri=BACK, verifier=VERIFIER
        )

        assert candidate.handle == "@outlet"
        assert candidate.credentials.expires_at is None
        channel = server.channel(candidate.credentials.access_token)
        await channel.publish(make_draft(), key="post_1")
        assert server.texts == [make_draft().text]

    async def test_whoever_denies_comes_back_without_a_code(
        self, server: Server
    ) -> None:
        entrance = way_in(server)

        door = entrance.through(await entrance.register(BACK))
        back = await allow(server, door, answer="deny")

        assert back["error"] == "access_denied"
        assert "code" not in back

    async def test_a_code_is_good_once_and_soon(self, server: Server) -> None:
        entrance = way_in(server)
        door = entrance.through(await entrance.register(BACK))
        code = (await allow(server, door))["code"]
        await door.exchange(code, redirect_uri=BACK, verifier=VERIFIER)
        with pytest.raises(Rejected, match=r"invalid.*Begin to connect"):
            await door.exchange(code, redirect_uri=BACK, verifier=VERIFIER)

        code = (await allow(server, door))["code"]
        server.clock.advance(timedelta(minutes=10))
        with pytest.raises(Rejected, match="Begin to connect"):
            await door.exchange(code, redirect_uri=BACK, verifier=VERIFIER)

    @pytest.mark.parametrize(
        "wrong", [{"verifier": "another"}, {"redirect_uri": f"{BACK}/elsewhere"}]
    )
    async def test_a_code_is_good_for_who_set_out(
        self, server: Server, wrong: dict[str, str]
    ) -> None:
        entrance = way_in(server)
        door = entrance.through(await entrance.register(BACK))
        code = (await allow(server, door))["code"]

        with pytest.raises(Rejected, match="Begin to connect"):
            await door.exchange(
                code, **{"redirect_uri": BACK, "verifier": VERIFIER, **wrong}
            )

    async def test_an_app_that_is_gone_begins_again(self, server: Server) -> None:
        door = way_in(server).through(MastodonApp("gone", "the-secret-of-it"))

        with pytest.raises(Rejected, match="Begin to connect") as caught:
            await door.exchange("a-code", redirect_uri=BACK, verifier=VERIFIER)

        assert "the-secret-of-it" not in str(caught.value)

    @pytest.mark.parametrize(
        "fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.TOO_MANY]
    )
    async def test_a_server_in_trouble_is_tried_later(
        self, server: Server, fault: Fault
    ) -> None:
        server.faults.next(TOKEN_CALL, fault)
        door = way_in(server).through(MastodonApp("gone", "the-secret-of-it"))

        with pytest.raises(TryLater) as caught:
            await door.exchange("a-code", redirect_uri=BACK, verifier=VERIFIER)

        assert "a-code" not in str(caught.value)

    async def test_other_servers_say_when_a_token_ends(
        self, server: Server, aiohttp_server: AiohttpServer
    ) -> None:
        said = {"access_token": "t", "expires_in": 600, "id": "1", "acct": "outlet"}
        entrance = await odd_server(server, aiohttp_server, said)

        (candidate,) = await entrance.through(MastodonApp("i", "s")).exchange(
            "a-code", redirect_uri=BACK, verifier=VERIFIER
        )

        assert candidate.credentials.expires_at == NOON + timedelta(minutes=10)

    async def test_an_answer_without_a_token_is_none(
        self, server: Server, aiohttp_server: AiohttpServer
    ) -> None:
        entrance = await odd_server(server, aiohttp_server, {"token": "t"})

        with pytest.raises(ChannelError, match="makes no sense"):
            await entrance.through(MastodonApp("i", "s")).exchange(
                "a-code", redirect_uri=BACK, verifier=VERIFIER
            )
