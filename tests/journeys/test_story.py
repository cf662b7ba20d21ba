"""
The whole story in a real browser: a merchant signs in, sends a feed, arms a deal; two
shoppers buy on their phones; the last unit goes, and page, post and summary say so.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from outletbot.clock import utc_now
from tests.journeys.town import TOKEN, Town, built, chromium

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
FEED = """sku;title;list price;price;cost;quantity
NB-1;"Enamel kettle, moss";49,90;39,90;18,00;2
NB-2;"Wool blanket, rust";89,00;69,00;31,50;12
NB-3;"A row to mend";10,00;nine;1,00;4
"""


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with built(tmp_path) as town:
        yield town


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def test_from_a_feed_to_sold_out(
    town: Town, browser: Browser, tmp_path: Path
) -> None:
    desk = await _new_page(await browser.new_context())
    await _sign_in(desk, town)
    await _connect_mastodon(desk, town)
    await _send_feed(desk, town, tmp_path)
    await _arm_deal(desk)
    await desk.goto(f"{town.url}/summary")
    await expect(desk.get_by_text("0 / 2")).to_be_visible()

    first = await _phone(browser)
    await _buy(first, town)
    await expect(desk.get_by_text("1 / 2")).to_be_visible(timeout=15_000)

    late = await _phone(browser)
    await late.goto(first_link := await _link_on_the_wall(late, town))
    second = await _phone(browser)
    await _buy(second, town)

    await expect(late.get_by_text("Sold out").first).to_be_visible(timeout=15_000)
    await expect(desk.get_by_text("2 / 2")).to_be_visible(timeout=15_000)
    await expect(desk.get_by_text("€69.80").first).to_be_visible()
    await _expect_post(town, "SOLD OUT")
    assert await late.evaluate("location.href") == first_link


async def test_a_shopper_without_javascript_buys(
    town: Town, browser: Browser, tmp_path: Path
) -> None:
    desk = await _new_page(await browser.new_context())
    await _sign_in(desk, town)
    await _send_feed(desk, town, tmp_path)
    await _arm_deal(desk)

    plain = await browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = await plain.new_page()
    await page.goto(await _link_on_the_wall(page, town))
    await page.get_by_role("button", name=re.compile("^Buy")).click()
    await page.get_by_role("button").first.click()
    await _pay(page)

    await expect(page).to_have_url(re.compile("/orders/"))
    assert len(town.stripe.account().all("payment_intent")) == 1


async def test_the_back_button_leads_to_the_same_hold(
    town: Town, browser: Browser, tmp_path: Path
) -> None:
    desk = await _new_page(await browser.new_context())
    await _sign_in(desk, town)
    await _send_feed(desk, town, tmp_path)
    await _arm_deal(desk)

    phone = await _phone(browser)
    await phone.goto(await _link_on_the_wall(phone, town))
    await phone.get_by_role("button", name=re.compile("^Buy")).click()
    await phone.wait_for_url(re.compile("/c/pay/"))
    payment_page = phone.url
    await phone.go_back()
    await phone.get_by_role("button", name=re.compile("^Buy")).click()
    await phone.wait_for_url(re.compile("/c/pay/"))

    assert phone.url == payment_page


async def _new_page(context: BrowserContext) -> Page:
    """A page whose console stays silent: nothing is blocked, nothing fails."""
    page = await context.new_page()

    def complain(words: str) -> None:
        pytest.fail(f"the browser's console says: {words}")

    page.on("pageerror", lambda error: complain(str(error)))
    return page


async def _phone(browser: Browser) -> Page:
    context = await browser.new_context(
        viewport=PHONE,
        is_mobile=True,
        has_touch=True,
        user_agent="Mozilla/5.0 (iPhone)",
    )
    return await _new_page(context)


async def _sign_in(desk: Page, town: Town) -> None:
    owner = ("--owner", "ana@north.test", "--language", "en")
    said = await town.run("add-retailer", "north", "North", *owner)
    link = re.search(r"http\S+", said)
    assert link
    await desk.goto(link.group())
    await desk.get_by_role("button", name="Sign me in").click()
    await desk.get_by_label("Password").fill("a long password")
    await desk.get_by_role("button", name="Keep this password").click()
    await desk.get_by_role("button", name="Sign out").click()
    await desk.goto(f"{town.url}/sign-in")
    await desk.get_by_label("E-mail").fill("ana@north.test")
    await desk.get_by_label("Password").fill("a long password")
    await desk.get_by_role("button", name="Sign in").click()
    await expect(desk).to_have_url(f"{town.url}/summary")


async def _connect_mastodon(desk: Page, town: Town) -> None:
    await desk.goto(f"{town.url}/channels/connect/mastodon")
    form = desk.locator("form", has=desk.get_by_label("Access token"))
    await form.get_by_label("Server").fill(town.mastodon_url)
    await form.get_by_label("Access token").fill(TOKEN)
    await form.get_by_role("button", name="Connect").click()
    await expect(
        desk.get_by_role("heading", name=re.compile("^Mastodon "))
    ).to_be_visible()


async def _send_feed(desk: Page, town: Town, folder: Path) -> None:
    feed = folder / "surstock.csv"
    feed.write_bytes(FEED.encode("cp1252"))
    await desk.goto(f"{town.url}/feeds")
    await desk.locator("input[type=file]").set_input_files(feed)
    await desk.get_by_role("button", name="Send and look at it").click()
    confirm = desk.get_by_role("button", name="Import 2 rows").first
    await expect(confirm).to_be_visible(timeout=20_000)
    await expect(desk.get_by_text("nine").first).to_be_visible()
    async with desk.expect_response(lambda answer: "/feeds/" in answer.url):
        await confirm.click()
    await desk.wait_for_load_state()
    for _ in range(50):
        # What the click leads to may come after this, and take its place.
        await desk.goto(f"{town.url}/offers")
        if await desk.get_by_text("Enamel kettle, moss").count():
            break
        await desk.wait_for_timeout(200)
    await expect(desk.get_by_text("Enamel kettle, moss").first).to_be_visible()


async def _arm_deal(desk: Page) -> None:
    await desk.get_by_role("link", name="Enamel kettle, moss").first.click()
    await desk.get_by_role("link", name="Make a deal").click()
    await desk.get_by_label("Price (EUR)").fill("34,90")
    await desk.get_by_label("Units").fill("2")
    ends = utc_now() + timedelta(hours=6)
    await desk.get_by_label(re.compile("^End")).fill(f"{ends:%Y-%m-%dT%H:%M}")
    await desk.get_by_role("button", name="Preview").click()
    await expect(desk.get_by_text("€16.90").first).to_be_visible()  # the margin
    await desk.get_by_role("button", name="Arm the deal").click()
    await expect(desk).to_have_url(re.compile("/deals/deal_"))


async def _link_on_the_wall(page: Page, town: Town) -> str:
    """Wait until the wall shows the deal open, as its followers do."""
    for _ in range(100):
        await page.goto(f"{town.url}/o/north")
        if await page.get_by_text("On now").count():
            break
        await page.wait_for_timeout(100)
    address = await page.locator("a[href*='/d/']").first.get_attribute("href")
    assert address
    return address if address.startswith("http") else f"{town.url}{address}"


async def _buy(phone: Page, town: Town) -> None:
    await phone.goto(await _link_on_the_wall(phone, town))
    await phone.get_by_role("button", name=re.compile("^Buy")).tap()
    await _pay(phone)
    await expect(phone).to_have_url(re.compile("/orders/"))
    await expect(phone.get_by_text("Enamel kettle, moss").first).to_be_visible()


async def _pay(page: Page) -> None:
    await page.wait_for_url(re.compile("/c/pay/"), timeout=15_000)
    await page.get_by_role("button", name=re.compile("^Pay ")).first.click()
    await page.wait_for_url(re.compile("/orders/|/paid"), timeout=15_000)


async def _expect_post(town: Town, words: str) -> None:
    for _ in range(100):
        statuses = list(town.mastodon.statuses.values())
        assert len(statuses) == 1
        if words in statuses[0].now.text:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"the post never said {words}")
