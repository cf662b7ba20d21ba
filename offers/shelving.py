"""Shelving: rows of a feed become offers.

Importing a row twice equals importing it once. What a feed does not say stays as it
was, and an offer that a feed does not mention stays too.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Select, bindparam, insert
from sqlmodel import Session, col, select, update

from offers.befores import OfferBefore
from offers.catalog import Offer
from offers.feed.facts import NAMES, Facts, facts_of
from offers.feed.rows import FeedRow
from offers.ids import MOST_AT_ONCE, new_id
from offers.levels import outdate_levels, take_levels
from offers.newcomers import add_newcomers
from offers.prices import PriceKind, PricePoint
from offers.retailers import Retailer

AT_ONCE = 1_000  # skus that are looked for at once

Offered = dict[str, object]
"""What is known of one offer, or different, by its column."""

Places = Sequence[tuple[str, Sequence[tuple[str, int]]]]
"""The units of skus by place, for those of which a feed tells them."""

_SKU = NAMES.index("sku")
_TITLE = NAMES.index("title")
_QUANTITY = NAMES.index("quantity")
_PRICE = NAMES.index("price_amount")
_DAYS = ("sale_from", "sale_to")
_PRICED = frozenset({"price_amount", "currency", "tax"})


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
    known = _known(session, retailer_id, rows)
    sorted_out = _sort_out(rows, known)
    changes = [
        Change(str(before["sku"]), _title(before, after), name, before[name], value)
        for before, after in sorted_out.changed
        for name, value in after.items()
    ]
    return sorted_out.tally, changes


def import_rows(
    session: Session,
    retailer_id: str,
    rows: Sequence[FeedRow],
    *,
    source: str,
    now: datetime,
) -> tuple[Tally, list[Recount]]:
    """Bring *rows* into the catalog, logging every new price.

    *source* says where they come from, such as ``feed_01j…``, for the price log.
    Returns the quantities that changed too: they are for the stock's ledger.
    """
    facts = [facts_of(row) for row in rows]
    places = [(row.sku, row.quantities) for row in rows if row.quantities]
    return import_facts(
        session, retailer_id, facts, places=places, source=source, now=now
    )


def import_facts(
    session: Session,
    retailer_id: str,
    rows: Sequence[Facts],
    *,
    places: Places = (),
    source: str,
    now: datetime,
    minted_at: datetime | None = None,
) -> tuple[Tally, list[Recount]]:
    """Do as ``import_rows``; *minted_at* is the time in the ids of new offers."""
    _await_turn(session, retailer_id)
    known = _known(session, retailer_id, rows, lock=True)
    of_known = [(sku, told) for sku, told in places if sku in known]
    rows = _at_places(session, retailer_id, rows, of_known, known, now)
    done = _sort_out(rows, known)
    minted_at = minted_at or now
    while not _add_all(session, retailer_id, done.fresh, source, now, minted_at):
        # Somebody was quicker, by whom they are known now.
        known = _known(session, retailer_id, rows, lock=True)
        done = _sort_out(rows, known)
    _update(session, done.changed, now)
    _keep_befores(session, done.changed, source, now)
    _log_prices(session, done.changed, source, now)
    _outdate(session, done.changed, of_known)
    of_new = [(sku, told) for sku, told in places if (sku, told) not in of_known]
    _place_new(session, retailer_id, of_new, now)
    return done.tally, _recounts(done.changed)


def import_newcomers(
    session: Session,
    retailer_id: str,
    rows: Sequence[Facts],
    *,
    source: str,
    now: datetime,
    minted_at: datetime,
) -> bool:
    """Bring in offers of which none is known; return whether that was so.

    If not, nothing has happened. Nobody is waited for but who brings in the same.
    """
    if len(rows) > MOST_AT_ONCE or not all(_is_whole(row) for row in rows):
        return False
    return add_newcomers(
        session, retailer_id, rows, source=source, now=now, minted_at=minted_at
    )


@dataclass(frozen=True, slots=True)
class _SortedOut:
    """Rows told apart; of those that *changed* also what was known of them."""

    fresh: list[Facts]
    changed: list[tuple[Offered, Offered]]
    tally: Tally


def _sort_out(rows: Sequence[Facts], known: Mapping[object, Offered]) -> _SortedOut:
    strange = [row for row in rows if row[_SKU] not in known]
    fresh = [row for row in strange if _is_whole(row)]
    changed = [
        (before, after)
        for row in rows
        if (before := known.get(row[_SKU])) and (after := _differences(before, row))
    ]
    same = len(rows) - len(strange) - len(changed)
    tally = Tally(len(fresh), len(changed), same, len(strange) - len(fresh))
    return _SortedOut(fresh, changed, tally)


def _is_whole(row: Facts) -> bool:
    """Whether *row* says enough for a new offer."""
    return bool(row[_TITLE]) and row[_PRICE] is not None


def _title(before: Offered, after: Offered) -> str:
    return str(after.get("title") or before["title"])


def _await_turn(session: Session, retailer_id: str) -> None:
    """Import for one retailer at a time: who comes second finds what the first made."""
    mine = select(Retailer.id).where(Retailer.id == retailer_id)
    session.exec(mine.with_for_update(key_share=True)).one_or_none()


def _known(
    session: Session, retailer_id: str, rows: Sequence[Facts], *, lock: bool = False
) -> dict[object, Offered]:
    """Return what is known of the offers of *rows*, by their sku."""
    known: dict[object, Offered] = {}
    for start in range(0, len(rows), AT_ONCE):
        skus = [row[_SKU] for row in rows[start : start + AT_ONCE]]
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
    said = {n: day and day.isoformat() for n, day in facts.items() if n in _DAYS}
    return {**facts, **said}


def _differences(before: Offered, row: Facts) -> Offered:
    return {
        name: value
        for name, value in zip(NAMES, row, strict=True)
        if value is not None and value != before[name]
    }


def _add_all(
    session: Session,
    retailer_id: str,
    fresh: Sequence[Facts],
    source: str,
    now: datetime,
    minted_at: datetime,
) -> bool:
    """Enter new offers, unless one of them is known meanwhile."""
    return all(
        add_newcomers(
            session,
            retailer_id,
            fresh[start : start + MOST_AT_ONCE],
            source=source,
            now=now,
            minted_at=minted_at,
        )
        for start in range(0, len(fresh), MOST_AT_ONCE)
    )


def _update(
    session: Session, changed: Sequence[tuple[Offered, Offered]], now: datetime
) -> None:
    if not changed:
        return
    names = (*NAMES, "counted_at", "imported_at")
    statement = (
        update(Offer)
        .where(col(Offer.id) == bindparam("offer_id"))
        .values({name: bindparam(name) for name in names})
    )
    parameters = [_updated(before, after, now) for before, after in changed]
    session.connection().execute(statement, parameters)


def _updated(before: Offered, after: Offered, now: datetime) -> Offered:
    values = {name: after.get(name, before[name]) for name in NAMES}
    days = {n: date.fromisoformat(str(values[n])) for n in _DAYS if values[n]}
    return {
        **values,
        **days,
        "offer_id": before["id"],
        "counted_at": now if "quantity" in after else before["counted_at"],
        "imported_at": now,
    }


def _keep_befores(
    session: Session,
    changed: Sequence[tuple[Offered, Offered]],
    source: str,
    now: datetime,
) -> None:
    rows = [
        {
            "id": new_id("before", now),
            "retailer_id": before["retailer_id"],
            "import_id": source,
            "offer_id": before["id"],
            "before": _as_json({name: before[name] for name in after}),
            "after": _as_json(after),
        }
        for before, after in changed
    ]
    if rows:
        session.exec(insert(OfferBefore), params=rows)


def _as_json(facts: Offered) -> str:
    return json.dumps(facts, ensure_ascii=False, default=str)


def _log_prices(
    session: Session,
    changed: Sequence[tuple[Offered, Offered]],
    source: str,
    now: datetime,
) -> None:
    points = [
        {
            "id": new_id("price", now),
            "retailer_id": before["retailer_id"],
            "offer_id": before["id"],
            "price_amount": after.get("price_amount", before["price_amount"]),
            "currency": after.get("currency", before["currency"]),
            "applied_at": now,
            "source": source,
            "kind": PriceKind.FEED,
            "tax": after.get("tax", before["tax"]),
            "country": "",
        }
        for before, after in changed
        if not after.keys().isdisjoint(_PRICED)
    ]
    if points:
        session.exec(insert(PricePoint), params=points)


def _at_places(
    session: Session,
    retailer_id: str,
    rows: Sequence[Facts],
    places: Places,
    known: Mapping[object, Offered],
    now: datetime,
) -> Sequence[Facts]:
    """Keep where known offers are; return *rows* with the units where they count."""
    if not places:
        return rows
    levels = [(str(known[sku]["id"]), told) for sku, told in places]
    counts = take_levels(session, retailer_id, levels, now=now)
    of = {sku: counts[str(known[sku]["id"])] for sku, _ in places}
    return [
        (*row[:_QUANTITY], of[str(row[_SKU])], *row[_QUANTITY + 1 :])
        if row[_SKU] in of
        else row
        for row in rows
    ]


def _outdate(
    session: Session, changed: Sequence[tuple[Offered, Offered]], placed: Places
) -> None:
    """Where a file says how many there are in all, no place is known any more."""
    by_place = {sku for sku, _ in placed}
    outdate_levels(
        session,
        [
            str(before["id"])
            for before, after in changed
            if "quantity" in after and before["sku"] not in by_place
        ],
    )


def _place_new(
    session: Session, retailer_id: str, places: Places, now: datetime
) -> None:
    """Keep where new offers are, and count what is at places that count."""
    if not places:
        return
    ids = dict(_ids(session, retailer_id, [sku for sku, _ in places]))
    levels = [(ids[sku], told) for sku, told in places if sku in ids]
    counts = take_levels(session, retailer_id, levels, now=now)
    for offer_id, told in levels:
        if counts[offer_id] != sum(units for _, units in told):
            values = {"quantity": counts[offer_id]}
            session.exec(update(Offer).where(col(Offer.id) == offer_id).values(values))


def _ids(
    session: Session, retailer_id: str, skus: Sequence[str]
) -> Iterable[tuple[str, str]]:
    for start in range(0, len(skus), AT_ONCE):
        some = col(Offer.sku).in_(skus[start : start + AT_ONCE])
        mine = col(Offer.retailer_id) == retailer_id
        yield from session.exec(select(Offer.sku, Offer.id).where(mine, some))


def _recounts(changed: Iterable[tuple[Offered, Offered]]) -> list[Recount]:
    counts = [(b["id"], b["quantity"] or 0, a.get("quantity")) for b, a in changed]
    return [
        Recount(str(offer_id), before, after)
        for offer_id, before, after in counts
        if isinstance(before, int) and isinstance(after, int)
    ]
