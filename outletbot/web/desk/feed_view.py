"""What the page of one feed shows: the import, unpacked for a template."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlmodel import Session

from offers.bad_rows import BadRow, bad_rows
from offers.feed import FIELDS, RowError
from offers.imports import WAITING, FeedImport, imports
from offers.mending import count_mended
from offers.merchants import Merchant, merchants
from offers.money import Money, is_currency
from offers.scope import find_own, get_own
from offers.sentences import Sentence, load_sentence
from offers.shrinking import Shrinkage, shrinkage_of
from offers.undoing import Undone, find_undoable
from outletbot.importing.mending import can_mend

SHOWN_ERRORS = 100
SHOWN_COLUMNS = 60

CHOOSABLE = tuple(f for f in FIELDS if not f.startswith("option") or f == "option")
"""What a person can take a column for; numbered options are a shop's own."""


@dataclass(frozen=True, slots=True)
class Column:
    number: int
    column: str
    field: str
    confidence: float
    reason: Sentence
    proposed: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A field of an offer that the file says is different."""

    sku: str
    title: str
    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class BadCell:
    line: int
    column: str
    value: str
    message: Sentence
    remedy: Sentence


@dataclass(frozen=True, slots=True)
class FeedLine:
    """An import in the history; *can_undo* is the last one."""

    entry: FeedImport
    who: str
    refusal: Sentence | None
    can_undo: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of which the page shows what was answered."""

    number: int
    kind: str
    key: str
    sentence: Sentence
    choices: Sequence[tuple[str, Sentence]]
    several: bool
    needed: bool
    answered: bool
    answer: str

    @property
    def answers(self) -> Sequence[str]:
        return self.answer.splitlines()


@dataclass(frozen=True, slots=True)
class Remembered:
    """Whose choices the file is read by."""

    file_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UndoView:
    """Whether it *can* be undone, or who did so and what that did."""

    can: bool
    who: str
    done: Undone


@dataclass(frozen=True, slots=True)
class FeedView:
    """An import, who sent it, and what was found in it."""

    entry: FeedImport
    who: str
    refusal: Sentence | None
    dialect: str
    encoding: str
    delimiter: str
    wrong: int
    emptied: int
    warnings: Sequence[Sentence]
    skipped: Sequence[tuple[int, Sentence]]
    columns: Sequence[Column]
    preview: Sequence[Sequence[str]]
    changes: Sequence[Changed]
    errors: Sequence[BadCell]
    kind: str
    sheet: str
    questions: Sequence[Asked]
    shrinkage: Shrinkage
    unplaced: int
    unknown: int
    taken_away: int
    mended: int
    mendable: bool
    remembered: Remembered | None
    repeats: FeedLine | None
    confirmed_by: str
    undo: UndoView

    @property
    def waiting(self) -> bool:
        return self.entry.state in WAITING

    @property
    def open_questions(self) -> Sequence[Asked]:
        return [q for q in self.questions if q.needed and not q.answered]

    @property
    def former_prices(self) -> bool:
        """Whether the file says what things cost before; nobody has checked that."""
        fields = {column.field for column in self.columns}
        return not fields.isdisjoint({"list_price", "regular_price"})

    @property
    def doubtful_stock(self) -> bool:
        """Whether the file itself takes doubtfully many offers out of stock."""
        return self.shrinkage.is_doubtful(complete=False)

    @property
    def interrupted(self) -> bool:
        """Whether the work was begun before, and did not come to its end."""
        return self.waiting and self.entry.attempts > 1

    @property
    def doubtful(self) -> bool:
        """Whether a person should look at what the columns are taken for."""
        return any(not c.field or c.proposed for c in self.columns)


def feed_lines(session: Session, retailer_id: str) -> list[FeedLine]:
    """Return what was sent lately, the newest first."""
    names = {m.id: m.name for m in merchants(session, retailer_id)}
    last = find_undoable(session, retailer_id)
    return [
        FeedLine(
            feed,
            names.get(feed.merchant_id or "", ""),
            _refusal(feed),
            can_undo=last is not None and feed.id == last.id,
        )
        for feed in imports(session, retailer_id)
    ]


def feed_view(session: Session, retailer_id: str, import_id: str) -> FeedView:
    """Return everything about one import.

    Raises:
        Missing: If it is not this retailer's.
    """
    entry = get_own(session, FeedImport, retailer_id, import_id)
    facts = json.loads(entry.facts)
    errors = bad_rows(session, retailer_id, import_id, limit=SHOWN_ERRORS)
    return FeedView(
        entry=entry,
        who=_who(session, entry),
        refusal=_refusal(entry),
        dialect=facts.get("dialect", ""),
        encoding=facts.get("encoding", ""),
        delimiter=facts.get("delimiter", ""),
        wrong=facts.get("wrong", 0),
        emptied=facts.get("emptied", 0),
        warnings=[load_sentence(text) for text in facts.get("warnings", ())],
        skipped=[(line, load_sentence(t)) for line, t in facts.get("skipped", ())],
        columns=columns_of(facts),
        preview=facts.get("preview", ()),
        changes=[_changed(*change) for change in json.loads(entry.changes)],
        errors=[_bad_cell(row) for row in errors],
        kind=facts.get("kind", ""),
        sheet=facts.get("sheet", ""),
        questions=_questions(facts),
        shrinkage=shrinkage_of(facts),
        unplaced=facts.get("unplaced", 0),
        unknown=facts.get("unknown", 0),
        taken_away=facts.get("taken_away", 0),
        mended=count_mended(session, retailer_id, import_id),
        mendable=can_mend(entry),
        remembered=_remembered(entry),
        repeats=_repeated(session, entry),
        confirmed_by=_name(session, entry, entry.confirmed_by),
        undo=_undo(session, entry),
    )


def _questions(facts: Mapping[str, Any]) -> list[Asked]:
    """Return what is asked beside the columns; the currency has a choice of its own."""
    return [
        Asked(
            number=number,
            kind=asked["kind"],
            key=asked["key"],
            sentence=load_sentence(asked["sentence"]),
            choices=[(value, load_sentence(text)) for value, text in asked["choices"]],
            several=asked["several"],
            needed=asked["needed"],
            answered=asked["answered"],
            answer=asked["answer"],
        )
        for number, asked in enumerate(facts.get("questions", ()))
        if asked["kind"] != "currency"
    ]


def _remembered(entry: FeedImport) -> Remembered | None:
    noted = json.loads(entry.overrides).get("remembered")
    if not noted:
        return None
    return Remembered(noted["file_name"], datetime.fromisoformat(noted["at"]))


def _repeated(session: Session, entry: FeedImport) -> FeedLine | None:
    same = find_own(session, FeedImport, entry.retailer_id, entry.repeats)
    return FeedLine(same, _who(session, same), None) if same is not None else None


def _undo(session: Session, entry: FeedImport) -> UndoView:
    last = find_undoable(session, entry.retailer_id)
    can = last is not None and last.id == entry.id
    who = _name(session, entry, entry.undone_by)
    return UndoView(can, who, Undone.load(entry.undone))


def columns_of(facts: Mapping[str, Any]) -> list[Column]:
    return [
        Column(
            number,
            facts["column"],
            facts["field"] or "",
            facts["confidence"],
            load_sentence(facts["reason"]),
            facts["proposed"] or "",
        )
        for number, facts in enumerate(facts.get("columns", ()))
    ]


def row_error(row: BadRow) -> RowError:
    """Return what was kept of an error as the error it was."""
    return RowError(
        line=row.line,
        column=row.column,
        value=row.value,
        message=load_sentence(row.message),
        remedy=load_sentence(row.remedy),
        cells=tuple(json.loads(row.cells)),
    )


def _who(session: Session, entry: FeedImport) -> str:
    return _name(session, entry, entry.merchant_id)


def _name(session: Session, entry: FeedImport, key: str | None) -> str:
    merchant = find_own(session, Merchant, entry.retailer_id, key or "")
    return merchant.name if merchant is not None else ""


def _refusal(entry: FeedImport) -> Sentence | None:
    return load_sentence(entry.refusal) if entry.refusal else None


def _bad_cell(row: BadRow) -> BadCell:
    message, remedy = load_sentence(row.message), load_sentence(row.remedy)
    return BadCell(row.line, row.column, row.value, message, remedy)


def _changed(
    sku: str, title: str, field: str, before: object, after: object
) -> Changed:
    return Changed(sku, title, field, _value(field, before), _value(field, after))


def _value(field: str, value: object) -> object:
    """Money was kept as ``1,250.00 EUR``; read it, to print it the reader's way."""
    if field.endswith("_amount") and isinstance(value, str):
        number, _, code = value.rpartition(" ")
        with suppress(InvalidOperation, ValueError):
            currency = code.lower()
            if is_currency(currency):
                return Money.of(Decimal(number.replace(",", "")), currency)
    return value
