"""Layout: where a file keeps what, decided once from its beginning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offers.feed.amounts import currency_in
from offers.feed.contents import column, confirmed, contradicted
from offers.feed.days import decide_order
from offers.feed.errors import NotAFeed
from offers.feed.fields import (
    DAY_FIELDS,
    GUARDED_FIELDS,
    MONEY_FIELDS,
    MULTIPLE,
    PRICE_FIELDS,
    TAXED_FIELDS,
)
from offers.feed.finding import Rows, Start, find_start
from offers.feed.headers import SYMBOLS, currency_said, read_header, rest_of
from offers.feed.mapping import map_columns
from offers.feed.marks import decide_mark
from offers.feed.positions import guess_columns
from offers.feed.questions import Answers
from offers.feed.refusing import missing_fields, refuse_orders, refuse_useless
from offers.feed.rows import ColumnMapping, Tax
from offers.feed.shops.kinds import Dialect
from offers.money import exponent
from offers.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the rows that come after ``header_line``.

    ``index`` is the column of each field, ``several`` the columns of those fields that
    may have more than one; ``places`` are the names of places with their columns.
    ``marks`` is the decimal mark of each column of numbers, ``day_orders`` what comes
    first in a column of days, ``currencies`` and
    ``taxes`` what a header says of its column's money. ``partial``: the rows say only
    part of an offer that is known already. ``unmapped``: no row can be read before a
    person has said what the columns are.
    """

    delimiter: str
    header_line: int
    columns: tuple[str, ...]
    mappings: tuple[ColumnMapping, ...]
    dialect: Dialect
    index: Mapping[str, int]
    several: Mapping[str, tuple[int, ...]]
    options: tuple[tuple[str, int], ...]
    places: tuple[tuple[str, int], ...]
    marks: Mapping[str, str]
    place_marks: tuple[str, ...]
    day_orders: Mapping[str, str]
    currencies: Mapping[str, str]
    currency: str
    currency_said: bool
    tax: Tax
    taxes: Mapping[str, Tax]
    answers: Answers
    partial: bool
    unmapped: bool
    sample: Rows

    def column(self, field: str) -> str:
        """Return the header of *field* as the file spells it, or nothing."""
        return self.columns[self.index[field]] if field in self.index else ""


def read_layout(
    text: str,
    *,
    currency: str,
    delimiter: str | None,
    chosen: Mapping[str, str],
    answers: Answers,
    ask: bool = False,
) -> Layout:
    """Return the layout of a file that begins with *text*.

    With *ask*, a table whose columns nobody knows is laid out nevertheless, without
    any rows that can be read, so that a person can say what they are.

    Raises:
        NotAFeed: If there is no header, nothing after it, or nothing of use in it.
    """
    start = find_start(text, delimiter)
    columns, rows, dialect = start.columns, start.rows, start.dialect
    says = currency_said(columns) or dialect.currency
    wanted = says or answers.currency or currency
    chosen = _with_clearance(chosen, answers, columns)
    mappings = map_columns(columns, dialect, chosen, wanted, _blank(columns, rows))
    mappings = _checked(mappings, rows, dialect, chosen)
    if missing_fields(mappings, dialect):
        mappings = guess_columns(mappings, rows, named=start.named)
    if not chosen:
        refuse_orders(mappings, dialect)
    unmapped = _is_unmapped(mappings, dialect, ask=ask, named=start.named)
    return _Plan(start, tuple(mappings)).lay_out(
        wanted, answers, said=bool(says), unmapped=unmapped
    )


def _blank(columns: Sequence[str], rows: Rows) -> frozenset[int]:
    """Return the columns in which no cell is filled, as far as is seen."""
    filled = {i for row in rows for i, cell in enumerate(row) if cell.strip()}
    return frozenset(range(len(columns))) - filled


def _with_clearance(
    chosen: Mapping[str, str], answers: Answers, columns: Sequence[str]
) -> Mapping[str, str]:
    """Add the answer which column's price is charged now, if it is one of them."""
    if answers.clearance not in columns or answers.clearance in chosen:
        return chosen
    return {**chosen, str(answers.clearance): "sale_price"}


def _checked(
    mappings: Sequence[ColumnMapping],
    rows: Rows,
    dialect: Dialect,
    chosen: Mapping[str, str],
) -> list[ColumnMapping]:
    """Take back what a name promised and the cells do not keep."""
    return [
        mapping
        if mapping.column in chosen or confirmed(mapping, cells, dialect)
        else contradicted(mapping, cells)
        for mapping, cells in (
            (mapping, column(rows, i) if mapping.field in GUARDED_FIELDS else [])
            for i, mapping in enumerate(mappings)
        )
    ]


def _is_unmapped(
    mappings: Sequence[ColumnMapping], dialect: Dialect, *, ask: bool, named: bool
) -> bool:
    """Whether a person must say what the columns are; refuse if nobody can be asked."""
    missing = missing_fields(mappings, dialect)
    if missing and ask:
        return True
    if missing and not named:
        raise NotAFeed(
            Sentence(
                "The file has no header line. Say what each of its columns is, or add "
                "a first line with their names, such as sku, title and price."
            )
        )
    refuse_useless(mappings, dialect)
    return False


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is decided before the fields are looked at one by one."""

    start: Start
    mappings: tuple[ColumnMapping, ...]

    def lay_out(
        self, currency: str, answers: Answers, *, said: bool, unmapped: bool
    ) -> Layout:
        if not self.start.rows:
            raise NotAFeed(Sentence("The file has a header, and no rows after it."))
        columns = tuple(mapping.column for mapping in self.mappings)
        fields = [(m.field, i) for i, m in enumerate(self.mappings) if m.field]
        index = {field: i for field, i in fields if field not in MULTIPLE}
        headers = {field: read_header(columns[i]) for field, i in index.items()}
        currencies = {
            field: header.currency
            for field, header in headers.items()
            if field in MONEY_FIELDS and header.currency
        }
        charged = (field for field in (*PRICE_FIELDS, "surcharge") if field in index)
        price = next(charged, None)
        if not said:
            currency = self._currency_of_cells(index.get(price or ""), currency)
        priced = price in currencies or "currency" in index
        taxes = _taxes(index, columns, self.start.dialect, answers)
        places = tuple(self._place(i) for field, i in fields if field == "at_place")
        return Layout(
            delimiter=self.start.delimiter,
            header_line=self.start.header_line,
            columns=columns,
            mappings=self.mappings,
            dialect=self.start.dialect,
            index=index,
            several={
                several: tuple(i for field, i in fields if field == several)
                for several in ("more_images", "tags")
            },
            options=tuple((columns[i], i) for field, i in fields if field == "option"),
            places=places,
            marks=self._marks(index, currency, answers),
            place_marks=tuple(self._mark(i, 2, answers) for _, i in places),
            day_orders=self._day_orders(index, answers),
            currencies=currencies,
            currency=currency,
            currency_said=said or priced or self._cells_say(index.get(price or "")),
            tax=taxes.get(price, "unknown") if price else "unknown",
            taxes=taxes,
            answers=answers,
            partial=index.keys().isdisjoint(PRICE_FIELDS) or "title" not in index,
            unmapped=unmapped,
            sample=self.start.rows,
        )

    def _place(self, i: int) -> tuple[str, int]:
        """Return the place that the header of column *i* names behind its words."""
        header = read_header(self.mappings[i].column)
        for beginning in self.start.dialect.places:
            if header.name.startswith(f"{beginning} "):
                return rest_of(header.text, beginning), i
        return header.text, i

    def _marks(
        self, index: Mapping[str, int], currency: str, answers: Answers
    ) -> dict[str, str]:
        """Decide the decimal marks; a column that does not tell follows the others."""
        marks = {
            field: self._mark(
                index[field],
                exponent(currency) if field in MONEY_FIELDS else 2,
                answers,
            )
            for field in GUARDED_FIELDS & index.keys()
        }
        decided = {mark for mark in marks.values() if mark}
        usual = decided.pop() if len(decided) == 1 else self.start.dialect.decimal
        return {field: mark or usual for field, mark in marks.items()}

    def _mark(self, i: int, decimals: int, answers: Answers) -> str:
        answered = answers.marks.get(self.mappings[i].column)
        return answered or decide_mark(column(self.start.rows, i), decimals=decimals)

    def _day_orders(self, index: Mapping[str, int], answers: Answers) -> dict[str, str]:
        """Decide what comes first in the days of each column; one may tell another."""
        orders = {
            field: answers.days.get(self.mappings[index[field]].column)
            or decide_order(column(self.start.rows, index[field]))
            for field in DAY_FIELDS & index.keys()
        }
        told = {order for order in orders.values() if order}
        usual = told.pop() if len(told) == 1 else ""
        return {field: order or usual for field, order in orders.items()}

    def _currency_of_cells(self, i: int | None, usual: str) -> str:
        """Return the one currency that most prices in column *i* carry, or *usual*.

        What carries none, such as a cost beside them, is in the same currency.
        """
        cells = (
            [cell for cell in column(self.start.rows, i) if cell]
            if i is not None
            else []
        )
        named = [currency_in(cell, usual) for cell in cells]
        found = {code for code in named if code}
        enough = sum(map(bool, named)) * 2 > len(cells)
        return found.pop() if enough and len(found) == 1 else usual

    def _cells_say(self, i: int | None) -> bool:
        """Whether the prices in column *i* carry their currency with them."""
        cells = (
            [cell for cell in column(self.start.rows, i) if cell]
            if i is not None
            else []
        )
        return bool(cells) and all(any(map(_is_sign, cell)) for cell in cells)


def _is_sign(character: str) -> bool:
    """Whether *character* can be of a currency's name, or is the sign of only one."""
    return character.isalpha() or len(SYMBOLS.get(character, ())) == 1


def _taxes(
    index: Mapping[str, int],
    columns: Sequence[str],
    dialect: Dialect,
    answers: Answers,
) -> dict[str, Tax]:
    """Say of each price whether tax is in it: by its header, its shop or a person."""
    taxes: dict[str, Tax] = {}
    for field in TAXED_FIELDS & index.keys():
        said = read_header(columns[index[field]]).tax
        said = dialect.tax if said == "unknown" else said
        taxes[field] = (answers.tax or "unknown") if said == "unknown" else said
    known = {tax for tax in taxes.values() if tax != "unknown"}
    if len(known) == 1:
        only = known.pop()
        return dict.fromkeys(taxes, only)
    return taxes
