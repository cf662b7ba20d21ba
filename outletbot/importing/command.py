"""The file on this machine: checked, or imported and entered into the history."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

from sqlmodel import Session

from offers.comparing import Tally
from offers.errors import Refused
from offers.feed import Feed, RowError
from offers.feed.unpacking import Unpacked
from offers.finishing import finish_local_import
from offers.ids import new_id
from offers.imports import (
    FeedImport,
    ImportState,
    add_import,
    keep_head,
)
from offers.repeating import find_same
from offers.retailers import Retailer
from offers.seen import Seen
from offers.sentences import Sentence, dump_sentence
from offers.shrinking import refuse_shrinking
from outletbot.db import Database
from outletbot.importing.apart import unpacked
from outletbot.importing.completing import measure, take_away_missing
from outletbot.importing.keeping import BadRowKeeper, counts_of, facts_of
from outletbot.importing.opening import open_source, parents_at
from outletbot.importing.reading import (
    OnErrors,
    OnProgress,
    bring_in,
    check_feed,
    ignore,
)
from outletbot.importing.recalling import keep_in_mind, recall
from outletbot.importing.report import Report

INTERRUPTED = Sentence(
    "This import was interrupted. Send the file again: nothing is done twice."
)

OnFeed = Callable[[Feed], OnErrors]


def hear_nothing(_feed: Feed) -> OnErrors:
    return ignore


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How a file on this machine is to be read and imported.

    *chosen* is as ``offers.imports.WAYS`` says; *complete*, *whole* and *agreed* as
    ``confirm_import`` does. A file that was imported last is read *again* on request.
    """

    chosen: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = False
    whole: bool = False
    agreed: int | None = None
    dry_run: bool = False
    again: bool = False


class Open(Refused):
    """Something must be said before anything is imported; *report* has the facts."""

    code = "import_open"

    def __init__(self, sentence: Sentence, report: Report) -> None:
        super().__init__(sentence)
        self.report = report


AS_IT_IS = Wishes()


def import_file(  # noqa: PLR0913  (each but the first has its name)
    database: Database,
    path: Path,
    retailer: Retailer,
    *,
    currency: str,
    today: date,
    now: datetime,
    wishes: Wishes = AS_IT_IS,
    on_progress: OnProgress = ignore,
    on_feed: OnFeed = hear_nothing,
) -> Report:
    """Check a file on this machine, or import it and enter it into the history.

    *on_feed* is told what the file is, and returns who is told every error.

    Raises:
        NotAFeed: If no offers can be read from it.
        Open: If a question is open, or a row is bad and all are wanted or none.
        TooMuchWouldGo: If what is missing is so much that it is doubtful.
    """
    with path.open("rb") as stream, unpacked(stream) as source:
        entry = _entry(path, stream, retailer, currency, wishes, now)
        recall(database, entry, source)
        same = database.read_here(find_same, entry)
        if same is not None and not (wishes.again or wishes.dry_run):
            return _repeated(same)
        one = _File(database, entry, source, wishes, today, now)
        return one.bring(on_progress, on_feed)


def _entry(
    path: Path,
    stream: BufferedReader,
    retailer: Retailer,
    currency: str,
    wishes: Wishes,
    now: datetime,
) -> FeedImport:
    return FeedImport(
        id=new_id("feed", now),
        retailer_id=retailer.id,
        file_name=path.name,
        sha256=_digest(stream),
        size=path.stat().st_size,
        currency=currency,
        overrides=json.dumps(wishes.chosen, ensure_ascii=False),
        complete=wishes.complete,
        whole=wishes.whole,
        state=ImportState.REFUSED,  # until it is through
        refusal=dump_sentence(INTERRUPTED),
        created_at=now,
    )


def _digest(stream: BufferedReader) -> str:
    """Return the hash of the file as it came."""
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _repeated(same: FeedImport) -> Report:
    """Return the report of a file that was imported last, of which nothing is read."""
    facts = json.loads(same.facts)
    return Report(
        dialect=facts.get("dialect", ""),
        encoding=facts.get("encoding", ""),
        delimiter=facts.get("delimiter", ""),
        good=same.good,
        bad=same.bad,
        passed=same.skipped,
        tally=Tally(same=same.good),
        repeats=same.imported_at.isoformat() if same.imported_at else same.id,
    )


class _File:
    """One file under way."""

    def __init__(
        self,
        database: Database,
        entry: FeedImport,
        source: Unpacked,
        wishes: Wishes,
        today: date,
        now: datetime,
    ) -> None:
        self._database, self._entry = database, entry
        self._wishes, self._now = wishes, now
        self._chosen = json.loads(entry.overrides)
        self._feed = open_source(
            source,
            self._chosen,
            currency=entry.currency,
            today=today,
            parents=parents_at(database, entry.retailer_id),
        )

    def bring(self, on_progress: OnProgress, on_feed: OnFeed) -> Report:
        on_errors = on_feed(self._feed)
        wishes = self._wishes
        if wishes.dry_run:
            return self._check(on_progress, on_errors)
        self._refuse_open(Report.on(self._feed))
        if wishes.complete or wishes.whole:
            report = self._check(on_progress, ignore)
            self._refuse_bad(report)
            if wishes.complete:
                refuse_shrinking(report.shrinkage, complete=True, agreed=wishes.agreed)
            self._entry.facts = json.dumps(facts_of(self._feed, report))
        return self._import(on_progress, on_errors)

    def _check(self, on_progress: OnProgress, on_errors: OnErrors) -> Report:
        seen = Seen()
        report = check_feed(
            self._database,
            self._feed,
            self._entry.retailer_id,
            seen=seen,
            on_progress=on_progress,
            on_errors=on_errors,
        )
        return self._known(measure(self._database, self._entry, report, seen))

    def _import(self, on_progress: OnProgress, on_errors: OnErrors) -> Report:
        database, entry, now = self._database, self._entry, self._now
        database.transact_here(add_import, entry)
        keeper = BadRowKeeper(database, entry, now)

        def keep(errors: Sequence[RowError]) -> None:
            keeper.keep(errors)
            on_errors(errors)

        seen = Seen() if entry.complete else None
        report = bring_in(
            database,
            self._feed,
            entry.retailer_id,
            entry.id,
            now=now,
            seen=seen,
            on_progress=on_progress,
            on_errors=keep,
        )
        if seen is not None:
            take_away_missing(database, entry, seen, now=now)
        head = self._feed.head if report.bad else ""
        facts = facts_of(self._feed, report)
        database.transact_here(_finish, entry, report, facts, head, now)
        return self._known(report)

    def _known(self, report: Report) -> Report:
        """Return *report* with whose choices were used."""
        remembered = self._chosen.get("remembered", {}).get("file_name", "")
        return replace(report, remembered=remembered)

    def _refuse_open(self, report: Report) -> None:
        for question in report.open_questions:
            raise Open(question.sentence, report)

    def _refuse_bad(self, report: Report) -> None:
        if self._wishes.whole and report.bad:
            problem = Sentence(
                "You want all rows or none, and {bad} are bad. Nothing was imported.",
                bad=report.bad,
            )
            raise Open(problem, report)
        if self._wishes.complete and report.unplaced:
            problem = Sentence(
                "Of {rows} bad rows nobody can tell which offers they are, so it is "
                "not known what is missing. Mend them, or leave them out.",
                rows=report.unplaced,
            )
            raise Open(problem, report)


def _finish(
    session: Session,
    entry: FeedImport,
    report: Report,
    facts: dict[str, object],
    head: str,
    now: datetime,
) -> None:
    finish_local_import(session, entry.id, counts_of(report), facts=facts, now=now)
    keep_head(session, entry.id, head)
    keep_in_mind(session, entry, now=now)
