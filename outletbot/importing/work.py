"""The worker's half: an uploaded file is checked, and imported once confirmed."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from itertools import groupby
from tempfile import TemporaryFile
from typing import BinaryIO

import structlog
from sqlmodel import Session

from offers import bad_rows, finishing, imports, mending
from offers.feed import Feed, NotAFeed, RowError
from offers.feed.unpacking import Unpacked
from offers.imports import FeedImport, ImportState
from offers.pieces import pieces
from offers.repeating import find_same, repeat_import
from offers.retailers import get_retailer
from offers.seen import Seen
from offers.sentences import Sentence
from offers.undoing import tally_of_all
from outletbot.db import Database
from outletbot.importing.apart import unpacked
from outletbot.importing.completing import measure, take_away_missing
from outletbot.importing.keeping import (
    BadRowKeeper,
    ProgressNoter,
    counts_of,
    facts_of,
)
from outletbot.importing.opening import open_source, parents_at
from outletbot.importing.reading import Mended, bring_in, check_feed, count_bad
from outletbot.importing.recalling import keep_in_mind, recall
from outletbot.importing.report import Report
from outletbot.importing.undoing import undo

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 5

OnProgress = Callable[[float], None]


class Interrupted(Exception):
    """The process is to stop; the file is read again from its beginning by the next."""


def never() -> bool:
    return False


def work_on_import(
    database: Database, *, now: datetime, stopping: Callable[[], bool] = never
) -> bool:
    """Check, import or undo what waits longest. Return whether there was something.

    As soon as *stopping* returns true the file is left to the next who asks.
    """
    entry = database.transact_here(imports.lease_import, now=now)
    if entry is None:
        return False
    log.info("import_begun", feed_import=entry.id, state=entry.state.value)
    try:
        _work(database, entry, now, _noting(database, entry, now, stopping))
    except NotAFeed as refusal:
        database.transact_here(_refuse, entry, refusal.sentence)
        log.info("import_refused", feed_import=entry.id, reason=str(refusal))
    except Interrupted:
        database.transact_here(imports.give_back_import, entry.id)
        log.info("import_interrupted", feed_import=entry.id)
    return True


def _work(
    database: Database, entry: FeedImport, now: datetime, note: OnProgress
) -> None:
    if entry.state is ImportState.UNDOING:
        undo(database, entry, now=now, on_batch=note)
        log.info("import_undone", feed_import=entry.id)
        return
    if entry.attempts > MOST_ATTEMPTS:
        raise NotAFeed(
            Sentence(
                "The reading of this file was interrupted {times} times. Look into the "
                "log, and send the file again.",
                times=MOST_ATTEMPTS,
            )
        )
    with _spooled(database, entry) as stream, unpacked(stream) as source:
        if entry.state is ImportState.CONFIRMED:
            _import(database, entry, source, now, note)
        elif not _is_repeated(database, entry, source):
            _check(database, entry, source, now, note)


@contextmanager
def _spooled(database: Database, entry: FeedImport) -> Iterator[BinaryIO]:
    """The file of an import, on disk: it is read several times, and may be large."""
    with TemporaryFile() as stream:
        database.read_here(_copy_pieces, entry.id, stream)
        if not entry.sha256:
            raise NotAFeed(Sentence("The upload was interrupted. Send the file again."))
        yield stream


def _copy_pieces(session: Session, import_id: str, stream: BinaryIO) -> None:
    stream.writelines(pieces(session, import_id))


def _is_repeated(database: Database, entry: FeedImport, source: Unpacked) -> bool:
    """Recall how files like this are read; leave it there if it is the last one."""
    recall(database, entry, source)
    if json.loads(entry.overrides).get("again"):
        return False
    repeated = database.transact_here(_repeat, entry)
    if repeated:
        log.info("import_repeated", feed_import=entry.id)
    return repeated


def _repeat(session: Session, entry: FeedImport) -> bool:
    same = find_same(session, entry)
    if same is not None and _still_wanted(session, entry):
        repeat_import(session, entry, same)
        return True
    return False


def _open(
    database: Database, entry: FeedImport, source: Unpacked, now: datetime
) -> Feed:
    chosen = json.loads(entry.overrides)
    today = database.read_here(_today, entry, now)
    return open_source(
        source,
        chosen,
        currency=entry.currency,
        today=today,
        ask=True,
        parents=parents_at(database, entry.retailer_id),
    )


def _today(session: Session, entry: FeedImport, now: datetime) -> date:
    return now.astimezone(get_retailer(session, entry.retailer_id).zone).date()


def mended_of(session: Session, entry: FeedImport) -> Mended:
    """Return the cells of the rows that were mended on the page, by their line."""
    rows = mending.mended_rows(session, entry.retailer_id, entry.id)
    return {row.line: None if row.left_out else json.loads(row.cells) for row in rows}


def _check(
    database: Database,
    entry: FeedImport,
    source: Unpacked,
    now: datetime,
    note: OnProgress,
) -> None:
    feed = _open(database, entry, source, now)
    database.transact_here(bad_rows.forget_bad_rows, entry.id)
    seen = Seen()
    report = check_feed(
        database,
        feed,
        entry.retailer_id,
        mended=database.read_here(mended_of, entry),
        seen=seen,
        on_progress=note,
        on_errors=BadRowKeeper(database, entry, now).keep,
    )
    report = measure(database, entry, report, seen)
    head = feed.head if report.bad else ""
    database.transact_here(_finish_check, entry, report, facts_of(feed, report), head)
    log.info("import_checked", feed_import=entry.id, rows=report.rows, bad=report.bad)


def _import(
    database: Database,
    entry: FeedImport,
    source: Unpacked,
    now: datetime,
    note: OnProgress,
) -> None:
    feed, mended = (
        _open(database, entry, source, now),
        database.read_here(mended_of, entry),
    )
    if entry.whole and count_bad(feed, mended, on_progress=note):
        database.transact_here(finishing.check_again, entry.id)
        return
    seen = Seen() if entry.complete else None
    report = bring_in(
        database,
        feed,
        entry.retailer_id,
        entry.id,
        now=now,
        mended=mended,
        seen=seen,
        on_progress=note,
        on_errors=partial(_keep_unmended, database, entry, mended, now),
    )
    emptied = 0
    if seen is not None:
        emptied = take_away_missing(database, entry, seen, now=now)
    database.transact_here(_finish_import, entry, report, emptied, now)
    log.info("import_finished", feed_import=entry.id, good=report.good, gone=emptied)


def _keep_unmended(
    database: Database,
    entry: FeedImport,
    mended: Mended,
    now: datetime,
    errors: Sequence[RowError],
) -> None:
    """Keep what is wrong with mended rows all the same; the rest is known."""
    mine = [error for error in errors if error.line in mended]
    if mine:
        database.transact_here(_replace_bad_rows, entry, mine, now)


def _replace_bad_rows(
    session: Session, entry: FeedImport, errors: Sequence[RowError], now: datetime
) -> None:
    for line, wrong in groupby(errors, key=lambda error: error.line):
        bad_rows.replace_bad_row(session, entry, line, wrong, now=now)


def _noting(
    database: Database,
    entry: FeedImport,
    now: datetime,
    stopping: Callable[[], bool],
) -> OnProgress:
    """Return what notes the progress, and interrupts if the process is to stop."""
    noter = ProgressNoter(database, entry.id, now)

    def note(share: float) -> None:
        if stopping():
            raise Interrupted
        noter.note(share)

    return note


def _finish_check(
    session: Session,
    entry: FeedImport,
    report: Report,
    facts: dict[str, object],
    head: str,
) -> None:
    """Note the result, unless somebody asked for something else in the meantime."""
    if _still_wanted(session, entry):
        imports.finish_check(
            session, entry.id, counts_of(report), facts=facts, changes=report.changes
        )
        imports.keep_head(session, entry.id, head)


def _finish_import(
    session: Session, entry: FeedImport, report: Report, emptied: int, now: datetime
) -> None:
    tally = report.tally
    if entry.attempts > 1 or entry.progress:  # what was done before is the same now
        tally = tally_of_all(session, entry, report.good)
    if finishing.finish_import(session, entry.id, tally, now=now):
        bad = bad_rows.count_bad_rows(session, entry.retailer_id, entry.id).rows
        finishing.note_outcome(
            session, entry.id, good=report.good, bad=bad, emptied=emptied
        )
        keep_in_mind(session, entry, now=now)
        mending.forget_mended_rows(session, entry.id)


def _refuse(session: Session, entry: FeedImport, reason: Sentence) -> None:
    if _still_wanted(session, entry):
        imports.refuse_import(session, entry.id, reason)


def _still_wanted(session: Session, entry: FeedImport) -> bool:
    current = session.get_one(FeedImport, entry.id)
    return (current.state, current.overrides) == (entry.state, entry.overrides)
