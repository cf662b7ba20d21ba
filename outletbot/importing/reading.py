"""Reading: a feed, once from end to end, to see what it would do or to do it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlmodel import Session

from offers.allotments import fit_to_stock
from offers.deals import mark_sold_out, offers_in_deals
from offers.feed import Feed, FeedRow, RowError
from offers.imports import import_batch
from offers.posts import retire_posts
from offers.shelving import Tally, compare_rows
from outletbot.db import Database
from outletbot.importing.report import Batch, Report

BATCH = 1_000

OnProgress = Callable[[float], None]
OnErrors = Callable[[Sequence[RowError]], None]


def ignore(_news: object) -> None:
    """For callers who do not want to hear."""


def check_feed(
    database: Database,
    feed: Feed,
    retailer_id: str,
    *,
    batch: int = BATCH,
    on_progress: OnProgress = ignore,
    on_errors: OnErrors = ignore,
) -> Report:
    """Say what importing *feed* would do, and change nothing.

    *on_progress* is told the share that is read, from 0 to 1; *on_errors* every error.

    Raises:
        NotAFeed: If the file cannot be read to its end.
    """
    report = Report.on(feed)
    for lines in _batches(feed, batch):
        tally, changes = database.read_here(compare_rows, retailer_id, lines.rows)
        report = report.with_batch(lines, tally, changes)
        _tell(feed, lines, on_progress, on_errors)
    return report


def bring_in(
    database: Database,
    feed: Feed,
    retailer_id: str,
    import_id: str,
    *,
    now: datetime,
    batch: int = BATCH,
    on_progress: OnProgress = ignore,
    on_errors: OnErrors = ignore,
) -> Report:
    """Import the good rows of *feed*, and fit the deals to the new stock.

    Raises:
        NotAFeed: If the file cannot be read to its end.
    """
    report = Report.on(feed)
    for lines in _batches(feed, batch):
        tally = database.transact_here(
            _bring_rows, retailer_id, import_id, lines.rows, now=now
        )
        report = report.with_batch(lines, tally)
        _tell(feed, lines, on_progress, on_errors)
    return report


def _bring_rows(
    session: Session,
    retailer_id: str,
    import_id: str,
    rows: Sequence[FeedRow],
    *,
    now: datetime,
) -> Tally:
    tally, _ = import_batch(session, retailer_id, import_id, rows, now=now)
    # Also what had no stock and has some now: its deals may get units back.
    for offer in offers_in_deals(session, retailer_id, [row.sku for row in rows]):
        for deal in fit_to_stock(session, offer):
            if mark_sold_out(session, deal.id, now=now):
                retire_posts(session, deal.id, now=now)
    return tally


def _batches(feed: Feed, size: int) -> Iterator[Batch]:
    """Cut the feed into batches; the errors of one row stay together."""
    lines, last = Batch(), 0
    for row in feed.rows():
        if len(lines) >= size and row.line != last:
            yield lines
            lines = Batch()
        lines.add(row)
        last = row.line
    if len(lines):
        yield lines


def _tell(
    feed: Feed, lines: Batch, on_progress: OnProgress, on_errors: OnErrors
) -> None:
    if lines.errors:
        on_errors(lines.errors)
    on_progress(feed.progress)
