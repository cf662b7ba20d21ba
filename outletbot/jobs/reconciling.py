"""What Stripe did not tell us, or told us while we were away, is asked for.

Two ways lead to the same: each hold that is not over is asked about now and then, and
the list of events is read from where it was read to the last time. What is read there
is kept as if it had been sent, so an event acts once, whichever way it came first.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import structlog
from sqlmodel import Session

from offers.payment_accounts import find_payment_account
from offers.readings import (
    Reading,
    Subject,
    advance_reading,
    began_at,
    finish_reading,
    lease_due_readings,
    put_off_reading,
)
from offers.reconciling import lease_unchecked_holds
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.jobs.publishing import backoff
from outletbot.paying import Paying
from outletbot.payments import Gateways, PaymentError, ProviderEvent
from webhooks.handlers import STRIPE
from webhooks.inbox import Arrival, new_arrival, receive_all

log = structlog.get_logger(__name__)

AT_ONCE = 10
"""So many holds are asked about in a second: a tenth of what Stripe allows to read."""

EVERY = timedelta(minutes=1)
OVERLAP = timedelta(minutes=2)
"""Stripe lists what happened at about the same time in no certain order."""

PAGES = 20
"""So much is read before somebody else's turn."""

KEPT = timedelta(days=30)
"""Stripe keeps events so long (https://docs.stripe.com/api/events)."""


async def ask_about_holds(database: Database, paying: Paying, clock: Clock) -> int:
    """Ask about holds of which nothing was heard for a while. Return 0, to be paced."""
    holds = await database.transact(lease_unchecked_holds, now=clock(), limit=AT_ONCE)
    await asyncio.gather(*(paying.settle(hold) for hold in holds))
    return 0


async def walk_events(database: Database, gateways: Gateways, clock: Clock) -> int:
    """Take in what was told since the last time. Return how many lists were read."""
    readings = await database.transact(lease_due_readings, Subject.EVENTS, now=clock())
    for reading in readings:
        try:
            await _walk(reading, database, gateways, clock)
        except PaymentError as error:
            await put_off(reading, error, database, clock)
    return len(readings)


async def put_off(
    reading: Reading, error: PaymentError, database: Database, clock: Clock
) -> None:
    """The list could not be read; where it was read to is known."""
    until, reason = clock() + backoff(reading.attempts), str(error)
    await database.transact(put_off_reading, reading.id, until=until, reason=reason)
    log.warning(
        "list_not_read",
        account=reading.account_id,
        subject=reading.subject,
        reason=reason,
    )


async def _walk(
    reading: Reading, database: Database, gateways: Gateways, clock: Clock
) -> None:
    began, account_id = clock(), reading.account_id
    _warn_of_a_gap(reading, began)
    since = await database.read(_walk_from, account_id, now=began)
    books = await gateways.books(account_id)
    pages = found = 0
    async with aclosing(books.events(after=reading.position, since=since)) as walk:
        async for events in walk:
            found += await database.transact(_take_in, reading, events, now=clock())
            pages += 1
            if pages == PAGES:
                break
    if found:
        log.info("events_found", account=account_id, count=found)
    if pages == PAGES:
        await database.transact(put_off_reading, reading.id, until=clock())
        return
    again = clock() + EVERY
    await database.transact(finish_reading, reading.id, began_at=began, again_at=again)


def _warn_of_a_gap(reading: Reading, now: datetime) -> None:
    last = reading.read_at
    if last is not None and last < now - KEPT:
        log.error(
            "events_missed",
            account=reading.account_id,
            since=last.isoformat(),
            until=(now - KEPT).isoformat(),
            remedy="Stripe has forgotten what happened between these times. Holds are "
            "asked about one by one; for all else see the ledger page of the retailer.",
        )


def _walk_from(session: Session, account_id: str, *, now: datetime) -> datetime:
    return max(began_at(session, account_id, now=now), now - KEPT)


def _take_in(
    session: Session,
    reading: Reading,
    events: Sequence[ProviderEvent],
    *,
    now: datetime,
) -> int:
    """Keep *events*, and that they were read. Return how many were news."""
    account = find_payment_account(session, reading.account_id)
    retailer_id = account.retailer_id if account else ""
    arrivals = [
        _arrival(event, reading.account_id, retailer_id, now) for event in events
    ]
    news = receive_all(session, arrivals)
    for event, arrival in zip(events, arrivals, strict=True):
        if arrival.sent_at <= now - OVERLAP:
            advance_reading(session, reading.id, event.id)
    return len(news)


def _arrival(
    event: ProviderEvent, account_id: str, retailer_id: str, now: datetime
) -> Arrival:
    return new_arrival(
        STRIPE,
        event.id,
        event.type,
        event.payload,
        retailer_id=retailer_id,
        account_id=account_id,
        sent_at=datetime.fromtimestamp(event.created, UTC),
        now=now,
    )
