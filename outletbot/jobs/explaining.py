"""Whoever paid for what the shop had sold meanwhile gets a letter that says why."""

from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from offers.holds import get_hold
from offers.letters import write_letter
from offers.refunds import untold_refunds
from offers.retailers import get_retailer
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.refund_letters import word_refund

TOO_LATE = timedelta(days=3)
"""Who was not told in this time (mail was not set up) has their money by now."""

log = structlog.get_logger(__name__)


async def explain_refunds(database: Database, clock: Clock, *, public_url: str) -> int:
    """Write the letters that are owed. Return how many those were."""
    written = await database.transact(_explain, public_url, now=clock())
    if written:
        log.info("refunds_explained", letters=written)
    return written


def _explain(session: Session, public_url: str, *, now: datetime) -> int:
    refunds = untold_refunds(session, since=now - TOO_LATE)
    for refund in refunds:
        retailer = get_retailer(session, refund.retailer_id)
        hold = get_hold(session, refund.hold_id)
        words = word_refund(retailer, hold, refund, public_url=public_url)
        write_letter(
            session,
            retailer.id,
            recipient=refund.email,
            subject=words.subject,
            body=words.body,
            now=now,
        )
        refund.told_at = now
    return len(refunds)
