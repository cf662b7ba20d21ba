"""Finding: the header of a table among its first rows, or that it has none.

The header is the row that a shop is known by, or else the one with the most known
names, so that lines of help before it, labels in the reader's language or a
spreadsheet's ``sep=;`` do no harm.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from offers.feed.dialects import PLAIN, recognise, strength
from offers.feed.errors import NotAFeed
from offers.feed.mapping import known_names, names_of
from offers.feed.positions import nameless
from offers.feed.records import Record, best_delimiter, sample_records
from offers.feed.shops.kinds import Dialect
from offers.sentences import Sentence

MOST_COLUMNS = 500
HEADER_WITHIN = 20

Rows = tuple[tuple[str, ...], ...]

_SEPARATOR = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)

_DATUM = re.compile(r"[€$£]?\s*[0-9][0-9.,\s]*\s*[€$£%]?|https?://\S+")


@dataclass(frozen=True, slots=True)
class Start:
    """What is known of a table before its columns are looked at."""

    delimiter: str
    header_line: int
    named: bool
    columns: tuple[str, ...]
    rows: Rows
    dialect: Dialect


def find_start(text: str, delimiter: str | None) -> Start:
    """Return where the table that begins with *text* has its columns and rows.

    Raises:
        NotAFeed: If it has no rows, or too many columns.
    """
    separator = _SEPARATOR.match(text)
    delimiter = delimiter or (separator[1] if separator else best_delimiter(text))
    records = [r for r in sample_records(text, delimiter) if r.fault is None]
    if separator:
        records = [record for record in records if record.line > 1]
    header = _find_header(records)
    if header is None:
        line, columns = 1 if separator else 0, nameless(records[:HEADER_WITHIN])
    else:
        line = header.line
        columns = tuple(cell.strip("\ufeff \t\r\n") for cell in header.cells)
    named, dialect = header is not None, recognise(names_of(columns))
    line = max(line, _last_before_rows(dialect, line, records))
    rows = tuple(tuple(r.cells) for r in records if r.line > line)
    return Start(delimiter, line, named, columns, rows, dialect)


def _last_before_rows(dialect: Dialect, header: int, records: list[Record]) -> int:
    """Return the last line before the rows, if the lines before the header say it."""
    if dialect.rows_from is None:
        return 0
    before = "\n".join("\t".join(r.cells) for r in records if r.line < header)
    found = dialect.rows_from.search(before)
    return int(found[1]) - 1 if found else 0


def read_columns(text: str, *, delimiter: str | None) -> tuple[str, ...]:
    """Return the names of the columns of a file that begins with *text*.

    Raises:
        NotAFeed: If it has no rows, or too many columns.
    """
    return find_start(text, delimiter).columns


def _find_header(records: Sequence[Record]) -> Record | None:
    """Return the row that names the columns; ``None`` if none does.

    Raises:
        NotAFeed: If there are no rows, or too many columns.
    """
    if not records:
        raise NotAFeed(Sentence("The file has no rows that could be read."))
    first = records[:HEADER_WITHIN]
    if max(len(record.cells) for record in first) > MOST_COLUMNS:
        raise NotAFeed(
            Sentence("The file has more than {most} columns.", most=MOST_COLUMNS)
        )
    best = max(first, key=lambda record: _likeness(record.cells))
    if known_names(best.cells) > 1:
        return best
    return None if _holds_data(first[0].cells) else first[0]


def _likeness(cells: Sequence[str]) -> tuple[int, int]:
    names = names_of(cells)
    dialect = recognise(names)
    return 0 if dialect is PLAIN else strength(dialect, names), known_names(cells)


def _holds_data(cells: Sequence[str]) -> bool:
    """Whether these cells are an offer's own: no column is named by a number."""
    return len(cells) > 2 and any(_DATUM.fullmatch(cell.strip()) for cell in cells)
