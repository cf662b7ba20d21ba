"""
A town to tell stories in: the real service in processes of its own, a Stripe and a
Mastodon to practise on, and a browser.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, async_playwright

from outletbot.clock import utc_now
from outletbot.demo.running import free_ports
from outletbot.processes import serving
from outletbot.sandbox import mastodon, stripe
from outletbot.sandbox.mastodon_state import MastodonSandbox
from outletbot.sandbox.stripe_state import StripeSandbox
from outletbot.sealing import new_key

HOST = "127.0.0.1"
TOKEN = "the-outlets-token"
WHSEC = "whsec_journey"


@dataclass(frozen=True, slots=True)
class Town:
    """*run* is the command line of this installation."""

    url: str
    env: dict[str, str]
    mastodon_url: str
    mastodon: MastodonSandbox
    stripe: StripeSandbox

    async def run(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "outletbot",
            *words,
            env=self.env,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0
        return said.decode()


@asynccontextmanager
async def built(folder: Path) -> AsyncIterator[Town]:
    """Build a town in *folder*; nothing of it is left running."""
    first = 20_000 + os.getpid() * 8 % 10_000  # another run's town is elsewhere
    shop, stripe_port, mastodon_port = free_ports(first, 3)
    url = f"http://{HOST}:{shop}"
    stripe_app = stripe.build_stripe_sandbox(
        clock=utc_now,
        webhook_url=f"{url}/webhooks/stripe",
        webhook_secret=WHSEC,
        public_url=f"http://{HOST}:{stripe_port}",
        api_key="sk_test_journey",
    )
    mastodon_app = mastodon.build_mastodon_sandbox(
        clock=utc_now,
        public_url=f"http://{HOST}:{mastodon_port}",
        accounts=[mastodon.Account("north", TOKEN)],
    )
    town = Town(
        url=url,
        env=_environment(folder, shop, stripe_port),
        mastodon_url=f"http://{HOST}:{mastodon_port}",
        mastodon=mastodon_app[mastodon.SANDBOX],
        stripe=stripe_app[stripe.SANDBOX],
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(stripe_app, HOST, stripe_port))
        await stack.enter_async_context(serving(mastodon_app, HOST, mastodon_port))
        await stack.enter_async_context(_service(town))
        yield town


def _environment(folder: Path, port: int, stripe_port: int) -> dict[str, str]:
    return {
        "PATH": os.getenv("PATH", ""),
        "DATABASE_URL": f"sqlite:///{folder / 'outletbot.db'}",
        "PUBLIC_URL": f"http://{HOST}:{port}",
        "PORT": str(port),
        "SECRET_KEY": new_key(),
        "STRIPE_API_KEY": "sk_test_journey",
        "STRIPE_WEBHOOK_SECRET": WHSEC,
        "STRIPE_API_BASE": f"http://{HOST}:{stripe_port}",
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "LOG_FORMAT": "json",
    }


@asynccontextmanager
async def _service(town: Town) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "outletbot", "serve", env=town.env
    )
    try:
        await _until_ready(town.url, process)
        yield
    finally:
        with suppress(ProcessLookupError):  # it may have died: then see its words
            process.terminate()
        assert await asyncio.wait_for(process.wait(), timeout=30) == 0


async def _until_ready(url: str, process: asyncio.subprocess.Process) -> None:
    async with aiohttp.ClientSession() as http:
        for _ in range(600):
            assert process.returncode is None, "the service ended instead of serving"
            if await _is_ready(http, url):
                return
            await asyncio.sleep(0.1)
    pytest.fail("the service was not ready within a minute")


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/readyz") as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start the machine's own Chromium, or skip."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.getenv("OUTLETBOT_REQUIRE_BROWSER"):
            pytest.fail("there is no Chromium, and OUTLETBOT_REQUIRE_BROWSER is set")
        pytest.skip("there is no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()
