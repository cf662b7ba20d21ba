"""Positions: what the columns of a table may be by where they stand.

Some files have no header, and PrestaShop takes columns by their order whatever their
headers say. Nothing of this is taken for true: it is proposed to a person.
"""

from collections.abc import Sequence

from offers.feed.contents import LIKELY, Rows, column, propose
from offers.feed.dialects import DIALECTS
from offers.feed.fields import GUARDED_FIELDS
from offers.feed.marks import looks_like_amount
from offers.feed.records import Record
from offers.feed.rows import ColumnMapping
from offers.feed.shops.kinds import Dialect
from offers.sentences import Sentence


def nameless(records: Sequence[Record]) -> tuple[str, ...]:
    """Return Column 1, Column 2 and so on for a table whose columns have no names."""
    widest = max(len(record.cells) for record in records)
    return tuple(f"Column {i}" for i in range(1, widest + 1))


def is_nameless(columns: Sequence[str]) -> bool:
    """Whether these are the names of columns that have none."""
    return all(name == f"Column {i}" for i, name in enumerate(columns, 1))


def guess_columns(
    mappings: Sequence[ColumnMapping], rows: Rows, *, named: bool
) -> list[ColumnMapping]:
    """Propose fields for the columns that nobody knows, by position or by content."""
    columns = [mapping.column for mapping in mappings]
    dialect = next((d for d in DIALECTS if _fits(d, columns, rows)), None)
    if dialect is not None:
        guesses = [_by_position(dialect, i, name) for i, name in enumerate(columns)]
    else:
        guesses = propose(columns, rows)
    taken = {mapping.field for mapping in mappings}
    return [
        guess
        if mapping.field is None
        and mapping.proposed is None
        and (guess.proposed or not named)
        and guess.proposed not in taken
        and mapping.confidence < 1
        else mapping
        for mapping, guess in zip(mappings, guesses, strict=True)
    ]


def _by_position(dialect: Dialect, i: int, name: str) -> ColumnMapping:
    field = dialect.positions[i] if i < len(dialect.positions) else ""
    if not field:
        return ColumnMapping(name, None, 0.0, Sentence("Not needed for an offer."))
    reason = Sentence(
        "In {shop} it is column {number}. Is it that?", shop=dialect.name, number=i + 1
    )
    return ColumnMapping(name, None, LIKELY, reason, proposed=field)


def _fits(dialect: Dialect, columns: Sequence[str], rows: Rows) -> bool:
    """Whether the cells could be those that *dialect* has in these positions."""
    if not dialect.positions or not len(dialect.positions) <= len(columns):
        return False
    numbers = [
        cell
        for i, field in enumerate(dialect.positions)
        if field in GUARDED_FIELDS
        for cell in column(rows, i)
        if cell
    ]
    right = sum(looks_like_amount(cell) for cell in numbers)
    titles = [c for c in column(rows, dialect.positions.index("title")) if c]
    named = sum(not looks_like_amount(cell) for cell in titles)
    return (
        bool(numbers)
        and right >= LIKELY * len(numbers)
        and bool(titles)
        and named >= LIKELY * len(titles)
    )
