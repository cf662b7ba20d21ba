"""Layout: where a file keeps what, decided once from its beginning.

The header is the row with the most known names among the first few, so that lines of
help before it, or a spreadsheet's ``sep=;``, do no harm.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offers.feed.amounts import decide_mark
from offers.feed.cells import clean
from offers.feed.dialects import recognise
from offers.feed.errors import NotAFeed
from offers.feed.fields import GUARDED_FIELDS, MONEY_FIELDS, PRICE_FIELDS
from offers.feed.headers import read_header
from offers.feed.mapping import known_names, map_columns, names_of, refuse_useless
from offers.feed.records import Record, best_delimiter, sample_records
from offers.feed.rows import ColumnMapping, Tax
from offers.feed.shops.kinds import Dialect
from offers.money import exponent
from offers.sentences import Sentence

MOST_COLUMNS = 500
HEADER_WITHIN = 20

_SEPARATOR = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the rows that come after ``header_line``.

    ``index`` is the column of each field, ``marks`` the decimal mark of each column
    of numbers, ``currencies`` what a header says of its column's money.
    """

    delimiter: str
    header_line: int
    columns: tuple[str, ...]
    mappings: tuple[ColumnMapping, ...]
    dialect: Dialect
    index: Mapping[str, int]
    options: tuple[tuple[str, int], ...]
    marks: Mapping[str, str]
    currencies: Mapping[str, str]
    currency: str
    tax: Tax
    sample: tuple[tuple[str, ...], ...]

    def column(self, field: str) -> str:
        """Return the header of *field* as the file spells it, or nothing."""
        return self.columns[self.index[field]] if field in self.index else ""


def read_layout(
    text: str, *, currency: str, delimiter: str | None, chosen: Mapping[str, str]
) -> Layout:
    """Return the layout of a file that begins with *text*.

    Raises:
        NotAFeed: If there is no header, nothing after it, or nothing of use in it.
    """
    separator = _SEPARATOR.match(text)
    delimiter = delimiter or (separator[1] if separator else best_delimiter(text))
    records = [r for r in sample_records(text, delimiter) if r.fault is None]
    if separator:
        records = [record for record in records if record.line > 1]
    header = _find_header(records)
    rows = tuple(tuple(r.cells) for r in records if r.line > header.line)
    columns = tuple(cell.strip("\ufeff \t\r\n") for cell in header.cells)
    dialect = recognise(names_of(columns))
    mappings = tuple(map_columns(columns, dialect, chosen))
    refuse_useless(mappings)
    if not rows:
        raise NotAFeed(Sentence("The file has a header, and no rows after it."))
    return _lay_out(delimiter, header.line, mappings, dialect, rows, currency)


def _lay_out(
    delimiter: str,
    header_line: int,
    mappings: tuple[ColumnMapping, ...],
    dialect: Dialect,
    rows: tuple[tuple[str, ...], ...],
    currency: str,
) -> Layout:
    columns = tuple(mapping.column for mapping in mappings)
    fields = [(mapping.field, i) for i, mapping in enumerate(mappings)]
    index = {f: i for f, i in fields if f is not None and f != "option"}
    headers = {field: read_header(columns[i]) for field, i in index.items()}
    said = {f: h.currency for f, h in headers.items() if f in MONEY_FIELDS}
    price = next(field for field in PRICE_FIELDS if field in index)
    return Layout(
        delimiter=delimiter,
        header_line=header_line,
        columns=columns,
        mappings=mappings,
        dialect=dialect,
        index=index,
        options=tuple((columns[i], i) for f, i in fields if f == "option"),
        marks=_marks(index, rows, dialect, currency),
        currencies={field: code for field, code in said.items() if code},
        currency=currency,
        tax=headers[price].tax,
        sample=rows,
    )


def _find_header(records: Sequence[Record]) -> Record:
    if not records:
        raise NotAFeed(Sentence("The file has no rows that could be read."))
    first = records[:HEADER_WITHIN]
    if max(len(record.cells) for record in first) > MOST_COLUMNS:
        raise NotAFeed(
            Sentence("The file has more than {most} columns.", most=MOST_COLUMNS)
        )
    best = max(first, key=lambda record: known_names(record.cells))
    return best if known_names(best.cells) > 1 else first[0]


def _marks(
    index: Mapping[str, int],
    rows: Sequence[Sequence[str]],
    dialect: Dialect,
    currency: str,
) -> dict[str, str]:
    """Decide the decimal mark of each column; one that does not tell follows others."""
    marks = {}
    for field in GUARDED_FIELDS & index.keys():
        decimals = exponent(currency) if field in MONEY_FIELDS else 2
        cells = [clean(row[index[field]]) for row in rows if index[field] < len(row)]
        marks[field] = decide_mark(cells, decimals=decimals)
    decided = {mark for mark in marks.values() if mark}
    usual = decided.pop() if len(decided) == 1 else dialect.decimal
    return {field: mark or usual for field, mark in marks.items()}
