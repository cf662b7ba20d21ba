"""
The shop as shoppers meet it: through HTTP, with a clock and a payment provider that do
what the test says.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from outletbot.app import build_app
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.keys import CLOCK, DATABASE
from outletbot.web.shop.deal_view import read_deal
from outletbot.web.shop.keys import DEALS, LIVE, WALLS
from outletbot.web.shop.live import Live
from outletbot.web.shop.snapshots import Snapshots
from outletbot.web.shop.wall import read_wall
from tests.factories import NOON
from tests.fakes import FakePayments

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


Start = Callable[[web.Application], Awaitable[TestClient]]


@dataclass
class StandingClock:
    """Time that passes when it is told to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Shop:
    """A running shop, and a browser that keeps no cookie unless told to."""

    app: web.Application
    client: TestClient

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.client.get(
            path,
            headers={"User-Agent": PHONE, **_dashed(headers)},
            allow_redirects=False,
        )

    async def text(self, path: str, **headers: str) -> str:
        answer = await self.get(path, **headers)
        assert answer.status == 200, (path, answer.status)
        return await answer.text()

    async def post(self, path: str, **fields: Any) -> ClientResponse:
        return await self.client.post(
            path,
            data=fields,
            headers={"User-Agent": PHONE, **SAME_ORIGIN},
            allow_redirects=False,
        )

    async def buy(self, code: str, *, key: str, **fields: Any) -> ClientResponse:
        """Press the button, and follow where it leads within the shop."""
        answer = await self.post(f"/d/{code}/buy", key=key, **fields)
        following = answer.headers.get("Location", "")
        return await self.get(following) if following.endswith("/pay") else answer


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def app(
    settings: Settings, database: Database, payments: FakePayments, clock: StandingClock
) -> web.Application:
    """The whole application, with snapshots that are never a moment old."""
    app = build_app(settings, database, payments, clock=clock)
    at_once = timedelta(0)
    app[DEALS] = Snapshots(app[DATABASE], app[CLOCK], read_deal, every=at_once)
    app[WALLS] = Snapshots(app[DATABASE], app[CLOCK], read_wall, every=at_once)
    app[LIVE] = Live(
        app[DEALS],
        app[CLOCK],
        every=timedelta(milliseconds=10),
        heartbeat=timedelta(milliseconds=200),
    )
    return app


@pytest.fixture
async def shop(
    app: web.Application,
    aiohttp_client: Start,
) -> Shop:
    return Shop(app, await aiohttp_client(app))
