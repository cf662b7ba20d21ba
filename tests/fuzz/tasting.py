"""
Reads one file as the service does, and says what must not have happened.

Every error but ``NotAFeed`` is a fault of ours, and so is a row that no shop could
mean: a price of nothing, less than no units, a sentence that cannot be said.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from random import Random
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Literal

from offers.feed import (
    DELIMITERS,
    ENCODINGS,
    FIELDS,
    Answers,
    Block,
    Feed,
    FeedRow,
    NotAFeed,
    RowError,
    Skipped,
    blocks,
    in_blocks,
    open_feed,
    write_error_file,
)
from offers.feed.tables import DELIMITER, ENCODING
from offers.feed.unpacking import Kind, unpack
from tests.fuzz.aside import DIED, read_workbook

TODAY = date(2026, 3, 2)
MOST_ROWS = 5_000
Verdict = Literal["refused", "read", "died"]


@dataclass(frozen=True)
class Tasted:
    """What became of a file, and how many rows came out of it.

    ``died``: it is a workbook, and the process that read it is no more.
    """

    verdict: Verdict
    good: int = 0
    bad: int = 0
    skipped: int = 0


def taste(dice: Random, data: bytes) -> Tasted:
    """Read *data* in one of the ways in which a person could have it read."""
    with ExitStack() as files:
        try:
            unpacked = unpack(
                io.BytesIO(data),
                make_file=lambda: files.enter_context(TemporaryFile()),
                read_workbook=read_workbook,
            )
            how = _how(dice, unpacked.kind)
            feed = open_feed(unpacked.stream, today=TODAY, **how)
            files.enter_context(_reading_at_once(dice.choice((700, 3_000, 1 << 18))))
            return _read(_chosen(dice, feed, unpacked.stream, how))
        except NotAFeed as refusal:
            _must_be_said([refusal.sentence])
            return Tasted("died" if refusal.sentence == DIED else "refused")


@contextmanager
def _reading_at_once(size: int) -> Iterator[None]:
    """Let *size* bytes be read at once; whoever comes next reads as many as before."""
    before, blocks.BLOCK = blocks.BLOCK, size
    try:
        yield
    finally:
        blocks.BLOCK = before


def _how(dice: Random, kind: Kind) -> dict[str, Any]:
    how: dict[str, Any] = {"currency": dice.choice(("eur", "eur", "eur", "tnd", "jpy"))}
    if kind is not Kind.TEXT:
        return how | {"encoding": ENCODING, "delimiter": DELIMITER}
    if dice.random() < 0.1:
        how["encoding"] = dice.choice(ENCODINGS)
    if dice.random() < 0.1:
        how["delimiter"] = dice.choice(DELIMITERS)
    how["ask"] = dice.random() < 0.3
    return how


def _chosen(dice: Random, feed: Feed, stream: BinaryIO, how: dict[str, Any]) -> Feed:
    """Now and then, choose the fields of some columns, and answer the questions."""
    if dice.random() < 0.8 or not feed.columns:
        return feed
    mapping = {
        dice.choice(feed.columns).column: dice.choice((*FIELDS, ""))
        for _ in range(dice.randint(1, 4))
    }
    said = {
        question.key: dice.choice(question.choices).value
        for question in feed.questions
        if question.choices and dice.random() < 0.7
    }
    return open_feed(
        stream, today=TODAY, mapping=mapping, answers=Answers.read(said), **how
    )


def _read(feed: Feed) -> Tasted:
    counts = {FeedRow: 0, RowError: 0, Skipped: 0}
    errors = []
    for row in feed.rows():
        counts[type(row)] += 1
        _check(row)
        if isinstance(row, RowError):
            errors.append(row)
        if sum(counts.values()) > MOST_ROWS:
            break
    _must_be_said([*feed.warnings, *(column.reason for column in feed.columns)])
    _must_be_said(question.sentence for question in feed.questions)
    header = [column.column for column in feed.columns]
    b"".join(write_error_file(errors[:50], header, delimiter=feed.delimiter))
    if feed.is_plain:
        _read_by_columns(feed)
    assert len(feed.preview) <= MOST_ROWS
    assert 0 <= feed.progress <= 1
    return Tasted("read", counts[FeedRow], counts[RowError], counts[Skipped])


def _read_by_columns(feed: Feed) -> None:
    """Read a plain file by columns as well, which has to come to the same."""
    quickly = _together(feed.blocks())
    carefully = _together(in_blocks(feed.rows(), lambda: 1.0))
    assert quickly == carefully


def _together(found: Iterable[Block]) -> tuple[list[object], ...]:
    facts: list[object] = []
    errors: list[object] = []
    skipped: list[object] = []
    for block in found:
        facts += block.facts
        errors += block.errors
        skipped += block.skipped
    return sorted(facts, key=repr), errors, skipped


def _check(row: FeedRow | RowError | Skipped) -> None:
    match row:
        case RowError():
            _must_be_said([row.message, row.remedy])
        case Skipped():
            _must_be_said([row.reason])
        case FeedRow():
            _check_offer(row)


def _check_offer(row: FeedRow) -> None:
    assert row.sku.strip("/")
    assert row.price is None or row.price.amount > 0
    assert row.list_price is None or (
        row.price is not None
        and row.list_price.currency == row.price.currency
        and row.list_price.amount > row.price.amount
    )
    assert row.cost is None or row.cost.amount >= 0
    assert row.quantity is None or row.quantity >= 0
    assert all(units >= 0 for _, units in row.quantities)
    assert row.gtin is None or (row.gtin.isascii() and row.gtin.isdigit())
    assert "\x00" not in f"{row.sku}{row.title}{row.description}{row.options}"


def _must_be_said(sentences: Iterable[object]) -> None:
    for sentence in sentences:
        assert str(sentence)
