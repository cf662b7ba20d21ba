"""From a deal's page to the payment page.

A page of the shop makes up a key and sends it with the form; the same key leads to the
same hold, so a double tap, a reload and the back button all do. Without script there
is no key yet: then a page with one, and the same button, comes in between; the key is
in its address, so that coming back to it comes back to the same key. What is charged
is what the deal says; a form has no say in it.
"""

import re
from http import HTTPStatus

from aiohttp import hdrs, web
from yarl import URL

from offers.claim_rows import Granted
from offers.claims import Claim
from offers.errors import LimitReached, OfferError
from offers.holds import find_hold_of, find_payable_hold
from offers.ids import new_dated_code
from offers.sentences import Sentence
from outletbot.claim_lines import Busy
from outletbot.keys import CLAIMS, CLOCK, DATABASE
from outletbot.web.forms import Form, read_int, read_text
from outletbot.web.guard import public
from outletbot.web.shop.answers import private_page
from outletbot.web.shop.deal_page import MAX_QUANTITY
from outletbot.web.shop.deal_view import DealView
from outletbot.web.shop.keys import DEALS, SHOPPERS
from outletbot.web.shop.refusing import ask_back, refuse, tell
from outletbot.web.shop.shoppers import Shoppers

NONE_HERE = Sentence("None of them was taken in this browser.")

KEY = re.compile(r"[0-9A-Za-z-]{16,64}")
LEAD = {hdrs.CACHE_CONTROL: "no-store"}
REFUSAL: web.RequestKey[Exception] = web.RequestKey("REFUSAL")

routes = web.RouteTableDef()


@routes.post("/d/{code}/buy")
@public
async def buy(request: web.Request) -> web.Response:
    """Hold what was asked for, and lead on to where it is paid."""
    return await _hold(request, reserve=False)


@routes.post("/d/{code}/reserve")
@public
async def reserve(request: web.Request) -> web.Response:
    """Hold what was asked for until it is paid and fetched in the store."""
    return await _hold(request, reserve=True)


async def _hold(request: web.Request, *, reserve: bool) -> web.Response:
    view = await request.app[DEALS].get(request.match_info["code"])
    try:
        key, quantity = _read_wish(await request.post())
        if not key:
            return _ask_first(request, quantity, reserve=reserve)
        hold = await _claim(request, view, key, quantity, reserve=reserve)
    except LimitReached as refusal:
        return await _lead_back(request, view.deal_id, refusal)
    except OfferError as refusal:
        return await refuse(request, refusal)
    except Busy as busy:
        return ask_back(request, view, busy)
    return _lead_on(request, hold, "" if reserve else "/pay")


async def _claim(
    request: web.Request, view: DealView, key: str, quantity: int, *, reserve: bool
) -> Granted:
    """Return the hold, unless the fast lane was refused one for this request."""
    if REFUSAL in request:
        raise request[REFUSAL]
    shoppers = request.app[SHOPPERS]
    claim = claim_of(request, shoppers, view, key, quantity, reserve=reserve)
    return await request.app[CLAIMS].claim(claim)


def claim_of(
    request: web.BaseRequest,
    shoppers: Shoppers,
    view: DealView,
    key: str,
    quantity: int,
    *,
    reserve: bool = False,
) -> Claim:
    return Claim(
        view.deal_id,
        view.post_id,
        key,
        shoppers.id_of(request),
        quantity=quantity,
        address=shoppers.mark_of(request),
        reserve=reserve,
    )


@routes.get("/d/{code}/confirm")
@public
async def confirm(request: web.Request) -> web.Response:
    """Ask once more, on a page that holds nothing and may be loaded again."""
    view = await request.app[DEALS].get(request.match_info["code"])
    try:
        key, quantity = _read_wish(request.query)
    except OfferError as refusal:
        return await refuse(request, refusal)
    if not key:
        address = f"/d/{view.code}"
        raise web.HTTPSeeOther(address)
    return private_page(
        request,
        "confirm.html",
        seller=view.seller,
        deal=view,
        key=key,
        quantity=quantity,
        total=view.card.price * quantity,
        reserve="reserve" in request.query,
    )


@routes.get("/d/{code}/mine")
@public
async def lead_to_mine(request: web.Request) -> web.Response:
    """Lead a shopper who came back to what they hold, or bought, by their cookie."""
    view = await request.app[DEALS].get_now(request.match_info["code"])
    shopper, database = request.app[SHOPPERS].id_of(request), request.app[DATABASE]
    hold = await database.read(find_hold_of, view.deal_id, shopper)
    if hold is None:
        return tell(request, view, NONE_HERE, HTTPStatus.NOT_FOUND, "not_found")
    address = f"/h/{hold.token}"
    raise web.HTTPSeeOther(address)


def _read_wish(form: Form) -> tuple[str, int]:
    """Return the key, empty if there is none that could be one, and how many."""
    key = read_text(form, "key", longest=100)
    quantity = 1
    if "quantity" in form:
        quantity = read_int(form, "quantity", minimum=1, maximum=MAX_QUANTITY)
    return key if KEY.fullmatch(key) else "", quantity


def _ask_first(request: web.Request, quantity: int, *, reserve: bool) -> web.Response:
    key = new_dated_code(request.app[CLOCK]())
    wish = {"key": key, "quantity": str(quantity)}
    if reserve:
        wish["reserve"] = "1"
    address = URL(f"/d/{request.match_info['code']}/confirm").with_query(wish)
    headers = {hdrs.LOCATION: str(address), **LEAD}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)


async def _lead_back(
    request: web.Request, deal_id: str, refusal: LimitReached
) -> web.Response:
    """Who cannot have more but has not paid yet is led to what they hold."""
    shopper = request.app[SHOPPERS].id_of(request)
    hold = await request.app[DATABASE].read(find_payable_hold, deal_id, shopper)
    if hold is None:
        return await refuse(request, refusal)
    address = f"/h/{hold.token}"
    raise web.HTTPSeeOther(address)


def _lead_on(request: web.Request, hold: Granted, rest: str) -> web.Response:
    """Answer as soon as the hold is durable; */pay* asks Stripe."""
    headers = {hdrs.LOCATION: f"/h/{hold.token}{rest}", **LEAD}
    headers[hdrs.SET_COOKIE] = request.app[SHOPPERS].cookie(hold.shopper)
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)
