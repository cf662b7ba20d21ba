"""A browser: a shopper's phone, with its own address and cookies.

Requests are those that a browser sends for the shop's own pages. Connections are
shared, as they are behind a proxy, which also tells whose request it is.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from yarl import URL

from outletbot.rehearsing.diary import Diary, Kind

PATIENCE = aiohttp.ClientTimeout(total=20)
ENDLESS = aiohttp.ClientTimeout(total=None, sock_connect=20)
REFRESH = re.compile(r'http-equiv="refresh" content="(\d+); url=([^"]+)"')
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)


class Lost(Exception):
    """No answer came, or not all of it: it may have been done or not."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer; *location* is where it leads to, if it leads somewhere."""

    status: int
    text: str
    location: str = ""
    retry_after: float = 1.0

    @property
    def busy(self) -> bool:
        return self.status == HTTPStatus.SERVICE_UNAVAILABLE

    @property
    def failed(self) -> bool:
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not self.busy

    @property
    def refresh(self) -> tuple[float, str] | None:
        """After how many seconds the page goes on by itself, and to where."""
        found = REFRESH.search(self.text)
        return (float(found[1]), found[2]) if found else None


class Browser:
    def __init__(
        self, http: aiohttp.ClientSession, base: str, number: int, diary: Diary
    ) -> None:
        self._http = http
        self._base = base
        self._diary = diary
        self._cookies: dict[str, str] = {}
        self._headers = {
            "User-Agent": PHONE,
            "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "fr-FR,fr;q=0.9" if number % 3 else "en-GB,en;q=0.9",
            "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}"
            f".{number & 255}",
        }

    async def get(self, address: str, kind: Kind = Kind.OTHER) -> Page:
        """Load a page.

        Raises:
            Lost: If no answer came, or one that says that the shop is broken.
        """
        site = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
        return await self._ask("GET", address, kind, site)

    async def post(
        self, address: str, form: Mapping[str, str], kind: Kind = Kind.OTHER
    ) -> Page:
        """Send a form of the page's own site.

        Raises:
            Lost: If no answer came, or one that says that the shop is broken.
        """
        site = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
        return await self._ask("POST", address, kind, site, form)

    async def events(self, path: str) -> AsyncGenerator[str, None]:
        """Yield the data of server-sent events until they end.

        Raises:
            Lost: If the connection broke off, or was refused.
        """
        headers = {**self._headers, "Accept": "text/event-stream"}
        try:
            async with self._http.get(
                f"{self._base}{path}", headers=headers, timeout=ENDLESS
            ) as response:
                if response.status != HTTPStatus.OK:
                    raise Lost(str(response.status))
                async for line in response.content:
                    if line.startswith(b"data: "):
                        yield line[6:].decode().strip()
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(str(error)) from error

    async def _ask(
        self,
        method: str,
        address: str,
        kind: Kind,
        site: Mapping[str, str],
        form: Mapping[str, str] | None = None,
    ) -> Page:
        headers = {**self._headers, **site}
        if self._cookies:
            kept = self._cookies.items()
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept)
        began = time.perf_counter()
        try:
            async with self._http.request(
                method,
                self._at(address),
                data=form,
                headers=headers,
                allow_redirects=False,
                timeout=PATIENCE,
            ) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._diary.counts["broken_off"] += 1
            raise Lost(str(error)) from error
        self._diary.note(kind, (time.perf_counter() - began) * 1_000)
        self._keep_cookies(response)
        page = Page(
            response.status,
            text,
            response.headers.get("Location", ""),
            float(response.headers.get("Retry-After", "1")),
        )
        if page.failed:
            self._diary.counts["failed"] += 1
            raise Lost(str(page.status))
        return page

    def _at(self, address: str) -> URL:
        """Return a path at our own door, whichever process that is, or an address."""
        full = address if address.startswith("http") else f"{self._base}{address}"
        return URL(full, encoded=True)

    def _keep_cookies(self, response: aiohttp.ClientResponse) -> None:
        for name, morsel in response.cookies.items():
            self._cookies[name] = morsel.value


async def rest(seconds: float) -> None:
    """Do nothing for a while."""
    await asyncio.sleep(max(0.0, seconds))
