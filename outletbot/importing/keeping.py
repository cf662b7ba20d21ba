"""Keeping: what the history of imports keeps of one reading."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from offers import bad_rows, imports
from offers.deciding import must_be_answered
from offers.feed import Feed, Question, RowError
from offers.imports import FeedImport
from offers.sentences import dump_sentence
from outletbot.db import Database
from outletbot.importing.report import Report

NOTED_EVERY = 0.5  # seconds between two notes of progress
SHOWN_CELL = 80


def counts_of(report: Report) -> dict[str, int]:
    """Return the counts as the columns of ``FeedImport`` are called."""
    return {
        "rows": report.rows,
        "good": report.good,
        "new": report.new,
        "changed": report.changed,
        "same": report.same,
        "bad": report.bad,
        "skipped": report.passed,
        "missing": report.shrinkage.missing,
    }


def facts_of(feed: Feed, report: Report) -> dict[str, object]:
    """Return what a person is shown of a file, as JSON can keep it."""
    return {
        "dialect": feed.dialect,
        "encoding": feed.encoding,
        "delimiter": feed.delimiter,
        "kind": feed.kind,
        "sheet": feed.sheet,
        "wrong": report.wrong,
        "unplaced": report.unplaced,
        "unknown": report.tally.unknown,
        **asdict(report.shrinkage),
        "emptied": report.emptied,
        "questions": [_kept_question(question) for question in report.questions],
        "warnings": [dump_sentence(warning) for warning in report.warnings],
        "skipped": [[s.line, dump_sentence(s.reason)] for s in report.skipped],
        "columns": [
            {
                "column": column.column,
                "field": column.field,
                "confidence": column.confidence,
                "reason": dump_sentence(column.reason),
                "proposed": column.proposed,
            }
            for column in feed.columns
        ],
        "preview": [[cell[:SHOWN_CELL] for cell in row] for row in feed.preview],
    }


def _kept_question(question: Question) -> dict[str, object]:
    return {
        "kind": question.kind,
        "key": question.key,
        "sentence": dump_sentence(question.sentence),
        "choices": [[c.value, dump_sentence(c.label)] for c in question.choices],
        "several": question.several,
        "needed": must_be_answered(question),
        "answered": question.answered,
        "answer": question.answer,
    }


class BadRowKeeper:
    """Keeps the errors of an import for the page, in the order of the file."""

    def __init__(self, database: Database, entry: FeedImport, now: datetime) -> None:
        self._database, self._entry, self._now = database, entry, now
        self._kept = 0

    def keep(self, errors: Sequence[RowError]) -> None:
        self._database.transact_here(
            bad_rows.keep_bad_rows, self._entry, errors, first=self._kept, now=self._now
        )
        self._kept += len(errors)


class ProgressNoter:
    """Writes the progress down now and then, which also keeps the lease."""

    def __init__(
        self,
        database: Database,
        import_id: str,
        now: datetime,
        *,
        every: float = NOTED_EVERY,
    ) -> None:
        self._database, self._import_id, self._now = database, import_id, now
        self._every = every
        self._begun = self._noted = time.monotonic()

    def note(self, share: float) -> None:
        at = time.monotonic()
        if at - self._noted < self._every:
            return
        self._noted = at
        now = self._now + timedelta(seconds=at - self._begun)
        percent = min(99, int(share * 100))
        note = imports.note_progress
        self._database.transact_here(note, self._import_id, percent, now=now)
