"""The shopper's pages: from a link in a post to an order.

answers          one look, one policy, bytes made once
cards, deal_view, hold_view, wall    what pages show, read in one go
snapshots        read once for everybody who asks
live             told to everybody who has the page open
shoppers         known by a cookie
fast_lane        the page and the button, before all else: fast_page, fast_buying
deal_page        GET  /d/{code}              the page behind a link
live_page        GET  /d/{code}/live, /state how the deal stands
buying           POST /d/{code}/buy          a hold, then the payment page
                 GET  /d/{code}/confirm      asks first where no script runs
                 GET  /d/{code}/mine         back to what a shopper holds or bought
refusing         why there is none
hold_page        /h/{token}                  while a shopper pays
reserved_page    GET  /h/{token}             what is shown in the store
order_page       GET  /orders/{code}         what was bought
outlet_page      GET  /o/{slug}, /           the wall and its feeds
picture_file     GET  /pictures/{id}.jpg
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import partial

from aiohttp import web

from outletbot.keys import (
    CLOCK,
    DATABASE,
    HINTS,
    PAYING,
    SEAL,
    SETTINGS,
)
from outletbot.web.shop import (
    buying,
    deal_page,
    hold_page,
    live_page,
    order_page,
    outlet_page,
    picture_file,
    reserved_page,
)
from outletbot.web.shop.answers import Pages
from outletbot.web.shop.click_buffer import ClickBuffer
from outletbot.web.shop.deal_view import read_deal
from outletbot.web.shop.keys import (
    CLICKS,
    DEAL_PAGES,
    DEALS,
    LIVE,
    OPENINGS,
    PICTURES,
    REFUSED_PAGES,
    SHOPPERS,
    WALL_PAGES,
    WALLS,
)
from outletbot.web.shop.live import Live
from outletbot.web.shop.openings import Openings
from outletbot.web.shop.pictures import Pictures
from outletbot.web.shop.shoppers import Shoppers
from outletbot.web.shop.snapshots import Snapshots
from outletbot.web.shop.wall import read_wall

ROUTES: Sequence[web.RouteTableDef] = (
    deal_page.routes,
    live_page.routes,
    buying.routes,
    hold_page.routes,
    reserved_page.routes,
    order_page.routes,
    outlet_page.routes,
    picture_file.routes,
)


def prepare(app: web.Application) -> None:
    """Give *app*, which has the rest already, what the pages need."""
    database, clock = app[DATABASE], app[CLOCK]
    public_url = app[SETTINGS].public_url
    app[DEALS] = Snapshots(database, clock, read_deal)
    app[DEAL_PAGES] = Pages(partial(deal_page.paint_deal, public_url=public_url))
    refused = partial(deal_page.paint_refused, public_url=public_url)
    app[REFUSED_PAGES] = Pages(refused)
    app[WALLS] = Snapshots(database, clock, read_wall)
    app[WALL_PAGES] = Pages(partial(outlet_page.paint_wall, public_url=public_url))
    app[LIVE] = Live(app[DEALS], clock, app[HINTS])
    app[CLICKS] = ClickBuffer(database, clock)
    app[SHOPPERS] = Shoppers(app[SETTINGS], app[SEAL], clock)
    app[PICTURES] = Pictures(database)
    app[picture_file.FITTED] = picture_file.Fitted()
    app[OPENINGS] = Openings(app[PAYING], database)
    app.cleanup_ctx.extend([_count_clicks, _finish_openings])
    app.on_shutdown.append(_send_listeners_away)


async def _count_clicks(app: web.Application) -> AsyncIterator[None]:
    writing = asyncio.create_task(app[CLICKS].run())
    yield
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    await app[CLICKS].flush()


async def _finish_openings(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[OPENINGS].finish()


async def _send_listeners_away(app: web.Application) -> None:
    app[LIVE].close()
