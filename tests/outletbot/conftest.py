"""The web application, as other machines and browsers reach it, time at ``NOON``."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from outletbot.app import build_app
from outletbot.config import Settings
from outletbot.db import Database
from tests.factories import NOON
from tests.fakes import FakePayments

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def service(
    settings: Settings,
    database: Database,  # before the client, so that it is closed after it
    payments: FakePayments,
    aiohttp_client: Callable[..., Awaitable[Client]],
) -> Client:
    """Who speaks to it says nothing about itself."""
    return await aiohttp_client(
        build_app(settings, database, payments, clock=lambda: NOON)
    )
