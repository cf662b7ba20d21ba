"""
A merchant connects an account by what its network gives them or by its own page; nobody
else comes back from there in their place, and nothing comes back twice.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from playwright.async_api import Page, expect
from sqlmodel import Session, select

from offers.accounts import Afterwards, ChannelAccount
from offers.merchants import Role, start_sign_in
from outletbot import networks as known
from outletbot.app import build_app
from outletbot.channels import Ability, Capabilities, Disowned, Rejected, TryLater
from outletbot.channels.credentials import Credentials
from outletbot.channels.oauth import Candidate, challenge_of
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.keys import NETWORKS
from outletbot.known_networks import App, apps_of
from outletbot.networks import Networks
from outletbot.outside import guarded_session
from outletbot.sandbox.meta import build_meta_sandbox
from outletbot.sandbox.meta_books import MetaAccount
from outletbot.sandbox.meta_calls import MetaApp
from outletbot.sandbox.x import CLIENT_ID, CLIENT_SECRET, Account, build_x_sandbox
from outletbot.sealing import Seal
from outletbot.tokens import Keeper
from outletbot.web import desk as desk_pages
from outletbot.web.desk import connecting, oauth_return
from tests.factories import HOUR, MINUTE, NOON, make_account, make_merchant
from tests.fakes import FakeChannel, FakePayments
from tests.journeys.town import chromium
from tests.outletbot.desk.conftest import Client, sign_in

TOKEN = "token-of-north"
SERVER = "https://social.example"
BOT = "123456:" + "a" * 35
WEBHOOK = f"https://discord.com/api/webhooks/{'1' * 18}/{'t' * 68}"
WITHIN = {"x": App("x-app", "x-secret"), "facebook": App("fb-app", "fb-secret")}


@dataclass
class FakeDoor:
    """A network's own page, and the server that takes its codes."""

    candidates: list[Candidate] = field(default_factory=list)
    trouble: Exception | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    def authorization_url(self, **facts: str) -> str:
        self.asked.append(facts)
        return f"https://x.example/authorize?state={facts['state']}"

    async def exchange(self, code: str, **facts: str) -> list[Candidate]:
        self.asked.append({"code": code, **facts})
        if self.trouble:
            raise self.trouble
        return self.candidates

    async def sign_in(self, handle: str, app_password: str) -> Candidate:
        self.asked.append({"handle": handle, "password": app_password})
        if self.trouble:
            raise self.trouble
        (candidate,) = self.candidates
        return candidate


class FakeNetwork(Networks):
    """Every network at once, with one door."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self.apps: dict[str, App] = dict(WITHIN)
        self.fake = FakeChannel()
        self.door = FakeDoor()
        self.asked: list[tuple[str, str, Credentials]] = []

    def connect(
        self, kind: str, base_url: str, credentials: Credentials
    ) -> FakeChannel:
        self.asked.append((kind, base_url, credentials))
        return self.fake

    def capabilities(self, kind: str) -> Capabilities:
        return self.fake.capabilities

    def app(self, kind: str) -> App | None:
        return self.apps.get(kind)

    def entrance(self, kind: str, base_url: str = "") -> FakeDoor:
        return self.door


@dataclass
class Time:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def app(
    settings: Settings, database: Database, payments: FakePayments, time: Time
) -> web.Application:
    app = build_app(settings, database, payments, clock=time)
    add_pages(app)
    return app


def add_pages(app: web.Application) -> None:
    for module in (connecting, oauth_return):
        if module.routes not in desk_pages.ROUTES:
            app.add_routes(module.routes)


@pytest.fixture(autouse=True)
def network(app: web.Application, seal: Seal) -> FakeNetwork:
    network = FakeNetwork(seal)
    stand_in(app, network)
    return network


def stand_in(app: web.Application, networks: Networks) -> None:
    async def instead(app: web.Application) -> AsyncIterator[None]:
        app[NETWORKS] = networks
        yield

    app.cleanup_ctx.append(instead)


@pytest.fixture
def door(network: FakeNetwork) -> FakeDoor:
    network.door.candidates = [north_on_x()]
    return network.door


def north_on_x(handle: str = "@north", account_id: str = "42") -> Candidate:
    until = NOON + 2 * HOUR
    return Candidate(handle, Credentials("access", "fresh", account_id, until))


def kept(session: Session) -> list[ChannelAccount]:
    session.rollback()
    session.expire_all()
    away = ChannelAccount.kind != "outlet"
    return list(session.exec(select(ChannelAccount).where(away)).all())


async def connect(desk: Client, kind: str, **form: str) -> Any:
    return await desk.post(
        f"/channels/connect/{kind}", data=form, allow_redirects=False
    )


async def mastodon(desk: Client, server: str = SERVER, token: str = TOKEN) -> int:
    answer = await connect(desk, "mastodon", base_url=server, token=token)
    return int(answer.status)


async def set_out(desk: Client, kind: str = "x") -> str:
    """Go to the network's page. Return the state that it was given."""
    answer = await connect(desk, kind)
    assert answer.status == 303, await answer.text()
    return parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]


async def come_back(desk: Client, kind: str = "x", **query: str) -> Any:
    return await desk.get(
        f"/channels/return/{kind}", params=query, allow_redirects=False
    )


class TestGallery:
    @pytest.mark.parametrize("kind", list(known.NETWORKS))
    async def test_has_steps_for_every_network(self, desk, network, kind):
        network.apps = dict.fromkeys(known.NETWORKS, App("id", "secret"))

        answer = await desk.get(f"/channels/connect/{kind}")

        html = await answer.text()
        assert answer.status == 200
        assert html.count("<li>") - html.count('<li><a href="/') >= 2
        assert "500 characters" in html

    @pytest.mark.parametrize("kind", ["orkut", "outlet"])
    async def test_has_no_other(self, desk, kind):
        assert (await desk.get(f"/channels/connect/{kind}")).status == 404
        assert (await connect(desk, kind)).status == 404
        assert (await come_back(desk, kind)).status == 404


class TestWithoutAnApp:
    async def test_tells_an_owner_what_to_set(self, desk, session):
        html = await (await desk.get("/channels/connect/linkedin")).text()

        assert "LINKEDIN_CLIENT_ID" in html
        assert "LINKEDIN_CLIENT_SECRET" in html
        assert "http://outlet.example/channels/return/linkedin" in html
        assert "https://www.linkedin.com/developers/apps" in html
        assert "Go to LinkedIn" not in html

    async def test_sends_others_to_an_owner(self, browser, database, session):
        ben = make_merchant(session, "ben@north.example", role=Role.MERCHANT)
        await sign_in(browser, database, ben)

        html = await (await browser.get("/channels/connect/linkedin")).text()

        assert "Ask an owner" in html
        assert "LINKEDIN_CLIENT_ID" not in html

    async def test_leads_nowhere(self, desk):
        answer = await connect(desk, "linkedin")

        assert answer.status == 409
        assert "has no app at LinkedIn yet" in await answer.text()

    async def test_takes_no_code(self, desk, network, session):
        state = await set_out(desk)
        network.apps = {}

        answer = await come_back(desk, state=state, code="c")

        assert answer.status == 409
        assert kept(session) == []


class TestByToken:
    async def test_keeps_an_account_that_was_proved(self, desk, session, seal, network):
        assert await mastodon(desk) == 303

        (account,) = kept(session)
        assert ("mastodon", SERVER, Credentials(TOKEN)) in network.asked
        assert (account.handle, account.base_url) == ("north@social.example", SERVER)
        assert account.proved_at == NOON
        assert seal.open(account.sealed_token) == TOKEN
        assert (account.expires_at, account.refresh_at) == (None, None)

    async def test_keeps_nothing_that_the_network_refuses(self, desk, session, network):
        network.fake.trouble = Rejected("social.example says: invalid token (401).")

        answer = await connect(desk, "mastodon", base_url=SERVER, token=TOKEN)

        html = await answer.text()
        assert answer.status == 422
        assert "invalid token (401)" in html
        assert SERVER in html
        assert TOKEN not in html
        assert kept(session) == []

    async def test_says_so_if_the_network_is_down(self, desk, network):
        network.fake.down = True

        answer = await connect(desk, "mastodon", base_url=SERVER, token=TOKEN)

        assert answer.status == 422
        html = await answer.text()
        assert 'aria-describedby="base_url-help"' in html
        assert html.count('class="error"') == 1

    @pytest.mark.parametrize(
        "server",
        [
            "social.example",
            " https://Social.Example/ ",
            "https://social.example/@north?x=1",
        ],
    )
    async def test_makes_the_address_whole(self, desk, session, server):
        await mastodon(desk, server)

        assert kept(session)[0].base_url == SERVER

    @pytest.mark.parametrize(
        "server",
        [
            "",
            "http://social.example",
            "ftp://social.example",
            "javascript:alert(1)",
            "https://",
            "https://ana:secret@social.example",
            "https://social.example:port",
            "https://so cial.example",
            "https://[::1",
            "https://" + "x" * 600,
        ],
    )
    async def test_refuses_what_is_no_https_address(self, desk, network, server):
        assert await mastodon(desk, server) == 422

        assert network.asked == []

    @pytest.mark.parametrize("token", ["", "two words", "a\r\nHost: b", "clé"])
    async def test_refuses_what_is_no_token(self, desk, network, token):
        assert await mastodon(desk, token=token) == 422

        assert network.asked == []

    async def test_again_keeps_the_history(self, desk, session, seal):
        await mastodon(desk)
        (first,) = kept(session)
        first.trouble, first.paused = "Token expired.", True
        session.add(first)
        session.commit()

        assert await mastodon(desk, token="another-token") == 303

        (account,) = kept(session)
        assert account.id == first.id
        assert seal.open(account.sealed_token) == "another-token"
        assert (account.trouble, account.paused) == ("", False)


class TestByPassword:
    async def test_keeps_a_session_and_no_password(self, desk, session, seal, door):
        form = {"handle": "north.bsky.social", "password": "abcd-efgh-ijkl"}

        assert (await connect(desk, "bluesky", **form)).status == 303

        (account,) = kept(session)
        assert door.asked == [form]
        assert (account.kind, account.base_url) == ("bluesky", "")
        assert account.remote_id == "42"
        assert account.expires_at == NOON + 2 * HOUR
        assert account.refresh_at == NOON + 100 * MINUTE
        assert "abcd" not in seal.open(account.sealed_token)

    @pytest.mark.usefixtures("door")
    async def test_takes_another_server(self, desk, session):
        form = {"handle": "north.example", "password": "p", "base_url": "pds.example"}

        await connect(desk, "bluesky", **form)

        assert kept(session)[0].base_url == "https://pds.example"

    @pytest.mark.parametrize("lacking", ["handle", "password"])
    async def test_needs_both(self, desk, door, lacking):
        form = {"handle": "north", "password": "p", lacking: ""}

        assert (await connect(desk, "bluesky", **form)).status == 422

        assert door.asked == []

    async def test_keeps_nothing_that_is_refused(self, desk, session, door):
        door.trouble = Rejected("Wrong password.")

        answer = await connect(desk, "bluesky", handle="@north", password="s3cret")

        html = await answer.text()
        assert answer.status == 422
        assert "Wrong password." in html
        assert 'value="@north"' in html
        assert "s3cret" not in html
        assert kept(session) == []


class TestByBot:
    async def test_keeps_a_bot_and_its_channel(self, desk, session, seal, network):
        form = {"token": BOT, "channel": "https://t.me/north_outlet"}

        assert (await connect(desk, "telegram", **form)).status == 303

        (account,) = kept(session)
        credentials = Credentials.load(seal.open(account.sealed_token))
        assert credentials == Credentials(BOT, account_id="@north_outlet")
        assert account.remote_id == ""  # such a name may change hands

    async def test_knows_a_private_channel_by_its_number(self, desk, session):
        await connect(desk, "telegram", token=BOT, channel="-1001234")

        assert kept(session)[0].remote_id == "-1001234"

    @pytest.mark.parametrize("token", ["", "123456", "../getMe", f"{BOT}/x"])
    async def test_refuses_what_is_no_bots(self, desk, network, token):
        answer = await connect(desk, "telegram", token=token, channel="@north")

        assert answer.status == 422
        assert all(
            credentials == Credentials("") for _, _, credentials in network.asked
        )


class TestByWebhook:
    async def test_keeps_a_webhook(self, desk, session, seal, network):
        assert (await connect(desk, "discord", webhook=WEBHOOK)).status == 303

        (account,) = kept(session)
        credentials = Credentials.load(seal.open(account.sealed_token))
        assert credentials.access_token == f"{'1' * 18}/{'t' * 68}"
        assert account.remote_id == "1" * 18

    async def test_refuses_what_is_none(self, desk, session, network):
        answer = await connect(desk, "discord", webhook="https://evil.example/webhooks")

        assert answer.status == 422
        assert "no address of discord.com" in await answer.text()
        assert kept(session) == []


class TestLeadingAway:
    async def test_asks_for_what_only_we_can_redeem(self, desk, door):
        state = await set_out(desk)

        (asked,) = door.asked
        assert asked["redirect_uri"] == "http://outlet.example/channels/return/x"
        assert asked["state"] == state
        assert len(state) <= 500  # as X is said to have it
        assert len(asked["challenge"]) == 43

    @pytest.mark.usefixtures("door")
    async def test_leaves_a_cookie_that_comes_along_from_elsewhere(self, desk):
        answer = await connect(desk, "x")

        cookie = SimpleCookie(answer.headers["Set-Cookie"])["connecting_x"]
        assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)
        assert cookie["max-age"] == "600"

    async def test_is_only_from_our_own_page(self, desk, door):
        answer = await desk.post(
            "/channels/connect/x",
            headers={"Sec-Fetch-Site": "cross-site"},
            allow_redirects=False,
        )

        assert answer.status == 403
        assert door.asked == []


class TestComingBack:
    async def test_keeps_what_it_was_let_into(self, desk, session, seal, door):
        state = await set_out(desk)

        answer = await come_back(desk, state=state, code="c0de")

        assert answer.status == 303
        assert answer.headers["Location"] == "/channels"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        asked = door.asked[-1]
        assert asked["code"] == "c0de"
        assert challenge_of(asked["verifier"]) == door.asked[0]["challenge"]
        assert asked["redirect_uri"] == door.asked[0]["redirect_uri"]
        (account,) = kept(session)
        assert (account.kind, account.handle) == ("x", "@north")
        assert (
            Credentials.load(seal.open(account.sealed_token)).access_token == "access"
        )

    async def test_comes_from_another_site(self, desk, session, door):
        """It is a link from there, by GET: the sign-in's cookie is sent along."""
        state = await set_out(desk)

        answer = await desk.get(
            "/channels/return/x",
            params={"state": state, "code": "c"},
            headers={"Sec-Fetch-Site": "cross-site"},
            allow_redirects=False,
        )

        assert answer.status == 303
        assert len(kept(session)) == 1

    async def test_goes_on_with_an_account_that_was_renamed(self, desk, session, door):
        before = make_account(session, "x", handle="@old_north", remote_id="42")

        await come_back(desk, state=await set_out(desk), code="c")

        (account,) = kept(session)
        assert (account.id, account.handle) == (before.id, "@north")

    async def test_chooses_for_old_posts_what_the_network_can(
        self, desk, session, network, door
    ):
        can = network.fake.capabilities
        network.fake.capabilities = Capabilities(
            can.max_length, can.images, frozenset({Ability.DELETE})
        )

        await come_back(desk, state=await set_out(desk), code="c")

        assert kept(session)[0].afterwards is Afterwards.DELETE

    @pytest.mark.parametrize(
        "trouble", [Rejected("Stale code."), TryLater("X is down.")]
    )
    async def test_tells_what_the_network_says(self, desk, session, door, trouble):
        door.trouble = trouble

        answer = await come_back(desk, state=await set_out(desk), code="c")

        assert answer.status == 409
        assert str(trouble) in await answer.text()
        assert kept(session) == []


class TestRefusing:
    async def refuse(self, desk: Client, words: str, **query: str) -> None:
        answer = await come_back(desk, **query)
        html = await answer.text()
        assert answer.status == 409, html
        assert words in html
        assert "Step by step" in html

    async def test_a_denial(self, desk, session, door):
        state = await set_out(desk)

        await self.refuse(
            desk, "X says that you did not allow it", state=state, error="access_denied"
        )

        assert len(door.asked) == 1
        assert kept(session) == []

    async def test_what_else_the_network_says(self, desk, door):
        described = {"error": "server_error", "error_description": "<b>Broken</b>"}

        state = await set_out(desk)
        await self.refuse(
            desk, "X says: &lt;b&gt;Broken&lt;/b&gt;", state=state, **described
        )

        await self.refuse(desk, "X says: oops", state=await set_out(desk), error="oops")

    async def test_words_of_who_did_not_set_out(self, desk, door):
        """Else anybody could have our page say anything."""
        answer = await come_back(desk, error="x", error_description="Call 555 now")

        assert "555" not in await answer.text()

    @pytest.mark.usefixtures("door")
    async def test_what_has_no_code(self, desk):
        state = await set_out(desk)

        await self.refuse(desk, "sent nothing to go on with", state=state)

    async def test_what_was_used(self, desk, session, door):
        state = await set_out(desk)
        await come_back(desk, state=state, code="c")

        await self.refuse(desk, "was used already", state=state, code="c")

        assert sum("code" in asked for asked in door.asked) == 1
        assert len(kept(session)) == 1

    async def test_what_was_denied_and_then_allowed(self, desk, door):
        state = await set_out(desk)
        await come_back(desk, state=state, error="access_denied")

        await self.refuse(desk, "was used already", state=state, code="c")

    async def test_what_is_late(self, desk, session, door, time):
        state = await set_out(desk)
        time.now += timedelta(minutes=10)

        await self.refuse(desk, "More than ten minutes", state=state, code="c")

        assert kept(session) == []

    @pytest.mark.parametrize(
        "change",
        [
            lambda _: "",
            lambda _: "made-up",
            lambda state: state[:-4] + "AAAA",
            lambda _: Seal(_KEY_OF_OTHERS).close(
                '["state","x","b",9999999999,["v","n"]]'
            ),
        ],
    )
    async def test_what_was_tampered_with(
        self, desk, door, change: Callable[[str], str]
    ):
        state = await set_out(desk)

        await self.refuse(desk, "was not asked for", state=change(state), code="c")

        assert len(door.asked) == 1

    @pytest.mark.parametrize("sealed", ["a token", '["choice","x","b",9999999999,[]]'])
    async def test_what_we_sealed_for_something_else(self, desk, door, seal, sealed):
        await set_out(desk)

        state = seal.close(sealed)
        await self.refuse(desk, "was not asked for", state=state, code="c")

    async def test_what_was_begun_for_another_network(self, desk, door):
        await set_out(desk, "x")
        state = await set_out(desk, "facebook")

        await self.refuse(desk, "for another channel", state=state, code="c")

    async def test_what_somebody_else_began(self, desk, database, session, door):
        """Their account is not to become a channel of somebody who follows a link."""
        ben = make_merchant(session, "ben@north.example")
        state = await set_out(desk)
        await sign_in(desk, database, ben)

        await self.refuse(desk, "in another sign-in", state=state, code="c")

        assert kept(session) == []

    async def test_what_another_browser_began(
        self, desk, session, door, database, ana, aiohttp_client, app
    ):
        """With the same sign-in, even."""
        state = await set_out(desk)
        desk.session.cookie_jar.clear(lambda morsel: morsel.key == "connecting_x")

        await self.refuse(desk, "in another browser", state=state, code="c")

        assert kept(session) == []

    async def test_who_is_not_signed_in(self, browser, door):
        answer = await come_back(browser, state="s", code="c0de")

        assert answer.status == 303
        assert "c0de" not in answer.headers["Location"]

    async def test_networks_without_a_page(self, desk):
        assert (await come_back(desk, "bluesky")).status == 404


_KEY_OF_OTHERS = "c291dGgtc291dGgtc291dGgtc291dGgtc291dGgtMTE="


class TestChoosing:
    @pytest.fixture(autouse=True)
    def _several(self, door) -> None:
        door.candidates = [
            Candidate("North", Credentials("token-1", "r", "1")),
            Candidate("<North> Outlet", Credentials("token-2", "r", "2")),
            Candidate("Private", Credentials("token-3", "r", "3")),
        ]

    async def offered(self, desk: Client) -> tuple[str, str]:
        state = await set_out(desk, "facebook")
        html = await (await come_back(desk, "facebook", state=state, code="c")).text()
        sealed = html.partition('name="sealed" value="')[2].partition('"')[0]
        return html, sealed

    async def choose(self, desk: Client, sealed: str, *places: str) -> Any:
        return await desk.post(
            "/channels/return/facebook",
            data={"sealed": sealed, "account": list(places)},
            allow_redirects=False,
        )

    async def test_keeps_nothing_before_somebody_chose(self, desk, session):
        html, sealed = await self.offered(desk)

        assert "&lt;North&gt; Outlet" in html
        assert "token-1" not in html
        assert sealed
        assert kept(session) == []

    async def test_keeps_those_chosen(self, desk, session, seal):
        _, sealed = await self.offered(desk)

        assert (await self.choose(desk, sealed, "0", "1")).status == 303

        tokens = {
            one.handle: Credentials.load(seal.open(one.sealed_token)).access_token
            for one in kept(session)
        }
        assert tokens == {"North": "token-1", "<North> Outlet": "token-2"}

    @pytest.mark.parametrize("places", [[], ["7"], ["-1"], ["x"]])
    async def test_needs_one_of_them(self, desk, session, places):
        _, sealed = await self.offered(desk)

        answer = await self.choose(desk, sealed, *places)

        html = await answer.text()
        assert answer.status == 422
        assert "Choose at least one" in html
        assert f'value="{sealed}"' in html
        assert kept(session) == []

    async def test_is_for_ten_minutes(self, desk, session, time):
        _, sealed = await self.offered(desk)
        time.now += timedelta(minutes=10)

        assert (await self.choose(desk, sealed, "0")).status == 409

        assert kept(session) == []

    async def test_is_for_who_was_asked(self, desk, database, session):
        _, sealed = await self.offered(desk)
        await sign_in(desk, database, make_merchant(session, "ben@north.example"))

        assert (await self.choose(desk, sealed, "0")).status == 409

        assert kept(session) == []

    async def test_takes_no_state_for_a_choice(self, desk):
        state = await set_out(desk, "facebook")

        assert (await self.choose(desk, state, "0")).status == 409
        assert (await self.choose(desk, "", "0")).status == 409


class TestByX:
    """From the button to a renewed token, with a server that speaks as X does."""

    @pytest.fixture
    async def x(self, aiohttp_server, time: Time) -> str:
        """The address of the sandbox, under which X is at ``/x``."""
        outer = web.Application()
        account = Account("north", "seeded", id="42")
        inner = build_x_sandbox(
            clock=time, public_url="http://x.example", accounts=[account]
        )
        outer.add_subapp("/x", inner)
        server = await aiohttp_server(outer)
        return str(server.make_url("")).rstrip("/")

    @pytest.fixture
    async def networks(
        self, app: web.Application, seal: Seal, x: str, time: Time
    ) -> AsyncIterator[Networks]:
        async with guarded_session(allow_private=True) as http:
            networks = Networks(
                http,
                seal,
                public_url="http://outlet.example",
                clock=time,
                sandbox=x,
                apps={"x": App(CLIENT_ID, CLIENT_SECRET)},
            )
            stand_in(app, networks)
            yield networks

    async def allow(self, address: str, **form: str) -> dict[str, str]:
        """Press a button on X's page. Return what it sends people back with."""
        async with aiohttp.ClientSession() as http:
            async with http.get(address) as page:
                assert page.status == 200
            async with http.post(address, data=form, allow_redirects=False) as back:
                place = urlsplit(back.headers["Location"])
        assert place.geturl().startswith("http://outlet.example/channels/return/x?")
        return {name: values[0] for name, values in parse_qs(place.query).items()}

    async def test_connects_and_renews(
        self, networks, desk, session, database, seal, time
    ):
        away = (await connect(desk, "x")).headers["Location"]
        back = await self.allow(away, account="42", answer="allow")

        assert (await come_back(desk, **back)).status == 303

        (account,) = kept(session)
        assert (account.handle, account.remote_id) == ("@north", "42")
        assert account.expires_at == NOON + 2 * HOUR

        time.now = NOON + 2 * HOUR
        with pytest.raises(Disowned):
            await networks.channel(account).check()
        keeper = Keeper(database, networks, seal, time)
        channel = await keeper.channel(account)
        assert await channel.check() == "@north"
        (renewed,) = kept(session)
        assert renewed.expires_at == NOON + 4 * HOUR
        time.now = NOON + 4 * HOUR
        assert await (await keeper.channel(renewed)).check() == "@north"

    @pytest.mark.usefixtures("networks")
    async def test_is_told_that_it_was_not_allowed(self, desk, session):
        away = (await connect(desk, "x")).headers["Location"]
        back = await self.allow(away, answer="cancel")

        answer = await come_back(desk, **back)

        assert "you did not allow it" in await answer.text()
        assert kept(session) == []

    @pytest.mark.usefixtures("networks")
    async def test_does_not_take_a_code_twice(self, desk, session):
        """Though the browser forgot that it came back."""
        away = (await connect(desk, "x")).headers["Location"]
        back = await self.allow(away, account="42", answer="allow")
        cookies = {
            morsel.key: morsel.value
            for morsel in desk.session.cookie_jar
            if morsel.key.startswith("connecting")
        }
        await come_back(desk, **back)
        desk.session.cookie_jar.update_cookies(cookies)

        answer = await come_back(desk, **back)

        assert answer.status == 409
        assert len(kept(session)) == 1


class TestByFacebook:
    """Several pages come back, and one of them is chosen; at Meta's sandbox."""

    @pytest.fixture
    async def networks(
        self, aiohttp_server, app: web.Application, seal: Seal, time: Time
    ) -> AsyncIterator[Networks]:
        outer, registered = web.Application(), MetaApp(wants_proof=True)
        pages = [
            MetaAccount("north", "t1", page_id="1", name="North", instagram_id=""),
            MetaAccount("south", "t2", page_id="2", name="South", instagram_id=""),
        ]
        inner = build_meta_sandbox(
            clock=time,
            public_url="http://meta.example",
            accounts=pages,
            app=registered,
        )
        outer.add_subapp("/facebook", inner)
        server = await aiohttp_server(outer)
        async with guarded_session(allow_private=True) as http:
            networks = Networks(
                http,
                seal,
                public_url="http://outlet.example",
                clock=time,
                sandbox=str(server.make_url("")).rstrip("/"),
                apps={"facebook": App(registered.client_id, registered.client_secret)},
            )
            stand_in(app, networks)
            yield networks

    async def test_connects_the_page_chosen_and_renews_it(
        self, networks, desk, session, database, seal, time
    ):
        away = (await connect(desk, "facebook")).headers["Location"]
        asked = {name: one[0] for name, one in parse_qs(urlsplit(away).query).items()}
        async with (
            aiohttp.ClientSession() as http,
            http.post(away, data=asked, allow_redirects=False) as answer,
        ):
            query = parse_qs(urlsplit(answer.headers["Location"]).query)
        back = {name: values[0] for name, values in query.items()}

        html = await (await come_back(desk, "facebook", **back)).text()
        sealed = html.partition('name="sealed" value="')[2].partition('"')[0]
        place = "1" if html.index("@south") > html.index("@north") else "0"
        form = {"sealed": sealed, "account": place}
        await desk.post("/channels/return/facebook", data=form)

        (account,) = kept(session)
        assert (account.handle, account.remote_id) == ("@south", "2")
        assert account.expires_at is None
        ends_at = account.refresh_expires_at
        assert ends_at is not None
        assert account.refresh_at == ends_at - timedelta(days=10)
        time.now = account.refresh_at
        keeper = Keeper(database, networks, seal, time)
        await keeper.refresh(account)
        (renewed,) = kept(session)
        assert renewed.refresh_expires_at > ends_at
        assert await (await keeper.channel(renewed)).check() == "@south"


@dataclass
class Sites:
    """The desk and X at two addresses that a browser takes for two sites."""

    desk: str
    x: str
    page: Page


class TestInABrowser:
    """Chromium itself says whether the sign-in survives the way to X and back."""

    @pytest.fixture
    async def sites(
        self, settings: Settings, database: Database, payments: FakePayments, seal: Seal
    ) -> AsyncIterator[Sites]:
        outer = web.Application()
        x_server = TestServer(outer, host="127.0.0.1")
        account = Account("north", "seeded", id="42")
        outer.add_subapp(
            "/x",
            build_x_sandbox(
                clock=utc_now, public_url="http://x.example", accounts=[account]
            ),
        )
        async with x_server, guarded_session(allow_private=True) as http:
            elsewhere = f"http://localhost:{x_server.port}"
            port = unused_port()
            here = f"http://127.0.0.1:{port}"
            facts = {"public_url": here, "stripe_api_base": elsewhere}
            app = build_app(
                settings.model_copy(update=facts), database, payments, clock=utc_now
            )
            add_pages(app)
            stand_in(
                app,
                Networks(
                    http,
                    seal,
                    public_url=here,
                    clock=utc_now,
                    sandbox=elsewhere,
                    apps={"x": App(CLIENT_ID, CLIENT_SECRET)},
                ),
            )
            desk = TestServer(app, host="127.0.0.1", port=port)
            async with desk, chromium() as browser:
                page = await browser.new_page(base_url=here)
                yield Sites(here, elsewhere, page)

    @pytest.mark.browser
    async def test_comes_back_signed_in(self, sites, session, database):
        ana = make_merchant(session)
        token = await database.transact(start_sign_in, ana, now=utc_now())
        page = sites.page
        await page.goto("/sign-in")
        cookie = {"name": "sign_in", "value": token, "url": sites.desk}
        await page.context.add_cookies(
            [{**cookie, "httpOnly": True, "sameSite": "Lax"}]
        )

        await page.goto("/channels")
        await page.get_by_role("link", name="X", exact=True).click()
        await page.get_by_role("button", name="Go to X").click()
        await page.get_by_role("button", name="Allow").click()

        await expect(page).to_have_url(f"{sites.desk}/channels")
        await expect(page.get_by_role("heading", name="X @north")).to_be_visible()
        assert [one.handle for one in kept(session)] == ["@north"]


def test_an_app_is_its_id_and_its_secret(settings: Settings) -> None:
    found = settings.model_copy(
        update={
            "x_client_id": "id",
            "x_client_secret": type(settings.secret_key)("secret"),
            "linkedin_client_id": "alone",
        }
    )

    assert apps_of(found) == {"x": App("id", "secret")}
    assert "secret" not in repr(apps_of(found)["x"]).replace("client_secret", "")
