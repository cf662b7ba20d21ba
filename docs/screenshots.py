"""Makes ``docs/images``: every page of the demo as its users see it, in Chromium."""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urljoin

from PIL import Image
from playwright.async_api import Browser, Page
from stock_screenshots import stock_pages
from taking import DESK, IMAGES, PHONE, chromium, take


@dataclass(frozen=True, slots=True)
class Demo:
    outlet: str
    sign_in: str
    mastodon: str
    networks: str
    stripe: str
    own_shop: str

    @property
    def url(self) -> str:
        return self.outlet.partition("/o/")[0]


async def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with running_demo() as demo, chromium() as browser:
        await shopper_pages(browser, demo)
        await merchant_pages(browser, demo)
    join_front()


@asynccontextmanager
async def running_demo() -> AsyncIterator[Demo]:
    """Start the demo in a folder of its own, and wait for its addresses."""
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "outletbot", "demo"),
            *("--port", "24100", "--folder", folder),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        said = b""
        while b"Ctrl-C" not in said:
            said += await process.stdout.readline()
        await asyncio.sleep(2)
        try:
            yield Demo(*re.findall(r"http\S+", said.decode()))
        finally:
            process.terminate()
            await process.wait()


async def shopper_pages(browser: Browser, demo: Demo) -> None:
    context = await browser.new_context(
        viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    page = await context.new_page()
    await page.goto(demo.outlet)
    await take(page, "outlet-phone", whole=True)
    links = await page.eval_on_selector_all("a[href*='/d/']", "all=>all.map(a=>a.href)")
    for link, name in zip(
        links,
        ("deal-page-phone", "deal-scheduled-phone", "deal-sold-out-phone"),
        strict=False,
    ):
        await page.goto(link)
        await take(page, name)
    await page.goto(links[0])
    await page.get_by_role("button", name=re.compile("^Buy")).click()
    await page.wait_for_url(re.compile("/c/pay/"))
    await take(page, "payment-phone")
    back = await page.get_by_role("link").first.get_attribute("href")
    payment = page.url
    if back:
        await page.goto(back)
        await take(page, "hold-phone")
    await page.goto(payment)
    await page.get_by_role("button", name=re.compile("^Pay ")).first.click()
    await page.wait_for_url(re.compile("/orders/"))
    await take(page, "order-phone")
    await page.goto(demo.mastodon)
    await take(page, "mastodon-phone")


async def merchant_pages(browser: Browser, demo: Demo) -> None:
    context = await browser.new_context(viewport=DESK, locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{demo.url}/sign-in")
    await take(page, "sign-in")
    await page.goto(demo.sign_in)
    await page.get_by_role("button", name="Sign me in").click()
    for path in ("summary", "deals", "offers", "deliveries", "settings"):
        await page.goto(f"{demo.url}/{path}")
        await take(page, path)
    for path in ("calendar", "channels"):  # of these one ends soon, one is broken
        await page.goto(f"{demo.url}/{path}")
        await take(page, path, whole=True)
    await page.goto(f"{demo.url}/summary")
    await page.get_by_role("link", name="Whistler kettle").first.click()
    await take(page, "deal-summary", whole=True)
    await deal_planning(page, demo)
    await stock_pages(page, demo.url, demo.own_shop)
    await money(page, demo)
    await rehearsal(page, demo)
    await paid_in_the_store(browser, page, demo)


async def deal_planning(page: Page, demo: Demo) -> None:
    await page.goto(f"{demo.url}/offers?q=FJ-BLA-FOR")
    blanket = page.get_by_role("link", name=re.compile("blanket", re.IGNORECASE))
    await blanket.first.click()
    await take(page, "offer")
    await page.get_by_role("link", name="Make a deal").click()
    price = page.get_by_label(re.compile("^Price"))
    hint = await page.get_by_text("what the shop charges").first.inner_text()
    shop = float(re.findall(r"[\d.]+", hint)[0])
    await price.fill(f"{shop * 0.75:.2f}")
    await page.get_by_role("button", name="Preview").click()
    await take(page, "deal-planning", whole=True)
    await page.get_by_role("button", name="All networks").click()
    await page.locator("#posts").get_by_text("X", exact=True).first.wait_for()
    await take(page, "deal-networks", part="#posts")


async def money(page: Page, demo: Demo) -> None:
    """An order and its refund, looked at before it is given; the books; who is paid."""
    await page.goto(f"{demo.url}/sales")
    await page.locator("main a[href^='/sales/order_']").first.click()
    await page.get_by_label(re.compile("^Note")).fill("The strap was torn.")
    await page.get_by_role("button", name="See what happens").click()
    await take(page, "order", whole=True)
    await page.goto(f"{demo.url}/ledger")
    await take(page, "ledger")
    await page.goto(f"{demo.url}/settings/payments")
    await take(page, "payments", whole=True)


async def rehearsal(page: Page, demo: Demo) -> None:
    await page.goto(f"{demo.url}/summary")
    await page.get_by_role("link", name="Whistler kettle").first.click()
    await page.get_by_role("link", name="Rehearse").click()
    await page.get_by_label(re.compile("^Shoppers")).fill("60")
    await page.get_by_role("button", name="Start the rehearsal").click()
    await page.get_by_text("Units over time").first.wait_for(timeout=300_000)
    await take(page, "rehearsal", whole=True)


async def paid_in_the_store(browser: Browser, page: Page, demo: Demo) -> None:
    """A deal that may be reserved; a shopper's code; and the merchant's phone."""
    await page.goto(f"{demo.url}/offers?q=FJ-LAM-SAG")
    await page.locator("main a[href^='/offers/']").first.click()
    await page.get_by_role("link", name="Make a deal").click()
    hint = await page.get_by_text("what the shop charges").first.inner_text()
    price = float(re.findall(r"[\d.]+", hint)[0]) * 0.7
    await page.get_by_label(re.compile("^Price")).fill(f"{price:.2f}")
    await page.get_by_label("Online, or reserved and paid in the store").check()
    ends = await page.get_by_label(re.compile("^End")).input_value()
    await page.get_by_label(re.compile("^Kept in the store")).fill(ends)
    await page.get_by_role("button", name="Arm the deal").click()
    await page.wait_for_url(re.compile("/deals/deal_"))
    link = await page.locator("a[href*='/d/']").first.get_attribute("href")
    context = await browser.new_context(
        viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    phone = await context.new_page()
    await phone.goto(urljoin(demo.url, link))
    await phone.get_by_role("button", name=re.compile("^Reserve")).first.click()
    code = (await phone.locator("code").first.inner_text()).replace(" ", "")
    await take(phone, "reserved-phone")
    await page.set_viewport_size(PHONE)
    await page.goto(f"{demo.url}/redeem/{code}")
    await take(page, "redeem-phone")


def join_front() -> None:
    """The picture at the top of the README: phone, summary, post."""
    names = ("deal-page-phone", "summary", "mastodon-phone")
    pictures = [Image.open(IMAGES / f"{name}.png").convert("RGB") for name in names]
    height, gap = 720, 24
    shown = [p.resize((round(p.width * height / p.height), height)) for p in pictures]
    width = sum(p.width for p in shown) + gap * (len(shown) + 1)
    front = Image.new("RGB", (width, height + 2 * gap), "#e7e2d6")
    left = gap
    for picture in shown:
        front.paste(picture, (left, gap))
        left += picture.width + gap
    front.quantize(128).save(IMAGES / "front.png", optimize=True)


if __name__ == "__main__":
    asyncio.run(main())
