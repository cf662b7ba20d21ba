"""The file on this machine: checked, or imported and entered into the history."""

import hashlib
from datetime import date, datetime
from pathlib import Path

from offers.feed import open_feed
from offers.ids import new_id
from offers.imports import (
    FeedImport,
    ImportState,
    add_import,
    finish_local_import,
)
from offers.retailers import Retailer
from offers.sentences import Sentence, dump_sentence
from outletbot.db import Database
from outletbot.importing.keeping import BadRowKeeper, counts_of, facts_of
from outletbot.importing.reading import OnProgress, bring_in, check_feed, ignore
from outletbot.importing.report import Report

INTERRUPTED = Sentence(
    "This import was interrupted. Send the file again: nothing is done twice."
)


def import_file(
    database: Database,
    path: Path,
    retailer: Retailer,
    *,
    currency: str,
    today: date,
    now: datetime,
    dry_run: bool = False,
    on_progress: OnProgress = ignore,
) -> Report:
    """Check a file on this machine, or import it and enter it into the history.

    Raises:
        NotAFeed: If no offers can be read from it.
    """
    with path.open("rb") as stream:
        feed = open_feed(stream, currency=currency, today=today)
        if dry_run:
            return check_feed(database, feed, retailer.id, on_progress=on_progress)
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        entry = FeedImport(
            id=new_id("feed", now),
            retailer_id=retailer.id,
            file_name=path.name,
            sha256=sha256,
            size=path.stat().st_size,
            currency=currency,
            state=ImportState.REFUSED,  # until it is through
            refusal=dump_sentence(INTERRUPTED),
            created_at=now,
        )
        database.transact_here(add_import, entry)
        keeper = BadRowKeeper(database, entry, now)
        report = bring_in(
            database,
            feed,
            retailer.id,
            entry.id,
            now=now,
            on_progress=on_progress,
            on_errors=keeper.keep,
        )
    counts, facts = counts_of(report), facts_of(feed, report)
    database.transact_here(finish_local_import, entry.id, counts, facts=facts, now=now)
    return report
