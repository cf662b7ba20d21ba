from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import stripe
from pytest_aiohttp.plugin import AiohttpServer

from tests.outletbot.sandbox.stripe_stage import Stage, set_stage

SetStage = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def stripe_stages(aiohttp_server: AiohttpServer) -> AsyncIterator[SetStage]:
    opened: list[Any] = []

    def keep(client: Any) -> Any:
        opened.append(client)
        return client

    async def make(**options: Any) -> Stage:
        return await set_stage(aiohttp_server, keep, **options)

    yield make
    for client in opened:
        if isinstance(client, aiohttp.ClientSession):
            await client.close()
        elif isinstance(client, stripe.AIOHTTPClient):
            await client.close_async()


@pytest.fixture
async def stage(stripe_stages: SetStage) -> Stage:
    return await stripe_stages()
