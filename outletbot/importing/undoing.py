"""The worker's undoing: an import taken back, batch by batch."""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from offers import undoing
from offers.imports import FeedImport
from outletbot.db import Database
from outletbot.importing.writing import fit_deals

BATCH = 500

Some = Callable[..., list[str]]


def undo(
    database: Database,
    entry: FeedImport,
    *,
    now: datetime,
    on_batch: Callable[[float], None],
) -> None:
    """Take back what *entry* did; who is killed goes on where they were."""
    for some in (undoing.restore_some, undoing.remove_some):
        while database.transact_here(_undo_batch, entry, some, now):
            on_batch(0.5)
    database.transact_here(undoing.finish_undo, entry.id)


def _undo_batch(
    session: Session, entry: FeedImport, some: Some, now: datetime
) -> list[str]:
    """Undo some offers, and fit their deals to the stock, in one transaction."""
    skus = some(session, entry, limit=BATCH, now=now)
    fit_deals(session, entry.retailer_id, skus, now=now)
    return skus
