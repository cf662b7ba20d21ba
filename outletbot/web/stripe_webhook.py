"""Where Stripe tells us what became of a payment: verify, keep, say thanks.

The house has one address, for its own account and for those that it acts for by
Connect; an account with a key of its own has an address of its own, which takes only
what is signed with that account's secret.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aiohttp import web

from offers.payment_accounts import (
    HOUSE,
    PaymentAccount,
    find_connected_account,
    find_payment_account,
)
from outletbot.keys import ARRIVALS, CLOCK, DATABASE, GATEWAYS
from outletbot.payments import Declined, PaymentGateway, ProviderEvent
from outletbot.web.guard import machine
from webhooks.handlers import STRIPE
from webhooks.inbox import Arrival, new_arrival

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()

NOT_OURS = "of an account that we do not know"
TEST_AT_LIVE = "a test event, and the account is live"
LIVE_AT_TEST = "a live event, and the account is for tests"


@dataclass(frozen=True, slots=True)
class Whose:
    """The account that an event is about; *ignored* says why nothing comes of it."""

    retailer_id: str = ""
    account_id: str = HOUSE
    ignored: str = ""


@routes.post("/webhooks/stripe")
@machine
async def receive_event(request: web.Request) -> web.Response:
    """Keep an event for the house, or for an account that it acts for."""
    gateway, event = await _read(request, HOUSE)
    whose = Whose()
    if event.account:
        account = await request.app[DATABASE].read(
            find_connected_account, event.account
        )
        whose = _owner(account)
    return await _keep(request, event, _in_mode(whose, event, gateway))


@routes.post("/webhooks/stripe/{account_id}")
@machine
async def receive_own_event(request: web.Request) -> web.Response:
    """Keep an event for an account with a key of its own."""
    account_id = request.match_info["account_id"]
    gateway, event = await _read(request, account_id)
    whose = _owner(await request.app[DATABASE].read(find_payment_account, account_id))
    return await _keep(request, event, _in_mode(whose, event, gateway))


async def _read(
    request: web.Request, account_id: str
) -> tuple[PaymentGateway, ProviderEvent]:
    """Return the event, if it is signed for the account; it is not looked at else."""
    signature = request.headers.get("Stripe-Signature", "")
    try:
        gateway = await request.app[GATEWAYS].of(account_id)
        return gateway, gateway.read_event(await request.read(), signature)
    except Declined as refusal:
        log.warning("webhook_refused", source=STRIPE, reason=str(refusal))
        raise web.HTTPBadRequest(text=str(refusal)) from refusal


def _owner(account: PaymentAccount | None) -> Whose:
    if account is None:
        return Whose(ignored=NOT_OURS)
    return Whose(account.retailer_id, account.id)


def _in_mode(whose: Whose, event: ProviderEvent, gateway: PaymentGateway) -> Whose:
    """Ignore play money where there is real money, and the other way round.

    Stripe sends both to an address for connected accounts
    (https://docs.stripe.com/connect/webhooks).
    """
    if whose.ignored or event.livemode == gateway.livemode:
        return whose
    ignored = LIVE_AT_TEST if event.livemode else TEST_AT_LIVE
    return Whose(whose.retailer_id, whose.account_id, ignored)


async def _keep(
    request: web.Request, event: ProviderEvent, whose: Whose
) -> web.Response:
    """Keep the event and say so; a worker acts on it."""
    arrival = _arrival(event, whose, request.app[CLOCK]())
    new = await request.app[ARRIVALS].keep(arrival)
    log.info(
        "webhook_received",
        source=STRIPE,
        type=event.type,
        account=whose.account_id,
        new=new,
        ignored=whose.ignored,
    )
    return web.Response(status=204)


def _arrival(event: ProviderEvent, whose: Whose, now: datetime) -> Arrival:
    arrival = new_arrival(
        STRIPE,
        event.id,
        event.type,
        event.payload,
        retailer_id=whose.retailer_id,
        account_id=whose.account_id,
        sent_at=datetime.fromtimestamp(event.created, UTC),
        now=now,
    )
    if whose.ignored:
        arrival.handled_at, arrival.outcome = now, whose.ignored
    return arrival
