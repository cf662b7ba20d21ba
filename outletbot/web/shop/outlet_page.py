"""The outlet page: a retailer's wall, and the feeds to follow it by."""

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from aiohttp import hdrs, web

from offers.retailers import retailers
from outletbot.keys import CLOCK, DATABASE, LANGUAGE, SETTINGS
from outletbot.web.guard import public
from outletbot.web.shop.answers import (
    A_MOMENT,
    make_rendered,
    paint,
    send,
    shopper_language,
)
from outletbot.web.shop.cards import Card
from outletbot.web.shop.feeds import atom_feed, json_feed
from outletbot.web.shop.keys import WALL_PAGES, WALLS
from outletbot.web.shop.wall import Wall

A_MINUTE = "public, max-age=60"

routes = web.RouteTableDef()


@routes.get("/")
@public
async def show_front(request: web.Request) -> web.StreamResponse:
    """Lead to the only outlet, or list them all."""
    found = await request.app[DATABASE].read(retailers)
    if len(found) == 1:
        only = f"/o/{found[0].slug}"
        raise web.HTTPFound(only)
    public_url = request.app[SETTINGS].public_url
    language = request[LANGUAGE]
    text = paint("front.html", language, public_url=public_url, retailers=found)
    return send(request, make_rendered(text, language), "no-cache")


@routes.get("/o/{slug}")
@public
async def show_outlet(request: web.Request) -> web.Response:
    wall = await request.app[WALLS].get(request.match_info["slug"])
    language = shopper_language(request, wall.seller.language)
    return send(request, request.app[WALL_PAGES].get(wall, language), A_MOMENT)


@routes.get("/o/{slug}/state")
@public
async def send_wall_state(request: web.Request) -> web.Response:
    """How each deal on the wall stands, by its code."""
    wall = await request.app[WALLS].get(request.match_info["slug"])
    state = {
        "now": request.app[CLOCK]().isoformat(timespec="milliseconds"),
        "deals": {card.code: _state(card) for card in (*wall.open, *wall.coming)},
    }
    return web.json_response(state, headers={hdrs.CACHE_CONTROL: A_MOMENT})


@routes.get("/o/{slug}/feed.atom")
@public
async def send_atom(request: web.Request) -> web.Response:
    wall = await request.app[WALLS].get(request.match_info["slug"])
    text = atom_feed(wall, public_url=request.app[SETTINGS].public_url)
    return _send_feed(request, wall, text, "application/atom+xml")


@routes.get("/o/{slug}/feed.json")
@public
async def send_json_feed(request: web.Request) -> web.Response:
    wall = await request.app[WALLS].get(request.match_info["slug"])
    text = json_feed(wall, public_url=request.app[SETTINGS].public_url)
    return _send_feed(request, wall, text, "application/feed+json")


def paint_wall(wall: Wall, language: str, *, public_url: str) -> str:
    return paint(
        "outlet.html", language, public_url=public_url, seller=wall.seller, wall=wall
    )


def _state(card: Card) -> dict[str, Any]:
    return {
        "phase": card.phase.value,
        "price": card.price.amount,
        "left": card.stock.left,
        "exact": card.stock.exact,
        "share": card.stock.share,
        "held": card.stock.held,
    }


def _send_feed(
    request: web.Request, wall: Wall, text: str, content_type: str
) -> web.Response:
    rendered = make_rendered(text, wall.seller.language, content_type)
    response = send(request, rendered, A_MINUTE)
    if wall.updated_at is not None:
        response.headers[hdrs.LAST_MODIFIED] = _http_date(wall.updated_at)
    return response


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
