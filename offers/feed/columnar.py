"""Columnar: the rows of a plain file, read column by column.

It comes to what ``reading`` comes to, which reads a row at a time and is some ten times
slower: what is not written in the usual way is handed over to that, cell by cell or as
a whole row. Only files are read so whose rows have nothing to do with each other.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from offers.feed.amounts import read_amount, read_money, read_quantity
from offers.feed.cells import (
    LONGEST_URL,
    clean,
    read_addresses,
    read_condition,
    read_gtin,
    read_line,
    read_sku,
    read_text,
)
from offers.feed.errors import BadCell
from offers.feed.facts import dump_list, images_of
from offers.feed.layout import Layout
from offers.feed.reading import LONGEST_SKU, read_mpn
from offers.money import exponent

Column = Sequence[Any]

REMEMBERED = 20_000
"""Values of a column of which is kept what they mean."""

_MARK = "\x1f"
"""Stands between the cells of a column, and hardly ever in one."""

_NO_AMOUNT = -1
"""Stands for what is no amount; no amount is below zero."""

_WHITE = re.compile(rf"[^\S {_MARK}]")
_ODD = {
    " ": (f"{_MARK} ", f" {_MARK}", "  "),
    "'": (f"{_MARK}'",),
    "=": (f"{_MARK}=",),
}
_ADDRESSES = re.compile(rf"(?:https?://[!-+\--:<-{{}}~]+{_MARK})*")
_UNITS = re.compile(rf"(?:[0-9]{{0,7}}{_MARK})*")
_PRICES = {
    mark: re.compile(rf"(?:(?:[0-9]{{1,7}}{re.escape(mark)}[0-9]{{2}})?{_MARK})*")
    for mark in ".,"
}


READABLE = frozenset(
    {
        "sku",
        "title",
        "description",
        "brand",
        "category",
        "price",
        "list_price",
        "cost",
        "quantity",
        "gtin",
        "mpn",
        "condition",
        "image_url",
    }
)
"""The fields that are read so, beside options; other files are read row by row."""


def is_plain(layout: Layout) -> bool:
    """Whether a file of this layout can be read by columns."""
    fields = layout.index.keys()
    return (
        layout.dialect.slug == "plain"
        and not (layout.unmapped or layout.partial or layout.places)
        and not any(layout.several.values())
        and fields <= READABLE
        and {"sku", "title", "price"} <= fields
        and set(layout.currencies.values()) <= {layout.currency}
        and layout.answers.tax_rate is None
        and layout.answers.units is None
    )


@dataclass(slots=True)
class Columns:
    """Facts by their name, and the numbers of the rows that could not be read."""

    facts: dict[str, Column] = field(default_factory=dict)
    bad: set[int] = field(default_factory=set)

    def refuse(self, name: str, *unusable: object) -> None:
        """Mark the rows of which a fact is one of those that are *unusable*."""
        column = self.facts[name]
        if any(each in column for each in unusable):
            self.bad.update(i for i, fact in enumerate(column) if fact in unusable)


class Cells:
    """One column of some rows."""

    def __init__(self, raw: Sequence[str]) -> None:
        self._raw = raw
        self.joined = _join(raw)

    @cached_property
    def clean(self) -> Sequence[str]:
        """The cells without what spreadsheets wrap around a value."""
        if not _is_odd(self.joined, len(self._raw)):
            return self._raw
        return [clean(cell) for cell in self._raw]

    @cached_property
    def is_plain(self) -> bool:
        """Whether no cell has markup, breaks or more spaces than words need."""
        marks = "<" in self.joined or "&" in self.joined
        return self.clean is self._raw and not marks

    def fit(self, usual: re.Pattern[str]) -> bool:
        """Whether all cells as they stand are *usual*."""
        whole = self.joined.count(_MARK) == len(self._raw) + 1
        return whole and usual.fullmatch(self.joined, 1) is not None

    def each(self, read: Callable[[str], Any]) -> Column:
        """Return what *read* makes of each cell, and nothing of a blank one."""
        if "" not in self.clean:
            return list(map(read, self.clean))
        return [read(cell) if cell else None for cell in self.clean]

    def texts(self) -> Column:
        """Return the cells as they stand, and nothing for a blank one."""
        if "" not in self.clean:
            return self.clean
        return [cell or None for cell in self.clean]


class Meanings(dict[Any, Any]):
    """What each value means, as *read* says, or ``_NO_AMOUNT``."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, value: Any) -> Any:
        if len(self) >= REMEMBERED:
            self.clear()
        try:
            meaning = self._read(value)
        except BadCell:
            meaning = _NO_AMOUNT
        self[value] = meaning
        return meaning


class ColumnReader:
    """Reads rows of one file; it remembers what its cells said before."""

    def __init__(self, layout: Layout) -> None:
        self._index = layout.index
        self._options = layout.options
        self._marks = layout.marks
        self._currency = layout.currency
        self._tax = None if layout.tax == "unknown" else layout.tax
        self._words = {
            "brand": Meanings(lambda cell: read_line(cell) or None),
            "category": Meanings(lambda cell: read_line(cell) or None),
            "condition": Meanings(lambda cell: read_condition(cell) if cell else None),
        }
        self._amounts = {
            name: Meanings(partial(self._amount, name))
            for name in ("price", "list_price", "cost")
        }
        self._units = Meanings(self._unit)
        self._chosen = Meanings(self._choices)

    def read(self, columns: Sequence[Sequence[str]]) -> Columns:
        """Return what the *columns* of a file say, in some of its rows."""
        cells = {name: Cells(columns[i]) for name, i in self._index.items()}
        found = Columns()
        self._add_texts(found, cells)
        self._add_amounts(found, cells)
        facts, rows = found.facts, len(columns[0])
        facts["currency"], facts["tax"] = [self._currency] * rows, [self._tax] * rows
        if self._options:
            values = zip(*(columns[i] for _, i in self._options), strict=True)
            facts["options"] = list(map(self._chosen.__getitem__, values))
        return found

    def _add_texts(self, found: Columns, cells: Mapping[str, Cells]) -> None:
        facts = found.facts
        facts["sku"] = _skus(cells["sku"])
        found.refuse("sku", "")
        titles = cells["title"]
        simple = titles.is_plain and max(map(len, titles.clean)) < 500
        facts["title"] = titles.clean if simple else titles.each(read_line)
        found.refuse("title", "", None)
        if "description" in cells:
            text = cells["description"]
            plain = text.is_plain
            facts["description"] = text.texts() if plain else text.each(read_text)
        for name, meanings in self._words.items():
            if name in cells:
                facts[name] = list(map(meanings.__getitem__, cells[name].clean))
        if "mpn" in cells:
            facts["mpn"] = cells["mpn"].each(read_mpn)
        if "gtin" in cells:
            facts["gtin"] = cells["gtin"].each(read_gtin)
        if "image_url" in cells:
            facts["image_url"], facts["image_urls"] = _images(cells["image_url"])

    def _add_amounts(self, found: Columns, cells: Mapping[str, Cells]) -> None:
        facts = found.facts
        for name in ("price", "list_price", "cost"):
            if name in cells:
                facts[f"{name}_amount"] = self._money(name, cells[name])
                found.refuse(f"{name}_amount", _NO_AMOUNT)
        found.refuse("price_amount", 0, None)
        if "list_price" in cells:
            both = zip(facts["list_price_amount"], facts["price_amount"], strict=True)
            facts["list_price_amount"] = [
                before if before and now and before > now else None
                for before, now in both
            ]
        if "cost" in cells:
            facts["cost_amount"] = [cost or None for cost in facts["cost_amount"]]
        if "quantity" in cells:
            facts["quantity"] = self._quantities(cells["quantity"])
            found.refuse("quantity", _NO_AMOUNT)

    def _money(self, name: str, cells: Cells) -> Column:
        mark = self._marks.get(name, "")
        usual = _PRICES.get(mark)
        if usual and exponent(self._currency) == 2 and cells.fit(usual):
            digits = cells.joined.replace(mark, "")[1:-1].split(_MARK)
            if "" not in digits:
                return list(map(int, digits))
            return [int(amount) if amount else None for amount in digits]
        meanings = self._amounts[name]
        return cells.each(meanings.__getitem__)

    def _quantities(self, cells: Cells) -> Column:
        if cells.fit(_UNITS):
            return cells.each(int)
        return cells.each(self._units.__getitem__)

    def _amount(self, name: str, cell: str) -> int:
        read = read_money if name == "price" else read_amount
        money = read(cell, mark=self._marks.get(name, ""), currency=self._currency)
        return money.amount if money.currency == self._currency else _NO_AMOUNT

    def _unit(self, cell: str) -> int:
        return read_quantity(cell, mark=self._marks["quantity"])

    def _choices(self, values: Iterable[str]) -> str | None:
        """Return the options as they are kept, of the cells under their headers."""
        named = zip(self._options, map(str.strip, values), strict=True)
        chosen = [(name, value) for (name, _), value in named if value]
        return dump_list(chosen) if chosen else None


def _skus(cells: Cells) -> Column:
    """Return the codes, and nothing for what cannot be one."""
    skus = [read_sku(cell) for cell in cells.clean]
    if max(map(len, skus)) > LONGEST_SKU or "/" in cells.joined:
        return [s if s.strip("/") and len(s) <= LONGEST_SKU else "" for s in skus]
    return skus


def _images(cells: Cells) -> tuple[Column, Column]:
    """Return the first address of each cell, and those of cells with several."""
    if cells.fit(_ADDRESSES) and max(map(len, cells.clean)) <= LONGEST_URL:
        return cells.clean, ["[]"] * len(cells.clean)
    found = [tuple(dict.fromkeys(read_addresses(cell))) for cell in cells.clean]
    first = [each[0] if each else None for each in found]
    return first, [images_of(each) for each in found]


def _join(cells: Sequence[str]) -> str:
    return f"{_MARK}{_MARK.join(cells)}{_MARK}"


def _is_odd(joined: str, cells: int) -> bool:
    """Whether some cell is not clean, or has more white space than between words."""
    if joined.count(_MARK) != cells + 1 or _has_odd_sign(joined):
        return True
    if joined.isascii():
        return any(sign in joined for sign in "\t\n\r\v\f\x1c\x1d\x1e")
    return _WHITE.search(joined) is not None


def _has_odd_sign(joined: str) -> bool:
    """Look for two signs in a row only if there is the rarer of them at all."""
    return any(
        rare in joined and any(signs in joined for signs in odd)
        for rare, odd in _ODD.items()
    )
