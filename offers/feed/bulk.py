"""Bulk: a plain file, from end to end, thousands of rows at a time.

What is unusual in a block is read with care, row by row; where the lines themselves are
in disorder, everything after them is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import BinaryIO

from offers.feed.blocks import RawBlock, raw_blocks, raw_cells
from offers.feed.cells import clean, read_gtin, read_sku
from offers.feed.columnar import Cells, ColumnReader, Columns
from offers.feed.encoding import Encoding
from offers.feed.facts import NAMES, FactRows, facts_of
from offers.feed.layout import Layout
from offers.feed.records import Record
from offers.feed.repeats import Hashes, Repeats
from offers.feed.rows import FeedRow, RowError, Skipped

AT_ONCE = 5_000  # rows of a block, where they are read with care

Outcome = FeedRow | RowError | Skipped
Care = Callable[[Record], Iterable[Outcome]]


@dataclass(slots=True)
class Block:
    """What some lines of a file are, told apart, and how far it was read for them.

    *facts* are those of the good rows; *places* the units by place of those that tell.
    """

    facts: FactRows = field(default_factory=FactRows)
    places: list[tuple[str, tuple[tuple[str, int], ...]]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    progress: float = 0.0

    def __len__(self) -> int:
        return len(self.facts) + len(self.errors) + len(self.skipped)

    def extend(self, other: "Block") -> None:
        """Take the next block into this one."""
        self.facts.extend(other.facts)
        self.places += other.places
        self.errors += other.errors
        self.skipped += other.skipped
        self.progress = other.progress

    def add(self, outcome: Outcome) -> None:
        match outcome:
            case FeedRow():
                self.facts.append(facts_of(outcome))
                if outcome.quantities:
                    self.places.append((outcome.sku, outcome.quantities))
            case RowError():
                self.errors.append(outcome)
            case Skipped():
                self.skipped.append(outcome)


class PlainFile:
    """Reads the rows of one plain file after its header."""

    def __init__(self, stream: BinaryIO, encoding: Encoding, layout: Layout) -> None:
        self._stream = stream
        self._encoding = encoding
        self._layout = layout
        self.done = layout.header_line
        """The last line that was read."""

    def blocks(self, repeats: Repeats, care: Care, size: int) -> Iterator[Block]:
        """Yield what the rows are; *care* reads those that are unusual.

        Raises:
            Disorder: Where everything has to be read with care, after ``done``.
        """
        reader = ColumnReader(self._layout)
        for raw in self._raw():
            block = Block(progress=raw.position / size)
            usual, unusual = self._told_apart(raw)
            if len(usual):
                found = reader.read(usual.columns)
                found.bad |= repeats.among(found.facts["sku"])
                block.facts.extend(_good(found, len(usual)))
                bad = [usual.record(i) for i in found.bad]
                unusual += [record for record in bad if any(record.cells)]
            for record in sorted(unusual, key=lambda record: record.line):
                for outcome in care(record):
                    block.add(outcome)
            yield block
            self.done = raw.last

    def survey(self, note: Callable[[Record], None]) -> None:
        """Call *note* for the rows of which the sku may be repeated, in their order.

        Raises:
            Disorder: If all rows have to be looked at with care.
        """
        hashes, layout, nameless = Hashes(), self._layout, False
        for cells in raw_cells(
            self._stream, self._encoding, layout.delimiter, layout.index["sku"]
        ):
            found = list(map(read_sku, Cells(cells).clean))
            hashes.add(map(hash, found))
            nameless = nameless or "" in found
        if nameless and "gtin" in layout.index:
            hashes.add(map(hash, self._gtins_for_skus()))
        repeated = hashes.repeated()
        for raw in self._raw() if repeated else ():
            usual, unusual = self._told_apart(raw)
            skus = self._skus(usual.rows)
            same = [i for i, sku in enumerate(skus) if hash(sku) in repeated]
            noted = [usual.record(i) for i in same if any(usual.rows[i])]
            noted += [r for r in unusual if hash(self._sku(r.cells)) in repeated]
            for record in sorted(noted, key=lambda record: record.line):
                note(record)

    def _raw(self) -> Iterator[RawBlock]:
        self.done = header = self._layout.header_line
        for raw in raw_blocks(
            self._stream,
            self._encoding,
            self._layout.delimiter,
            len(self._layout.columns),
        ):
            if raw.first <= header:
                raw = raw.after(header)  # noqa: PLW2901  (it is the same block)
            yield raw

    def _told_apart(self, raw: RawBlock) -> tuple[RawBlock, list[Record]]:
        """Return the rows as wide as the header, and the others that hold anything."""
        wide = len(self._layout.columns)
        if raw.widths() <= {wide}:
            return raw, []
        fits = [len(row) == wide for row in raw.rows]
        others = [
            raw.record(i) for i, fit in enumerate(fits) if not fit and any(raw.rows[i])
        ]
        return raw.only(fits), others

    def _gtins_for_skus(self) -> Iterator[str]:
        """Yield the codes that rows without a sku go by."""
        i = self._layout.index["sku"]
        for raw in self._raw():
            for row in raw.rows:
                if not read_sku(_cell(row, i)) and (sku := self._sku(row)):
                    yield sku

    def _skus(self, rows: Sequence[Sequence[str]]) -> Sequence[str]:
        i = self._layout.index["sku"]
        skus = [read_sku(cell) for cell in Cells([row[i] for row in rows]).clean]
        if "gtin" not in self._layout.index or "" not in skus:
            return skus
        return [sku or self._sku(row) for sku, row in zip(skus, rows, strict=True)]

    def _sku(self, row: Sequence[str]) -> str:
        """Return the code of a row, or that by which it goes without one."""
        index = self._layout.index
        sku = read_sku(_cell(row, index["sku"]))
        return sku or read_gtin(_cell(row, index.get("gtin", len(row)))) or ""


def _cell(row: Sequence[str], i: int) -> str:
    return clean(row[i]) if i < len(row) else ""


def _good(found: Columns, rows: int) -> FactRows:
    """Return the facts of the rows that could be read."""
    blank = [None] * rows
    columns = [found.facts.get(name, blank) for name in NAMES]
    if found.bad:
        fits = [i not in found.bad for i in range(rows)]
        columns = [list(compress(column, fits)) for column in columns]
    return FactRows.of(columns)


def in_blocks(
    outcomes: Iterable[Outcome], progress: Callable[[], float]
) -> Iterator[Block]:
    """Yield what was read row by row as blocks; the errors of one row stay together."""
    block, last = Block(), 0
    for outcome in outcomes:
        if len(block) >= AT_ONCE and outcome.line != last:
            block.progress = progress()
            yield block
            block = Block()
        block.add(outcome)
        last = outcome.line
    block.progress = progress()
    yield block
