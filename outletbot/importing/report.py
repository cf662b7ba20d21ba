"""What a feed is, and what it did or would do: added up batch by block.

Of what can be endless (errors, changes, skipped lines) the first are kept, and all are
counted, so that a report of any file fits into memory and onto a page.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from offers.comparing import Change, Tally
from offers.deciding import must_be_answered
from offers.feed import Block, Feed, Question, RowError, Skipped
from offers.feed.facts import NAMES
from offers.imports import SHOWN_CHANGES
from offers.money import Money
from offers.sentences import Sentence
from offers.shrinking import NOTHING_GONE, Shrinkage

KEPT_ERRORS = 10_000
KEPT_SKIPPED = 50
SHOWN_TEXT = 120

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """*rows* counts every line of data: it is good, bad or passed over.

    A row is *bad* once, however many of its cells are *wrong*; of *unplaced* bad rows
    nobody can tell which offers they are. *emptied* counts the offers that had stock
    and have none by this feed; *shrinkage* compares it with all that is known, once
    the feed is read to its end. *remembered* is the file whose choices were used;
    *repeats* says when this very file was imported, so that nothing was done.
    """

    dialect: str
    encoding: str
    delimiter: str
    warnings: Sequence[Sentence] = ()
    good: int = 0
    bad: int = 0
    passed: int = 0
    wrong: int = 0
    unplaced: int = 0
    emptied: int = 0
    shrinkage: Shrinkage = NOTHING_GONE
    questions: Sequence[Question] = ()
    remembered: str = ""
    repeats: str = ""
    tally: Tally = field(default_factory=Tally)
    errors: Sequence[RowError] = ()
    skipped: Sequence[Skipped] = ()
    changes: Sequence[Change] = ()

    @classmethod
    def on(cls, feed: Feed) -> "Report":
        """Return the report of a feed of which no row is read yet."""
        return cls(
            dialect=feed.dialect,
            encoding=feed.encoding,
            delimiter=feed.delimiter,
            warnings=feed.warnings,
            questions=feed.questions,
        )

    @property
    def rows(self) -> int:
        return self.good + self.bad + self.passed

    @property
    def open_questions(self) -> Sequence[Question]:
        """What must be answered before anything is imported."""
        return [q for q in self.questions if must_be_answered(q) and not q.answered]

    @property
    def new(self) -> int:
        return self.tally.new

    @property
    def changed(self) -> int:
        return self.tally.changed

    @property
    def same(self) -> int:
        return self.tally.same

    def with_block(
        self, block: Block, tally: Tally, changes: Sequence[Change] = ()
    ) -> "Report":
        """Return the report with one more block in it."""
        currencies = _currencies(block) if changes else {}
        shown = [_shown(c, currencies) for c in changes[:SHOWN_CHANGES]]
        return replace(
            self,
            good=self.good + len(block.facts),
            bad=self.bad + len({error.line for error in block.errors}),
            passed=self.passed + len(block.skipped),
            wrong=self.wrong + len(block.errors),
            unplaced=self.unplaced + len({e.line for e in block.errors if not e.sku}),
            emptied=self.emptied + sum(_empties(change) for change in changes),
            tally=self.tally + tally,
            errors=_first(KEPT_ERRORS, self.errors, block.errors),
            skipped=_first(KEPT_SKIPPED, self.skipped, block.skipped),
            changes=_first(SHOWN_CHANGES, self.changes, shown),
        )

    def as_json(self) -> dict[str, object]:
        """Return what a program is told of the file."""
        return {
            "dialect": self.dialect,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "rows": self.rows,
            "good": self.good,
            "new": self.new,
            "changed": self.changed,
            "same": self.same,
            "errors": [
                {
                    "line": error.line,
                    "column": error.column,
                    "value": error.value,
                    "message": str(error.message),
                    "remedy": str(error.remedy),
                }
                for error in self.errors
            ],
            "bad": self.bad,
            "passed_over": self.passed,
            "unknown": self.tally.unknown,
            "missing": self.shrinkage.missing,
            "remembered": self.remembered or None,
            "repeats": self.repeats or None,
            "questions": [
                {
                    "key": question.key,
                    "question": str(question.sentence),
                    "choices": [choice.value for choice in question.choices],
                    "needed": must_be_answered(question),
                    "answer": question.answer if question.answered else None,
                }
                for question in self.questions
            ],
        }


def _currencies(block: Block) -> dict[str, str]:
    sku, currency = NAMES.index("sku"), NAMES.index("currency")
    return {str(row[sku]): str(row[currency]) for row in block.facts if row[currency]}


def _first(most: int, kept: Sequence[T], more: Sequence[T]) -> Sequence[T]:
    room = most - len(kept)
    return (*kept, *more[:room]) if room > 0 and more else kept


def _empties(change: Change) -> bool:
    return change.field == "quantity" and change.after == 0 and bool(change.before)


def _shown(change: Change, currencies: Mapping[str, str]) -> Change:
    """Return *change* with values for a person: money, and texts that are not long."""
    currency = currencies.get(change.sku, "")
    return replace(
        change,
        before=_readable(change.field, change.before, currency),
        after=_readable(change.field, change.after, currency),
    )


def _readable(name: str, value: object, currency: str) -> object:
    if name.endswith("_amount") and isinstance(value, int):
        return str(Money(value, currency))
    if name == "options" and isinstance(value, str):
        return " / ".join(text for _, text in json.loads(value))
    if isinstance(value, str) and len(value) > SHOWN_TEXT:
        return value[: SHOWN_TEXT - 1] + "…"
    return value
