"""Comparing: what the rows of a feed would change of what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import Select
from sqlmodel import Session, col

from offers.catalog import Offer
from offers.feed.facts import NAMES, Facts, facts_of
from offers.feed.rows import FeedRow

AT_ONCE = 1_000  # skus that are looked for at once

Offered = dict[str, object]
"""What is known of one offer, or different, by its column."""


SKU = NAMES.index("sku")
TITLE = NAMES.index("title")
QUANTITY = NAMES.index("quantity")
PRICE = NAMES.index("price_amount")
DAYS = ("sale_from", "sale_to")
PRICED = frozenset({"price_amount", "currency", "tax"})


@dataclass(frozen=True, slots=True)
class Tally:
    """What rows did, or would do, to the catalog.

    *unknown* rows tell the stock of offers that nobody has told the price of.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    unknown: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.new + other.new,
            self.changed + other.changed,
            self.same + other.same,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True)
class Recount:
    """A known offer whose quantity a feed changed from *before* to *after*."""

    offer_id: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Change:
    """A field of an offer that a feed says is different."""

    sku: str
    title: str
    field: str
    before: object
    after: object


def compare_rows(
    session: Session, retailer_id: str, rows: Sequence[FeedRow]
) -> tuple[Tally, list[Change]]:
    """Return what importing *rows* would do, and change nothing."""
    return compare_facts(session, retailer_id, [facts_of(row) for row in rows])


def compare_facts(
    session: Session, retailer_id: str, rows: Sequence[Facts]
) -> tuple[Tally, list[Change]]:
    """Return what importing *rows* would do, and change nothing."""
    known = known_offers(session, retailer_id, rows)
    sorted_out = sort_out(rows, known)
    changes = [
        Change(str(before["sku"]), _title(before, after), name, before[name], value)
        for before, after in sorted_out.changed
        for name, value in after.items()
    ]
    return sorted_out.tally, changes


@dataclass(frozen=True, slots=True)
class SortedOut:
    """Rows told apart; of those that *changed* also what was known of them."""

    fresh: list[Facts]
    changed: list[tuple[Offered, Offered]]
    tally: Tally


def sort_out(rows: Sequence[Facts], known: Mapping[object, Offered]) -> SortedOut:
    strange = [row for row in rows if row[SKU] not in known]
    fresh = [row for row in strange if is_whole(row)]
    changed = [
        (before, after)
        for row in rows
        if (before := known.get(row[SKU])) and (after := differences(before, row))
    ]
    same = len(rows) - len(strange) - len(changed)
    tally = Tally(len(fresh), len(changed), same, len(strange) - len(fresh))
    return SortedOut(fresh, changed, tally)


def is_whole(row: Facts) -> bool:
    """Whether *row* says enough for a new offer."""
    return bool(row[TITLE]) and row[PRICE] is not None


def _title(before: Offered, after: Offered) -> str:
    return str(after.get("title") or before["title"])


def known_offers(
    session: Session, retailer_id: str, rows: Sequence[Facts], *, lock: bool = False
) -> dict[object, Offered]:
    """Return what is known of the offers of *rows*, by their sku."""
    known: dict[object, Offered] = {}
    for start in range(0, len(rows), AT_ONCE):
        skus = [row[SKU] for row in rows[start : start + AT_ONCE]]
        statement = _offers_of(retailer_id, skus)
        if lock:  # an order may take units meanwhile
            statement = statement.with_for_update(key_share=True)
        found = session.execute(statement)  # mappings are not in sqlmodel's exec
        known.update((facts["sku"], _with_days(facts)) for facts in found.mappings())
    return known


def _offers_of(retailer_id: str, skus: Sequence[object]) -> Select[Any]:
    names = ("id", "retailer_id", "counted_at", *NAMES)
    columns = [getattr(Offer, name) for name in names]
    return (
        sqlalchemy.select(*columns)
        .where(col(Offer.retailer_id) == retailer_id, col(Offer.sku).in_(skus))
        .order_by(col(Offer.id))
    )


def _with_days(facts: Mapping[Any, Any]) -> Offered:
    said = {n: day and day.isoformat() for n, day in facts.items() if n in DAYS}
    return {**facts, **said}


def differences(before: Offered, row: Facts) -> Offered:
    return {
        name: value
        for name, value in zip(NAMES, row, strict=True)
        if value is not None and value != before[name]
    }
