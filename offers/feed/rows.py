"""What a feed is read into: good rows, bad rows, and rows that are no offer.

These are values. What a file does not say is ``None``, which an importer takes as
"leave it as it is", never as "make it empty".
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from offers.money import Money
from offers.sentences import Sentence

Tax = Literal["included", "excluded", "unknown"]


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One thing that a retailer sells: a product, or one variant of a product.

    ``price`` is what the shop charges on the day of reading. ``list_price`` is the
    higher price that the file says was or is the regular one; it is a claim of the
    file and no evidence that anybody was ever charged it. ``title`` and ``price`` are
    ``None`` only in a file of stock alone, whose rows are of offers known already.
    ``quantities`` are the units by place, if the file tells places apart; ``quantity``
    is their sum. ``image_url`` is the first of ``image_urls``.
    """

    line: int
    sku: str
    parent_key: str | None
    title: str | None
    description: str | None
    brand: str | None
    category: str | None
    list_price: Money | None
    price: Money | None
    cost: Money | None
    quantity: int | None
    gtin: str | None
    condition: str | None
    image_url: str | None
    options: tuple[tuple[str, str], ...]
    tax: Tax
    quantities: tuple[tuple[str, int], ...] = ()
    mpn: str | None = None
    tags: tuple[str, ...] = ()
    image_urls: tuple[str, ...] = ()
    sale_from: date | None = None
    sale_to: date | None = None


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong with one row; a row may have several.

    ``column`` is the header as the file spells it, or empty when the row as a whole
    is at fault. ``cells`` are the row's own, with what it inherits from the row of
    its product filled in, so that it can be mended and sent again by itself. ``sku`` is
    empty where it is not known what the row is about.
    """

    line: int
    column: str
    value: str
    message: Sentence
    remedy: Sentence
    cells: tuple[str, ...]
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that is rightly no offer of its own."""

    line: int
    reason: Sentence


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What one column of the file is taken for, and why.

    ``field`` is one of ``fields.FIELDS`` or ``None`` where the column is not read.
    ``proposed`` is a guess for a person to confirm; a price or a quantity is never
    guessed.
    """

    column: str
    field: str | None
    confidence: float
    reason: Sentence
    proposed: str | None = None
