"""Deals: an offer at a lower price, for a limited time and a limited number.

Of its *allotment* each unit is free, held, sold, or withheld because the retailer's
stock no longer has it. The database refuses a deal for which that does not add up.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.catalog import Offer
from offers.columns import Moment, word
from offers.errors import WrongState
from offers.honesty import Rule
from offers.money import Money
from offers.prices import Reduction, find_reduction, log_price
from offers.scope import get_own
from offers.sentences import Sentence


class Phase(StrEnum):
    """What a shopper finds at a deal's address."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    ALL_HELD = "all_held"
    SOLD_OUT = "sold_out"
    ENDED = "ended"


class Countable(Protocol):
    """A deal, as far as its units and its time go."""

    allotment: int
    withheld: int
    held: int
    sold: int
    opens_at: datetime
    closes_at: datetime
    sold_out_at: datetime | None


def left_of(deal: Countable) -> int:
    return deal.allotment - deal.withheld - deal.held - deal.sold


def phase_of(deal: Countable, now: datetime) -> Phase:
    if deal.sold_out_at is not None:
        return Phase.SOLD_OUT
    if now < deal.opens_at:
        return Phase.SCHEDULED
    if now >= deal.closes_at:
        return Phase.ENDED
    if left_of(deal) > 0:
        return Phase.OPEN
    return Phase.ALL_HELD if deal.held else Phase.SOLD_OUT


class Deal(SQLModel, table=True):
    """*prior_amount* is set at the opening, if there is evidence for a reduction.

    *prior_rule* says by which rule. *under_cost_by* is the merchant, if any, who said
    that the price is to be under the cost.

    With *reserve_until*, shoppers may reserve and pay in the store until then; without
    *pay_online* they can do nothing else. It is not *payable* while its retailer has no
    account to be paid to.
    """

    __table_args__ = (
        CheckConstraint(
            "held >= 0 AND sold >= 0 AND withheld >= 0",
            name="deal_counts_not_negative",
        ),
        CheckConstraint(
            "held + sold + withheld <= allotment", name="deal_not_oversold"
        ),
        CheckConstraint("opens_at < closes_at", name="deal_opens_before_it_closes"),
        Index("ix_deal_retailer", "retailer_id", "opens_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    offer_id: str = Field(foreign_key="offer.id", index=True)
    title: str
    pitch: str = ""
    price_amount: int = Field(sa_type=BigInteger)
    prior_amount: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(max_length=3)
    allotment: int
    withheld: int = 0
    held: int = 0
    sold: int = 0
    limit_per_shopper: int = 1
    hold_minutes: int = 10
    opens_at: datetime = Field(sa_type=Moment)
    closes_at: datetime = Field(sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    opened_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
    closed_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
    sold_out_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_early: bool = False
    reserve_until: datetime | None = Field(default=None, sa_type=Moment)
    pay_online: bool = True
    payable: bool = True
    prior_rule: Rule = Field(default=Rule.LOWEST, sa_type=word(Rule))
    under_cost_by: str = ""
    under_cost_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def price(self) -> Money:
        return Money(self.price_amount, self.currency)

    @property
    def reduction(self) -> Reduction | None:
        if self.prior_amount is None:
            return None
        prior = Money(self.prior_amount, self.currency)
        return Reduction(prior, self.price, self.prior_rule)

    @property
    def left(self) -> int:
        return left_of(self)

    @property
    def hold_for(self) -> timedelta:
        return timedelta(minutes=self.hold_minutes)

    def is_open(self, now: datetime) -> bool:
        return self.opens_at <= now < self.closes_at

    def phase(self, now: datetime) -> Phase:
        return phase_of(self, now)


def expected_reduction(session: Session, deal: Deal) -> Reduction | None:
    """Return the reduction that may be announced, as far as it is known today."""
    if deal.opened_at is not None:
        return deal.reduction
    return find_reduction(
        session, deal.retailer_id, deal.offer_id, deal.price, at=deal.opens_at
    )


def open_due(session: Session, *, now: datetime, limit: int = 100) -> list[Deal]:
    """Open the deals whose time has come; each is returned to one caller only."""
    due = (
        select(Deal)
        .where(col(Deal.opened_at).is_(None), col(Deal.opens_at) <= now)
        .order_by(col(Deal.opens_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    deals = list(session.exec(due))
    for deal in deals:
        reduction = expected_reduction(session, deal)
        deal.prior_amount = reduction.prior.amount if reduction else None
        deal.prior_rule = reduction.rule if reduction else deal.prior_rule
        deal.opened_at = now
        _apply(session, deal, deal.price, f"{deal.id} opened", now)
    session.flush()
    return deals


def close_due(session: Session, *, now: datetime, limit: int = 100) -> list[Deal]:
    """Close the deals whose time is up; each is returned to one caller only."""
    due = (
        select(Deal)
        .where(
            col(Deal.closed_at).is_(None),
            col(Deal.opened_at).is_not(None),
            col(Deal.closes_at) <= now,
        )
        .order_by(col(Deal.closes_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    deals = list(session.exec(due))
    for deal in deals:
        deal.closed_at = now
        _log_closing(session, deal, now)
    session.flush()
    return deals


def _log_closing(session: Session, deal: Deal, now: datetime) -> None:
    """Log that the offer costs what the shop charges again.

    Until now the deal's price was charged. That is said once more if a feed logged the
    shop's price while the deal ran, for 30 days are reckoned from the deal's end.
    """
    if deal.opened_at is not None and deal.opened_at < deal.closes_at:
        _apply(session, deal, deal.price, f"{deal.id} closing", now)
    offer = session.get_one(Offer, deal.offer_id)
    _apply(session, deal, offer.price, f"{deal.id} closed", now)


def _apply(
    session: Session, deal: Deal, price: Money, source: str, now: datetime
) -> None:
    offer = session.get_one(Offer, deal.offer_id)
    log_price(
        session,
        deal.retailer_id,
        deal.offer_id,
        price,
        source=source,
        now=now,
        tax=offer.tax,
    )


def end_deal(
    session: Session, retailer_id: str, deal_id: str, *, now: datetime
) -> Deal:
    """End a deal before its time; who holds a unit may still pay for it.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If it is over already.
    """
    deal = get_own(session, Deal, retailer_id, deal_id)
    if now >= deal.closes_at:
        raise WrongState(Sentence("This deal is over already."))
    deal.opens_at = min(deal.opens_at, now - timedelta(seconds=1))
    deal.closes_at = now
    deal.ended_early = True
    deal.opened_at = deal.opened_at or now
    session.add(deal)
    session.flush()
    return deal


def mark_sold_out(session: Session, deal_id: str, *, now: datetime) -> bool:
    """Note that nothing is left or can come back. Return whether it is news."""
    marked = session.exec(
        update(Deal)
        .where(
            col(Deal.id) == deal_id,
            col(Deal.sold_out_at).is_(None),
            col(Deal.held) == 0,
            col(Deal.sold) + col(Deal.withheld) == col(Deal.allotment),
        )
        .values(sold_out_at=now)
    )
    return marked.rowcount == 1


def deals(session: Session, retailer_id: str) -> list[Deal]:
    """Return a retailer's deals, the latest opening first."""
    statement = (
        select(Deal)
        .where(Deal.retailer_id == retailer_id)
        .order_by(col(Deal.opens_at).desc())
    )
    return list(session.exec(statement))


def next_deals(
    session: Session, retailer_id: str, *, now: datetime, limit: int = 3
) -> list[Deal]:
    """Return what a shopper who came too late can have instead: open first."""
    statement = (
        select(Deal)
        .where(
            Deal.retailer_id == retailer_id,
            col(Deal.closes_at) > now,
            col(Deal.sold_out_at).is_(None),
        )
        .order_by(col(Deal.opens_at))
        .limit(limit)
    )
    return list(session.exec(statement))


def deals_of_offer(session: Session, retailer_id: str, offer_id: str) -> list[Deal]:
    """Return the deals that an offer is or was in, the latest opening first."""
    statement = (
        select(Deal)
        .where(Deal.retailer_id == retailer_id, Deal.offer_id == offer_id)
        .order_by(col(Deal.opens_at).desc())
    )
    return list(session.exec(statement))


def pictures_of_deals(session: Session, retailer_id: str) -> dict[str, str | None]:
    """Return the ids of the pictures of a retailer's deals, by the deals' ids."""
    statement = (
        select(Deal.id, Offer.picture_id)
        .join(Offer, col(Offer.id) == col(Deal.offer_id))
        .where(Deal.retailer_id == retailer_id)
    )
    return dict(session.exec(statement).all())


def offers_in_deals(
    session: Session, retailer_id: str, skus: Sequence[str]
) -> list[Offer]:
    """Return which offers with these *skus* are in deals that have not closed."""
    in_deals = select(Deal.offer_id).where(
        Deal.retailer_id == retailer_id, col(Deal.closed_at).is_(None)
    )
    statement = select(Offer).where(
        Offer.retailer_id == retailer_id,
        col(Offer.sku).in_(skus),
        col(Offer.id).in_(in_deals),
    )
    return list(session.exec(statement))


def find_overstock(session: Session, retailer_id: str, *, least: int) -> Offer | None:
    """Return the offer that there is most of and that never was in a deal.

    ``None`` if there are not *least* units of any.
    """
    dealt = select(Deal.offer_id).where(Deal.retailer_id == retailer_id)
    statement = (
        select(Offer)
        .where(Offer.retailer_id == retailer_id, col(Offer.id).not_in(dealt))
        .where(col(Offer.quantity) >= least)
        .order_by(col(Offer.quantity).desc())
    )
    return session.exec(statement).first()
