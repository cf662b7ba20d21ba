"""How the pictures in ``docs/images`` are taken: in Chromium, and kept small."""

import io
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

IMAGES = Path(__file__).parent / "images"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 860}
NO_LAZY = "for (const i of document.images) i.loading = 'eager'"


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("Chromium is needed to take pictures: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


async def take(page: Page, name: str, *, whole: bool = False, part: str = "") -> None:
    """Keep a picture of *page* or a *part* as a PNG of few colours, which is small."""
    await page.evaluate(NO_LAZY)
    await page.wait_for_timeout(700)
    if part:
        content = await page.locator(part).screenshot()
    else:
        content = await page.screenshot(full_page=whole)
    taken = Image.open(io.BytesIO(content))
    taken.convert("RGB").quantize(128).save(IMAGES / f"{name}.png", optimize=True)
    print(name)
