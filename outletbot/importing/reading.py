"""Reading: a feed, once from end to end, to see what it would do or to do it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from offers.comparing import Tally, compare_facts
from offers.feed import Block, Feed, FeedRow, RowError, Skipped, in_blocks
from offers.seen import Seen
from offers.sentences import Sentence
from outletbot.aside import Packing, blocks_of
from outletbot.db import Database
from outletbot.importing.report import Report
from outletbot.importing.writing import SKU, Writer

OnProgress = Callable[[float], None]
OnErrors = Callable[[Sequence[RowError]], None]
Mended = Mapping[int, Sequence[str] | None]
"""The cells of mended rows by their line; ``None`` leaves the line out."""

NONE: Mended = {}
NOTHING = Tally()


def ignore(_news: object) -> None:
    """For callers who do not want to hear."""


def check_feed(
    database: Database,
    feed: Feed,
    retailer_id: str,
    *,
    mended: Mended = NONE,
    seen: Seen | None = None,
    on_progress: OnProgress = ignore,
    on_errors: OnErrors = ignore,
) -> Report:
    """Say what importing *feed* would do, and change nothing.

    *mended* are rows to be read in place of the file's own; *seen* is given the skus of
    all rows, good and bad. *on_progress* is told the share that is read, from 0 to 1;
    *on_errors* every error.

    Raises:
        NotAFeed: If the file cannot be read to its end.
    """
    report = Report.on(feed)
    for block in _blocks(feed, mended):
        rows = list(block.facts)
        tally, changes = database.read_here(compare_facts, retailer_id, rows)
        report = report.with_block(block, tally, changes)
        _note_seen(seen, block)
        _tell(block, on_progress, on_errors)
    return report


def bring_in(  # noqa: PLR0913  (each but the first has its default)
    database: Database,
    feed: Feed,
    retailer_id: str,
    import_id: str,
    *,
    now: datetime,
    mended: Mended = NONE,
    seen: Seen | None = None,
    on_progress: OnProgress = ignore,
    on_errors: OnErrors = ignore,
) -> Report:
    """Import the good rows of *feed*, and fit the deals to the new stock.

    Raises:
        NotAFeed: If the file cannot be read to its end.
    """
    report = Report.on(feed)
    with Writer(database, retailer_id, import_id, now) as writer:
        for block in _blocks(feed, mended, writer.packing):
            writer.write(block)
            report = report.with_block(block, NOTHING)
            _note_seen(seen, block)
            _tell(block, on_progress, on_errors)
            del block  # or it is held until the next is here
        return replace(report, tally=writer.finish())


def count_bad(feed: Feed, mended: Mended, *, on_progress: OnProgress = ignore) -> int:
    """Return how many rows have errors, and touch nothing."""
    bad = 0
    for block in _blocks(feed, mended):
        bad += len({error.line for error in block.errors})
        on_progress(0)
    return bad


def rows_of(feed: Feed, mended: Mended) -> Iterator[FeedRow | RowError | Skipped]:
    """Read *feed*, with *mended* rows in place of its own, at its end."""
    if not mended:
        yield from feed.rows()
        return
    kept = [(line, cells) for line, cells in mended.items() if cells is not None]
    again = list(feed.read_again(kept))
    skus = {row.sku for row in again if isinstance(row, FeedRow)}
    taken: dict[str, int] = {}
    for row in feed.rows():
        if row.line in mended:
            continue
        if isinstance(row, FeedRow) and row.sku in skus:
            taken[row.sku] = row.line
        yield row
    yield from (_unless_taken(row, taken, mended) for row in again)


def _unless_taken(
    row: FeedRow | RowError | Skipped, taken: Mapping[str, int], mended: Mended
) -> FeedRow | RowError | Skipped:
    """Return an error in place of a mended row whose sku another row has too."""
    if not isinstance(row, FeedRow) or row.sku not in taken:
        return row
    return RowError(
        line=row.line,
        column="",
        value=row.sku,
        message=taken_sku(taken[row.sku]),
        remedy=Sentence("Keep one of these rows, or give each its own sku."),
        cells=tuple(mended[row.line] or ()),
        sku=row.sku,
    )


def taken_sku(line: int) -> Sentence:
    return Sentence("Line {line} has this sku too.", line=line)


def _note_seen(seen: Seen | None, block: Block) -> None:
    if seen is None:
        return
    for sku in block.facts.columns[SKU]:
        seen.add(sku)
    for error in block.errors:
        if error.sku:
            seen.add(error.sku)


def _blocks(
    feed: Feed, mended: Mended, packing: Packing | None = None
) -> Iterator[Block]:
    if not mended:
        return blocks_of(feed, packing)
    return in_blocks(rows_of(feed, mended), lambda: feed.progress)


def _tell(block: Block, on_progress: OnProgress, on_errors: OnErrors) -> None:
    if block.errors:
        on_errors(block.errors)
    on_progress(block.progress)
