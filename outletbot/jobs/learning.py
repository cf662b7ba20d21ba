"""What shops said of things that nobody knew is taken over once they are known."""

import structlog

from outletbot.clock import Clock
from outletbot.db import Database
from webhooks.stocking import take_known

log = structlog.get_logger(__name__)


async def take_known_counts(database: Database, clock: Clock) -> int:
    """Take over counts that waited for their things. Return how many those were."""
    taken = await database.transact(take_known, now=clock())
    if taken:
        log.info("waiting_counts_taken", counts=taken)
    return taken
