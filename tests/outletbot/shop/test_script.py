"""
The script of the shopper's pages, in a real browser at the size of a phone.
"""

import os
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import ConsoleMessage, Page, async_playwright
from sqlmodel import Session, select

from offers.checkouts import Checkout
from offers.deals import Deal
from offers.holds import Hold
from outletbot.app import build_app
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from tests.factories import make_deal, make_hold, post_of
from tests.fakes import FakePayments

pytestmark = pytest.mark.browser

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
MINUTE = timedelta(minutes=1)


class PageOfItsOwn(FakePayments):
    """A provider with a page that a browser can really go to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page

    async def create(self, hold: Hold) -> Checkout:
        checkout = await super().create(hold)
        return self.change(checkout.id, url=f"{self.page}/pay/{hold.id}")


@pytest.fixture
async def provider() -> AsyncIterator[str]:
    """The address of a payment page that says nothing."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="<title>Payment</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def origin(
    settings: Settings, database: Database, provider: str
) -> AsyncIterator[str]:
    """The shop with the real clock, which a browser has too."""
    settings = settings.model_copy(update={"stripe_api_base": provider})
    app = build_app(settings, database, PageOfItsOwn(provider), clock=utc_now)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def phone(origin: str) -> AsyncIterator[Page]:
    """A page that complains of errors and of what the policy had to stop."""
    if BROWSER is None:
        if os.getenv("OUTLETBOT_REQUIRE_BROWSER"):
            pytest.fail("there is no Chromium")
        pytest.skip("there is no Chromium on this machine")
    troubles: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            troubles.append(message.text)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"]
        )
        page = await browser.new_page(
            base_url=origin, viewport={"width": 390, "height": 844}
        )
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", note)
        yield page
        await browser.close()
    assert troubles == []


def hold(session: Session, deal: Deal, quantity: int) -> Hold:
    """Hold units as another shopper would."""
    post = post_of(session, deal)
    session.commit()
    return make_hold(session, deal, quantity=quantity, post_id=post.id)


def open_deal(session: Session, **facts: object) -> tuple[Deal, str]:
    now = utc_now()
    deal = make_deal(
        session,
        **{
            "opens_at": now - MINUTE,
            "opened_at": now - MINUTE,
            "closes_at": now + 30 * MINUTE,
            "closed_at": None,
            **facts,
        },
    )
    address = f"/d/{post_of(session, deal).code}"
    session.commit()  # the shop writes too, and what was read before is then too old
    return deal, address


async def test_the_button_is_in_the_first_screen_and_big_enough(
    phone: Page, session: Session
) -> None:
    _, address = open_deal(session, pitch="A few words about it. " * 20)

    await phone.goto(address)
    box = await phone.get_by_role("button", name="Buy for").bounding_box()

    assert box is not None
    assert box["height"] >= 48
    assert box["y"] + box["height"] <= 844


async def test_a_double_tap_and_the_way_back_lead_to_one_hold(
    phone: Page, session: Session
) -> None:
    _, address = open_deal(session)

    await phone.goto(address)
    await phone.get_by_role("button", name="Buy for").dblclick()
    await phone.wait_for_url("**/pay/*")
    await phone.go_back()
    await phone.get_by_role("button", name="Buy for").click()
    await phone.wait_for_url("**/pay/*")

    session.rollback()
    assert len(session.exec(select(Hold)).all()) == 1


async def test_stock_changes_without_a_reload(phone: Page, session: Session) -> None:
    deal, address = open_deal(session, allotment=5)
    await phone.goto(address)
    await phone.get_by_text("5 left").wait_for()
    await phone.evaluate("window.unharmed = true")

    hold(session, deal, 2)
    await phone.get_by_text("3 left").wait_for()

    assert await phone.get_by_text("2 held by others").is_visible()
    assert await phone.evaluate("window.unharmed")


async def test_shows_a_price_that_fell_by_itself(phone: Page, session: Session) -> None:
    deal, address = open_deal(session, allotment=5)
    await phone.goto(address)
    await phone.get_by_text("5 left").wait_for()

    deal.price_amount = 4_490
    session.add(deal)
    session.commit()

    button = phone.get_by_role("button", name="Buy for €44.90")
    await button.wait_for(timeout=15_000)


async def test_opens_by_itself(phone: Page, session: Session) -> None:
    soon = utc_now() + timedelta(seconds=9)
    _, address = open_deal(session, opens_at=soon, opened_at=None)

    await phone.goto(address)
    counted = await phone.get_by_role("timer").inner_text()
    await phone.get_by_role("button", name="Buy for").wait_for(timeout=20_000)

    assert counted.startswith("00:0")


async def test_opens_by_itself_on_a_phone_whose_clock_is_fast(
    phone: Page, session: Session
) -> None:
    soon = utc_now() + timedelta(seconds=2)
    _, address = open_deal(session, opens_at=soon, opened_at=None)

    await phone.add_init_script("const real = Date.now; Date.now = () => real() + 6e5")
    await phone.goto(address)

    await phone.get_by_role("button", name="Buy for").wait_for(timeout=15_000)


async def test_a_page_of_a_refusal_goes_on_to_the_deal(
    phone: Page, session: Session
) -> None:
    deal, address = open_deal(session, allotment=1)
    await phone.goto(address)
    theirs = hold(session, deal, 1)
    await phone.get_by_role("button", name="Buy for").click()
    await phone.get_by_role("alert").wait_for()

    session.delete(theirs)
    deal.held = 0
    session.add(deal)
    session.commit()

    await phone.get_by_role("button", name="Buy for").wait_for(timeout=10_000)
    assert phone.url.endswith(address)


async def test_buys_without_script(phone: Page, origin: str, session: Session) -> None:
    _, address = open_deal(session)
    assert phone.context.browser is not None
    plain = await phone.context.browser.new_page(
        base_url=origin, java_script_enabled=False
    )

    await plain.goto(address)
    await plain.get_by_role("button", name="Buy for").click()
    await plain.get_by_role("button", name="Hold mine and pay").click()
    await plain.wait_for_url("**/pay/*")
    await plain.go_back()
    await plain.get_by_role("button", name="Hold mine and pay").click()
    await plain.wait_for_url("**/pay/*")

    session.rollback()
    assert len(session.exec(select(Hold)).all()) == 1
