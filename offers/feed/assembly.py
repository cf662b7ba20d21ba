"""Assembly: which product a row is about, or why it is about none.

What a row says in earnest, its prices and quantities, is ``reading``'s business; here
rows are told apart, and rows of one product brought together.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from operator import itemgetter

from offers.feed.cells import clean, read_gtin, read_sku
from offers.feed.counting import is_out_of_stock, read_units
from offers.feed.drafts import Draft, row_error
from offers.feed.errors import BadCell
from offers.feed.families import Families
from offers.feed.fields import PRICE_FIELDS
from offers.feed.foreign import ForeignPrices
from offers.feed.gathering import FAULTY, UNKNOWN
from offers.feed.headers import normalise
from offers.feed.layout import Layout
from offers.feed.options import fill_from_attributes, option_values
from offers.feed.parents import Parents
from offers.feed.reading import read_draft
from offers.feed.records import Record
from offers.feed.rows import FeedRow, RowError, Skipped
from offers.feed.shops.kinds import PARENT, Family
from offers.sentences import Sentence

# A short row may lack these at its end: a spreadsheet leaves out trailing blanks.
_NEEDED = frozenset({"sku", "id", "parent_key", "title", "quantity", *PRICE_FIELDS})

_TRANSLATION = Sentence("The same product in another language.")
_HEADER_AGAIN = Sentence("The header again.")
_NOTE = Sentence("A line of notes, no product.")
_FOREIGN = Sentence("The price of the same sku in another currency.")


class Assembler:
    """Makes offers of the rows of one file, read in their order."""

    def __init__(self, layout: Layout, today: date, parents: Parents) -> None:
        self._layout = layout
        self._today = today
        self._families = Families(layout.dialect)
        self._foreign = ForeignPrices(layout) if layout.dialect.price_rows else None
        self._parents = parents
        self._locale: str | None = None
        self._surveyed = False
        needed = [i for f, i in layout.index.items() if f in _NEEDED]
        self._least = max(needed, default=0) + 1
        self._pairs = tuple(layout.index.items())
        self._mend = layout.dialect.mend
        self._skipped_where = _columns_that_skip(layout)
        apart = {"id", "locale"} | ({"place", "quantity"} & self._by_place())
        told = [field for field in layout.index if field not in apart]
        self._told = itemgetter(*(told or list(layout.index) or ["sku"]))
        self._several = tuple((f, c) for f, c in layout.several.items() if c)
        self._more = [i for _, columns in self._several for i in columns]
        self._more += [i for _, i in (*layout.options, *layout.places)]

    def begin(self) -> None:
        """Be ready to read the file from its beginning, keeping what is known."""
        self._families.begin()
        self._locale = None

    def end_survey(self) -> None:
        """Every row has been seen once, and its place in its family is known."""
        self._surveyed = True

    def draft(self, record: Record) -> Draft | Skipped | RowError:
        """Return what *record* is about, before its cells are read in earnest."""
        try:
            values = self._values(record)
        except BadCell as bad:
            return row_error(record.line, record.cells, bad)
        if reason := self._not_an_offer(record.cells, values):
            return Skipped(record.line, reason)
        if not self._is_full(record, values):
            return Skipped(record.line, _FOREIGN)
        if self._families.fill(values) and self._surveyed:
            return Skipped(record.line, PARENT)
        fill_from_attributes(values)
        return Draft(record.line, record.cells, values, self._sku(values))

    def content(self, draft: Draft) -> int:
        """Return a number that rows share only if they say the same."""
        cells = draft.cells
        more = [cells[i : i + 1] for i in self._more] if self._more else ""
        return hash((self._told(draft.values), str(more)))

    def units(self, draft: Draft) -> int:
        """Return the units of a row that is of one place, or that nobody knows them."""
        text = draft.values.get("quantity", "")
        if not text:
            return UNKNOWN
        if is_out_of_stock(draft.values.get("in_stock", "")):
            return 0
        try:
            units = read_units(
                text, self._layout, self._layout.marks.get("quantity", "")
            )
        except BadCell:
            return FAULTY
        return UNKNOWN if units is None else units

    def finish(self, draft: Draft) -> Iterator[FeedRow | RowError]:
        """Yield the offer of *draft*, or everything that is wrong with it."""
        options = self._families.options(draft.values)
        bad = self._parents.complete(draft, self._layout)
        if bad is not None:
            yield bad
        else:
            yield from read_draft(draft, self._layout, options, today=self._today)

    def _by_place(self) -> set[str]:
        return {"place", "quantity"} if "place" in self._layout.index else set()

    def _is_full(self, record: Record, values: dict[str, str]) -> bool:
        """Whether a row is an offer, and not only a price in another currency."""
        if self._foreign is None:
            return True
        sku = self._sku(values)
        if not self._surveyed:
            self._foreign.note(sku, record.line, values)
        if self._foreign.is_only_price(sku, values):
            return False
        self._foreign.apply(sku, values)
        return True

    def _values(self, record: Record) -> dict[str, str]:
        if record.fault is not None:
            raise record.fault
        cells = record.cells
        wide = len(self._layout.columns)
        if len(cells) < self._least or (len(cells) > wide and any(cells[wide:])):
            if self._is_note(cells):
                return {}
            raise _wrong_width(record, wide)
        values = {f: clean(cells[i]) if i < len(cells) else "" for f, i in self._pairs}
        for field, columns in self._several:
            values[field] = "\n".join(cells[i] for i in columns if i < len(cells))
        if self._mend is not None:
            self._mend(values)
        return values

    def _not_an_offer(
        self, cells: list[str], values: dict[str, str]
    ) -> Sentence | None:
        if tuple(cells) == self._layout.columns:
            return _HEADER_AGAIN
        if self._is_note(cells):
            return _NOTE
        if "locale" in values and self._is_translation(values["locale"]):
            return _TRANSLATION
        return self._not_sold_here(cells, values)

    def _not_sold_here(
        self, cells: list[str], values: dict[str, str]
    ) -> Sentence | None:
        """Return why the shop does not sell by itself what the row says, if so."""
        dialect = self._layout.dialect
        for i, reasons in self._skipped_where:
            if i < len(cells) and (skip := reasons.get(cells[i].strip().lower())):
                return skip
        for kind in values.get("type", "").lower().split(","):
            if reason := dialect.not_offers.get(kind.strip()):
                self._families.remember(values)
                return reason
        if dialect.leftover and not any(values.get(f) for f in dialect.leftover):
            return dialect.leftover_reason
        return None

    def _is_note(self, cells: list[str]) -> bool:
        notes = self._layout.dialect.pass_over
        return bool(notes) and cells[0].strip().lower().startswith(notes)

    def _is_translation(self, locale: str) -> bool:
        """Whether a row repeats a product in another language than the file's first."""
        if self._layout.dialect.translations:
            return bool(locale)
        self._locale = self._locale or locale
        return bool(locale) and locale != self._locale

    def _sku(self, values: dict[str, str]) -> str:
        """Return the row's own code, or else one made of what will stay."""
        if sku := read_sku(values.get("sku", "")):
            return sku
        dialect = self._layout.dialect
        key = "/".join((values.get("parent_key", ""), *option_values(values)))
        if dialect.family in (Family.FOLLOWING, Family.HEADED):
            return key
        if number := values.get("id", ""):
            return f"id:{number}" if "sku" in self._layout.index else number
        codes = (read_gtin(values.get(f, "")) for f in ("gtin", "upc"))
        return next((code for code in codes if code), key)


def with_options(draft: Draft) -> str:
    """Return a code for one of several variants that share their sku."""
    told = tuple(option_values(draft.values)) or (draft.values.get("id", ""),)
    return "/".join((draft.sku, *told))


def _columns_that_skip(layout: Layout) -> list[tuple[int, Mapping[str, Sentence]]]:
    named = {normalise(column): i for i, column in enumerate(layout.columns)}
    where = layout.dialect.skipped_where.items()
    return [(named[name], reasons) for name, reasons in where if name in named]


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
