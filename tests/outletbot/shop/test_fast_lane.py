"""
The fast lane answers as the normal way does, to the letter, only sooner.
"""

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from sqlmodel import Session, col, select

from offers.claim_rows import Granted
from offers.claims import Claim
from offers.clicks import Click, Visitor
from offers.deals import Deal
from offers.holds import Hold
from offers.merchants import start_sign_in
from outletbot.app import build_app
from outletbot.claim_lines import Busy
from outletbot.claims import ClaimQueue
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.keys import CLAIMS, CLOCK, DATABASE
from outletbot.web.shop.answers import Pages
from outletbot.web.shop.deal_view import Refused, read_deal
from outletbot.web.shop.fast_lane import open_fast_lane
from outletbot.web.shop.keys import CLICKS, DEALS, REFUSED_PAGES
from outletbot.web.shop.snapshots import Snapshots
from tests.factories import (
    HOUR,
    NOON,
    SECOND,
    make_deal,
    make_hold,
    make_merchant,
    post_of,
)
from tests.fakes import FakePayments
from tests.outletbot.shop.conftest import PHONE, StandingClock

KEY = "0b6f2c1e-9a4d-4f6b-8f0e-3a5f9c2d7e11"
KNOWN = "s" * 26
FORM = "application/x-www-form-urlencoded"
MINE = {"Sec_Fetch_Site": "same-origin", "Content_Type": FORM}


class Answer(NamedTuple):
    """What came over the wire, but for its date."""

    status: int
    lines: list[str]
    body: bytes

    def header(self, name: str) -> str:
        start = f"{name}: ".lower()
        found = [line for line in self.lines if line.lower().startswith(start)]
        return found[0][len(start) :] if found else ""


class Way:
    """One way to an application.

    *served* is what went the normal way, and *meanwhile* what happens then.
    """

    def __init__(self, app: web.Application) -> None:
        self.app = app
        self.port = 0
        self.served: list[str] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def ask(
        self,
        path: str,
        method: str = "GET",
        body: str = "",
        version: str = "1.1",
        **headers: str,
    ) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"{method} {path} HTTP/{version}", "Host: outlet.example"]
        known = {"User_Agent": PHONE, "Content_Length": str(len(body))}
        for name, value in {**known, **headers}.items():
            lines.append(f"{name.replace('_', '-')}: {value}")
        writer.write("\r\n".join([*lines, "", body]).encode())
        async with asyncio.timeout(60):
            answer = await _read(reader, method)
        writer.close()
        await writer.wait_closed()
        return answer

    async def buy(self, code: str, body: str, **headers: str) -> Answer:
        return await self.ask(f"/d/{code}/buy", "POST", body, **(MINE | headers))


async def _read(reader: asyncio.StreamReader, method: str) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    rest = [line for line in head if not line.startswith("Date: ")]
    answer = Answer(int(head[0].split()[1]), sorted(rest), b"")
    length = 0 if method == "HEAD" else int(answer.header("Content-Length") or 0)
    return answer._replace(body=await reader.readexactly(length))


@asynccontextmanager
async def serving(app: web.Application, *, fast: bool) -> AsyncIterator[Way]:
    way, runner = Way(app), web.AppRunner(app, access_log=None)
    await runner.setup()
    assert runner.server
    normal = runner.server.request_handler

    async def note(request: web.BaseRequest) -> web.StreamResponse:
        way.served.append(f"{request.method} {request.path_qs}")
        answer = await normal(request)
        if way.meanwhile:
            await way.meanwhile()
        return answer

    runner.server.request_handler = note
    if fast:
        open_fast_lane(runner)
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        way.port = runner.addresses[0][1]
        yield way
    finally:
        await runner.cleanup()


class Town(NamedTuple):
    """Two processes of one installation."""

    fast: Way
    normal: Way


@asynccontextmanager
async def _town(
    settings: Settings, database: Database, clock: StandingClock
) -> AsyncIterator[Town]:
    settings = settings.model_copy(update={"trusted_proxies": 1})
    async with (
        serving(_app(settings, database, clock), fast=True) as fast,
        serving(_app(settings, database, clock), fast=False) as normal,
    ):
        yield Town(fast, normal)


def _app(
    settings: Settings, database: Database, clock: StandingClock
) -> web.Application:
    """An application whose snapshots last until the clock ends them."""
    app = build_app(settings, database, FakePayments(), clock=clock)
    app[DEALS] = Snapshots(app[DATABASE], app[CLOCK], read_deal, every=HOUR)
    return app


@pytest.fixture
async def town(
    settings: Settings, database: Database, clock: StandingClock
) -> AsyncIterator[Town]:
    async with _town(settings, database, clock) as town:
        yield town


@pytest.fixture
def deal(session: Session) -> Deal:
    return make_deal(session, allotment=9)


@pytest.fixture
def code(session: Session, deal: Deal) -> str:
    return post_of(session, deal).code


def roomy(session: Session) -> Deal:
    return make_deal(session, limit_per_shopper=9)


def holds(session: Session) -> list[Hold]:
    session.rollback()
    return list(session.exec(select(Hold).order_by(col(Hold.held_at))))


ASKED: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("", {"Accept_Language": "fr-CA, en;q=0.5"}),
    ("", {"Accept_Language": "*"}),
    ("", {"Accept_Encoding": "br, gzip"}),
    ("", {"Accept_Encoding": "identity"}),
    ("", {"If_None_Match": '"something-else"'}),
    ("", {"If_None_Match": "*"}),
    ("", {"If_None_Match": "no tag at all"}),
    ("", {"User_Agent": ""}),
    ("?fbclid=IwAR0", {}),
    ("?utm_source=x&utm_medium=y", {"Accept_Encoding": "gzip"}),
]
UNUSUAL: list[tuple[str, dict[str, str]]] = [
    ("?lang=fr", {}),
    ("?l%61ng=fr", {}),
    ("", {"Connection": "close"}),
    ("", {"version": "1.0"}),
    ("", {"version": "1.0", "Connection": "keep-alive"}),
    ("", {"method": "HEAD"}),
    ("", {"method": "PUT"}),
    ("", {"Expect": "something else"}),
    ("", {"Cookie": "sign_in=stale"}),
    ("/", {}),
    ("/nowhere", {}),
    ("/buy", {}),
    ("0", {}),
    ("%30", {}),
]


class TestPage:
    @pytest.mark.parametrize(("more", "asked"), ASKED, ids=str)
    async def test_is_the_same_the_first_time_and_again(
        self, town: Town, code: str, more: str, asked: dict[str, str]
    ) -> None:
        await town.fast.ask(f"/d/{code}")  # reads the deal

        first = await town.fast.ask(f"/d/{code}{more}", **asked)
        town.fast.served.clear()
        again = await town.fast.ask(f"/d/{code}{more}", **asked)
        normal = await town.normal.ask(f"/d/{code}{more}", **asked)

        assert first == normal
        assert again == normal
        assert town.fast.served == []

    @pytest.mark.parametrize(("more", "asked"), UNUSUAL, ids=str)
    async def test_is_the_same_for_who_asks_in_an_unusual_way(
        self, town: Town, code: str, more: str, asked: dict[str, str]
    ) -> None:
        await town.fast.ask(f"/d/{code}")
        await town.fast.ask(f"/d/{code}")
        town.fast.served.clear()

        fast = await town.fast.ask(f"/d/{code}{more}", **asked)
        normal = await town.normal.ask(f"/d/{code}{more}", **asked)

        assert fast == normal
        assert len(town.fast.served) == 1

    async def test_is_squeezed_and_in_the_language_asked_for(
        self, town: Town, code: str
    ) -> None:
        asked = {"Accept_Language": "fr", "Accept_Encoding": "gzip"}
        for _ in range(3):
            answer = await town.fast.ask(f"/d/{code}", **asked)

        assert len(town.fast.served) == 2  # one reads the deal, one makes the page
        assert '<html lang="fr"' in gzip.decompress(answer.body).decode()

    async def test_is_not_sent_to_who_has_it(self, town: Town, code: str) -> None:
        tag = (await town.fast.ask(f"/d/{code}")).header("ETag")
        await town.fast.ask(f"/d/{code}", If_None_Match=tag)
        town.fast.served.clear()

        again = await town.fast.ask(f"/d/{code}", If_None_Match=tag)

        assert again == await town.normal.ask(f"/d/{code}", If_None_Match=tag)
        assert (again.status, again.body, town.fast.served) == (304, b"", [])

    async def test_changes_at_the_instant_the_deal_opens(
        self, town: Town, session: Session, clock: StandingClock
    ) -> None:
        deal = make_deal(session, opens_at=NOON + SECOND, closes_at=NOON + HOUR)
        path = f"/d/{post_of(session, deal).code}"
        before = [await town.fast.ask(path) for _ in range(3)][-1]

        clock.advance(SECOND)
        after = await town.fast.ask(path)

        assert b'data-phase="scheduled"' in before.body
        assert b'data-phase="open"' in after.body

    async def test_changes_with_the_reading(
        self, town: Town, code: str, deal: Deal, session: Session
    ) -> None:
        before = [await town.fast.ask(f"/d/{code}") for _ in range(3)][-1]
        make_hold(session, deal)

        await town.fast.app[DEALS].get_now(code)
        after = await town.fast.ask(f"/d/{code}")

        assert b"9 left" in before.body
        assert b"8 left" in after.body

    async def test_is_not_kept_if_the_deal_may_be_another_meanwhile(
        self, town: Town, code: str, deal: Deal, session: Session
    ) -> None:
        deals = town.fast.app[DEALS]
        await deals.get(code)
        make_hold(session, deal)

        town.fast.meanwhile = partial(deals.get_now, code)
        before = await town.fast.ask(f"/d/{code}")
        town.fast.meanwhile = None
        after = await town.fast.ask(f"/d/{code}")

        assert b"9 left" in before.body
        assert b"8 left" in after.body

    async def test_of_a_signed_in_merchant_goes_the_normal_way(
        self, town: Town, code: str, session: Session
    ) -> None:
        token = start_sign_in(session, make_merchant(session), now=NOON)
        session.commit()
        cookie = f"shopper={KNOWN}; sign_in={token}"

        answers = [await town.fast.ask(f"/d/{code}", Cookie=cookie) for _ in range(3)]

        assert len(town.fast.served) == 3
        assert answers[-1] == await town.normal.ask(f"/d/{code}", Cookie=cookie)

    async def test_counts_each_click(
        self, town: Town, code: str, session: Session
    ) -> None:
        for _ in range(4):
            await town.fast.ask(f"/d/{code}?fbclid=1")
        for _ in range(3):
            await town.fast.ask(f"/d/{code}", User_Agent="Twitterbot/1.0")
        await town.fast.app[CLICKS].flush()

        rows = session.exec(select(Click.visitor, Click.count)).all()
        assert dict(rows) == {Visitor.PERSON: 4, Visitor.ROBOT: 3}

    async def test_counts_each_request(self, town: Town, code: str) -> None:
        labels = {"method": "GET", "route": "/d/{code}", "status": "200"}
        before = _sample("outletbot_requests_total", labels)
        timed = _sample("outletbot_request_seconds_count", {"route": "/d/{code}"})

        for _ in range(5):
            await town.fast.ask(f"/d/{code}")

        assert _sample("outletbot_requests_total", labels) == before + 5
        route = {"route": "/d/{code}"}
        assert _sample("outletbot_request_seconds_count", route) == timed + 5

    async def test_may_be_kept_by_a_cache_for_a_moment(
        self, town: Town, code: str
    ) -> None:
        answer = [await town.fast.ask(f"/d/{code}") for _ in range(3)][-1]

        policy = answer.header("Cache-Control")
        assert policy.startswith("public, max-age=0, s-maxage=1,")
        assert "stale-while-revalidate" in policy
        assert "stale-if-error" in policy
        assert answer.header("Vary") == "Accept-Language, Accept-Encoding"
        assert answer.header("Set-Cookie") == ""


def _sample(name: str, labels: dict[str, str]) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


FORMS: list[tuple[str, dict[str, str]]] = [
    (f"key={KEY}", {}),
    (f"key={KEY}&quantity=1", {}),
    (f"key={KEY}&quantity=09", {}),
    (f"key={KEY}&quantity=1", {"Cookie": f"shopper={KNOWN}; theme=dark"}),
    (f"key={KEY}&quantity=1", {"Cookie": "shopper=guessed"}),
    (f"key={KEY}&quantity=1", {"Sec_Fetch_Site": "none"}),
    (f"key={KEY}&quantity=1", {"Accept_Language": "fr", "X_Forwarded_For": "1.2.3.4"}),
]
ODD_FORMS: list[tuple[str, dict[str, str]]] = [
    (f"quantity=1&key={KEY}", {}),
    (f"key={KEY}&quantity=1&more=1", {}),
    (f"key={KEY}&quantity=1", {"Content_Type": FORM + "; charset=utf-8"}),
    (f"key={KEY}&quantity=1", {"Sec_Fetch_Site": "cross-site"}),
    (f"key={KEY}&quantity=1", {"Sec_Fetch_Site": "", "Origin": "http://evil.example"}),
    (f"key={KEY}&quantity=0", {}),
    (f"key={KEY}&quantity=11", {}),
    (f"key={KEY}&quantity=", {}),
    (f"key={KEY}&quantity=two", {}),
    ("key=&quantity=0", {}),
    ("quantity=99", {}),
    ("key=%C3%A9", {"Accept": "application/json"}),
    (f"key={KEY}&pad={'x' * 300}", {}),
    (f'{{"key": "{KEY}"}}', {"Content_Type": "application/json"}),
    (f"key={KEY}", {"Cookie": f"shopper={KNOWN}; sign_in=x"}),
    (f"key={KEY}", {"version": "1.0"}),
]


def _like(answer: Answer) -> Answer:
    """*answer* without what is made up anew each time."""
    lines = [re.sub(r"(/h/|shopper=|key=)\w+", r"\1…", line) for line in answer.lines]
    return answer._replace(lines=lines)


class TestBuying:
    @pytest.mark.parametrize(("form", "asked"), FORMS, ids=str)
    async def test_leads_on_as_the_normal_way_does(
        self, town: Town, session: Session, form: str, asked: dict[str, str]
    ) -> None:
        codes = [post_of(session, roomy(session)).code for _ in range(2)]
        await town.fast.app[DEALS].get(codes[0])

        fast = await town.fast.buy(codes[0], form, **asked)
        normal = await town.normal.buy(codes[1], form, **asked)

        one, other = holds(session)
        assert town.fast.served == []
        assert _like(fast) == _like(normal)
        assert fast.status == 303
        assert {fast.header("Location"), normal.header("Location")} == {
            f"/h/{one.token}/pay",
            f"/h/{other.token}/pay",
        }
        assert _facts(one) == _facts(other)

    @pytest.mark.parametrize(("form", "asked"), ODD_FORMS, ids=str)
    async def test_leaves_what_is_odd_to_the_normal_way(
        self, town: Town, session: Session, form: str, asked: dict[str, str]
    ) -> None:
        codes = [post_of(session, roomy(session)).code for _ in range(2)]
        await town.fast.app[DEALS].get(codes[0])

        fast = await town.fast.buy(codes[0], form, **asked)
        normal = await town.normal.buy(codes[1], form, **asked)

        assert len(town.fast.served) == 1
        assert fast.status == normal.status
        assert [line.partition(":")[0] for line in fast.lines] == [
            line.partition(":")[0] for line in normal.lines
        ]
        assert len(holds(session)) in {0, 2}

    async def test_the_same_key_leads_to_the_same_hold_either_way(
        self, town: Town, code: str, session: Session
    ) -> None:
        headers = {"Cookie": f"shopper={KNOWN}", "X_Forwarded_For": "203.0.113.7"}
        await town.fast.app[DEALS].get(code)

        answers = [
            await way.buy(code, f"key={KEY}&quantity=1", **headers)
            for way in (town.fast, town.normal, town.fast)
        ]

        [hold] = holds(session)
        assert {answer.header("Location") for answer in answers} == {
            f"/h/{hold.token}/pay"
        }
        assert hold.shopper == KNOWN
        assert hold.address


class Watched(ClaimQueue):
    """Counts what it is asked, and answers with *trouble* if it has one."""

    asked = 0
    trouble: Exception | None = None

    async def claim(self, claim: Claim) -> Granted:
        self.asked += 1
        if self.trouble:
            raise self.trouble
        return await super().claim(claim)


class TestRefusals:
    @pytest.fixture
    def painted(self) -> list[Refused]:
        return []

    @pytest.fixture
    async def fast(
        self, app: web.Application, painted: list[Refused]
    ) -> AsyncIterator[Way]:
        paint = app[REFUSED_PAGES]._paint  # noqa: SLF001  (what would be painted)

        def note(refused: Refused, language: str) -> str:
            painted.append(refused)
            return paint(refused, language)

        app[REFUSED_PAGES] = Pages(note)
        app[DEALS] = Snapshots(app[DATABASE], app[CLOCK], read_deal, every=HOUR)
        app[CLAIMS] = Watched(app[DATABASE], app[CLOCK])
        async with serving(app, fast=True) as way:
            yield way

    async def test_are_said_the_normal_way_and_the_claim_is_made_once(
        self, fast: Way, town: Town, session: Session
    ) -> None:
        deal = make_deal(session, allotment=1)
        make_hold(session, deal)
        code = post_of(session, deal).code
        await fast.app[DEALS].get(code)

        refused = await fast.buy(code, f"key={KEY}")

        assert refused == await town.normal.buy(code, f"key={KEY}")
        assert (refused.status, fast.app[CLAIMS].asked) == (409, 1)

    async def test_a_limit_leads_back_to_what_is_held(
        self, fast: Way, session: Session
    ) -> None:
        deal = make_deal(session, limit_per_shopper=1)
        hold = make_hold(session, deal, shopper=KNOWN)
        code = post_of(session, deal).code
        await fast.app[DEALS].get(code)

        answer = await fast.buy(code, f"key={KEY}", Cookie=f"shopper={KNOWN}")

        assert answer.header("Location") == f"/h/{hold.token}"

    async def test_say_when_to_come_back_in_the_shoppers_language(
        self, fast: Way, code: str
    ) -> None:
        fast.app[CLAIMS].trouble = Busy(7)
        await fast.app[DEALS].get(code)

        english = await fast.buy(code, f"key={KEY}")
        french = await fast.buy(code, f"key={KEY}", Accept_Language="fr")

        assert {english.status, french.status} == {503}
        assert english.header("Retry-After") == "7"
        assert b"your turn in about 7 s" in english.body
        assert b'<html lang="fr"' in french.body

    async def test_are_json_to_who_asks_for_that(self, fast: Way, code: str) -> None:
        fast.app[CLAIMS].trouble = Busy(7)
        await fast.app[DEALS].get(code)

        answer = await fast.buy(code, f"key={KEY}", Accept="application/json")

        assert (answer.status, answer.header("Retry-After")) == (503, "7")
        assert json.loads(answer.body) == {
            "error": "busy",
            "message": "Very busy just now: your turn in about 7 s.",
        }

    async def test_a_bug_of_ours_is_told_as_everywhere(
        self, fast: Way, code: str
    ) -> None:
        fast.app[CLAIMS].trouble = KeyError("the secret ingredient")
        await fast.app[DEALS].get(code)

        answer = await fast.buy(code, f"key={KEY}", Accept="text/html")

        assert answer.status == 500
        assert b"Something went wrong on our side" in answer.body
        assert b"secret" not in answer.body

    async def test_are_painted_once_for_all_who_are_told_the_same(
        self, fast: Way, painted: list[Refused], session: Session
    ) -> None:
        deal = make_deal(session, allotment=1)
        make_hold(session, deal)
        code = post_of(session, deal).code

        answers = [await fast.buy(code, f"key={KEY}-{n}") for n in range(5)]

        assert len({answer.body for answer in answers}) == 1
        assert len(painted) == 1


class TestUnderHttps:
    async def test_the_answers_are_the_same_too(
        self,
        settings: Settings,
        database: Database,
        clock: StandingClock,
        session: Session,
        code: str,
    ) -> None:
        other = post_of(session, make_deal(session, allotment=9)).code
        settings = settings.model_copy(update={"public_url": "https://outlet.example"})
        async with _town(settings, database, clock) as town:
            pages = [await town.fast.ask(f"/d/{code}") for _ in range(3)]
            page = await town.normal.ask(f"/d/{code}")
            fast = await town.fast.buy(code, f"key={KEY}")
            normal = await town.normal.buy(other, f"key={KEY}")

        assert pages[-1] == page
        assert _like(fast) == _like(normal)
        assert pages[-1].header("Strict-Transport-Security")
        assert fast.header("Set-Cookie").startswith("__Host-shopper=")
        assert "Secure" in fast.header("Set-Cookie")


async def test_an_application_without_a_shop_has_none() -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    assert runner.server
    normal = runner.server.request_handler

    open_fast_lane(runner)

    assert runner.server.request_handler == normal
    await runner.cleanup()


def _facts(hold: Hold) -> tuple[object, ...]:
    """What is the same of two holds taken in the same way."""
    named = hold.shopper if hold.shopper == KNOWN else "somebody"
    return named, hold.key, hold.quantity, hold.address, hold.state, hold.expires_at
