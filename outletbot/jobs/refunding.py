"""Refunds that are due are asked of the provider, each with a key of its own."""

import structlog

from offers.refunds import Refund, lease_due_refunds, mark_given, put_off_refund
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.jobs.publishing import backoff
from outletbot.payments import Gateways, PaymentError

log = structlog.get_logger(__name__)


async def give_due_refunds(database: Database, gateways: Gateways, clock: Clock) -> int:
    """Give back what is owed. Return how many refunds were tried."""
    refunds = await database.transact(lease_due_refunds, now=clock())
    for refund in refunds:
        await _give(refund, database, gateways, clock)
    return len(refunds)


async def _give(
    refund: Refund, database: Database, gateways: Gateways, clock: Clock
) -> None:
    try:
        gateway = await gateways.of(refund.account_id)
        provider_id = await gateway.refund(refund)
    except PaymentError as error:
        until, reason = clock() + backoff(refund.attempts), str(error)
        await database.transact(put_off_refund, refund.id, until=until, reason=reason)
        log.warning("refund_not_given", refund=refund.id, reason=reason)
        return
    await database.transact(mark_given, refund.id, provider_id, now=clock())
    log.info("refund_given", refund=refund.id, amount=str(refund.money))
