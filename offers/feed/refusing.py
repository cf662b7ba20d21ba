"""Refusing: the tables from which no offer can be read, and what is said of them."""

import re
from collections.abc import Sequence

from offers.feed.aliases import LIKE_ORDER_WORDS, ORDER_WORDS
from offers.feed.errors import NotAFeed
from offers.feed.fields import IDENTITY_FIELDS, PRICE_FIELDS, STOCK_FIELDS
from offers.feed.headers import normalise
from offers.feed.rows import ColumnMapping
from offers.feed.shops.kinds import Dialect
from offers.sentences import Sentence

ENOUGH_ORDER_WORDS = 3
ENOUGH_FOR_STOCK_ALONE = 2  # of a sku and a quantity little tells what they are

_THERE = re.compile(r"stock|invent|on hand|bestand|dispo|available|verfugbar|left")

_WANTED = (
    ("sku", IDENTITY_FIELDS),
    ("title", ("title",)),
    ("price", PRICE_FIELDS),
)


def missing_fields(mappings: Sequence[ColumnMapping], dialect: Dialect) -> list[str]:
    """Return what the columns lack to be offers, or to be the stock of offers."""
    fields = {mapping.field for mapping in mappings if mapping.field}
    missing = [name for name, wanted in _WANTED if fields.isdisjoint(wanted)]
    if "sku" in missing or not missing:
        return missing
    told = not fields.isdisjoint(STOCK_FIELDS)
    if dialect.stock_only and (told or "price" not in missing):
        return []
    if missing == ["title", "price"] and told and "sku" in fields:
        return []
    return missing


def refuse_useless(mappings: Sequence[ColumnMapping], dialect: Dialect) -> None:
    """Refuse a table from which no offer can be read.

    Raises:
        NotAFeed: If there is no price, no title or nothing to know a product by, and
            it is no list of stock either.
    """
    missing = missing_fields(mappings, dialect)
    if not missing:
        return
    found = ", ".join(mapping.column[:40] for mapping in mappings[:12])
    raise NotAFeed(
        Sentence(
            "These columns are missing: {missing}. The file has: {found}. "
            "A feed needs a header line with at least sku, title and price.",
            missing=", ".join(missing),
            found=found + (", …" if len(mappings) > 12 else ""),
        )
    )


def _counts_stock(mappings: Sequence[ColumnMapping]) -> bool:
    """Whether a column says by its name that it counts what is there."""
    names = (normalise(m.column) for m in mappings if m.field in STOCK_FIELDS)
    return any(_THERE.search(name) for name in names)


def refuse_orders(mappings: Sequence[ColumnMapping], dialect: Dialect) -> None:
    """Refuse a report of what was sold: its quantities are gone, and its prices old.

    A shop's own list of products may speak of orders too, and is none if it has prices.

    Raises:
        NotAFeed: If the columns are those of orders.
    """
    names = [normalise(mapping.column) for mapping in mappings]
    priced = any(mapping.field in PRICE_FIELDS for mapping in mappings)
    if priced and (dialect.signature or _counts_stock(mappings)):
        return
    strong = sum(name in ORDER_WORDS for name in names)
    weak = 0 if priced else sum(name in LIKE_ORDER_WORDS for name in names)
    bare = not priced and all(mapping.field != "title" for mapping in mappings)
    enough = ENOUGH_FOR_STOCK_ALONE if bare else ENOUGH_ORDER_WORDS
    if not strong or strong + weak < enough:
        return
    said = ORDER_WORDS | LIKE_ORDER_WORDS
    told = [m.column for m, name in zip(mappings, names, strict=True) if name in said]
    raise NotAFeed(
        Sentence(
            "This looks like a report of past orders, not a stock list: it has the "
            "columns {columns}. Export your products instead.",
            columns=", ".join(told),
        )
    )
