"""
The way into a Threads profile: consent, the two tokens, and renewal.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer

from outletbot.channels import Disowned, Rejected, TryLater
from outletbot.channels.credentials import Credentials
from outletbot.channels.oauth import Candidate
from outletbot.channels.threads_oauth import SCOPES, ThreadsEntrance
from outletbot.sandbox.faults import Fault
from tests.outletbot.channels.contract import StandingClock
from tests.outletbot.threads_server import OUTLET, ThreadsWorld, threads_world

BACK = "https://outletbot.example/channels/threads/back"


@pytest.fixture
async def world() -> AsyncIterator[ThreadsWorld]:
    async with threads_world() as world:
        yield world


async def enter(world: ThreadsWorld, scopes: tuple[str, ...] = SCOPES) -> Candidate:
    code = world.sandbox.issue_code(OUTLET.user_id, BACK, scopes)
    (candidate,) = await world.entrance().exchange(
        f"{code}#_", redirect_uri=BACK, verifier="unused"
    )
    return candidate


def test_asks_for_what_the_channel_needs() -> None:
    entrance = ThreadsEntrance(
        None,  # type: ignore[arg-type]
        "https://graph.threads.net",
        "our-id",
        "our-secret",
        clock=StandingClock(),
    )

    address = entrance.authorization_url(
        redirect_uri=BACK, state="st", challenge="unused"
    )

    assert address.startswith("https://threads.net/oauth/authorize?")
    query = parse_qs(urlsplit(address).query)
    assert query["scope"] == [",".join(SCOPES)]
    assert query["state"] == ["st"]
    assert "our-secret" not in address


class TestExchange:
    async def test_offers_the_profile_with_a_token_of_60_days(
        self, world: ThreadsWorld
    ) -> None:
        candidate = await enter(world)

        assert candidate.handle == "@north.outlet"
        credentials = candidate.credentials
        assert credentials.account_id == OUTLET.user_id
        assert credentials.expires_at == world.clock() + timedelta(days=60)
        assert credentials.refresh_token == ""
        channel = world.channel(token=credentials.access_token)
        assert await channel.check() == "@north.outlet"

    async def test_a_code_is_good_once(self, world: ThreadsWorld) -> None:
        with pytest.raises(Rejected, match=r"already used.* Start") as caught:
            await world.entrance().exchange("old", redirect_uri=BACK, verifier="")

        assert "our-secret" not in str(caught.value)

    async def test_an_app_without_a_secret_is_refused(
        self, world: ThreadsWorld
    ) -> None:
        with pytest.raises(Rejected, match="correct the settings"):
            await world.entrance(secret="").exchange(
                "code", redirect_uri=BACK, verifier=""
            )

    @pytest.mark.parametrize(
        "call", ["POST /oauth/access_token", "GET /access_token", "GET /v1.0/me"]
    )
    async def test_a_network_that_is_down_is_tried_later(
        self, world: ThreadsWorld, call: str
    ) -> None:
        world.faults.next(call, Fault.ERROR_BEFORE)

        with pytest.raises(TryLater):
            await enter(world)

    @pytest.mark.parametrize(
        "answers",
        [
            {"/oauth/access_token": []},
            {"/oauth/access_token": {"access_token": "a"}, "/access_token": []},
            {
                "/oauth/access_token": {"access_token": "a"},
                "/access_token": {"access_token": "b", "expires_in": 1},
                "/v1.0/me": {},
            },
        ],
    )
    async def test_an_answer_that_makes_no_sense_is_tried_later(
        self, world: ThreadsWorld, aiohttp_server: AiohttpServer, answers: Any
    ) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response(answers[request.path])

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        server = await aiohttp_server(app)
        entrance = ThreadsEntrance(
            world.http,
            str(server.make_url("/")),
            "our-id",
            "our-secret",
            clock=world.clock,
        )

        with pytest.raises(TryLater, match="makes no sense"):
            await entrance.exchange("code", redirect_uri=BACK, verifier="")


class TestRefresh:
    async def test_a_token_that_is_a_day_old_is_renewed(
        self, world: ThreadsWorld
    ) -> None:
        old = (await enter(world)).credentials
        world.clock.advance(timedelta(days=59))

        fresh = old.renewed(await world.entrance().refresh(old))

        assert fresh.access_token != old.access_token
        assert fresh.account_id == OUTLET.user_id
        assert fresh.expires_at == world.clock() + timedelta(days=60)

    async def test_a_young_one_waits(self, world: ThreadsWorld) -> None:
        young = (await enter(world)).credentials

        with pytest.raises(TryLater, match="a day old") as caught:
            await world.entrance().refresh(young)

        assert caught.value.after == timedelta(days=1)

    async def test_a_bare_token_is_tried(self, world: ThreadsWorld) -> None:
        bare = Credentials(OUTLET.access_token)

        assert (await world.entrance().refresh(bare)).access_token

    async def test_an_expired_one_connects_again(self, world: ThreadsWorld) -> None:
        old = (await enter(world)).credentials
        world.clock.advance(timedelta(days=60))

        with pytest.raises(Disowned, match="Connect the account again"):
            await world.entrance().refresh(old)

    async def test_what_is_refused_for_another_reason_connects_again(
        self, world: ThreadsWorld
    ) -> None:
        young = replace((await enter(world)).credentials, expires_at=None)

        with pytest.raises(Disowned, match="cannot be refreshed"):
            await world.entrance().refresh(young)

    async def test_a_lost_answer_does_no_harm(self, world: ThreadsWorld) -> None:
        old = (await enter(world)).credentials
        world.clock.advance(timedelta(days=2))
        world.faults.next("GET /refresh_access_token", Fault.CUT_BODY)

        with pytest.raises(TryLater):
            await world.entrance().refresh(old)

        assert await world.entrance().refresh(old)
