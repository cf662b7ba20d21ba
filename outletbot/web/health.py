"""Health: whether the process lives, whether it can serve, and its measures."""

import asyncio
from http import HTTPStatus

import prometheus_client
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from outletbot.db import ping
from outletbot.keys import DATABASE, STOP
from outletbot.revisions import is_current
from outletbot.web.guard import public

routes = web.RouteTableDef()


@routes.get("/healthz")
@public
async def alive(_request: web.Request) -> web.Response:
    return web.Response(text="ok")


@routes.get("/readyz")
@public
async def ready(request: web.Request) -> web.Response:
    """200 if the database answers within a second, has room and the newest schema.

    A process that was asked to stop is not ready any more.
    """
    if STOP in request.app and request.app[STOP].is_set():
        return _not_ready("this process is about to stop")
    database = request.app[DATABASE]
    try:
        async with asyncio.timeout(1):
            await database.read(ping)
            current = await asyncio.to_thread(is_current, database.engine)
    except (TimeoutError, SQLAlchemyError):
        return _not_ready("the database does not answer")
    if not current:
        return _not_ready("the database is not migrated")
    if database.lacks_room:
        return _not_ready("the database has no room left")
    return web.Response(text="ok")


@routes.get("/metrics")
@public
async def measures(_request: web.Request) -> web.Response:
    """For the machine's own Prometheus: keep it behind the reverse proxy."""
    return web.Response(
        body=prometheus_client.generate_latest(),
        headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
    )


def _not_ready(reason: str) -> web.Response:
    return web.Response(text=reason, status=HTTPStatus.SERVICE_UNAVAILABLE)
