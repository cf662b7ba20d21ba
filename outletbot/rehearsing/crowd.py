"""The crowd: all shoppers at once, each on their own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from outletbot.rehearsing.browser import Browser, Lost
from outletbot.rehearsing.diary import Diary
from outletbot.rehearsing.nature import Nature, Paying, natures
from outletbot.rehearsing.payer import Payer
from outletbot.rehearsing.shopper import Shopper, Show


@dataclass(slots=True)
class Crowd:
    """*size* shoppers from a *seed*; each process of *bases* gets as many as another.

    *gone* is how many have come, done what they wanted and left.
    """

    size: int
    seed: int
    bases: Sequence[str]
    show: Show
    diary: Diary
    gone: int = field(default=0, init=False)

    async def come(self) -> None:
        """Let everybody come; return when the last one has left."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        jar = aiohttp.DummyCookieJar()  # each browser keeps its own
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=jar) as http,
            asyncio.TaskGroup() as group,
        ):
            for nature in natures(self.size, self.seed):
                group.create_task(self._come(nature, http))

    async def _come(self, nature: Nature, http: aiohttp.ClientSession) -> None:
        base = self.bases[nature.number % len(self.bases)]
        browser = Browser(http, base, nature.number, self.diary)
        shopper = Shopper(nature, browser, self.diary, self.show)
        try:
            token = await shopper.visit()
            if token:
                paying = Paying.AT_ONCE if shopper.waited else nature.paying
                payer = Payer(nature, browser, self.diary, self.show)
                await payer.use(token, paying)
        except Lost:
            self.diary.counts["lost_patience"] += 1
        finally:
            self.gone += 1
