"""A hold's own pages: whoever has the token may pay, ask for more time, or let go."""

from http import HTTPStatus
from math import ceil

from aiohttp import hdrs, web

from offers.errors import Unavailable
from offers.holds import HoldState, extend_hold, get_hold_by_token, give_up_hold
from offers.ids import new_code
from offers.lines import Place
from outletbot.keys import CLOCK, DATABASE, PAYING
from outletbot.printing import say
from outletbot.web.guard import public
from outletbot.web.shop.answers import private_page, shopper_language
from outletbot.web.shop.hold_view import HoldView, Standing, read_hold
from outletbot.web.shop.keys import OPENINGS
from outletbot.web.shop.reserved_page import reserved_page

REFRESH = {
    Standing.WAITING: 2,
    Standing.CONFIRMING: 3,
    Standing.ENDING: 5,
    Standing.PROCESSING: 10,
    Standing.REFUNDED: 60,
    Standing.REVIEW: 60,
}
"""Seconds after which a page looks again; the others change only by the shopper."""

routes = web.RouteTableDef()


@routes.get("/h/{token}")
@public
async def show_hold(request: web.Request) -> web.Response:
    view = await _read(request)
    if view.order is not None:
        return _see(f"/orders/{view.order.code}")
    if view.hold.state is HoldState.RESERVED:
        return reserved_page(request, view)
    return await _page(request, view, view.standing)


@routes.get("/h/{token}/line")
@public
async def show_place(request: web.Request) -> web.Response:
    """Tell the waiting page's script how far the line has moved, and move it."""
    view = await _read(request)
    waits = view.standing is Standing.WAITING and not view.is_troubled
    place = await request.app[OPENINGS].move(view.hold) if waits else None
    said = {
        "standing": view.standing,
        "place": place and place.number,
        "seconds": place and _seconds(place),
    }
    return web.json_response(said, headers={hdrs.CACHE_CONTROL: "no-store"})


@routes.get("/h/{token}/pay")
@public
async def lead_to_payment(request: web.Request) -> web.Response:
    """Open the payment page, if there is none yet, and go there."""
    token, database = request.match_info["token"], request.app[DATABASE]
    hold = await database.read(get_hold_by_token, token)
    hold = await request.app[OPENINGS].open(hold)
    payable = hold.state is HoldState.OPEN and hold.expires_at > request.app[CLOCK]()
    return _see(hold.checkout_url if payable else f"/h/{token}")


@routes.get("/h/{token}/paid")
@public
async def return_from_payment(request: web.Request) -> web.Response:
    """Ask the provider how it went, rather than believe the address."""
    view = await _read(request)
    if view.order is None:
        await request.app[PAYING].settle(view.hold)
        view = await _read(request)
    if view.order is not None:
        return _see(f"/orders/{view.order.code}")
    # Who says they paid is not asked to pay again while it is being looked up.
    doubtful = view.standing in {Standing.PAYABLE, Standing.WAITING, Standing.ENDING}
    standing = Standing.CONFIRMING if doubtful else view.standing
    return await _page(request, view, standing)


@routes.post("/h/{token}/extend")
@public
async def extend(request: web.Request) -> web.Response:
    token, now = request.match_info["token"], request.app[CLOCK]()
    try:
        await request.app[DATABASE].transact(extend_hold, token, now=now)
    except Unavailable as refusal:
        view = await _read(request)
        reason = say(refusal.sentence, shopper_language(request, view.seller.language))
        conflict = HTTPStatus.CONFLICT
        return await _page(
            request, view, view.standing, refusal=reason, status=conflict
        )
    return _see(f"/h/{token}")


@routes.post("/h/{token}/release")
@public
async def release(request: web.Request) -> web.Response:
    token, now = request.match_info["token"], request.app[CLOCK]()
    await request.app[DATABASE].transact(give_up_hold, token, now=now)
    return _see(f"/h/{token}")


async def _read(request: web.Request) -> HoldView:
    token, now = request.match_info["token"], request.app[CLOCK]()
    return await request.app[DATABASE].read(read_hold, token, now=now)


async def _page(
    request: web.Request,
    view: HoldView,
    standing: Standing,
    *,
    refusal: str = "",
    status: int = HTTPStatus.OK,
) -> web.Response:
    waits = standing is Standing.WAITING
    place = await request.app[PAYING].place(view.hold) if waits else None
    return private_page(
        request,
        "hold.html",
        seller=view.seller,
        status=status,
        view=view,
        hold=view.hold,
        standing=standing.value,
        refresh=_refresh(standing, place),
        place=place and place.number,
        seconds=place and _seconds(place),
        here=f"/h/{view.hold.token}{_where(standing)}",
        key=new_code(),
        refusal=refusal,
    )


def _refresh(standing: Standing, place: Place | None) -> int | None:
    """Return after how many seconds to look again; in a long line less often."""
    usual = REFRESH.get(standing)
    if usual is None or place is None:
        return usual
    return min(max(usual, _seconds(place)), 10)


def _seconds(place: Place) -> int:
    return ceil(place.wait.total_seconds())


def _where(standing: Standing) -> str:
    """Which address to look at again: the plain one, or one that asks the provider."""
    return {Standing.WAITING: "/pay", Standing.CONFIRMING: "/paid"}.get(standing, "")


def _see(address: str) -> web.Response:
    headers = {hdrs.LOCATION: address, hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)
