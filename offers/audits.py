"""Audits: whether a deal's units and money add up, asked of the rows themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from offers.deals import Deal
from offers.holds import ACTIVE, Hold
from offers.ledger import LedgerEntry
from offers.orders import Order
from offers.posts import Post, PostState
from offers.refunds import Refund


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Where a deal's units are, by its rows and, as *beyond* tells, by its counters.

    *beyond* is by how many more units were promised than there are; *adrift* whether
    counters and rows say different things.
    """

    offered: int
    held: int
    sold: int
    beyond: int
    adrift: bool

    @property
    def free(self) -> int:
        return self.offered - self.held - self.sold


def units_of_deal(session: Session, deal_id: str) -> Units:
    """Return where a deal's units are, all of it at one instant.

    Raises:
        NoResultFound: If there is no such deal.
    """
    held_rows = (
        select(func.coalesce(func.sum(col(Hold.quantity)), 0))
        .where(Hold.deal_id == deal_id, col(Hold.state).in_(ACTIVE))
        .scalar_subquery()
    )
    sold_rows = (
        select(func.coalesce(func.sum(col(Order.quantity)), 0))
        .where(Order.deal_id == deal_id)
        .scalar_subquery()
    )
    statement: Any = select(Deal, held_rows, sold_rows).where(Deal.id == deal_id)
    deal, held, sold = session.exec(
        statement.execution_options(populate_existing=True)
    ).one()
    offered = deal.allotment - deal.withheld
    promised = max(held + sold, deal.held + deal.sold)
    return Units(
        offered=offered,
        held=int(held),
        sold=int(sold),
        beyond=max(0, int(promised) - offered),
        adrift=(deal.held, deal.sold) != (held, sold),
    )


def unfinished(session: Session, deal_id: str) -> dict[str, int]:
    """Return what of a deal still waits for something, and how many; only what does."""
    holds = select(func.count(col(Hold.id))).where(
        Hold.deal_id == deal_id, col(Hold.state).in_(ACTIVE)
    )
    refunds = (
        select(func.count(col(Refund.id)))
        .join(Hold, col(Hold.id) == col(Refund.hold_id))
        .where(
            Hold.deal_id == deal_id,
            col(Refund.given_at).is_(None),
            col(Refund.failed_at).is_(None),
        )
    )
    posts = select(func.count(col(Post.id))).where(
        Post.deal_id == deal_id,
        col(Post.retired_at).is_(None),
        col(Post.state).not_in([PostState.FAILED, PostState.SKIPPED]),
    )
    asked = {"holds": holds, "refunds": refunds, "posts": posts}
    counts = {name: int(session.exec(query).one()) for name, query in asked.items()}
    return {name: count for name, count in counts.items() if count}


@dataclass(frozen=True, slots=True)
class Kept:
    """A hold as far as an audit goes: what made it, for how many units and when."""

    key: str
    token: str
    quantity: int
    held_at: datetime


def holds_kept(session: Session, deal_id: str) -> list[Kept]:
    """Return a deal's holds, whatever became of them, the first first."""
    statement = (
        select(Hold.key, Hold.token, Hold.quantity, Hold.held_at)
        .where(Hold.deal_id == deal_id)
        .order_by(col(Hold.held_at), col(Hold.id))
    )
    return [Kept(*row) for row in session.exec(statement)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What a deal's payments became, in minor units; *fees* are the ledger's."""

    ordered: Mapping[str, int]
    given: Mapping[str, int]
    refunds: int
    entries: int
    net: int

    def knows(self, payment_id: str) -> bool:
        """Whether a payment has an order or a refund."""
        return payment_id in self.ordered or payment_id in self.given


def money_of_deal(session: Session, deal_id: str) -> Money:
    """Return what came in for a deal and what went back.

    *net* is the sum of the ledger's entries, whoever they are for: in a rehearsal's
    books there are no others.
    """
    orders = select(Order.payment_id, Order.total_amount).where(
        Order.deal_id == deal_id
    )
    refunds = (
        select(Refund.payment_id, Refund.amount)
        .join(Hold, col(Hold.id) == col(Refund.hold_id))
        .where(Hold.deal_id == deal_id, col(Refund.given_at).is_not(None))
    )
    given = session.exec(refunds).all()
    entries = select(
        func.count(col(LedgerEntry.id)), func.coalesce(func.sum(LedgerEntry.net), 0)
    )
    count, net = session.exec(entries).one()
    return Money(
        ordered=dict(session.exec(orders).all()),
        given=_sums(given),
        refunds=len(given),
        entries=int(count),
        net=int(net),
    )


def _sums(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for payment_id, amount in rows:
        sums[payment_id] = sums.get(payment_id, 0) + amount
    return sums
