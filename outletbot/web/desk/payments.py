"""Payments: to whom a retailer's shoppers pay, and what a person has to decide there.

A key is proved at Stripe before it is kept, kept sealed, and never shown again. What
changes where money goes asks an owner for their password.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus

from aiohttp import web

from offers.connecting import HoldsOpen
from offers.errors import InvalidField, OfferError, WrongState
from offers.merchants import Role
from offers.sentences import Sentence
from outletbot.keys import DATABASE, MERCHANT, RETAILER, SETTINGS
from outletbot.payments import PaymentError, Unknown
from outletbot.web.desk.payment_changes import (
    HOME,
    account_named,
    begin_onboarding,
    connect_key,
    disconnect,
    find_begun,
    onboarding,
    prove_account,
    release_hold,
    take_secret,
    use_house,
)
from outletbot.web.desk.payments_view import read_payments
from outletbot.web.desk.reauth import confirm_owner
from outletbot.web.errors import status_of
from outletbot.web.forms import Form
from outletbot.web.rendering import page

routes = web.RouteTableDef()

Change = Callable[[web.Request, Form], Awaitable[str]]


@routes.get(HOME)
async def show_payments(request: web.Request) -> web.Response:
    return await payments_page(request)


@routes.post(f"{HOME}/key")
async def take_key(request: web.Request) -> web.Response:
    """Take money by a key that Stripe has just accepted."""
    return await _change(request, connect_key)


@routes.post(f"{HOME}/connect")
async def connect(request: web.Request) -> web.Response:
    """Make an account at Stripe, or go on with the one that was made."""
    return await _change(request, begin_onboarding)


@routes.get(f"{HOME}/again")
async def lead_again(request: web.Request) -> web.Response:
    """Stripe's address for telling who they are was used or is too old."""
    begun, address = await find_begun(request), HOME
    if begun is not None:
        try:
            address = await onboarding(request, begun.provider_id)
        except PaymentError as error:
            return await payments_page(request, refusal=_say(error))
    raise web.HTTPSeeOther(address)


@routes.get(f"{HOME}/back")
async def come_back(request: web.Request) -> web.Response:
    """The owner comes back from Stripe, done or not."""
    begun = await find_begun(request)
    if begun is not None:
        with suppress(Unknown):  # then Stripe will tell us by and by
            await prove_account(request, begun.id)
    raise web.HTTPSeeOther(HOME)


@routes.post(f"{HOME}/house")
async def go_back_to_the_house(request: web.Request) -> web.Response:
    """Be paid by way of the house's account again."""
    return await _change(request, use_house)


@routes.post(f"{HOME}/{{account_id}}/test")
async def try_out(request: web.Request) -> web.Response:
    """Ask Stripe whether the account works, and note what it says."""
    account = await account_named(request)
    try:
        await prove_account(request, account.id)
    except Unknown as error:
        return await payments_page(request, refusal=_say(error))
    raise web.HTTPSeeOther(HOME)


@routes.post(f"{HOME}/{{account_id}}/secret")
async def replace_secret(request: web.Request) -> web.Response:
    """Take the secret of an endpoint that was added by hand, or replaced."""
    return await _change(request, take_secret)


@routes.post(f"{HOME}/{{account_id}}/disconnect")
async def end(request: web.Request) -> web.Response:
    """Sell nothing more through an account."""
    return await _change(request, disconnect)


@routes.post(f"{HOME}/holds/{{hold_id}}/release")
async def release(request: web.Request) -> web.Response:
    """Put the units of a hold back on sale that nobody paid, as a person found out."""
    return await _change(request, release_hold)


async def payments_page(
    request: web.Request,
    *,
    typed: Form | None = None,
    refusal: OfferError | None = None,
) -> web.Response:
    """Answer with the page; *refusal* is why nothing was changed."""
    settings, retailer = request.app[SETTINGS], request[RETAILER]
    view = await request.app[DATABASE].read(read_payments, retailer.id)
    field = refusal.field if isinstance(refusal, InvalidField) else ""
    return page(
        request,
        "desk/payments.html",
        status=status_of(refusal) if refusal else HTTPStatus.OK,
        view=view,
        owner=request[MERCHANT].role is Role.OWNER,
        live=settings.livemode,
        fee=settings.platform_fee_bps / 100,
        refusal=refusal and refusal.sentence,
        sure=refusal.count if isinstance(refusal, HoldsOpen) else 0,
        problems={field: refusal.sentence} if refusal and field else {},
        form=_named(typed),
        webhook_url=f"{settings.public_url}/webhooks/stripe/",
    )


def _say(error: PaymentError) -> OfferError:
    return WrongState(Sentence("Stripe says: {said}", said=error))


def _named(typed: Form | None) -> str:
    """Return which form was sent, so that its problem is shown there."""
    name = (typed or {}).get("form", "")
    return name if isinstance(name, str) else ""


async def _change(request: web.Request, change: Change) -> web.Response:
    """Change something for an owner, and show the page again if it cannot be."""
    form = await request.post()
    try:
        await confirm_owner(request, form)
        address = await change(request, form)
    except OfferError as refusal:
        return await payments_page(request, typed=form, refusal=refusal)
    except PaymentError as error:
        return await payments_page(request, typed=form, refusal=_say(error))
    raise web.HTTPSeeOther(address)
