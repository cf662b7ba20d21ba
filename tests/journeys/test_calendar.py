"""
A merchant moves a deal in the calendar of a real browser: with the mouse, in quarters
of an hour, or with the keyboard alone; with a script or without.
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Locator, Page, async_playwright, expect
from sqlmodel import Session

from offers.deals import Deal
from offers.merchants import start_sign_in
from outletbot.app import build_app
from outletbot.config import Settings
from outletbot.db import Database
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_deal,
    make_merchant,
    north,
    post_of,
)
from tests.fakes import FakePayments

pytestmark = pytest.mark.browser

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
PARIS = ZoneInfo("Europe/Paris")
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

Open = Callable[..., Awaitable[Page]]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if BROWSER is None:
        if os.getenv("OUTLETBOT_REQUIRE_BROWSER"):
            pytest.fail("there is no Chromium")
        pytest.skip("there is no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"]
        )
        yield browser
        await browser.close()


@pytest.fixture
async def opened(
    settings: Settings,
    database: Database,
    payments: FakePayments,
    session: Session,
    browser: Browser,
) -> AsyncIterator[Open]:
    """Opens the calendar for Ana, and complains of what went wrong in the browser."""
    app = build_app(settings, database, payments, clock=lambda: NOON)
    ana = make_merchant(session)
    token = await database.transact(start_sign_in, ana, now=NOON)
    troubles: list[str] = []

    def note(message: Any) -> None:
        if "Content Security Policy" in message.text:
            troubles.append(message.text)

    async with TestServer(app, host="127.0.0.1") as server:
        origin = str(server.make_url("")).rstrip("/")

        async def open_page(path: str = "/calendar", **facts: Any) -> Page:
            facts = {"viewport": DESK, **facts}
            context = await browser.new_context(base_url=origin, **facts)
            await context.add_cookies(
                [{"name": "sign_in", "value": token, "url": origin}]
            )
            page = await context.new_page()
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("console", note)
            await page.goto(path)
            return page

        yield open_page
    assert troubles == []


def planned(session: Session, opens_at: datetime = NOON + DAY) -> Deal:
    """Make a deal in Paris, for two hours; Paris is an hour ahead in winter."""
    north(session).time_zone = "Europe/Paris"
    session.commit()
    return make_deal(
        session, opens_at=opens_at, closes_at=opens_at + 2 * HOUR, title="Warm parka"
    )


def opening(session: Session, deal: Deal) -> datetime:
    session.rollback()
    session.refresh(deal)
    assert post_of(session, deal).first_due_at == deal.opens_at
    assert deal.closes_at == deal.opens_at + 2 * HOUR
    return deal.opens_at


async def hold(page: Page, bar: Locator, line: Locator, share: float) -> None:
    """Drag a bar sideways by a *share* of a day onto a line, and do not let go."""
    box, there = await bar.bounding_box(), await line.bounding_box()
    assert box is not None
    assert there is not None
    x, y = box["x"] + 4, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    to = (x + share * there["width"], there["y"] + there["height"] / 2)
    await page.mouse.move(x + 5, y + 2)
    await page.mouse.move(*to, steps=5)
    await page.mouse.move(*to)


async def test_a_bar_is_dragged_to_another_hour_and_back(
    opened: Open, session: Session
) -> None:
    deal = planned(session)
    page = await opened()
    line = page.locator(".line").nth(1)

    await hold(page, line.get_by_text("Warm parka"), line, 3 / 24)
    await expect(line).to_have_attribute("data-at", "16:00")
    await page.mouse.up()

    await expect(page.get_by_text("opens Tue 3 Mar, 16:00 now")).to_be_visible()
    assert opening(session, deal) == NOON + DAY + 3 * HOUR
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("opens Tue 3 Mar, 13:00 now")).to_be_visible()
    assert opening(session, deal) == NOON + DAY


async def test_a_bar_is_dragged_to_another_day_in_quarters_of_an_hour(
    opened: Open, session: Session
) -> None:
    deal = planned(session, NOON + DAY + 7 * MINUTE)
    page = await opened()
    bar = page.locator(".line").nth(1).get_by_text("Warm parka")

    await hold(page, bar, page.locator(".line").nth(4), 0)
    await page.mouse.up()

    await expect(page.get_by_text("opens Fri 6 Mar, 13:00 now")).to_be_visible()
    assert opening(session, deal) == NOON + 4 * DAY


@pytest.mark.parametrize(("day", "winter"), [("2026-03-29", 0), ("2026-10-25", 1)])
async def test_a_bar_lands_where_the_clock_says_when_the_clocks_change(
    opened: Open, session: Session, day: str, winter: int
) -> None:
    """From 18:00 to 12:00 it is six hours on a day of 23 and one of 25 as well."""
    evening = datetime.fromisoformat(f"{day}T18:00").replace(tzinfo=PARIS)
    deal = planned(session, evening.astimezone(UTC))
    page = await opened(f"/calendar?view=day&day={day}")
    line = page.locator(".line")

    await hold(page, line.get_by_text("Warm parka"), line, -6 / (23 + 2 * winter))
    await page.mouse.up()

    await expect(page.get_by_text(", 12:00 now")).to_be_visible()
    assert opening(session, deal) == evening.astimezone(UTC) - 6 * HOUR


async def test_a_drop_where_something_clashes_is_asked_about(
    opened: Open, session: Session
) -> None:
    deal = planned(session)
    page = await opened()
    line = page.locator(".line").nth(1)

    await hold(page, line.get_by_text("Warm parka"), line, -10 / 24)
    await page.mouse.up()

    await expect(page.get_by_text("when most people sleep")).to_be_visible()
    assert opening(session, deal) == NOON + DAY
    await page.get_by_role("link", name="Leave it where it is").click()
    await expect(page.get_by_role("heading", name="Calendar")).to_be_visible()
    assert opening(session, deal) == NOON + DAY


async def test_a_drag_that_is_given_up_moves_nothing(
    opened: Open, session: Session
) -> None:
    deal = planned(session)
    page = await opened()
    line = page.locator(".line").nth(1)

    await hold(page, line.get_by_text("Warm parka"), line, 3 / 24)
    await page.mouse.move(5, 5, steps=3)
    await page.mouse.up()

    assert opening(session, deal) == NOON + DAY
    assert "moved" not in page.url


async def test_the_keyboard_alone_moves_it(opened: Open, session: Session) -> None:
    deal = planned(session)
    page = await opened()

    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    label = await page.evaluate("document.activeElement.labels[0].textContent")
    to_the_day_and_the_hour = ["ArrowRight", "ArrowUp", *["ArrowRight"] * 2]
    for key in (*to_the_day_and_the_hour, *["ArrowUp"] * 5, "Enter"):
        await page.keyboard.press(key)

    assert label == "Opening (Europe/Paris)"
    await expect(page.get_by_text("opens Wed 4 Mar, 18:00 now")).to_be_visible()
    assert opening(session, deal) == datetime(2026, 3, 4, 17, tzinfo=UTC)


async def test_it_is_a_list_on_a_phone_and_moves_without_a_script(
    opened: Open, session: Session
) -> None:
    deal = planned(session)
    page = await opened(viewport=PHONE, java_script_enabled=False)

    await expect(page.locator(".hours")).to_be_hidden()
    width = await page.locator("html").bounding_box()
    assert width is not None
    assert width["width"] <= PHONE["width"]
    await page.get_by_text("Move to another time").click()
    await page.get_by_label("Opening (Europe/Paris)").fill("2026-03-05T19:15")
    await page.get_by_role("button", name="Move", exact=True).click()

    await expect(page.get_by_text("opens Thu 5 Mar, 19:15 now")).to_be_visible()
    assert opening(session, deal) == datetime(2026, 3, 5, 18, 15, tzinfo=UTC)
