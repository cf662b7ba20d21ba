"""The worker's half: an uploaded file is checked, and imported once confirmed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO

import structlog
from sqlmodel import Session

from offers import bad_rows, imports
from offers.feed import Feed, NotAFeed, open_feed
from offers.imports import FeedImport, ImportState
from offers.pieces import pieces
from offers.retailers import get_retailer
from offers.sentences import Sentence
from outletbot.db import Database
from outletbot.importing.keeping import (
    BadRowKeeper,
    ProgressNoter,
    counts_of,
    facts_of,
)
from outletbot.importing.reading import bring_in, check_feed
from outletbot.importing.report import Report

log = structlog.get_logger(__name__)


class Interrupted(Exception):
    """The process is to stop; the file is read again from its beginning by the next."""


def never() -> bool:
    return False


def work_on_import(
    database: Database, *, now: datetime, stopping: Callable[[], bool] = never
) -> bool:
    """Check or import the file that waits longest. Return whether there was one.

    As soon as *stopping* returns true the file is left to the next who asks.
    """
    entry = database.transact_here(imports.lease_import, now=now)
    if entry is None:
        return False
    log.info("import_begun", feed_import=entry.id, state=entry.state.value)
    try:
        with _spooled(database, entry) as stream:
            feed = _open(database, entry, stream, now)
            if entry.state is ImportState.UPLOADED:
                _check(database, entry, feed, now, stopping)
            else:
                _import(database, entry, feed, now, stopping)
    except NotAFeed as refusal:
        database.transact_here(_refuse, entry, refusal.sentence)
        log.info("import_refused", feed_import=entry.id, reason=str(refusal))
    except Interrupted:
        database.transact_here(imports.give_back_import, entry.id)
        log.info("import_interrupted", feed_import=entry.id)
    return True


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


def _open(
    database: Database, entry: FeedImport, stream: BinaryIO, now: datetime
) -> Feed:
    retailer = database.read_here(get_retailer, entry.retailer_id)
    chosen = json.loads(entry.overrides)
    return open_feed(
        stream,
        currency=entry.currency,
        today=now.astimezone(retailer.zone).date(),
        encoding=chosen.get("encoding") or None,
        delimiter=chosen.get("delimiter") or None,
        mapping=chosen.get("mapping"),
    )


def _check(
    database: Database,
    entry: FeedImport,
    feed: Feed,
    now: datetime,
    stopping: Callable[[], bool],
) -> None:
    database.transact_here(bad_rows.forget_bad_rows, entry.id)
    report = check_feed(
        database,
        feed,
        entry.retailer_id,
        on_progress=_noting(database, entry, now, stopping),
        on_errors=BadRowKeeper(database, entry, now).keep,
    )
    database.transact_here(_finish_check, entry, report, facts_of(feed, report))
    log.info("import_checked", feed_import=entry.id, rows=report.rows, bad=report.bad)


def _import(
    database: Database,
    entry: FeedImport,
    feed: Feed,
    now: datetime,
    stopping: Callable[[], bool],
) -> None:
    report = bring_in(
        database,
        feed,
        entry.retailer_id,
        entry.id,
        now=now,
        on_progress=_noting(database, entry, now, stopping),
    )
    database.transact_here(imports.finish_import, entry.id, report.tally, now=now)
    log.info("import_finished", feed_import=entry.id, good=report.good)


def _noting(
    database: Database,
    entry: FeedImport,
    now: datetime,
    stopping: Callable[[], bool],
) -> Callable[[float], None]:
    """Return what notes the progress, and interrupts if the process is to stop."""
    noter = ProgressNoter(database, entry.id, now)

    def note(share: float) -> None:
        if stopping():
            raise Interrupted
        noter.note(share)

    return note


def _finish_check(
    session: Session, entry: FeedImport, report: Report, facts: dict[str, object]
) -> None:
    """Note the result, unless somebody asked for something else in the meantime."""
    if _still_wanted(session, entry):
        imports.finish_check(
            session, entry.id, counts_of(report), facts=facts, changes=report.changes
        )


def _refuse(session: Session, entry: FeedImport, reason: Sentence) -> None:
    if _still_wanted(session, entry):
        imports.refuse_import(session, entry.id, reason)


def _still_wanted(session: Session, entry: FeedImport) -> bool:
    current = session.get_one(FeedImport, entry.id)
    return (current.state, current.overrides) == (entry.state, entry.overrides)
