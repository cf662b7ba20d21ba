"""Where Stripe tells us what became of a payment: verify, keep, say thanks."""

from datetime import UTC, datetime

import structlog
from aiohttp import web

from offers.payment_accounts import HOUSE
from outletbot.keys import CLOCK, DATABASE, GATEWAYS
from outletbot.payments import Declined
from outletbot.web.guard import machine
from webhooks.handlers import STRIPE
from webhooks.inbox import new_arrival, receive

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.post("/webhooks/stripe")
@machine
async def receive_event(request: web.Request) -> web.Response:
    """Keep the event and say so; a worker acts on it."""
    signature = request.headers.get("Stripe-Signature", "")
    try:
        gateway = await request.app[GATEWAYS].of(HOUSE)
        event = gateway.read_event(await request.read(), signature)
    except Declined as refusal:
        log.warning("webhook_refused", source=STRIPE, reason=str(refusal))
        raise web.HTTPBadRequest(text=str(refusal)) from refusal
    arrival = new_arrival(
        STRIPE,
        event.id,
        event.type,
        event.payload,
        sent_at=datetime.fromtimestamp(event.created, UTC),
        now=request.app[CLOCK](),
    )
    new = await request.app[DATABASE].transact(receive, arrival)
    log.info("webhook_received", source=STRIPE, type=event.type, new=new)
    return web.Response(status=204)
