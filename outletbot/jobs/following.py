"""Follow-ups: half gone, last units, ends soon; planned as soon as they are true."""

import structlog

from offers.follow_ups import follow_up
from outletbot.clock import Clock
from outletbot.db import Database

log = structlog.get_logger(__name__)


async def follow_up_deals(database: Database, clock: Clock) -> int:
    """Plan what is to be said of the deals that are open. Return how many posts."""
    posts = await database.transact(follow_up, now=clock())
    for post in posts:
        log.info("follow_up_planned", post=post.id, kind=post.kind, deal=post.deal_id)
    return len(posts)
