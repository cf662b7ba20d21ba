"""
The way into LinkedIn's pages: consent, the pages to choose from, and renewal.
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
from outletbot.channels.linkedin_oauth import SCOPES, LinkedInEntrance
from outletbot.sandbox.faults import Fault
from tests.outletbot.channels.contract import StandingClock
from tests.outletbot.linkedin_server import (
    OTHER_PAGE,
    OUTLET,
    LinkedInWorld,
    linkedin_world,
)

BACK = "https://outletbot.example/channels/linkedin/back"
TOKEN_CALL = "POST /oauth/v2/accessToken"
OLD = Credentials("old", "again", OUTLET.urn)


@pytest.fixture
async def world() -> AsyncIterator[LinkedInWorld]:
    async with linkedin_world() as world:
        yield world


def code_for(world: LinkedInWorld, scopes: tuple[str, ...] = SCOPES) -> str:
    return world.sandbox.grants.issue_code(BACK, scopes)


def test_asks_for_what_the_channel_needs() -> None:
    entrance = LinkedInEntrance(
        None,  # type: ignore[arg-type]
        "https://api.linkedin.com",
        "our-id",
        "our-secret",
        clock=StandingClock(),
    )

    address = entrance.authorization_url(
        redirect_uri=BACK, state="st", challenge="unused"
    )

    assert address.startswith("https://www.linkedin.com/oauth/v2/authorization?")
    query = parse_qs(urlsplit(address).query)
    assert query["scope"] == [" ".join(SCOPES)]
    assert query["redirect_uri"] == [BACK]
    assert query["state"] == ["st"]
    assert "our-secret" not in address


class TestExchange:
    async def test_offers_the_pages_with_credentials_that_work(
        self, world: LinkedInWorld
    ) -> None:
        candidates = await world.entrance().exchange(
            code_for(world), redirect_uri=BACK, verifier="unused"
        )

        assert [one.handle for one in candidates] == ["north-outlet", "south-outlet"]
        credentials = candidates[1].credentials
        assert credentials.account_id == OTHER_PAGE.urn
        assert credentials.expires_at == world.clock() + timedelta(days=60)
        assert credentials.refresh_expires_at == world.clock() + timedelta(days=365)
        assert credentials.refresh_token

    async def test_most_applications_get_no_refresh_token(self) -> None:
        async with linkedin_world(refreshes=False) as world:
            (first, _) = await world.entrance().exchange(
                code_for(world), redirect_uri=BACK, verifier=""
            )

        assert first.credentials.refresh_token == ""
        assert first.credentials.refresh_expires_at is None

    async def test_a_code_is_good_once(self, world: LinkedInWorld) -> None:
        code = code_for(world)
        await world.entrance().exchange(code, redirect_uri=BACK, verifier="")

        with pytest.raises(Rejected, match="Start again") as caught:
            await world.entrance().exchange(code, redirect_uri=BACK, verifier="")

        assert "our-secret" not in str(caught.value)

    async def test_without_a_page_there_is_nothing_to_choose(
        self, world: LinkedInWorld
    ) -> None:
        world.sandbox.accounts.clear()

        with pytest.raises(Rejected, match="no LinkedIn page"):
            await world.entrance().exchange(
                code_for(world), redirect_uri=BACK, verifier=""
            )

    async def test_what_was_not_allowed_is_said(self, world: LinkedInWorld) -> None:
        code = code_for(world, ("w_organization_social",))

        with pytest.raises(Rejected, match="organizationAcls"):
            await world.entrance().exchange(code, redirect_uri=BACK, verifier="")

    @pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.CUT_BODY])
    async def test_a_network_that_is_down_is_tried_later(
        self, world: LinkedInWorld, fault: Fault
    ) -> None:
        world.faults.next(TOKEN_CALL, fault)

        with pytest.raises(TryLater):
            await world.entrance().exchange(
                code_for(world), redirect_uri=BACK, verifier=""
            )

    @pytest.mark.parametrize(
        "answers",
        [
            {"/token": {}},
            {"/token": {"access_token": "a", "expires_in": 1}, "acls": []},
        ],
    )
    async def test_an_answer_that_makes_no_sense_is_tried_later(
        self, world: LinkedInWorld, aiohttp_server: AiohttpServer, answers: Any
    ) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response(answers.get(request.path, []))

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        server = await aiohttp_server(app)
        entrance = LinkedInEntrance(
            world.http,
            str(server.make_url("/")),
            "our-id",
            "our-secret",
            clock=world.clock,
            token_url=str(server.make_url("/token")),
        )

        with pytest.raises(TryLater, match="makes no sense"):
            await entrance.exchange("code", redirect_uri=BACK, verifier="")

    async def test_pages_that_are_named_in_no_way_known_are_left_out(
        self, world: LinkedInWorld, aiohttp_server: AiohttpServer
    ) -> None:
        answers = {
            "/token": {"access_token": "a", "expires_in": 1},
            "/rest/organizationAcls": {"elements": [{}, None]},
        }

        async def answer(request: web.Request) -> web.Response:
            return web.json_response(answers[request.path])

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        server = await aiohttp_server(app)
        entrance = LinkedInEntrance(
            world.http,
            str(server.make_url("/")),
            "our-id",
            "our-secret",
            clock=world.clock,
            token_url=str(server.make_url("/token")),
        )

        with pytest.raises(Rejected, match="no LinkedIn page"):
            await entrance.exchange("code", redirect_uri=BACK, verifier="")

    async def test_an_application_that_is_not_set_up_is_not_the_merchants_fault(
        self, world: LinkedInWorld
    ) -> None:
        entrance = LinkedInEntrance(
            world.http,
            world.url,
            "our-id",
            "",
            clock=world.clock,
            token_url=f"{world.url}/oauth/v2/accessToken",
        )

        with pytest.raises(Rejected, match="not set up rightly"):
            await entrance.exchange(code_for(world), redirect_uri=BACK, verifier="")


class TestRefresh:
    async def test_the_refresh_token_stays_and_its_year_goes_on(
        self, world: LinkedInWorld
    ) -> None:
        entrance = world.entrance()
        (first, _) = await entrance.exchange(
            code_for(world), redirect_uri=BACK, verifier=""
        )
        world.clock.advance(timedelta(days=59))

        fresh = first.credentials.renewed(await entrance.refresh(first.credentials))

        assert fresh.access_token != first.credentials.access_token
        assert fresh.refresh_token == first.credentials.refresh_token
        assert fresh.account_id == OUTLET.urn
        assert fresh.expires_at == world.clock() + timedelta(days=60)
        assert fresh.refresh_expires_at == first.credentials.refresh_expires_at

    async def test_without_a_refresh_token_one_connects_again(
        self, world: LinkedInWorld
    ) -> None:
        with pytest.raises(Disowned, match="Connect the page again"):
            await world.entrance().refresh(replace(OLD, refresh_token=""))

    async def test_a_refresh_token_ends(self, world: LinkedInWorld) -> None:
        entrance = world.entrance()
        (first, _) = await entrance.exchange(
            code_for(world), redirect_uri=BACK, verifier=""
        )
        world.clock.advance(timedelta(days=365))

        with pytest.raises(Disowned, match="Connect the page again"):
            await entrance.refresh(first.credentials)

    @pytest.mark.parametrize(
        "fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.TOO_MANY]
    )
    async def test_a_lost_answer_does_no_harm(
        self, world: LinkedInWorld, fault: Fault
    ) -> None:
        world.faults.hold_for = timedelta(milliseconds=20)
        world.faults.next(TOKEN_CALL, fault)

        with pytest.raises(TryLater):
            await world.entrance().refresh(OLD)

        assert await world.entrance().refresh(OLD)

    async def test_who_is_busy_is_asked_later(
        self, world: LinkedInWorld, aiohttp_server: AiohttpServer
    ) -> None:
        async def answer(_request: web.Request) -> web.Response:
            return web.json_response({"error": "temporarily_unavailable"}, status=503)

        app = web.Application()
        app.router.add_post("/token", answer)
        server = await aiohttp_server(app)
        entrance = LinkedInEntrance(
            world.http,
            world.url,
            "our-id",
            "our-secret",
            clock=world.clock,
            token_url=str(server.make_url("/token")),
        )

        with pytest.raises(TryLater, match="temporarily_unavailable"):
            await entrance.refresh(OLD)
