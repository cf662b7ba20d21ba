"""Shelving: rows of a feed become offers.

Importing a row twice equals importing it once. What a feed does not say stays as it
was, and an offer that a feed does not mention stays too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Select, bindparam, insert
from sqlmodel import Session, col, select, update

from offers.catalog import Offer
from offers.feed.rows import FeedRow
from offers.ids import new_id
from offers.prices import PricePoint
from offers.retailers import Retailer


@dataclass(frozen=True, slots=True)
class Tally:
    """What rows did, or would do, to the catalog."""

    new: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.new + other.new, self.changed + other.changed, self.same + other.same
        )


@dataclass(frozen=True, slots=True)
class Recount:
    """An offer whose quantity a feed changed from *before* to *after*.

    One that is *new* to the catalog cannot be in a deal yet.
    """

    offer_id: str
    before: int
    after: int
    new: bool = False


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
    known = _known(session, _offers_of(retailer_id, rows))
    changes = [
        Change(
            row.sku,
            row.title or str(known[row.sku]["title"]),
            name,
            known[row.sku][name],
            value,
        )
        for row in rows
        if row.sku in known
        for name, value in _differences(known[row.sku], row).items()
    ]
    changed = len({change.sku for change in changes})
    new = sum(row.sku not in known for row in rows)
    return Tally(new, changed, len(rows) - new - changed), changes


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
    _await_turn(session, retailer_id)
    # An order may take units meanwhile.
    locked = _offers_of(retailer_id, rows).with_for_update(key_share=True)
    known = _known(session, locked)
    fresh = [
        _fresh(retailer_id, row, now)
        for row in rows
        if row.sku not in known and row.price is not None and row.title
    ]
    changed = [
        (known[row.sku], differences)
        for row in rows
        if row.sku in known and (differences := _differences(known[row.sku], row))
    ]
    if fresh:
        session.exec(insert(Offer), params=fresh)
    _update(session, changed, now)
    points = [*fresh, *(_repriced(before, after) for before, after in changed)]
    _log_prices(session, [point for point in points if point is not None], source, now)
    tally = Tally(len(fresh), len(changed), len(rows) - len(fresh) - len(changed))
    return tally, _recounts(fresh, changed)


def _await_turn(session: Session, retailer_id: str) -> None:
    """Import for one retailer at a time: who comes second finds what the first made."""
    mine = select(Retailer.id).where(Retailer.id == retailer_id)
    session.exec(mine.with_for_update(key_share=True)).one_or_none()


Facts = dict[str, object]


_COMPARED = (
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


def _offers_of(retailer_id: str, rows: Sequence[FeedRow]) -> Select[Any]:
    names = ("id", "retailer_id", "sku", "counted_at")
    columns = [getattr(Offer, name) for name in (*names, *_COMPARED)]
    return (
        sqlalchemy.select(*columns)
        .where(
            col(Offer.retailer_id) == retailer_id,
            col(Offer.sku).in_([row.sku for row in rows]),
        )
        .order_by(col(Offer.id))
    )


def _known(session: Session, offers: Select[Any]) -> dict[str, Facts]:
    found = session.execute(offers)  # mappings are not in sqlmodel's exec
    return {facts["sku"]: dict(facts) for facts in found.mappings()}


def _facts(row: FeedRow) -> Facts:
    """What a row says; a field that it does not say is ``None``."""
    return {
        "parent_key": row.parent_key,
        "title": row.title,
        "description": row.description,
        "brand": row.brand,
        "category": row.category,
        "price_amount": row.price and row.price.amount,
        "list_price_amount": row.list_price and row.list_price.amount,
        "cost_amount": row.cost and row.cost.amount,
        "currency": row.price and row.price.currency,
        "tax": None if row.tax == "unknown" else row.tax,
        "quantity": row.quantity,
        "gtin": row.gtin,
        "condition": row.condition,
        "image_url": row.image_url,
        "options": dump_options(row) if row.options else None,
        "mpn": row.mpn,
        "tags": _dump(row.tags) if row.tags else None,
        "image_urls": _dump(row.image_urls) if row.image_urls else None,
        "sale_from": row.sale_from,
        "sale_to": row.sale_to,
    }


def dump_options(row: FeedRow) -> str:
    return json.dumps(row.options, ensure_ascii=False)


def _dump(texts: Sequence[str]) -> str:
    return json.dumps(texts, ensure_ascii=False)


def _differences(before: Mapping[str, object], row: FeedRow) -> Facts:
    return {
        name: value
        for name, value in _facts(row).items()
        if value is not None and value != before[name]
    }


def _fresh(retailer_id: str, row: FeedRow, now: datetime) -> Facts:
    facts = _facts(row)
    facts["description"] = row.description or ""
    facts["tax"], facts["options"] = row.tax, dump_options(row)
    facts["tags"], facts["image_urls"] = _dump(row.tags), _dump(row.image_urls)
    return {
        **facts,
        "id": new_id("offer", now),
        "retailer_id": retailer_id,
        "sku": row.sku,
        "counted_at": None if row.quantity is None else now,
        "picture_id": None,
        "imported_at": now,
        "first_seen_at": now,
    }


def _update(
    session: Session, changed: Sequence[tuple[Facts, Facts]], now: datetime
) -> None:
    if not changed:
        return
    names = (*_COMPARED, "counted_at", "imported_at")
    statement = (
        update(Offer)
        .where(col(Offer.id) == bindparam("offer_id"))
        .values({name: bindparam(name) for name in names})
    )
    parameters = [_updated(before, after, now) for before, after in changed]
    session.connection().execute(statement, parameters)


def _updated(before: Facts, after: Facts, now: datetime) -> Facts:
    counted_at = now if "quantity" in after else before["counted_at"]
    return {
        **{name: before[name] for name in _COMPARED},
        **after,
        "offer_id": before["id"],
        "counted_at": counted_at,
        "imported_at": now,
    }


def _recounts(
    fresh: Sequence[Facts], changed: Sequence[tuple[Facts, Facts]]
) -> list[Recount]:
    counts: list[tuple[object, object, object, bool]] = [
        (facts["id"], None, facts["quantity"], True) for facts in fresh
    ]
    counts += [
        (before["id"], before["quantity"], after.get("quantity"), False)
        for before, after in changed
    ]
    return [
        Recount(str(offer_id), before if isinstance(before, int) else 0, after, new)
        for offer_id, before, after, new in counts
        if isinstance(after, int)
    ]


def _repriced(before: Facts, after: Facts) -> Facts | None:
    if "price_amount" not in after and "currency" not in after:
        return None
    return {**before, **after}


def _log_prices(
    session: Session, priced: Sequence[Facts], source: str, now: datetime
) -> None:
    points = [
        {
            "id": new_id("price", now),
            "retailer_id": facts["retailer_id"],
            "offer_id": facts["id"],
            "price_amount": facts["price_amount"],
            "currency": facts["currency"],
            "applied_at": now,
            "source": source,
        }
        for facts in priced
    ]
    if points:
        session.exec(insert(PricePoint), params=points)
