"""What a retailer's own shop was and will be told of what was sold here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.echoes import Echo
from offers.scope import get_own
from offers.shop_troubles import echoes, settle_by_hand, tell_again, troubled
from offers.shops import ShopConnection
from outletbot.keys import CLOCK, DATABASE, HINTS, RETAILER
from outletbot.web.rendering import page

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class ShopSales:
    """*leads* are the echoes that a person can do something about, each for its kin."""

    shop: ShopConnection
    told: Sequence[Echo]
    troubles: Sequence[Echo]
    leads: frozenset[str]


@routes.get("/shops/{shop_id}/sales")
async def show_shop_sales(request: web.Request) -> web.Response:
    sales = await request.app[DATABASE].read(
        shop_sales,
        request[RETAILER].id,
        request.match_info["shop_id"],
        now=request.app[CLOCK](),
    )
    return page(request, "desk/shop_sales.html", sales=sales)


@routes.post("/shops/{shop_id}/sales/{echo_id}/again")
async def tell_once_more(request: web.Request) -> web.Response:
    """Tell the shop once more, at once."""
    place, echo_id = _place(request), request.match_info["echo_id"]
    await request.app[DATABASE].transact(
        tell_again, request[RETAILER].id, echo_id, now=request.app[CLOCK]()
    )
    request.app[HINTS].tell("deliveries")
    raise web.HTTPSeeOther(place)


@routes.post("/shops/{shop_id}/sales/{echo_id}/by-hand")
async def note_by_hand(request: web.Request) -> web.Response:
    """Note that somebody has changed the stock in the shop."""
    place, echo_id = _place(request), request.match_info["echo_id"]
    await request.app[DATABASE].transact(
        settle_by_hand, request[RETAILER].id, echo_id, now=request.app[CLOCK]()
    )
    raise web.HTTPSeeOther(place)


def shop_sales(
    session: Session, retailer_id: str, shop_id: str, *, now: datetime
) -> ShopSales:
    """Return what a shop was told lately, the last first, and what it could not be.

    Raises:
        Missing: If it is not this retailer's.
    """
    shop = get_own(session, ShopConnection, retailer_id, shop_id)
    wrong = [
        echo
        for echo in troubled(session, retailer_id, now=now)
        if echo.shop_id == shop.id
    ]
    told = echoes(session, retailer_id, shop.id)
    return ShopSales(shop, told, wrong, frozenset(map(_lead, wrong)))


def _lead(echo: Echo) -> str:
    return echo.lead_id or echo.id


def _place(request: web.Request) -> str:
    return f"/shops/{request.match_info['shop_id']}/sales"
