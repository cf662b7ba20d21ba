"""What a feed is, and what it did or would do: added up batch by batch.

Of what can be endless (errors, changes, skipped lines) the first are kept, and all are
counted, so that a report of any file fits into memory and onto a page.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from offers.feed import Feed, FeedRow, RowError, Skipped
from offers.imports import SHOWN_CHANGES
from offers.money import Money
from offers.sentences import Sentence
from offers.shelving import Change, Tally

KEPT_ERRORS = 10_000
KEPT_SKIPPED = 50
SHOWN_TEXT = 120

T = TypeVar("T")


@dataclass(slots=True)
class Batch:
    """Some lines of a feed, told apart."""

    rows: list[FeedRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.errors) + len(self.skipped)

    def add(self, row: FeedRow | RowError | Skipped) -> None:
        match row:
            case FeedRow():
                self.rows.append(row)
            case RowError():
                self.errors.append(row)
            case Skipped():
                self.skipped.append(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """*rows* counts every line of data: it is good, bad or passed over.

    A row is *bad* once, however many of its cells are *wrong*; *emptied* counts the
    offers that had stock and have none by this feed.
    """

    dialect: str
    encoding: str
    delimiter: str
    warnings: Sequence[Sentence] = ()
    good: int = 0
    bad: int = 0
    passed: int = 0
    wrong: int = 0
    emptied: int = 0
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
        )

    @property
    def rows(self) -> int:
        return self.good + self.bad + self.passed

    @property
    def new(self) -> int:
        return self.tally.new

    @property
    def changed(self) -> int:
        return self.tally.changed

    @property
    def same(self) -> int:
        return self.tally.same

    def with_batch(
        self, batch: Batch, tally: Tally, changes: Sequence[Change] = ()
    ) -> "Report":
        """Return the report with one more batch in it."""
        currencies = {row.sku: row.price.currency for row in batch.rows if row.price}
        shown = [_shown(c, currencies) for c in changes[:SHOWN_CHANGES]]
        return replace(
            self,
            good=self.good + len(batch.rows),
            bad=self.bad + len({error.line for error in batch.errors}),
            passed=self.passed + len(batch.skipped),
            wrong=self.wrong + len(batch.errors),
            emptied=self.emptied + sum(_empties(change) for change in changes),
            tally=self.tally + tally,
            errors=_first(KEPT_ERRORS, self.errors, batch.errors),
            skipped=_first(KEPT_SKIPPED, self.skipped, batch.skipped),
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
        }


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
