"""Counting: how many units one row says there are, and where."""

from offers.feed.aliases import QUANTITY_WORDS
from offers.feed.amounts import read_quantity
from offers.feed.cells import clean, read_sources
from offers.feed.drafts import DraftReader, error_in
from offers.feed.errors import BadCell
from offers.feed.layout import Layout

Stocks = tuple[tuple[str, int], ...]

_NO = frozenset({"0", "n", "no", "false", "non", "nein", "faux"})
_OUT_OF_STOCK = _NO | frozenset(
    {"outofstock", "out of stock", "out_of_stock", "oos", "sold out", "discontinued"}
    | {"rupture de stock", "en rupture", "épuisé", "ausverkauft", "agotado", "esaurito"}
)


def count_units(reader: DraftReader) -> tuple[int | None, Stocks]:
    """Return the units there are, and those at each place if the file tells places.

    The units are ``None`` where nobody counted them, unless a person said how many
    there are then.
    """
    stocks = _stocks(reader)
    if stocks is None:
        units, stocks = None if reader.text("place") else _alone(reader), ()
    else:
        wanted = reader.layout.answers.places
        stocks = tuple(s for s in stocks if wanted is None or s[0] in wanted)
        units = sum(count for _, count in stocks)
    if reader.draft.stocks is None and is_out_of_stock(reader.text("in_stock")):
        return 0, ()
    if reader.text("tracked").lower() in _NO:
        return reader.layout.answers.units, ()
    return (reader.layout.answers.units if units is None else units), stocks


def is_out_of_stock(text: str) -> bool:
    """Whether a shop says that nothing is left, whatever number it has."""
    return text.lower() in _OUT_OF_STOCK


def read_units(text: str, layout: Layout, mark: str) -> int | None:
    """Return the units that one cell says; ``None`` if it says that nobody knows.

    Raises:
        BadCell: If it is no number of units.
    """
    dialect = layout.dialect
    if text.isdigit() and text.isascii() and len(text) < 8:
        return int(text)
    word = text.lower()
    for words in (dialect.quantity_words, QUANTITY_WORDS):
        if word in words:
            return words[word]
    return read_quantity(
        text, mark=mark, parts=dialect.parts, oversold=dialect.oversold
    )


def _alone(reader: DraftReader) -> int | None:
    mark = reader.layout.marks.get("quantity", "")
    return reader.read("quantity", lambda t: read_units(t, reader.layout, mark))


def _stocks(reader: DraftReader) -> Stocks | None:
    """Return the units by place; ``None`` if the row does not tell places."""
    draft, layout = reader.draft, reader.layout
    if draft.stocks is not None:
        return draft.stocks
    if layout.places:
        return _in_columns(reader)
    if place := reader.text("place"):
        units = _alone(reader)
        return None if units is None else ((place, units),)
    if reader.text("sources"):
        return reader.read("sources", lambda t: _in_one_cell(t, layout))
    return None


def _in_columns(reader: DraftReader) -> Stocks | None:
    cells, found = reader.draft.cells, []
    marked = zip(reader.layout.places, reader.layout.place_marks, strict=True)
    for (place, i), mark in marked:
        text = clean(cells[i]) if i < len(cells) else ""
        try:
            units = read_units(text, reader.layout, mark) if text else None
        except BadCell as bad:
            reader.errors.append(error_in(reader.draft, reader.layout, i, bad))
            continue
        if units is not None:
            found.append((place, units))
    return tuple(found) or None


def _in_one_cell(text: str, layout: Layout) -> Stocks:
    pairs = (
        (name, read_units(units, layout, ".")) for name, units in read_sources(text)
    )
    return tuple((name, units) for name, units in pairs if units is not None)
