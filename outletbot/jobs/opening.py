"""Deals whose time has come open, those whose time is up close."""

from datetime import datetime

import structlog
from sqlmodel import Session

from offers.catalog import Offer
from offers.deals import Deal, close_due, mark_sold_out, open_due
from offers.posts import retire_posts
from outletbot.clock import Clock
from outletbot.db import Database
from webhooks.messages import DEAL_CLOSED, deal_closed
from webhooks.outbox import enqueue

log = structlog.get_logger(__name__)


async def open_and_close(database: Database, clock: Clock) -> int:
    """Open and close what is due. Return how many deals that were."""
    now = clock()
    opened = await database.transact(open_due, now=now)
    closed = await database.transact(_close, now=now)
    for deal in opened:
        log.info("deal_opened", deal=deal.id)
    for deal in closed:
        log.info("deal_closed", deal=deal.id, sold=deal.sold)
    return len(opened) + len(closed)


def _close(session: Session, *, now: datetime) -> list[Deal]:
    closed = close_due(session, now=now)
    for deal in closed:
        mark_sold_out(session, deal.id, now=now)
        retire_posts(session, deal.id, now=now)
        offer = session.get_one(Offer, deal.offer_id)
        message = deal_closed(deal, offer)
        enqueue(session, deal.retailer_id, DEAL_CLOSED, message, now=now)
    return closed
