"""The web application, put together: everything it needs is handed in."""

from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from outletbot import keys
from outletbot.arrivals import Arrivals
from outletbot.claims import ClaimQueue
from outletbot.clock import Clock
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.hints import Hints
from outletbot.networks import Networks
from outletbot.outside import guarded_session
from outletbot.passwords import Passwords
from outletbot.paying import Paying
from outletbot.payments import Gateways
from outletbot.sealing import Seal
from outletbot.web import (
    desk,
    feed_push,
    health,
    shop,
    shop_webhooks,
    static_files,
    stock_webhook,
    stripe_webhook,
)
from outletbot.web.desk.alarms import read_banner
from outletbot.web.errors import answer_errors
from outletbot.web.guard import add_headers, choose, refuse_forgeries, require_sign_in
from outletbot.web.measures import measure

MIDDLEWARES = (
    measure,
    choose,
    add_headers,
    answer_errors,
    refuse_forgeries,
    require_sign_in,
    read_banner,
)


def build_app(
    settings: Settings,
    database: Database,
    gateways: Gateways,
    *,
    clock: Clock,
    hints: Hints | None = None,
) -> web.Application:
    app = web.Application(
        middlewares=MIDDLEWARES, client_max_size=settings.max_upload_mb * 1024 * 1024
    )
    app[keys.SETTINGS] = settings
    app[keys.DATABASE] = database
    app[keys.GATEWAYS] = gateways
    app[keys.CLOCK] = clock
    app[keys.HINTS] = hints or Hints()
    app[keys.CLAIMS] = ClaimQueue(
        database,
        clock,
        most_per_address=settings.max_holds_per_address,
        hints=app[keys.HINTS],
    )
    app[keys.ARRIVALS] = Arrivals(database, app[keys.HINTS])
    app[keys.PASSWORDS] = Passwords()
    app[keys.SEAL] = Seal(settings.secret_key.get_secret_value())
    app[keys.PAYING] = Paying(database, gateways, clock)
    app.cleanup_ctx.append(_reach_out)
    for routes in (*shop.ROUTES, *desk.ROUTES):
        app.add_routes(routes)
    for module in (
        static_files,
        feed_push,
        health,
        stripe_webhook,
        stock_webhook,
        shop_webhooks,
    ):
        app.add_routes(module.routes)
    shop.prepare(app)
    desk.prepare(app)
    return app


async def _reach_out(app: web.Application) -> AsyncIterator[None]:
    """One guarded client session for everything that calls other networks."""
    settings = app[keys.SETTINGS]
    async with guarded_session(
        allow_private=settings.allow_private_addresses
    ) as session:
        app[keys.NETWORKS] = _networks(app, session)
        yield


def _networks(app: web.Application, session: aiohttp.ClientSession) -> Networks:
    return Networks.of(app[keys.SETTINGS], session, app[keys.SEAL], app[keys.CLOCK])
