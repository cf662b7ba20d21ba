"""Prices: what was charged and from when; the evidence for a struck-through price.

The log is only ever added to. In the EU an announced reduction must name the prior
price, the lowest one applied in the 30 days before it (Directive 98/6/EC, article 6a),
and a percentage must be reckoned from that price (CJEU, 26 September 2024). So without
30 days of our own log there is no prior price, and the deal shows its price alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment
from offers.ids import new_id
from offers.money import Money

WINDOW = timedelta(days=30)
INSTANT = timedelta(microseconds=1)


class PricePoint(SQLModel, table=True):
    """From *applied_at* on, the offer cost this much; *source* says how we know."""

    __tablename__ = "price_point"
    __table_args__ = (
        Index("ix_price_point_offer", "retailer_id", "offer_id", "applied_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    offer_id: str = Field(foreign_key="offer.id")
    price_amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    applied_at: datetime = Field(sa_type=Moment)
    source: str

    @property
    def price(self) -> Money:
        return Money(self.price_amount, self.currency)


@dataclass(frozen=True, slots=True)
class Reduction:
    """*price* against the lowest *prior* one; *percent* is rounded down."""

    prior: Money
    price: Money

    @property
    def percent(self) -> int:
        return (self.prior.amount - self.price.amount) * 100 // self.prior.amount


def log_price(
    session: Session,
    retailer_id: str,
    offer_id: str,
    price: Money,
    *,
    source: str,
    now: datetime,
) -> None:
    """Add what is charged from *now* on; the same price again adds nothing.

    Of two prices at the same instant the one logged later is the later one.
    """
    for last in price_log(session, retailer_id, offer_id)[-1:]:
        if last.price == price:
            return
        now = max(now, last.applied_at + INSTANT)
    session.add(
        PricePoint(
            id=new_id("price", now),
            retailer_id=retailer_id,
            offer_id=offer_id,
            price_amount=price.amount,
            currency=price.currency,
            applied_at=now,
            source=source,
        )
    )
    session.flush()


def price_log(session: Session, retailer_id: str, offer_id: str) -> list[PricePoint]:
    """Return every price of an offer, oldest first."""
    statement = (
        select(PricePoint)
        .where(PricePoint.retailer_id == retailer_id, PricePoint.offer_id == offer_id)
        .order_by(col(PricePoint.applied_at), col(PricePoint.id))
    )
    return list(session.exec(statement))


def find_reduction(
    session: Session, retailer_id: str, offer_id: str, price: Money, *, at: datetime
) -> Reduction | None:
    """Return the reduction that *price* is if it starts at *at*, if it provably is one.

    ``None`` if the log does not reach 30 days back without a gap in currency, or if
    *price* is not below the lowest price of those days.
    """
    log = [p for p in price_log(session, retailer_id, offer_id) if p.applied_at < at]
    prior = lowest_price(log, at=at)
    if prior is None or prior.currency != price.currency or prior <= price:
        return None
    return Reduction(prior, price)


def lowest_price(log: list[PricePoint], *, at: datetime) -> Money | None:
    """Return the lowest price applied in the 30 days before *at*; *log* oldest first.

    ``None`` unless something was charged on each of those days, in one currency.
    """
    start = at - WINDOW
    before = [p for p in log if p.applied_at <= start]
    if not before:
        return None
    applied = [before[-1], *(p for p in log if start < p.applied_at < at)]
    if len({p.currency for p in applied}) > 1:
        return None
    return min(p.price for p in applied)
