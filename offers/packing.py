"""Packing: the rows of a file as offers that nobody knew, ready to be entered at once.

A large file is mostly made of them. Ids of one batch follow each other, so that indexes
grow at their end instead of all over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offers.feed.facts import NAMES, FactRows
from offers.ids import MOST_AT_ONCE, new_ids
from offers.loads import Load, kept, pack

_UNSAID: Mapping[str, str] = {
    "description": "",
    "tax": "unknown",
    "options": "[]",
    "tags": "[]",
    "image_urls": "[]",
}
"""What is kept of a new offer where its file says nothing."""


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Offers that are new, ready to be entered, with the ids that they will have."""

    load: Load
    first_id: str
    last_id: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose offers they are, which import brings them, when, and into what database."""

    kind: str
    retailer_id: str
    source: str
    now: datetime


def pack_newcomers(
    rows: FactRows, origin: Origin, *, minted_at: datetime
) -> Newcomers | None:
    """Make offers of *rows*; nothing if there are none, or too many at once.

    Nor if one has no title or price: it cannot be new. *minted_at* is the time in the
    ids: batches of one *now* that each have a later one grow the indexes at their end.
    """
    if not 0 < len(rows) <= MOST_AT_ONCE:
        return None
    moment = kept(origin.now)
    columns = _columns(rows, moment)
    if None in columns["title"] or None in columns["price_amount"]:
        return None
    ids = new_ids("offer", minted_at, len(rows))
    same = {
        "retailer_id": origin.retailer_id,
        "imported_at": moment,
        "first_seen_at": moment,
        "source": origin.source,
    }
    load = pack(origin.kind, {"id": ids, **columns}, same)
    return Newcomers(load, ids[0], ids[-1])


def _columns(rows: FactRows, moment: str) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = dict(zip(NAMES, rows.columns, strict=True))
    for name, unsaid in _UNSAID.items():
        column = columns[name]
        if None in column:
            columns[name] = [unsaid if each is None else each for each in column]
    counts = columns["quantity"]
    columns["counted_at"] = [None if n is None else moment for n in counts]
    return columns
