"""Arrivals are acted on, each once."""

import asyncio

import structlog

from offers.leases import give_back
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.jobs.publishing import backoff
from outletbot.payments import Barred, Declined, Gateways, PaymentGateway, Unknown
from webhooks.handlers import (
    News,
    NotYet,
    RefundsOf,
    checkout_to_fetch,
    dispute_to_fetch,
    handle,
    is_about_the_account,
    payment_to_fetch,
)
from webhooks.inbox import Arrival, lease_arrivals, mark_handled, put_off

LISTEN_FOR = 100
"""So often an arrival is tried while the provider does not listen to us: a day."""

log = structlog.get_logger(__name__)


async def handle_arrivals(
    database: Database,
    gateways: Gateways,
    clock: Clock,
    stop: asyncio.Event | None = None,
) -> int:
    """Act on what arrived. Return how many messages were taken up.

    Once *stop* is set those not begun are given back.
    """
    arrivals = await database.transact(lease_arrivals, now=clock())
    for number, arrival in enumerate(arrivals):
        if stop is not None and stop.is_set():
            await database.transact(give_back, arrivals[number:], now=clock())
            log.info("arrivals_given_back", count=len(arrivals) - number)
            return number
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
        news = await _fetch(arrival, gateway, clock)
    except (Barred, Unknown) as error:
        if isinstance(error, Barred) and arrival.attempts >= LISTEN_FOR:
            await _ignore(arrival, str(error), database, clock)
            return
        until, reason = clock() + backoff(arrival.attempts), str(error)
        await database.transact(put_off, arrival.id, until=until, reason=reason)
        log.warning("arrival_put_off", arrival=arrival.id, reason=reason)
        return
    except Declined as refusal:
        await _ignore(arrival, str(refusal), database, clock)
        return
    try:
        outcome = await database.transact(
            handle, arrival, news, livemode=gateway.livemode, now=clock()
        )
    except NotYet as error:
        until = clock() + backoff(arrival.attempts)
        reason = f"nothing is known of {error} yet"
        await database.transact(put_off, arrival.id, until=until, reason=reason)
        log.info("arrival_put_off", arrival=arrival.id, reason=reason)
        return
    log.info("arrival_handled", arrival=arrival.id, type=arrival.type, outcome=outcome)


async def _ignore(
    arrival: Arrival, reason: str, database: Database, clock: Clock
) -> None:
    await database.transact(mark_handled, arrival.id, reason, now=clock())
    log.warning("arrival_ignored", arrival=arrival.id, reason=reason)


async def _fetch(
    arrival: Arrival, gateway: PaymentGateway, clock: Clock
) -> News | None:
    """Return what an arrival is about as it is now, at the provider."""
    if checkout_id := checkout_to_fetch(arrival):
        return await gateway.retrieve(checkout_id)
    if payment_id := payment_to_fetch(arrival):
        return RefundsOf(payment_id, tuple(await gateway.refunds(payment_id)))
    if dispute_id := dispute_to_fetch(arrival):
        return await gateway.dispute(dispute_id, now=clock())
    if is_about_the_account(arrival):
        return await gateway.standing()
    return None
