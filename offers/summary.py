"""What a retailer sees of its deals. Reads only.

*Gross* is what shoppers paid for orders; *refunded* what was given back of it,
*disputed* what banks took back for disputes, and *net* what remains. Money that came
too late and went straight back is in none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy
from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from offers.clicks import Click, Visitor
from offers.deals import Deal, Phase
from offers.disputes import Dispute
from offers.holds import Hold
from offers.money import Money
from offers.orders import Order
from offers.posts import Post, PostState
from offers.scope import get_own


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """Shoppers on their way from a click to an order, and the money they left."""

    clicks: int
    robots: int
    holds: int
    orders: int
    units: int
    gross: Money
    refunded: Money
    disputed: Money

    @property
    def net(self) -> Money:
        return self.gross - self.refunded - self.disputed


@dataclass(frozen=True, slots=True, kw_only=True)
class DealLine:
    """A deal and its sales; *sold_out_after* counts from the opening."""

    deal_id: str
    title: str
    phase: Phase
    opens_at: datetime
    closes_at: datetime
    offered: int
    left: int
    held: int
    sold_out_after: timedelta | None
    sales: Sales

    @property
    def sell_through(self) -> float:
        """The share of the units offered that was sold, from 0 to 1."""
        return self.sales.units / self.offered if self.offered else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLine:
    post_id: str
    channel: str
    state: PostState
    url: str | None
    code: str
    published_at: datetime | None
    sales: Sales


@dataclass(frozen=True, slots=True)
class Sold:
    """After *at*, *units* had been sold in all."""

    at: datetime
    units: int


def sales_by_deal(
    session: Session, retailer_id: str, *, now: datetime
) -> list[DealLine]:
    """Return every deal of a retailer with its sales, the latest opening first."""
    deals = session.exec(
        select(Deal)
        .where(Deal.retailer_id == retailer_id)
        .order_by(col(Deal.opens_at).desc(), col(Deal.id))
    ).all()
    sales = _count_by_deal(session, retailer_id)
    return [_deal_line(deal, sales, now) for deal in deals]


def sales_of_deal(
    session: Session, retailer_id: str, deal_id: str, *, now: datetime
) -> DealLine:
    """Return one deal with its sales.

    Raises:
        Missing: If it is not this retailer's.
    """
    deal = get_own(session, Deal, retailer_id, deal_id)
    sales = _count_by_deal(session, retailer_id)
    return _deal_line(deal, sales, now)


def sales_by_post(session: Session, retailer_id: str, deal_id: str) -> list[PostLine]:
    """Return the posts of a deal with what each earned, the best first."""
    deal = get_own(session, Deal, retailer_id, deal_id)
    posts = session.exec(
        select(Post).where(Post.retailer_id == retailer_id, Post.deal_id == deal_id)
    ).all()
    sales = _count_by_post(session, deal_id)
    lines = [_post_line(post, deal.currency, sales) for post in posts]
    return sorted(lines, key=lambda line: (-line.sales.net.amount, line.channel))


def units_over_time(session: Session, retailer_id: str, deal_id: str) -> list[Sold]:
    """Return how the units sold of a deal grew, order by order."""
    running = func.sum(col(Order.quantity)).over(
        order_by=[col(Order.paid_at), col(Order.id)]
    )
    statement = (
        select(Order.paid_at, running)
        .where(Order.retailer_id == retailer_id, col(Order.deal_id) == deal_id)
        .order_by(col(Order.paid_at), col(Order.id))
    )
    return [Sold(at, int(units)) for at, units in session.exec(statement)]


@dataclass(frozen=True, slots=True)
class Total:
    """What deals brought in, in one currency."""

    gross: Money
    refunded: Money
    disputed: Money

    @property
    def net(self) -> Money:
        return self.gross - self.refunded - self.disputed


def totals(lines: Sequence[DealLine]) -> list[Total]:
    """Return what *lines* brought in, once for each currency."""
    sums: dict[str, Total] = {}
    for line in lines:
        sales = line.sales
        none = Money(0, sales.gross.currency)
        so_far = sums.get(none.currency, Total(none, none, none))
        sums[none.currency] = Total(
            so_far.gross + sales.gross,
            so_far.refunded + sales.refunded,
            so_far.disputed + sales.disputed,
        )
    return [sums[currency] for currency in sorted(sums)]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Clicks, holds and orders, each by the same key: deals, or posts."""

    clicks: Mapping[tuple[str, str], int]
    holds: Mapping[str, int]
    orders: Mapping[str, Sequence[int]]
    disputed: Mapping[str, int]

    def of(self, key: str, currency: str) -> Sales:
        orders, units, gross, refunded = self.orders.get(key, (0, 0, 0, 0))
        return Sales(
            clicks=self.clicks.get((key, Visitor.PERSON), 0),
            robots=self.clicks.get((key, Visitor.ROBOT), 0),
            holds=self.holds.get(key, 0),
            orders=orders,
            units=units,
            gross=Money(gross, currency),
            refunded=Money(refunded, currency),
            disputed=Money(self.disputed.get(key, 0), currency),
        )


def _count_by_deal(session: Session, retailer_id: str) -> _Counts:
    return _count(
        session,
        (col(Click.deal_id), col(Click.retailer_id) == retailer_id),
        (col(Hold.deal_id), col(Hold.retailer_id) == retailer_id),
        (col(Order.deal_id), col(Order.retailer_id) == retailer_id),
    )


def _count_by_post(session: Session, deal_id: str) -> _Counts:
    return _count(
        session,
        (col(Click.post_id), col(Click.deal_id) == deal_id),
        (col(Hold.post_id), col(Hold.deal_id) == deal_id),
        (col(Order.post_id), col(Order.deal_id) == deal_id),
    )


Grouping = tuple[Mapped[str], ColumnElement[bool]]


def _count(
    session: Session, clicks: Grouping, holds: Grouping, orders: Grouping
) -> _Counts:
    """Ask one query each; a grouping is what to group by and whose rows to take."""
    key, own = clicks
    arrived = session.exec(
        select(key, Click.visitor, func.sum(Click.count))
        .where(own)
        .group_by(key, col(Click.visitor))
    )
    key, own = holds
    held = session.exec(select(key, func.count(col(Hold.id))).where(own).group_by(key))
    key, own = orders
    paid = session.execute(  # five columns are more than sqlmodel's select types
        sqlalchemy.select(
            key,
            func.count(col(Order.id)),
            func.sum(Order.quantity),
            func.sum(Order.total_amount),
            func.sum(Order.refunded_amount),
        )
        .where(own)
        .group_by(key)
    )
    taken = session.exec(
        select(key, func.sum(Dispute.withdrawn_amount))
        .join(Order, col(Order.id) == col(Dispute.order_id))
        .where(own, Dispute.withdrawn_amount > 0)
        .group_by(key)
    )
    return _Counts(
        {(name, visitor): int(n) for name, visitor, n in arrived},
        {name: int(n) for name, n in held},
        {name: [int(n) for n in numbers] for name, *numbers in paid},
        {name: int(n) for name, n in taken},
    )


def _deal_line(deal: Deal, counts: _Counts, now: datetime) -> DealLine:
    sales = counts.of(deal.id, deal.currency)
    after = deal.sold_out_at - deal.opens_at if deal.sold_out_at else None
    return DealLine(
        deal_id=deal.id,
        title=deal.title,
        phase=deal.phase(now),
        opens_at=deal.opens_at,
        closes_at=deal.closes_at,
        offered=deal.allotment,
        left=deal.left,
        held=deal.held,
        sold_out_after=after,
        sales=sales,
    )


def _post_line(post: Post, currency: str, counts: _Counts) -> PostLine:
    return PostLine(
        post_id=post.id,
        channel=post.channel,
        state=post.state,
        url=post.url,
        code=post.code,
        published_at=post.published_at,
        sales=counts.of(post.id, currency),
    )
