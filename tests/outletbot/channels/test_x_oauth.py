"""
The way into an account on X, and how its tokens are had anew.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer

from outletbot.channels import (
    ChannelError,
    Disowned,
    Limited,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.credentials import Credentials
from outletbot.channels.oauth import challenge_of
from outletbot.channels.x_oauth import SCOPES, XEntrance
from outletbot.sandbox.faults import Fault
from tests.outletbot.channels.contract import NOON
from tests.outletbot.x_server import OUTLET, REFRESH, XWorld, x_world

BACK = "https://outlet.example.com/connected"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-of-43-characters"
TOKEN_CALL = "POST /2/oauth2/token"


@pytest.fixture
async def world() -> AsyncIterator[XWorld]:
    async with x_world() as world:
        yield world


async def allow(world: XWorld, *, answer: str = "allow") -> dict[str, str]:
    """Do what the merchant does on X's page. Return what comes back with them."""
    url = world.entrance().authorization_url(
        redirect_uri=BACK, state="a-state", challenge=challenge_of(VERIFIER)
    )
    async with world.http.get(url) as page:
        assert page.status == 200
        text = await page.text()
    assert "media.write" in text
    accounts = re.findall(r'value="(\d+)">@outlet', text)
    form = {"account": accounts[0], "answer": answer}
    async with world.http.post(url, data=form, allow_redirects=False) as sent:
        address, _, query = sent.headers["Location"].partition("?")
    assert address == BACK
    return {name: values[0] for name, values in parse_qs(query).items()}


async def refusing(
    world: XWorld, aiohttp_server: AiohttpServer, status: int, content: Any
) -> XEntrance:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(content, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return world.entrance(base_url=str((await aiohttp_server(app)).make_url("/")))


class TestWayIn:
    def test_asks_for_what_is_needed(self, world: XWorld) -> None:
        url = XEntrance(
            world.http, "https://api.x.com", "our id", "a-secret", clock=world.clock
        ).authorization_url(redirect_uri=BACK, state="s", challenge="c")

        assert url.startswith("https://x.com/i/oauth2/authorize?")
        assert parse_qs(urlsplit(url).query) == {
            "response_type": ["code"],
            "client_id": ["our id"],
            "redirect_uri": [BACK],
            "scope": [" ".join(SCOPES)],
            "state": ["s"],
            "code_challenge": ["c"],
            "code_challenge_method": ["S256"],
        }
        assert "secret" not in url

    async def test_lets_us_into_one_account_for_two_hours(self, world: XWorld) -> None:
        back = await allow(world)
        assert back["state"] == "a-state"

        (candidate,) = await world.entrance().exchange(
            back["code"], redirect_uri=BACK, verifier=VERIFIER
        )

        assert candidate.handle == "@outlet"
        credentials = candidate.credentials
        assert credentials.account_id == OUTLET.id
        assert credentials.expires_at == NOON + timedelta(hours=2)
        assert credentials.refresh_token
        channel = world.channel(token=credentials.access_token)
        assert await channel.check() == "@outlet"

    async def test_whoever_cancels_comes_back_without_a_code(
        self, world: XWorld
    ) -> None:
        back = await allow(world, answer="cancel")

        assert back == {"error": "access_denied", "state": "a-state"}

    async def test_a_code_is_good_once_and_soon(self, world: XWorld) -> None:
        entrance, code = world.entrance(), (await allow(world))["code"]
        await entrance.exchange(code, redirect_uri=BACK, verifier=VERIFIER)
        with pytest.raises(Rejected, match="Begin to connect the account once more"):
            await entrance.exchange(code, redirect_uri=BACK, verifier=VERIFIER)

        code = (await allow(world))["code"]
        world.clock.advance(timedelta(seconds=30))
        with pytest.raises(Rejected, match="Begin to connect"):
            await entrance.exchange(code, redirect_uri=BACK, verifier=VERIFIER)

    @pytest.mark.parametrize(
        ("redirect_uri", "verifier"), [(BACK, "another"), ("https://x.test", VERIFIER)]
    )
    async def test_nobody_else_can_use_a_code(
        self, world: XWorld, redirect_uri: str, verifier: str
    ) -> None:
        code = (await allow(world))["code"]

        with pytest.raises(Rejected):
            await world.entrance().exchange(
                code, redirect_uri=redirect_uri, verifier=verifier
            )

    async def test_an_unknown_app_is_for_whoever_runs_it(self, world: XWorld) -> None:
        code = (await allow(world))["code"]

        with pytest.raises(Rejected, match="client id and client secret") as caught:
            await world.entrance(secret="a-wrong-secret").exchange(
                code, redirect_uri=BACK, verifier=VERIFIER
            )

        assert "a-wrong-secret" not in str(caught.value)

    @pytest.mark.parametrize("call", [TOKEN_CALL, "GET /2/users/me"])
    @pytest.mark.parametrize(
        "fault", [Fault.TIMEOUT_BEFORE, Fault.ERROR_BEFORE, Fault.TOO_MANY]
    )
    async def test_x_is_down(self, world: XWorld, call: str, fault: Fault) -> None:
        code = (await allow(world))["code"]
        world.faults.next(call, fault)

        with pytest.raises(TryLater):
            await world.entrance().exchange(code, redirect_uri=BACK, verifier=VERIFIER)

    async def test_x_speaks_in_riddles(
        self, world: XWorld, aiohttp_server: AiohttpServer
    ) -> None:
        entrance = await refusing(
            world, aiohttp_server, 200, {"access_token": "t", "expires_in": 7200}
        )

        with pytest.raises(TryLater, match="/2/users/me makes no sense"):
            await entrance.exchange("code", redirect_uri=BACK, verifier=VERIFIER)


class TestRefresh:
    async def test_gives_new_tokens_for_a_refresh_token_once(
        self, world: XWorld
    ) -> None:
        entrance = world.entrance()
        old = Credentials("old", REFRESH, OUTLET.id)
        world.clock.advance(timedelta(hours=5))

        new = old.renewed(await entrance.refresh(old))

        assert new.account_id == OUTLET.id
        assert new.expires_at == NOON + timedelta(hours=7)
        assert new.refresh_token not in {"", REFRESH}
        assert await world.channel(token=new.access_token).check() == "@outlet"
        with pytest.raises(Disowned, match="Value passed for the token was invalid"):
            await entrance.refresh(old)
        assert (await entrance.refresh(new)).refresh_token

    async def test_without_a_refresh_token_there_is_no_other_way(
        self, world: XWorld
    ) -> None:
        with pytest.raises(Disowned, match="Connect the account again"):
            await world.entrance().refresh(Credentials("old"))

    async def test_an_account_without_lasting_access(self) -> None:
        account = replace(OUTLET, scopes=("tweet.read", "users.read"))
        async with x_world(account=account) as world:
            old = Credentials("old", REFRESH)

            assert (await world.entrance().refresh(old)).refresh_token == ""

    async def test_an_unknown_app_gets_nothing(self, world: XWorld) -> None:
        entrance = world.entrance(secret="a-wrong-secret")

        with pytest.raises(Disowned, match="client id and client secret"):
            await entrance.refresh(Credentials("old", REFRESH))

    @pytest.mark.parametrize(
        "fault",
        [
            Fault.TIMEOUT_BEFORE,
            Fault.TIMEOUT_AFTER,
            Fault.CUT_BODY,
            Fault.ERROR_BEFORE,
            Fault.ERROR_AFTER,
        ],
    )
    async def test_a_lost_answer_may_have_spent_it(
        self, world: XWorld, fault: Fault
    ) -> None:
        world.faults.next(TOKEN_CALL, fault)

        with pytest.raises(Unconfirmed) as caught:
            await world.entrance().refresh(Credentials("old", REFRESH))

        assert not any(secret in str(caught.value) for secret in world.secrets)

    async def test_a_limited_rate_has_spent_nothing(self, world: XWorld) -> None:
        world.faults.next(TOKEN_CALL, Fault.TOO_MANY)
        old = Credentials("old", REFRESH)

        with pytest.raises(Limited):
            await world.entrance().refresh(old)

        assert (await world.entrance().refresh(old)).access_token

    @pytest.mark.parametrize(
        ("status", "content", "meaning"),
        [
            (200, {"access_token": 1}, Unconfirmed),
            (400, {"error": "invalid_grant"}, Disowned),
            (403, None, Disowned),
        ],
    )
    async def test_reads_what_x_answers(
        self,
        world: XWorld,
        aiohttp_server: AiohttpServer,
        status: int,
        content: Any,
        meaning: type[ChannelError],
    ) -> None:
        entrance = await refusing(world, aiohttp_server, status, content)

        with pytest.raises(meaning):
            await entrance.refresh(Credentials("old", REFRESH))
