"""The merchant's desk, as a browser sees it: the real application, time at ``NOON``."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from offers.merchants import Merchant, start_sign_in
from outletbot.app import build_app
from outletbot.config import Settings
from outletbot.db import Database
from tests.factories import NOON, make_merchant
from tests.fakes import FakePayments

Client = TestClient[web.Request, web.Application]

FROM_US = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
"""What a browser says of a form on one of our own pages."""


@pytest.fixture
def app(
    settings: Settings, database: Database, payments: FakePayments
) -> web.Application:
    return build_app(settings, database, payments, clock=lambda: NOON)


@pytest.fixture
async def browser(
    aiohttp_client: Callable[..., Awaitable[Client]], app: web.Application
) -> Client:
    """A browser in which nobody is signed in."""
    client: Client = await aiohttp_client(app, headers=FROM_US)
    return client


@pytest.fixture
def ana(session) -> Merchant:
    return make_merchant(session)


@pytest.fixture
async def desk(browser: Client, database: Database, ana: Merchant) -> Client:
    """A browser in which Ana, who owns the retailer ``north``, is signed in."""
    await sign_in(browser, database, ana)
    return browser


async def sign_in(browser: Client, database: Database, merchant: Merchant) -> None:
    token = await database.transact(start_sign_in, merchant, now=NOON)
    browser.session.cookie_jar.update_cookies({"sign_in": token})
