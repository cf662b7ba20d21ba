"""Reading: what the cells of one row say, or everything that is wrong with them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from offers.feed.amounts import read_amount, read_money, read_percent, read_quantity
from offers.feed.cells import (
    read_address,
    read_condition,
    read_day,
    read_gtin,
    read_line,
    read_period,
    read_sources,
    read_text,
)
from offers.feed.errors import BadCell
from offers.feed.fields import PRICE_FIELDS
from offers.feed.headers import SYMBOLS
from offers.feed.layout import Layout
from offers.feed.options import named_options
from offers.feed.prices import Prices, price_on
from offers.feed.rows import FeedRow, RowError
from offers.money import Money, is_currency
from offers.sentences import Sentence

T = TypeVar("T")
Options = tuple[tuple[str, str], ...]

LONGEST_SKU = 200
SHOWN = 200

_NOT_SAID = frozenset({"parent"})  # WooCommerce counts the stock at the parent
_OUT_OF_STOCK = frozenset({"0", "no", "false", "non", "nein", "faux", "outofstock"})


@dataclass(slots=True)
class Draft:
    """A row whose cells are known by field, and which product it is, but no more."""

    line: int
    cells: list[str]
    values: dict[str, str]
    sku: str


def read_draft(
    draft: Draft, layout: Layout, options: Options, *, today: date
) -> Iterator[FeedRow | RowError]:
    """Yield the offer that *draft* is on *today*, or else all its errors.

    *options* are those that the product's own row gives to this variant.
    """
    reading = _Reading(draft, layout, today)
    row = reading.row(options)
    if row is None:
        yield from reading.errors
    else:
        yield row


def row_error(line: int, cells: list[str], bad: BadCell) -> RowError:
    """Return the error of a row that is at fault as a whole."""
    return RowError(line, "", "", bad.message, bad.remedy, tuple(cells))


def error_of(draft: Draft, layout: Layout, field: str, bad: BadCell) -> RowError:
    """Return the error of one cell, with a row that can be mended by itself."""
    cells = draft.cells + [""] * (len(layout.columns) - len(draft.cells))
    value = ""
    for inherited in layout.dialect.inherited:
        i = layout.index.get(inherited)
        if i is not None:
            cells[i] = cells[i] or draft.values[inherited]
    if field in layout.index:
        value = cells[layout.index[field]][:SHOWN]
    return RowError(
        line=draft.line,
        column=layout.column(field),
        value=value,
        message=bad.message,
        remedy=bad.remedy,
        cells=tuple(cells),
    )


class _Reading:
    """One row being read; it goes on after an error, to find them all."""

    def __init__(self, draft: Draft, layout: Layout, today: date) -> None:
        self._draft = draft
        self._values = draft.values
        self._layout = layout
        self._today = today
        self.errors: list[RowError] = []

    def row(self, options: Options) -> FeedRow | None:
        """Return the offer; ``None`` if there are errors."""
        self._check_identity()
        currency = self._read("currency", _read_currency) or self._layout.currency
        cost = self._amount("cost", currency)
        quantity = self._quantity()
        prices = self._prices(currency)
        if self.errors or prices is None:
            return None
        now, before = prices
        return FeedRow(
            line=self._draft.line,
            sku=self._draft.sku,
            parent_key=self._values.get("parent_key") or None,
            title=read_line(self._values["title"]),
            description=self._description(),
            brand=read_line(self._values.get("brand", "")) or None,
            category=read_line(self._values.get("category", "")) or None,
            list_price=before,
            price=now,
            cost=cost,
            quantity=quantity,
            gtin=self._read("gtin", read_gtin) or self._read("upc", read_gtin),
            condition=self._read("condition", read_condition),
            image_url=self._read("variant_image", read_address)
            or self._read("image_url", read_address),
            options=options or self._options(),
            tax=self._layout.tax,
        )

    def _check_identity(self) -> None:
        if not self._draft.sku.strip("/"):
            self._refuse(
                "sku",
                Sentence("The row has no sku."),
                Sentence("Give it a code of its own, and keep that code."),
            )
        if len(self._draft.sku) > LONGEST_SKU:
            self._refuse(
                "sku",
                Sentence("The sku is longer than {most} characters.", most=LONGEST_SKU),
                Sentence("Look whether the columns are in order."),
            )
        if not read_line(self._values["title"]):
            self._refuse(
                "title",
                Sentence("The row has no title."),
                Sentence("Fill it in, and keep the rows of a product together."),
            )

    def _prices(self, currency: str) -> tuple[Money, Money | None] | None:
        first, last = self._read("sale_dates", read_period) or (None, None)
        prices = Prices(
            price=self._money("price", currency),
            regular=self._money("regular_price", currency),
            listed=self._amount("list_price", currency),
            sale=self._amount("sale_price", currency),
            sale_from=self._read("sale_from", read_day) or first,
            sale_to=self._read("sale_to", read_day) or last,
            discount=self._amount("discount_amount", currency),
            discount_percent=self._percent("discount_percent"),
        )
        if self.errors:
            return None
        try:
            return price_on(prices, self._today)
        except BadCell as bad:
            self._add(next(f for f in PRICE_FIELDS if f in self._layout.index), bad)
            return None

    def _money(self, field: str, currency: str) -> Money | None:
        if not self._values.get(field):
            return None
        mark, currency = self._notation(field, currency)
        return self._read(field, lambda t: read_money(t, mark=mark, currency=currency))

    def _amount(self, field: str, currency: str) -> Money | None:
        """Return the amount; zero is how many exports say that there is none."""
        if not self._values.get(field):
            return None
        mark, currency = self._notation(field, currency)
        amount = self._read(
            field, lambda t: read_amount(t, mark=mark, currency=currency)
        )
        return amount if amount is not None and amount.amount else None

    def _percent(self, field: str) -> Decimal | None:
        mark = self._layout.marks.get(field, "")
        return self._read(field, lambda text: read_percent(text, mark=mark))

    def _quantity(self) -> int | None:
        """Return the units there are; ``None`` if the file does not count them."""
        text = self._values.get("quantity", "")
        if text and text.lower() not in _NOT_SAID:
            mark = self._layout.marks["quantity"]
            return self._read("quantity", lambda t: read_quantity(t, mark=mark))
        if self._values.get("sources"):
            return self._read("sources", _sum_sources)
        stocked = self._values.get("in_stock", "").lower()
        return 0 if stocked in _OUT_OF_STOCK else None

    def _description(self) -> str | None:
        text = self._values.get("description") or self._values.get("short_description")
        return read_text(text) if text else None

    def _options(self) -> Options:
        layout, cells = self._layout, self._draft.cells
        kinds = layout.dialect.options_of
        if kinds and not kinds & set(self._values.get("type", "").lower().split(",")):
            return ()
        own = ((name, cells[i].strip()) for name, i in layout.options if i < len(cells))
        return (
            *named_options(self._values),
            *((name, value) for name, value in own if value),
        )

    def _notation(self, field: str, currency: str) -> tuple[str, str]:
        """Return the decimal mark and the currency of a column of money."""
        layout = self._layout
        return layout.marks.get(field, ""), layout.currencies.get(field, currency)

    def _read(self, field: str, parse: Callable[[str], T]) -> T | None:
        text = self._values.get(field, "")
        if not text:
            return None
        try:
            return parse(text)
        except BadCell as bad:
            self._add(field, bad)
            return None

    def _refuse(self, field: str, message: Sentence, remedy: Sentence) -> None:
        self._add(field, BadCell(message, remedy))

    def _add(self, field: str, bad: BadCell) -> None:
        self.errors.append(error_of(self._draft, self._layout, field, bad))


def _read_currency(text: str) -> str:
    code = text.lower()
    if len(code) == 3 and is_currency(code):
        return code
    if code in SYMBOLS:
        return SYMBOLS[code][0]
    raise BadCell(
        Sentence("This is no currency that we know."),
        Sentence("Write its three letters, such as EUR."),
    )


def _sum_sources(text: str) -> int:
    return sum(read_quantity(count, mark=".") for count in read_sources(text))
