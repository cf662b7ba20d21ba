"""Contents: what the cells of a column look like, whatever its name says.

It refuses a name that its cells contradict, and proposes a field for a column whose
name says nothing. A proposal is for a person to confirm.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from offers.feed.aliases import QUANTITY_WORDS
from offers.feed.cells import clean, read_gtin
from offers.feed.fields import GUARDED_FIELDS, MONEY_FIELDS
from offers.feed.marks import looks_like_amount
from offers.feed.rows import ColumnMapping
from offers.feed.shops.kinds import Dialect
from offers.sentences import Sentence

ENOUGH_CELLS = 4
MOST_WRONG = 0.5
LIKELY = 0.9

_WHOLE = re.compile(r"-?[0-9]{1,6}")
_PRICE = re.compile(r"[€$£]?\s*[0-9]{1,6}[.,][0-9]{2}\s*(?:[€$£]|[A-Z]{3})?")
_ADDRESS = re.compile(r"https?://\S+")
_CODE = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9._/-]{1,39}")

Rows = Sequence[Sequence[str]]


def confirmed(mapping: ColumnMapping, cells: Sequence[str], dialect: Dialect) -> bool:
    """Whether *cells* do not contradict that the column is a price or a quantity."""
    if mapping.field not in GUARDED_FIELDS - {"sources"} or dialect.minor_units:
        return True
    said = [cell for cell in cells if cell and cell.lower() not in _words(dialect)]
    wrong = sum(not looks_like_amount(cell) for cell in said)
    return len(said) < ENOUGH_CELLS or wrong <= len(said) * MOST_WRONG


def contradicted(mapping: ColumnMapping, cells: Sequence[str]) -> ColumnMapping:
    """Return the column unread, because its cells are no numbers."""
    wrong = next(cell for cell in cells if cell and not looks_like_amount(cell))
    kind = "price" if mapping.field in MONEY_FIELDS else "quantity"
    sentence = (
        Sentence("Most of its cells are no prices, such as “{cell}”.", cell=wrong[:40])
        if kind == "price"
        else Sentence(
            "Most of its cells are no numbers, such as “{cell}”.", cell=wrong[:40]
        )
    )
    return ColumnMapping(mapping.column, None, 1.0, sentence)


def column(rows: Rows, i: int) -> list[str]:
    """Return the cells of column *i*, without what spreadsheets wrap around them."""
    return [clean(row[i]) if i < len(row) else "" for row in rows]


def propose(columns: Sequence[str], rows: Rows) -> list[ColumnMapping]:
    """Guess what the columns of a table without names are; each field once."""
    guesses, taken = [], set[str]()
    counted = _most_like_counts(columns, rows)
    for i, name in enumerate(columns):
        cells = [cell for cell in column(rows, i) if cell]
        field, share = ("quantity", 1.0) if i == counted else _likely(cells, taken)
        if field:
            taken.add(field)
        reason = (
            _NOTHING
            if field is None
            else Sentence(
                "{percent} % of its cells look like it. Is it that?",
                percent=int(share * 100),
            )
        )
        guesses.append(ColumnMapping(name, None, share, reason, proposed=field))
    return guesses


_NOTHING = Sentence("The file does not say what this column is.")


def _most_like_counts(columns: Sequence[str], rows: Rows) -> int | None:
    """Return the column of whole numbers that differ most: flags and rates do not."""
    best, most = None, 2
    for i in range(len(columns)):
        cells = [cell for cell in column(rows, i) if cell]
        whole = all(_WHOLE.fullmatch(cell) for cell in cells)
        if whole and len(set(cells)) > most:
            best, most = i, len(set(cells))
    return best


def _likely(cells: Sequence[str], taken: set[str]) -> tuple[str | None, float]:
    if not cells:
        return None, 0.0
    for field, test in _TESTS.items():
        share = sum(test(cell) for cell in cells) / len(cells)
        if share >= LIKELY and field not in taken and _fits(field, cells):
            return field, share
    return None, 0.0


def _fits(field: str, cells: Sequence[str]) -> bool:
    """Whether the column as a whole may be *field*: codes and titles differ."""
    different = len(set(cells)) / len(cells)
    if field == "sku":
        return different == 1
    return field not in ("title", "gtin") or different > LIKELY


_TESTS: Mapping[str, Callable[[str], bool]] = {
    "gtin": lambda cell: len(cell) > 7 and read_gtin(cell) is not None,
    "image_url": lambda cell: _ADDRESS.fullmatch(cell) is not None,
    "price": lambda cell: _PRICE.fullmatch(cell) is not None,
    "sku": lambda cell: _CODE.fullmatch(cell) is not None,
    "title": lambda cell: any(c.isalpha() for c in cell) and len(cell) < 120,
    "description": lambda cell: any(c.isalpha() for c in cell) and len(cell) > 20,
}


def _words(dialect: Dialect) -> set[str]:
    return QUANTITY_WORDS.keys() | dialect.quantity_words.keys()
