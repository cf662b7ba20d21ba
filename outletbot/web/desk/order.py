"""One order: who bought what, the money it brought, and how some of it is given back.

A refund takes two steps: what is asked is said back in plain words, and only then done.
The form has a key of its own, so that it is done once however often it is sent.
"""

from datetime import datetime
from http import HTTPStatus

from aiohttp import web
from sqlmodel import Session

from offers.errors import InvalidField, WrongState
from offers.orders import Order
from offers.refunds import Refund
from offers.returns import clear_refund, find_asked, try_refund_again
from offers.scope import get_own
from outletbot.keys import (
    CLOCK,
    DATABASE,
    HINTS,
    MERCHANT,
    RETAILER,
    SETTINGS,
)
from outletbot.web.desk.order_view import OrderSheet, read_sheet
from outletbot.web.desk.refund_form import RefundForm, first_values, read_refund_form
from outletbot.web.forms import Form
from outletbot.web.rendering import page
from webhooks.refunding import refund_order

routes = web.RouteTableDef()


@routes.get("/sales/{order_id}")
async def show_order(request: web.Request) -> web.Response:
    sheet = await _read(request)
    return _page(request, sheet, first_values(sheet.left))


@routes.post("/sales/{order_id}/refund")
async def give_back(request: web.Request) -> web.Response:
    """Say what the refund would be, or give it."""
    form, database = await request.post(), request.app[DATABASE]
    order_id, by = request.match_info["order_id"], request[MERCHANT].id
    retailer_id, now = request[RETAILER].id, request.app[CLOCK]()
    if form.get("action") == "give":
        given = await database.transact(
            _give, retailer_id, order_id, form, by=by, now=now
        )
        request.app[HINTS].tell("refunds", "deals")
    else:
        given = await database.read(_check, retailer_id, order_id, form, by=by)
    if given is None:
        address = f"/sales/{order_id}#refunds"
        raise web.HTTPSeeOther(address)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if given.problems else HTTPStatus.OK
    return _page(request, await _read(request), given, status=status)


@routes.post("/refunds/{refund_id}/again")
async def try_again(request: web.Request) -> web.Response:
    """Ask the provider once more."""
    refund = await request.app[DATABASE].transact(
        try_refund_again,
        request[RETAILER].id,
        request.match_info["refund_id"],
        by=request[MERCHANT].id,
        now=request.app[CLOCK](),
    )
    raise web.HTTPSeeOther(_address(refund))


@routes.post("/refunds/{refund_id}/clear")
async def clear(request: web.Request) -> web.Response:
    """Note that somebody has dealt with a refund that failed."""
    refund = await request.app[DATABASE].transact(
        _clear,
        request[RETAILER].id,
        request.match_info["refund_id"],
        now=request.app[CLOCK](),
    )
    raise web.HTTPSeeOther(_address(refund))


def _check(
    session: Session, retailer_id: str, order_id: str, form: Form, *, by: str
) -> RefundForm:
    order = get_own(session, Order, retailer_id, order_id)
    return read_refund_form(session, order, form, asked_by=by)


def _give(
    session: Session,
    retailer_id: str,
    order_id: str,
    form: Form,
    *,
    by: str,
    now: datetime,
) -> RefundForm | None:
    """Give what the form asks for. Return it if that cannot be, with what is wrong."""
    order = get_own(session, Order, retailer_id, order_id)
    key = form.get("key")
    if isinstance(key, str) and find_asked(session, order.id, key) is not None:
        return None
    filled = read_refund_form(session, order, form, asked_by=by)
    if filled.wish is None:
        return filled
    try:
        refund_order(session, retailer_id, order_id, filled.wish, now=now)
    except InvalidField as problem:  # somebody else gave some of it back just now
        return RefundForm(filled.values, {problem.field: problem.sentence})
    except WrongState as refusal:
        return RefundForm(filled.values, {"": refusal.sentence})
    return None


def _clear(
    session: Session, retailer_id: str, refund_id: str, *, now: datetime
) -> Refund:
    clear_refund(session, retailer_id, refund_id, now=now)
    return get_own(session, Refund, retailer_id, refund_id)


def _address(refund: Refund) -> str:
    """Return where a refund is shown: on the summary, if there is no order."""
    return f"/sales/{refund.order_id}#refunds" if refund.order_id else "/summary"


async def _read(request: web.Request) -> OrderSheet:
    return await request.app[DATABASE].read(
        read_sheet,
        request[RETAILER].id,
        request.match_info["order_id"],
        request.app[SETTINGS],
        now=request.app[CLOCK](),
    )


def _page(
    request: web.Request,
    sheet: OrderSheet,
    form: RefundForm,
    *,
    status: int = HTTPStatus.OK,
) -> web.Response:
    return page(
        request,
        "desk/order.html",
        status=status,
        sheet=sheet,
        form=form,
        alarms=sheet.alarms,
    )
