"""
Another server, which answers everything in one way.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer


@asynccontextmanager
async def elsewhere(
    answer: Callable[[web.Request], web.StreamResponse],
) -> AsyncIterator[str]:
    """Run a server that answers with *answer*; yield its address."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/"))
