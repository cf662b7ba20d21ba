"""The page behind a link: made once for each state of its deal, sent to everybody.

It sets no cookie, reads no database while its snapshot is fresh, and counts a click.
"""

from typing import Any

from aiohttp import web

from outletbot.keys import CLOCK, SETTINGS
from outletbot.web.guard import public
from outletbot.web.shop.answers import (
    A_MOMENT,
    paint,
    send,
    shopper_language,
)
from outletbot.web.shop.calendar_file import calendar_event
from outletbot.web.shop.deal_view import DealView, Refused
from outletbot.web.shop.keys import CLICKS, DEAL_PAGES, DEALS
from outletbot.web.shop.structured_data import structured_data
from outletbot.web.shop.visitors import visitor_of

MAX_QUANTITY = 10

routes = web.RouteTableDef()


def paint_deal(view: DealView, language: str, *, public_url: str) -> str:
    """Return the page for everybody."""
    return _paint(view, language, public_url, "")


@routes.get("/d/{code}")
@public
async def show_deal(request: web.Request) -> web.Response:
    """Send the page, in whatever state the deal is: always 200, so that links live."""
    view = await request.app[DEALS].get(request.match_info["code"])
    request.app[CLICKS].count(view, visitor_of(request))
    language = shopper_language(request, view.seller.language)
    return send(request, request.app[DEAL_PAGES].get(view, language), A_MOMENT)


@routes.get("/d/{code}/deal.ics")
@public
async def send_calendar_event(request: web.Request) -> web.Response:
    """Send the opening as something for the shopper's calendar."""
    view = await request.app[DEALS].get(request.match_info["code"])
    url = f"{request.app[SETTINGS].public_url}/d/{view.code}"
    text = calendar_event(view, url, now=request.app[CLOCK]())
    return web.Response(text=text, content_type="text/calendar", charset="utf-8")


def paint_refused(refused: Refused, language: str, *, public_url: str) -> str:
    """Return the page for everybody who is told the same."""
    return _paint(refused.view, language, public_url, refused.reason)


def _paint(view: DealView, language: str, public_url: str, refusal: str) -> str:
    context = deal_context(view, public_url) | {"refusal": refusal}
    return paint(
        "deal.html", language, public_url=public_url, seller=view.seller, **context
    )


def deal_context(view: DealView, public_url: str) -> dict[str, Any]:
    """Return what the template needs beside the look."""
    most = min(view.limit, MAX_QUANTITY)
    if view.card.stock.exact:
        most = min(most, view.card.stock.left)
    return {
        "deal": view,
        "card": view.card,
        "phase": view.phase.value,
        "quantities": range(1, most + 1),
        "url": f"{public_url}/d/{view.code}",
        "data": structured_data(view, public_url),
    }
