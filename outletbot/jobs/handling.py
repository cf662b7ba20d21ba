"""Arrivals are acted on, each once."""

import structlog

from offers.checkouts import Checkout
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.jobs.publishing import backoff
from outletbot.payments import Declined, Gateways, PaymentGateway, Unknown
from webhooks.handlers import checkout_to_fetch, handle
from webhooks.inbox import Arrival, lease_arrivals, mark_handled, put_off

log = structlog.get_logger(__name__)


async def handle_arrivals(database: Database, gateways: Gateways, clock: Clock) -> int:
    """Act on what arrived. Return how many messages were taken up."""
    arrivals = await database.transact(lease_arrivals, now=clock())
    for arrival in arrivals:
        await _guarded(arrival, database, gateways, clock)
    return len(arrivals)


async def _guarded(
    arrival: Arrival, database: Database, gateways: Gateways, clock: Clock
) -> None:
    """A message that cannot be acted on keeps nobody else's waiting."""
    try:
        await _handle(arrival, database, gateways, clock)
    except Exception as error:
        log.exception("arrival_not_handled", arrival=arrival.id, type=arrival.type)
        until, reason = clock() + backoff(arrival.attempts), type(error).__name__
        await database.transact(put_off, arrival.id, until=until, reason=reason)


async def _handle(
    arrival: Arrival, database: Database, gateways: Gateways, clock: Clock
) -> None:
    try:
        gateway = await gateways.of(arrival.account_id)
        checkout = await _fetch(arrival, gateway)
    except Unknown as error:
        until, reason = clock() + backoff(arrival.attempts), str(error)
        await database.transact(put_off, arrival.id, until=until, reason=reason)
        log.warning("arrival_put_off", arrival=arrival.id, reason=reason)
        return
    except Declined as refusal:
        reason = str(refusal)
        await database.transact(mark_handled, arrival.id, reason, now=clock())
        log.warning("arrival_ignored", arrival=arrival.id, reason=reason)
        return
    outcome = await database.transact(
        handle, arrival, checkout, livemode=gateway.livemode, now=clock()
    )
    log.info("arrival_handled", arrival=arrival.id, type=arrival.type, outcome=outcome)


async def _fetch(arrival: Arrival, gateway: PaymentGateway) -> Checkout | None:
    checkout_id = checkout_to_fetch(arrival)
    return await gateway.retrieve(checkout_id) if checkout_id else None
