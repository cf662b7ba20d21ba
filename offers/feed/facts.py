"""Facts: what a row says of an offer, as the offer's columns keep it.

A row of facts is a tuple in the order of ``NAMES``; what the file does not say is
``None``. Days are ISO 8601.
"""

import json
import marshal
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, overload

from offers.feed.rows import FeedRow

NAMES = (
    "sku",
    "parent_key",
    "title",
    "description",
    "brand",
    "category",
    "price_amount",
    "list_price_amount",
    "cost_amount",
    "currency",
    "tax",
    "quantity",
    "gtin",
    "condition",
    "image_url",
    "options",
    "mpn",
    "tags",
    "image_urls",
    "sale_from",
    "sale_to",
)

Facts = tuple[object, ...]


class FactRows(Sequence[Facts]):
    """Rows of facts, kept by column, as they are read and written quickest.

    Pickled they stay so until somebody looks at them.
    """

    def __init__(self, rows: Iterable[Facts] = ()) -> None:
        self._columns: list[list[Any]] | None = [[] for _ in NAMES]
        self._dump = b""
        self._number = 0
        for row in rows:
            self.append(row)

    @classmethod
    def of(cls, columns: Iterable[Sequence[Any]]) -> Self:
        """Take *columns*, which are in the order of ``NAMES``, as they are."""
        rows = cls()
        rows._columns = list(map(list, columns))
        return rows

    def __getstate__(self) -> tuple[bytes, int]:
        dump = self._dump if self._columns is None else marshal.dumps(self._columns)
        return dump, len(self)

    def __setstate__(self, state: tuple[bytes, int]) -> None:
        self._columns = None
        self._dump, self._number = state

    @property
    def columns(self) -> list[list[Any]]:
        if self._columns is None:
            columns: list[list[Any]] = marshal.loads(self._dump)  # noqa: S302
            self._columns = columns
        return self._columns

    def __len__(self) -> int:
        return self._number if self._columns is None else len(self._columns[0])

    def __iter__(self) -> Iterator[Facts]:
        return zip(*self.columns, strict=True)

    @overload
    def __getitem__(self, index: int) -> Facts: ...
    @overload
    def __getitem__(self, index: slice) -> "FactRows": ...
    def __getitem__(self, index: int | slice) -> "Facts | FactRows":
        found = [column[index] for column in self.columns]
        return FactRows.of(found) if isinstance(index, slice) else tuple(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FactRows) and self.columns == other.columns

    __hash__ = None  # type: ignore[assignment]  # they can be added to

    def append(self, row: Facts) -> None:
        for column, fact in zip(self.columns, row, strict=True):
            column.append(fact)

    def extend(self, others: "FactRows") -> None:
        for column, more in zip(self.columns, others.columns, strict=True):
            column.extend(more)


def facts_of(row: FeedRow) -> Facts:
    """Return what *row* says, in the order of ``NAMES``."""
    return (
        row.sku,
        row.parent_key,
        row.title,
        row.description,
        row.brand,
        row.category,
        row.price and row.price.amount,
        row.list_price and row.list_price.amount,
        row.cost and row.cost.amount,
        row.price and row.price.currency,
        None if row.tax == "unknown" else row.tax,
        row.quantity,
        row.gtin,
        row.condition,
        row.image_url,
        dump_list(row.options) if row.options else None,
        row.mpn,
        dump_list(row.tags) if row.tags else None,
        images_of(row.image_urls),
        row.sale_from and row.sale_from.isoformat(),
        row.sale_to and row.sale_to.isoformat(),
    )


def dump_list(texts: Sequence[object]) -> str:
    return json.dumps(texts, ensure_ascii=False)


def images_of(addresses: Sequence[str]) -> str | None:
    """Return what is kept of all pictures: one alone is kept by itself."""
    if not addresses:
        return None
    return dump_list(addresses) if len(addresses) > 1 else "[]"
