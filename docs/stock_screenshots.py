"""The pictures of how stock comes in, and of what is made of it."""

import json
import re
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.async_api import Page
from taking import take

from outletbot.clock import utc_now
from webhooks.signing import sign

FEED = (
    "sku;title;list price;price;cost;quantity\n"
    "FJ-KET-CRE;Whistler kettle 1.8 l, cream;49,00;27,50;14,00;9\n"
    "FJ-NEW-1;Stoneware mug, fog;12,00;7,90;3,10;48\n"
    "FJ-NEW-2;Stoneware mug, moss;12,00;seven;3,10;36\n"
    "FJ-NEW-3;Stoneware bowl, fog;15,00;9,90;4,00;2 boxes\n"
    ";Stoneware plate, fog;9,00;5,90;2,40;20\n"
)
BASIS = "Price tags and the till's records of our shop in Brest."


async def stock_pages(page: Page, url: str, own_shop: str) -> None:
    await feed_check(page, url)
    await feed_sources(page, url)
    await evidence(page, url)
    await week_of_deals(page, url)
    await shops(page, url, own_shop)


async def feed_check(page: Page, url: str) -> None:
    """A file with two bad rows: looked at, and mended in the page."""
    await page.goto(f"{url}/feeds")
    await take(page, "feeds")
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "week-48.csv"
        feed.write_bytes(FEED.encode("cp1252"))
        await page.locator("input[type=file]").set_input_files(feed)
        await page.get_by_role("button", name="Send and look at it").click()
        await page.get_by_role("link", name="Mend them here").wait_for()
    await take(page, "feed-check", whole=True)
    await page.get_by_role("link", name="Mend them here").click()
    await page.get_by_label("Line 4, price").wait_for()
    await take(page, "feed-rows")


async def feed_sources(page: Page, url: str) -> None:
    await page.goto(f"{url}/feeds/sources")
    token = page.locator("form[action$='/tokens']")
    await token.get_by_label("What you call it").fill("The till's nightly list")
    await token.get_by_role("button", name="Make a token").click()
    await page.goto(f"{url}/feeds/sources")
    await take(page, "feed-sources", whole=True)


async def evidence(page: Page, url: str) -> None:
    """What an offer's price before rests on, part of it declared."""
    await page.goto(f"{url}/offers?q=FJ-BPK-FJO")  # which is in a deal
    await page.locator("main a[href^='/offers/']").first.click()
    await page.get_by_role("link", name="Evidence for the price before").click()
    today = utc_now().date()
    await page.get_by_role("textbox", name=re.compile("^Price")).fill("79.90")
    first, last = today - timedelta(days=80), today - timedelta(days=45)
    await page.get_by_label("First day").fill(first.isoformat())
    await page.get_by_label("Last day").fill(last.isoformat())
    await page.get_by_label("How you know").fill(BASIS)
    await page.get_by_role("checkbox", name=re.compile("I declare")).check()
    await page.get_by_role("button", name="Declare").click()
    await page.get_by_text("Declared so far").wait_for()
    await take(page, "evidence", whole=True)


async def week_of_deals(page: Page, url: str) -> None:
    """What to let go first, a week of deals of it, and a price that falls."""
    await page.goto(f"{url}/proposals")
    await take(page, "proposals")
    await page.get_by_role("button", name="Plan those that are ticked").click()
    await page.get_by_role("button", name="Make all of them").wait_for()
    await take(page, "week", whole=True)
    await page.get_by_label("Price of Bothy tent for two, moss").fill("189.00")
    await page.get_by_role("button", name="Make all of them").click()
    tent = page.get_by_role("row", name=re.compile("Bothy tent"))
    await tent.get_by_role("link", name="Let its price fall").click()
    await page.get_by_label(re.compile("^Units sold in an hour")).fill("2")
    await page.get_by_label(re.compile("^More of them")).fill("60")
    await page.get_by_role("button", name="Look at the curve").click()
    await page.get_by_role("heading", name="What it would come to").wait_for()
    await take(page, "markdown", whole=True)


async def shops(page: Page, url: str, own_shop: str) -> None:
    """A shop that sells, one with two places, and something nobody knows."""
    await page.goto(own_shop)
    await page.get_by_role("button", name=re.compile("^Sell one")).first.click()
    await page.goto(f"{url}/shops")
    await page.get_by_label("What it runs on").select_option("generic")
    await page.get_by_label("What you call it").fill("The till in Lyon")
    await page.get_by_role("button", name="Connect").click()
    codes = await page.locator("code").all_inner_texts()
    address = next(code for code in codes if "/webhooks/" in code)
    secret = next(code for code in codes if code.startswith("whsec_"))
    await tell_stock(page, address, secret)
    await page.wait_for_timeout(3_000)  # the worker reads it
    await page.goto(f"{url}/shops")
    await page.get_by_role("link", name="The till in Lyon").click()
    await take(page, "shop", whole=True)
    await page.goto(f"{url}/shops")
    await take(page, "shops", whole=True)


async def tell_stock(page: Page, address: str, secret: str) -> None:
    now = utc_now()
    items = [
        {"sku": "FJ-KET-CRE", "quantity": 6, "location": "Rue Sala"},
        {"sku": "FJ-KET-CRE", "quantity": 3, "location": "Cellar"},
        {"sku": "FJ-GIFT-BOX", "quantity": 40, "location": "Rue Sala"},
    ]
    body = json.dumps(
        {
            "type": "stock.updated",
            "timestamp": now.isoformat(),
            "data": {"items": items},
        }
    )
    headers = sign(f"msg_{secrets.token_hex(8)}", body, secret=secret, now=now)
    said = await page.request.post(address, data=body, headers=headers)
    assert said.ok, await said.text()
