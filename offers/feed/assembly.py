"""Assembly: which product a row is about, or why it is about none.

What a row says in earnest, its prices and quantities, is ``reading``'s business; here
rows are told apart, and rows of one product brought together.
"""

from collections.abc import Iterator
from datetime import date
from operator import itemgetter

from offers.feed.cells import clean, read_sku
from offers.feed.errors import BadCell
from offers.feed.families import Families
from offers.feed.fields import PRICE_FIELDS
from offers.feed.layout import Layout
from offers.feed.options import option_values
from offers.feed.reading import Draft, read_draft, row_error
from offers.feed.records import Record
from offers.feed.rows import FeedRow, RowError, Skipped
from offers.feed.shops.kinds import Family
from offers.sentences import Sentence

# A short row may lack these at its end: a spreadsheet leaves out trailing blanks.
_NEEDED = frozenset({"sku", "id", "parent_key", "title", "quantity", *PRICE_FIELDS})

_PICTURE = Sentence("Only another picture of the product above.")
_TRANSLATION = Sentence("The same product in another language.")
_HEADER_AGAIN = Sentence("The header again.")


class Assembler:
    """Makes offers of the rows of one file, read in their order."""

    def __init__(self, layout: Layout, today: date) -> None:
        self._layout = layout
        self._today = today
        self._families = Families(layout.dialect)
        self._locale = ""
        needed = [i for f, i in layout.index.items() if f in _NEEDED]
        self._least = max(needed) + 1
        self._pairs = tuple(layout.index.items())
        told = [field for field in layout.index if field not in ("id", "locale")]
        self._told = itemgetter(told[0], *told[1:])

    def begin(self) -> None:
        """Be ready to read the file from its beginning, keeping what is known."""
        self._families.begin()
        self._locale = ""

    def draft(self, record: Record) -> Draft | Skipped | RowError:
        """Return what *record* is about, before its cells are read in earnest."""
        try:
            values = self._values(record)
        except BadCell as bad:
            return row_error(record.line, record.cells, bad)
        if reason := self._not_an_offer(record.cells, values):
            return Skipped(record.line, reason)
        self._families.fill(values)
        return Draft(record.line, record.cells, values, self._sku(values))

    def content(self, draft: Draft) -> int:
        """Return a number that rows share only if they say the same."""
        options = tuple(draft.cells[i : i + 1] for _, i in self._layout.options)
        return hash((self._told(draft.values), str(options)))

    def finish(self, draft: Draft) -> Iterator[FeedRow | RowError]:
        """Yield the offer of *draft*, or everything that is wrong with it."""
        options = self._families.options(draft.values)
        yield from read_draft(draft, self._layout, options, today=self._today)

    def _values(self, record: Record) -> dict[str, str]:
        if record.fault is not None:
            raise record.fault
        cells = record.cells
        wide = len(self._layout.columns)
        if len(cells) < self._least or (len(cells) > wide and any(cells[wide:])):
            raise _wrong_width(record, wide)
        return {f: clean(cells[i]) if i < len(cells) else "" for f, i in self._pairs}

    def _not_an_offer(
        self, cells: list[str], values: dict[str, str]
    ) -> Sentence | None:
        dialect = self._layout.dialect
        if tuple(cells) == self._layout.columns:
            return _HEADER_AGAIN
        if locale := values.get("locale"):
            self._locale = self._locale or locale
            if locale != self._locale:
                return _TRANSLATION
        for kind in values.get("type", "").lower().split(","):
            if reason := dialect.not_offers.get(kind.strip()):
                self._families.remember(values)
                return reason
        if dialect.leftover and not any(values.get(f) for f in dialect.leftover):
            return _PICTURE
        return None

    def _sku(self, values: dict[str, str]) -> str:
        """Return the row's own code, or else one made of what will stay."""
        if sku := read_sku(values.get("sku", "")):
            return sku
        key = "/".join((values.get("parent_key", ""), *option_values(values)))
        if self._layout.dialect.family is Family.FOLLOWING:
            return key
        if number := values.get("id", ""):
            return f"id:{number}" if "sku" in self._layout.index else number
        return values.get("gtin") or values.get("upc") or key


def _wrong_width(record: Record, wide: int) -> BadCell:
    remedy = Sentence("Put text that holds the delimiter between quotation marks.")
    if record.last > record.line:
        return BadCell(
            Sentence(
                "Lines {line} to {last} were read as one row of {cells} cells, where "
                "the header has {wide}. A quotation mark may be missing.",
                line=record.line,
                last=record.last,
                cells=len(record.cells),
                wide=wide,
            ),
            remedy,
        )
    return BadCell(
        Sentence(
            "The row has {cells} cells, the header has {wide}.",
            cells=len(record.cells),
            wide=wide,
        ),
        remedy,
    )
