"""
A merchant signs in at the server of a Mastodon account, whoever runs that; what such a
server answers may be anything.
"""

import re
from asyncio import gather
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from playwright.async_api import expect
from sqlmodel import Session, select

from offers.accounts import ChannelAccount
from offers.merchants import start_sign_in
from outletbot.app import build_app
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from tests.factories import NOON, make_merchant
from tests.fakes import FakePayments
from tests.journeys.town import chromium
from tests.outletbot.desk.conftest import Client, sign_in
from tests.outletbot.mastodon_server import OUTLET, TOKEN, Server, mastodon_server

BOTH_DATABASES = True

HERE = "/channels/connect/mastodon/server"
BACK = "http://outlet.example/channels/return/mastodon"


@pytest.fixture
def app(
    settings: Settings, database: Database, payments: FakePayments
) -> web.Application:
    practice = settings.model_copy(update={"allow_private_addresses": True})
    return build_app(practice, database, payments, clock=lambda: NOON)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with mastodon_server() as server:
        yield server


def kept(session: Session) -> list[ChannelAccount]:
    session.rollback()
    session.expire_all()
    away = ChannelAccount.kind != "outlet"
    return list(session.exec(select(ChannelAccount).where(away)).all())


async def set_out(desk: Client, server: str) -> Any:
    return await desk.post(HERE, data={"server": server}, allow_redirects=False)


async def answer(address: str, said: str = "allow") -> dict[str, str]:
    """Press a button on the server's page. Return what it sends people back with."""
    async with aiohttp.ClientSession() as http:
        form = {"account": "outlet", "answer": said}
        async with http.post(address, data=form, allow_redirects=False) as back:
            place = back.headers["Location"]
    assert place.startswith(f"{BACK}?")
    return {name: one[0] for name, one in parse_qs(urlsplit(place).query).items()}


async def come_back(desk: Client, back: dict[str, str], kind: str = "mastodon") -> Any:
    return await desk.get(
        f"/channels/return/{kind}", params=back, allow_redirects=False
    )


class TestSigningIn:
    async def test_keeps_the_account_and_its_server(self, desk, server, session, seal):
        away = (await set_out(desk, server.url)).headers["Location"]
        assert away.startswith(f"{server.url}/oauth/authorize?")

        back = await come_back(desk, await answer(away))

        assert (back.status, back.headers["Location"]) == (303, "/channels")
        (account,) = kept(session)
        assert account.base_url == server.url
        assert account.handle.startswith("@outlet")
        assert seal.open(account.sealed_token) != TOKEN
        assert await server.channel(seal.open(account.sealed_token)).check()

    async def test_goes_on_with_what_was_connected_by_a_token(
        self, desk, server, session
    ):
        form = {"base_url": server.url, "token": OUTLET.token}
        await desk.post("/channels/connect/mastodon", data=form)
        (before,) = kept(session)
        facts = before.id, before.sealed_token

        away = (await set_out(desk, server.url)).headers["Location"]
        await come_back(desk, await answer(away))

        (account,) = kept(session)
        assert account.id == facts[0]
        assert account.sealed_token != facts[1]

    async def test_tells_the_address_nothing_secret(self, desk, server):
        away = (await set_out(desk, server.url)).headers["Location"]

        query = parse_qs(urlsplit(away).query)
        assert set(query) == {
            "response_type",
            "client_id",
            "redirect_uri",
            "scope",
            "state",
            "code_challenge",
            "code_challenge_method",
        }
        assert query["redirect_uri"] == [BACK]
        assert len(away) < 2_000

    async def test_is_told_that_it_was_not_allowed(self, desk, server, session):
        away = (await set_out(desk, server.url)).headers["Location"]

        back = await come_back(desk, await answer(away, "deny"))

        assert back.status == 409
        assert "Mastodon says that you did not allow it" in await back.text()
        assert kept(session) == []

    async def test_is_for_the_server_that_was_asked(self, desk, session):
        """A code that one server gave is not taken to another."""
        async with mastodon_server() as one, mastodon_server() as other:
            first = (await set_out(desk, one.url)).headers["Location"]
            away = (await set_out(desk, other.url)).headers["Location"]
            stolen = (await answer(first))["code"]
            state = (await answer(away))["state"]

            back = await come_back(desk, {"code": stolen, "state": state})

        assert back.status == 409
        assert kept(session) == []

    async def test_is_for_who_set_out(self, desk, server, database, session):
        away = (await set_out(desk, server.url)).headers["Location"]
        back = await answer(away)
        await sign_in(desk, database, make_merchant(session, "ben@north.example"))

        assert (await come_back(desk, back)).status == 409
        assert kept(session) == []

    async def test_is_for_once(self, desk, server, session):
        back = await answer((await set_out(desk, server.url)).headers["Location"])
        await come_back(desk, back)

        assert (await come_back(desk, back)).status == 409

    async def test_is_not_for_another_network(self, desk, server):
        back = await answer((await set_out(desk, server.url)).headers["Location"])

        assert (await come_back(desk, back, "x")).status == 409

    async def test_is_only_from_our_own_page(self, desk, server):
        forged = {"Sec-Fetch-Site": "cross-site"}

        sent = await desk.post(HERE, data={"server": server.url}, headers=forged)

        assert sent.status == 403
        assert server.recorder.calls == []


class TestRefusing:
    @pytest.mark.parametrize(
        "address", ["", "ftp://a.example", "https://ana:pw@a.example", "https://"]
    )
    async def test_what_is_no_server(self, desk, address):
        sent = await set_out(desk, address)

        assert sent.status == 422
        assert 'aria-describedby="server-help"' in await sent.text()

    async def test_what_does_not_answer(self, desk):
        nobody = f"http://127.0.0.1:{unused_port()}"

        sent = await set_out(desk, nobody)

        assert sent.status == 422
        html = await sent.text()
        assert f"{nobody} cannot be reached." in html
        assert f'value="{nobody}"' in html

    async def test_our_own_network(
        self, settings, database, payments, aiohttp_client, session, server
    ):
        app = build_app(settings, database, payments, clock=lambda: NOON)
        browser = await aiohttp_client(app, headers={"Sec-Fetch-Site": "same-origin"})
        await sign_in(browser, database, make_merchant(session))
        inside = server.url.replace("http:", "https:")

        sent = await set_out(browser, inside)

        assert sent.status == 422
        assert "cannot be reached" in await sent.text()
        assert server.recorder.calls == []

    async def test_loading_the_answer_anew(self, desk):
        sent = await desk.get(HERE, allow_redirects=False)

        assert sent.headers["Location"] == "/channels/connect/mastodon"


@dataclass
class Odd:
    """A server that answers whatever it likes, by the path that is asked."""

    url: str = ""
    says: dict[str, tuple[int, str]] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        status, body = self.says.get(request.path, (404, "{}"))
        headers = {"Location": body} if 300 <= status < 400 else {}
        return web.Response(
            status=status, text=body, headers=headers, content_type="application/json"
        )


@pytest.fixture
async def odd(aiohttp_server) -> Odd:
    odd, app = Odd(), web.Application()
    app.router.add_route("*", "/{path:.*}", odd.answer)
    server = await aiohttp_server(app)
    odd.url = str(server.make_url("")).rstrip("/")
    odd.says["/api/v1/apps"] = (200, '{"client_id": "id", "client_secret": "s"}')
    odd.says["/oauth/token"] = (200, '{"access_token": "t"}')
    return odd


class TestAnOddServer:
    async def tried(self, desk: Client, odd: Odd) -> Any:
        away = (await set_out(desk, odd.url)).headers["Location"]
        state = parse_qs(urlsplit(away).query)["state"][0]
        return await come_back(desk, {"state": state, "code": "c"})

    @pytest.mark.parametrize(
        "words", [r"a\u0000b", r"a\ud800b", "x" * 100_000, "<script>", "{said} {0}"]
    )
    async def test_says_odd_things(self, desk, odd, session, words):
        odd.says["/api/v1/accounts/verify_credentials"] = (
            401,
            f'{{"error": "{words}"}}',
        )

        back = await self.tried(desk, odd)

        html = await back.text()
        assert back.status == 409
        assert len(html) < 30_000
        assert "<script>" not in html
        assert kept(session) == []

    @pytest.mark.parametrize("seconds", [10**30, -(10**30), 10**11, -5, 0, True])
    async def test_lets_its_tokens_last_as_it_likes(self, desk, odd, session, seconds):
        body = f'{{"access_token": "t", "expires_in": {str(seconds).lower()}}}'
        odd.says["/oauth/token"] = (200, body)
        odd.says["/api/v1/accounts/verify_credentials"] = (
            200,
            '{"id": "1", "acct": "north"}',
        )

        assert (await self.tried(desk, odd)).status in {303, 409}
        assert (await desk.get("/channels")).status == 200

    @pytest.mark.parametrize(
        "name", ["n" * 100_000, r"no\u0000rth", r"no\ud800rth", "<script>alert(1)", ""]
    )
    async def test_calls_its_people_odd_names(self, desk, odd, session, name):
        odd.says["/api/v1/accounts/verify_credentials"] = (
            200,
            f'{{"id": "1", "acct": "{name}"}}',
        )

        back = await self.tried(desk, odd)

        assert back.status in {303, 409}
        html = await (await desk.get("/channels")).text()
        assert "<script>alert" not in html
        assert len(html) < 60_000

    @pytest.mark.parametrize(
        "names",
        ['"client_id": ""', f'"client_id": "{"i" * 20_000}"', '"client_id": 7', ""],
    )
    async def test_has_odd_names_for_apps(self, desk, odd, names):
        more = f"{names}, " if names else ""
        odd.says["/api/v1/apps"] = (200, f'{{{more}"client_secret": "s"}}')

        sent = await set_out(desk, odd.url)

        assert sent.status == 422
        assert "makes no sense" in await sent.text()

    @pytest.mark.parametrize("body", ["[" * 100_000, "nothing", "", "null", "[]", "7"])
    async def test_answers_no_json(self, desk, odd, body):
        odd.says["/api/v1/apps"] = (200, body)

        assert (await set_out(desk, odd.url)).status == 422

    async def test_a_double_click_connects_once(self, desk, odd, session):
        for number in range(8):
            form = {"base_url": odd.url, "token": f"token-{number}"}
            odd.says["/api/v1/accounts/verify_credentials"] = (
                200,
                f'{{"id": "1", "acct": "north{number}"}}',
            )
            clicks = [
                desk.post("/channels/connect/mastodon", data=form) for _ in range(4)
            ]
            assert {one.status for one in await gather(*clicks)} == {200}

        assert len(kept(session)) == 8

    async def test_leads_elsewhere(self, desk, odd):
        """Where to is told without what might be secret in it."""
        odd.says["/api/v1/apps"] = (
            302,
            "https://ana:pw@inside.example/bot123:abc?access_token=xyz",
        )

        html = await (await set_out(desk, odd.url)).text()

        assert "inside.example" in html
        assert re.findall("abc|xyz|ana:pw", html) == []


@pytest.mark.browser
async def test_a_browser_lets_the_form_lead_there(
    settings: Settings,
    database: Database,
    payments: FakePayments,
    session: Session,
    server: Server,
) -> None:
    port = unused_port()
    here = f"http://127.0.0.1:{port}"
    practice = {"allow_private_addresses": True, "public_url": here}
    app = build_app(
        settings.model_copy(update=practice), database, payments, clock=utc_now
    )
    ana = make_merchant(session)
    token = await database.transact(start_sign_in, ana, now=utc_now())
    async with TestServer(app, host="127.0.0.1", port=port), chromium() as browser:
        page = await browser.new_page(base_url=here)
        await page.context.add_cookies(
            [{"name": "sign_in", "value": token, "url": here}]
        )
        await page.goto("/channels/connect/mastodon")

        first = page.get_by_role("textbox", name="Server").first
        await first.fill(server.url)
        await first.press("Enter")
        await page.get_by_role("button", name="Allow").click()

        await expect(page).to_have_url(f"{here}/channels")
        await expect(page.get_by_role("heading", name="Mastodon")).to_be_visible()
    (account,) = kept(session)
    assert account.base_url == server.url
