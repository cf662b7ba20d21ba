"""
Who may see and do what: nobody anything, unless it is said here; and nobody what is
another retailer's.
"""

import re
from dataclasses import dataclass
from tempfile import gettempdir

import pytest
from argon2 import PasswordHasher
from sqlmodel import Session, select

from offers.holds import HoldState
from offers.merchants import (
    IDLE,
    Merchant,
    SignIn,
    end_sign_in,
    invite,
    start_sign_in,
)
from offers.posts import PostState
from offers.rehearsals import Rehearsal
from outletbot.app import build_app
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.schema import metadata
from outletbot.web.guard import MACHINES
from tests.factories import (
    KEY,
    NOON,
    SECOND,
    make_account,
    make_deal,
    make_declaration,
    make_delivery,
    make_echo,
    make_hold,
    make_import,
    make_merchant,
    make_offer,
    make_order,
    make_payment_account,
    make_post,
    make_refund,
    make_retailer,
    make_rule,
    make_shop,
    make_source,
    make_week_of,
)
from tests.fakes import FakePayments

PUBLIC = {
    "/",
    "/d/{code}",
    "/d/{code}/buy",
    "/d/{code}/confirm",
    "/d/{code}/deal.ics",
    "/d/{code}/live",
    "/d/{code}/mine",
    "/d/{code}/reserve",
    "/d/{code}/state",
    "/h/{token}",
    "/h/{token}/extend",
    "/h/{token}/line",
    "/h/{token}/paid",
    "/h/{token}/pay",
    "/h/{token}/pickup.ics",
    "/h/{token}/release",
    "/feeds/{retailer}",
    "/feeds/{retailer}/{import_id}",
    "/healthz",
    "/invitations/{token}",
    "/metrics",
    "/o/{slug}",
    "/o/{slug}/feed.atom",
    "/o/{slug}/feed.json",
    "/o/{slug}/state",
    "/orders/{code}",
    "/pictures/{picture_id}.jpg",
    "/pictures/{picture_id}/{kind}.jpg",
    "/readyz",
    "/sign-in",
    "/sign-out",
    "/static/{name}",
    "/webhooks/shops/{shop_id}",
    "/webhooks/stock/{retailer}",
    "/webhooks/stripe",
    "/webhooks/stripe/{account_id}",
}
"""The addresses that need no sign-in, each for a reason."""

SIGNED = {
    "/feeds/{retailer}",
    "/feeds/{retailer}/{import_id}",
    "/webhooks/shops/{shop_id}",
    "/webhooks/stock/{retailer}",
    "/webhooks/stripe",
    "/webhooks/stripe/{account_id}",
}
"""Those where machines come in, whose signature is looked at instead."""

PASSWORD = "correct horse battery staple"
QUICKLY = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

FROM_US = {"Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class Route:
    method: str
    pattern: str
    handler: object

    def __str__(self) -> str:
        return f"{self.method} {self.pattern}"

    def path(self, **ids: str) -> str:
        """Return the address with *ids* in it; what none is given for is ``x``."""
        if "/payments/" in self.pattern:
            ids = {**ids, "account_id": ids["payment_account_id"]}
        return re.sub(
            r"\{(\w+)[^}]*\}", lambda name: ids.get(name[1], "x"), self.pattern
        )

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)", self.pattern)


def every_route() -> list[Route]:
    database = Database.connect(f"sqlite:///{gettempdir()}/never-opened.db")
    app = build_app(
        Settings(secret_key=KEY), database, FakePayments(), clock=lambda: NOON
    )
    database.close()
    return [
        Route(route.method, route.resource.canonical, route.handler)
        for route in app.router.routes()
        if route.resource is not None
    ]


ROUTES = every_route()
PROTECTED = [route for route in ROUTES if route.pattern not in PUBLIC]
WITH_IDS = [route for route in PROTECTED if set(route.names) - {"kind"}]


@pytest.fixture
def ana(session: Session) -> Merchant:
    return make_merchant(session)


@pytest.fixture
def things(session: Session) -> dict[str, str]:
    """One of everything that belongs to the retailer ``north``, by its id's name."""
    account = make_account(session)
    deal = make_deal(session)
    failed = make_post(session, deal, account, state=PostState.FAILED)
    review = make_hold(session, deal, state=HoldState.REVIEW)
    order = make_order(session, deal)
    rehearsal = Rehearsal(
        id="rehearsal_1",
        retailer_id=deal.retailer_id,
        deal_id=deal.id,
        shoppers=10,
        asked_at=NOON,
        due_at=NOON,
    )
    session.add(rehearsal)
    session.commit()
    return {
        "account_id": account.id,
        "code": make_hold(session, deal, state=HoldState.RESERVED).pickup_code or "",
        "deal_id": deal.id,
        "declaration_id": make_declaration(session).id,
        "delivery_id": make_delivery(session).id,
        "echo_id": make_echo(session).id,
        "import_id": make_import(session).id,
        "merchant_id": make_merchant(session, "bob@north.example").id,
        "hold_id": review.id,
        "offer_id": make_offer(session).id,
        "order_id": order.id,
        "payment_account_id": make_payment_account(session).id,
        "refund_id": make_refund(session, failed_at=NOON).id,
        "rehearsal_id": rehearsal.id,
        "rule_id": make_rule(session).id,
        "source_id": make_source(session).id,
        "week_id": make_week_of(session).id,
        "shop_id": make_shop(session).id,
        "post_id": failed.id,
    }


@pytest.fixture
def everything(session: Session) -> "Everything":
    return Everything(session)


@dataclass
class Everything:
    """All rows there are, to see whether any changed."""

    session: Session

    def __call__(self) -> dict[str, list[tuple[object, ...]]]:
        self.session.rollback()
        found = {
            table.name: sorted(
                map(tuple, self.session.execute(table.select())), key=str
            )
            for table in metadata().sorted_tables
            if table.name not in {"sign_in", "sign_in_attempt"}
        }
        self.session.rollback()
        return found


async def sign_in(service, session: Session, merchant: Merchant, *, at=NOON) -> str:
    token = start_sign_in(session, merchant, now=at)
    session.commit()
    service.session.cookie_jar.update_cookies({"sign_in": token})
    return token


class TestEveryRoute:
    def test_is_there(self) -> None:
        assert len(PROTECTED) > 30
        assert {route.pattern for route in ROUTES} >= PUBLIC

    @pytest.mark.parametrize("route", PROTECTED, ids=str)
    async def test_refuses_who_is_not_signed_in(
        self, service, things, everything, route: Route
    ) -> None:
        before = everything()

        answer = await service.request(
            route.method,
            route.path(**things),
            headers=FROM_US,
            allow_redirects=False,
        )

        if route.method in {"GET", "HEAD"}:
            assert answer.status == 303
            assert answer.headers["Location"].startswith("/sign-in?next=/")
        else:
            assert answer.status == 403
        assert everything() == before

    @pytest.mark.parametrize("route", WITH_IDS, ids=str)
    async def test_knows_nothing_of_another_retailers_things(
        self, service, session, things, everything, route: Route
    ) -> None:
        south = make_retailer(session, "south")
        eve = make_merchant(
            session,
            "eve@south.example",
            retailer_id=south.id,
            password_hash=QUICKLY.hash(PASSWORD),
        )
        await sign_in(service, session, eve)
        unknown = set(route.names) - things.keys()
        assert not unknown, f"make {unknown} in the fixture `things`"
        before = everything()

        answer = await service.request(
            route.method,
            route.path(**things),
            headers=FROM_US,
            data=_form() if route.method == "POST" else None,
            allow_redirects=False,
        )

        assert answer.status == 404
        assert everything() == before

    @pytest.mark.parametrize(
        "route",
        [route for route in ROUTES if route.method not in {"GET", "HEAD"}],
        ids=str,
    )
    async def test_takes_no_form_from_another_site(
        self, service, session, ana, things, everything, route: Route
    ) -> None:
        await sign_in(service, session, ana)
        before = everything()

        answer = await service.request(
            route.method,
            route.path(**things),
            headers={"Sec-Fetch-Site": "cross-site"},
            data=_form(),
            allow_redirects=False,
        )

        expected = {400, 401, 404} if route.pattern in SIGNED else {403}
        assert answer.status in expected
        assert everything() == before

    def test_of_machines_is_named_here(self) -> None:
        machines = {route.pattern for route in ROUTES if route.handler in MACHINES}

        assert machines == SIGNED


def _form() -> dict[str, str]:
    """What a form of ours might say; no page reads all of it."""
    return {
        "how": "delete",
        "afterwards": "delete",
        "units": "1",
        "name": "Eve",
        "password": PASSWORD,
        "secret": "whsec_of_eve",
        "note": "No.",
        "seen": "2026-03-02T12:00:00+00:00",
        "to": "2026-03-05T12:00",
    }


class TestSignIn:
    async def test_shows_the_page_to_who_is_signed_in(
        self, service, session, ana
    ) -> None:
        await sign_in(service, session, ana)

        answer = await service.get("/summary", allow_redirects=False)

        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert "North" in await answer.text()

    async def test_leads_back_to_where_somebody_wanted_to_go(self, service) -> None:
        answer = await service.get("/deals/deal_1", allow_redirects=False)

        assert answer.headers["Location"] == "/sign-in?next=/deals/deal_1"

    @pytest.mark.parametrize(
        "cookie", ["", "x", "\udcff\udcfe", "a" * 4_000, '"', "sign_in=; sign_in=x"]
    )
    async def test_is_not_made_of_any_cookie(self, service, cookie) -> None:
        answer = await service.get(
            "/summary", headers={"Cookie": f"sign_in={cookie}"}, allow_redirects=False
        )

        assert answer.status == 303

    async def test_ends_when_it_is_not_used(self, service, session, ana) -> None:
        await sign_in(service, session, ana, at=NOON - IDLE - SECOND)

        answer = await service.get("/summary", allow_redirects=False)

        assert answer.status == 303

    async def test_goes_on_while_it_is_used(self, service, session, ana) -> None:
        await sign_in(service, session, ana, at=NOON - IDLE)

        await service.get("/summary")

        session.rollback()
        assert session.exec(select(SignIn.seen_at)).one() == NOON

    async def test_ends_when_somebody_signs_out(self, service, session, ana) -> None:
        token = await sign_in(service, session, ana)
        end_sign_in(session, token)
        session.commit()

        answer = await service.get("/summary", allow_redirects=False)

        assert answer.status == 303

    async def test_is_no_matter_where_there_is_no_page(self, service) -> None:
        answer = await service.get("/nothing/here", allow_redirects=False)

        assert answer.status == 404


class TestForgery:
    @pytest.mark.parametrize(
        ("headers", "let_in"),
        [
            ({"Sec-Fetch-Site": "same-origin"}, True),
            ({"Sec-Fetch-Site": "none"}, True),
            ({"Sec-Fetch-Site": "same-site"}, False),
            ({"Sec-Fetch-Site": "cross-site"}, False),
            ({"Sec-Fetch-Site": ""}, False),
            (
                {"Sec-Fetch-Site": "cross-site", "Origin": "http://outlet.example"},
                False,
            ),
            ({"Origin": "http://outlet.example"}, True),
            ({"Origin": "http://outlet.example.evil.example"}, False),
            ({"Origin": "http://evil.example"}, False),
            ({"Origin": "null"}, False),
            ({"Origin": "http://[evil"}, False),
            ({"Referer": "http://outlet.example/sign-in"}, True),
            ({"Referer": "http://evil.example/?http://outlet.example/"}, False),
            (
                {"Origin": "http://evil.example", "Referer": "http://outlet.example/"},
                False,
            ),
            ({}, False),
        ],
        ids=str,
    )
    async def test_is_told_by_where_the_form_was(
        self, service, headers, let_in
    ) -> None:
        answer = await service.post("/sign-out", headers=headers, allow_redirects=False)

        assert answer.status == (303 if let_in else 403)

    async def test_is_no_matter_for_who_only_looks(self, service) -> None:
        answer = await service.get("/sign-in", headers={"Sec-Fetch-Site": "cross-site"})

        assert answer.status == 200

    async def test_is_no_matter_for_machines(self, service) -> None:
        body = {"id": "evt_1", "type": "x", "created": 1, "data": {"object": {}}}

        answer = await service.post(
            "/webhooks/stripe", json=body, headers={"Stripe-Signature": "signed"}
        )

        assert answer.status == 204


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/sign-in", "/summary", "/nothing", "/healthz", "/d/nothing"]
    )
    async def test_tell_the_browser_to_run_nothing_but_our_own(
        self, service, path
    ) -> None:
        answer = await service.get(path, allow_redirects=False)

        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Referrer-Policy" in answer.headers

    async def test_have_another_nonce_each_time(self, service) -> None:
        policies = [
            (await service.get("/sign-in")).headers["Content-Security-Policy"]
            for _ in range(2)
        ]

        nonces = [re.findall(r"script-src 'nonce-([\w-]+)'", one) for one in policies]
        assert nonces[0] != nonces[1]
        assert all(len(nonce[0]) >= 22 for nonce in nonces)

    async def test_allow_the_scripts_that_are_in_the_page(self, service) -> None:
        answer = await service.get("/sign-in")

        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        (nonce,) = re.findall(r"script-src 'nonce-([\w-]+)'", policy)
        for tag in re.findall(r"<(?:script|style)[^>]*>", page):
            assert f'nonce="{nonce}"' in tag
        assert not re.findall(r"\son\w+=", page)
        assert not re.findall(r"""(?:src|href)="(?:https?:)?//""", page)


class TestUnderHttps:
    @pytest.fixture
    async def secure(
        self, aiohttp_client, settings: Settings, database: Database
    ) -> object:
        settings = settings.model_copy(update={"public_url": "https://outlet.example"})
        app = build_app(settings, database, FakePayments(), clock=lambda: NOON)
        return await aiohttp_client(app)

    async def test_cookies_are_pinned_to_this_host(self, secure, session, ana) -> None:
        token = invite(session, ana, now=NOON)
        session.commit()

        answer = await secure.post(
            f"/invitations/{token}", headers=FROM_US, allow_redirects=False
        )

        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-sign_in=")
        flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= flags
        assert not any(flag.startswith("domain") for flag in flags)

    async def test_the_plain_cookie_is_not_taken(self, secure, session, ana) -> None:
        token = await sign_in(secure, session, ana)
        secure.session.cookie_jar.clear()

        plain = await secure.get(
            "/summary", headers={"Cookie": f"sign_in={token}"}, allow_redirects=False
        )
        pinned = await secure.get(
            "/summary",
            headers={"Cookie": f"__Host-sign_in={token}"},
            allow_redirects=False,
        )

        assert (plain.status, pinned.status) == (303, 200)

    async def test_browsers_are_told_to_stay_there(self, secure, service) -> None:
        over_https = await secure.get("/healthz")
        over_http = await service.get("/healthz")

        assert over_https.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "Strict-Transport-Security" not in over_http.headers


def test_no_table_has_rows_that_belong_to_nobody() -> None:
    """What a merchant can ask for by id is asked for with their retailer's id."""
    # An account of the provider may be the whole house's.
    houses = {"account_balance", "payment_pace", "reading", "worker_beat"}
    free = {"retailer", "alembic_version", "sign_in_attempt"} | houses
    tables = [table for table in metadata().sorted_tables if table.name not in free]

    assert [table.name for table in tables if "retailer_id" not in table.columns] == []
