"""The catalog: offers, each one product at one retailer, as the last feed told it.

Importing a row twice equals importing it once. What a feed does not say stays as it
was, and an offer that a feed does not mention stays too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, bindparam, insert
from sqlmodel import Field, Session, SQLModel, col, or_, select, update

from offers.columns import Moment
from offers.feed.rows import FeedRow
from offers.ids import new_id
from offers.money import Money
from offers.prices import PricePoint
from offers.retailers import Retailer

PAGE = 50


class Offer(SQLModel, table=True):
    """*price* is what the shop charges now, *list_price* what it says it did before.

    *quantity* is unknown (``None``) until the retailer says it; *counted_at* is the
    moment that their count belongs to.
    """

    __table_args__ = (
        UniqueConstraint("retailer_id", "sku"),
        Index("ix_offer_title", "retailer_id", "title"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    sku: str
    parent_key: str | None = None
    title: str
    description: str = ""
    brand: str | None = None
    category: str | None = None
    price_amount: int = Field(sa_type=BigInteger)
    list_price_amount: int | None = Field(default=None, sa_type=BigInteger)
    cost_amount: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(max_length=3)
    tax: str = "unknown"
    quantity: int | None = None
    counted_at: datetime | None = Field(default=None, sa_type=Moment)
    gtin: str | None = None
    condition: str | None = None
    image_url: str | None = None
    picture_id: str | None = Field(default=None, foreign_key="picture.id")
    options: str = "[]"  # JSON pairs of name and value
    imported_at: datetime = Field(sa_type=Moment)

    @property
    def price(self) -> Money:
        return Money(self.price_amount, self.currency)

    @property
    def cost(self) -> Money | None:
        if self.cost_amount is None:
            return None
        return Money(self.cost_amount, self.currency)

    @property
    def variant(self) -> str:
        """The option values in a line, such as ``Blue / 42``."""
        return " / ".join(value for _, value in json.loads(self.options))


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
    known = _known(session, retailer_id, rows)
    changes = [
        Change(row.sku, row.title, name, known[row.sku][name], value)
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
    known = _known(session, retailer_id, rows)
    fresh = [_fresh(retailer_id, row, now) for row in rows if row.sku not in known]
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


def offers(
    session: Session, retailer_id: str, *, search: str = "", page: int = 1
) -> list[Offer]:
    """Return a page of a retailer's offers: those with stock first, then by title."""
    statement = select(Offer).where(Offer.retailer_id == retailer_id)
    if search:
        found = [
            column.icontains(search, autoescape=True)
            for column in (col(Offer.title), col(Offer.sku))
        ]
        statement = statement.where(or_(*found))
    statement = statement.order_by(
        col(Offer.quantity).is_(None),
        col(Offer.quantity) <= 0,
        col(Offer.title),
        col(Offer.id),
    )
    return list(session.exec(statement.limit(PAGE).offset((page - 1) * PAGE)))


def find_offer_by_sku(session: Session, retailer_id: str, sku: str) -> Offer | None:
    statement = select(Offer).where(Offer.retailer_id == retailer_id, Offer.sku == sku)
    return session.exec(statement).one_or_none()


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
)


def _known(
    session: Session, retailer_id: str, rows: Sequence[FeedRow]
) -> dict[str, Facts]:
    names = ("id", "retailer_id", "sku", "counted_at")
    columns = [getattr(Offer, name) for name in names]
    columns += [getattr(Offer, name) for name in _COMPARED]
    found = session.execute(  # mappings are not in sqlmodel's exec
        select(*columns)
        .where(
            Offer.retailer_id == retailer_id,
            col(Offer.sku).in_([row.sku for row in rows]),
        )
        .order_by(col(Offer.id))
        .with_for_update(key_share=True)  # an order may take units meanwhile
    )
    return {facts["sku"]: dict(facts) for facts in found.mappings()}


def _facts(row: FeedRow) -> Facts:
    """What a row says; a field that it does not say is ``None``."""
    return {
        "parent_key": row.parent_key,
        "title": row.title,
        "description": row.description,
        "brand": row.brand,
        "category": row.category,
        "price_amount": row.price.amount,
        "list_price_amount": row.list_price and row.list_price.amount,
        "cost_amount": row.cost and row.cost.amount,
        "currency": row.price.currency,
        "tax": None if row.tax == "unknown" else row.tax,
        "quantity": row.quantity,
        "gtin": row.gtin,
        "condition": row.condition,
        "image_url": row.image_url,
        "options": dump_options(row) if row.options else None,
    }


def dump_options(row: FeedRow) -> str:
    return json.dumps(row.options, ensure_ascii=False)


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
    return {
        **facts,
        "id": new_id("offer", now),
        "retailer_id": retailer_id,
        "sku": row.sku,
        "counted_at": None if row.quantity is None else now,
        "picture_id": None,
        "imported_at": now,
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
