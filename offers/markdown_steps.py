"""Markdown steps: what is due of armed plans is done, each step exactly once.

A step changes the price of a deal that is open, under the lock that claims take, and
only downwards. Of several that are due at once, since nobody looked in time, the last
one counts: a price that nobody could buy at was never charged and is not logged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import extract
from sqlmodel import Session, col, select, update

from offers.catalog import Offer
from offers.deals import Deal
from offers.honesty_costs import compare_cost
from offers.markdowns import (
    OVER,
    MarkdownPlan,
    MarkdownStep,
    StepState,
    settle,
    steps_of,
)
from offers.money import Money
from offers.prices import Reduction, find_reduction, log_price
from offers.retailers import get_retailer


@dataclass(frozen=True, slots=True)
class Fall:
    """The price of a deal that fell, and which step it was by."""

    deal_id: str
    step_id: str
    before: Money
    price: Money


def apply_due_steps(session: Session, *, now: datetime, limit: int = 100) -> list[Fall]:
    """Do what is due. Each fall of a price is returned to one caller only."""
    falls = []
    for plan in _due_plans(session, now, limit):
        deal = session.get_one(Deal, plan.deal_id)
        session.refresh(deal, with_for_update={"key_share": True})
        fall = _apply_due(session, plan, deal, now)
        if fall is not None:
            falls.append(fall)
    session.flush()
    return falls


def _due_plans(session: Session, now: datetime, limit: int) -> Sequence[MarkdownPlan]:
    """Return armed plans with a step that may be due, locked; those others have not."""
    opened = extract("epoch", col(Deal.opens_at))
    due = (
        select(MarkdownStep.plan_id)
        .join(MarkdownPlan, col(MarkdownPlan.id) == col(MarkdownStep.plan_id))
        .join(Deal, col(Deal.id) == col(MarkdownPlan.deal_id))
        .where(
            MarkdownStep.state == StepState.WAITING,
            col(Deal.opened_at).is_not(None),
            opened + col(MarkdownStep.after_minutes) * 60 <= now.timestamp(),
        )
    )
    statement = (
        select(MarkdownPlan)
        .where(col(MarkdownPlan.armed_at).is_not(None), col(MarkdownPlan.id).in_(due))
        .order_by(col(MarkdownPlan.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).all()


def _apply_due(
    session: Session, plan: MarkdownPlan, deal: Deal, now: datetime
) -> Fall | None:
    waiting = [s for s in steps_of(session, plan) if s.state is StepState.WAITING]
    if deal.phase(now) in OVER:
        for step in waiting:
            settle(step, StepState.PASSED, deal, now=now)
        return None
    due = [step for step in waiting if deal.opens_at + step.after <= now]
    wanted = [step for step in due if _is_wanted(step, deal)]
    for step in due:
        if step not in wanted:
            settle(step, StepState.UNNEEDED, deal, now=now)
    for step in wanted[:-1]:
        settle(step, StepState.PASSED, deal, now=now)
    return _apply(session, plan, deal, wanted[-1], now) if wanted else None


def _is_wanted(step: MarkdownStep, deal: Deal) -> bool:
    """Whether it comes by the clock alone, or too little was sold by now."""
    if step.sold_below is None:
        return True
    return deal.sold * 100 < step.sold_below * (deal.allotment - deal.withheld)


def _apply(
    session: Session,
    plan: MarkdownPlan,
    deal: Deal,
    step: MarkdownStep,
    now: datetime,
) -> Fall | None:
    before, price = deal.price, Money(step.price_amount, deal.currency)
    offer = session.get_one(Offer, deal.offer_id)
    too_low = price < plan.floor or _is_under_cost(session, offer, price)
    if too_low or not _lower(session, deal, price, now):
        settle(step, StepState.PASSED, deal, now=now)
        return None
    settle(step, StepState.APPLIED, deal, now=now)
    log_price(
        session,
        deal.retailer_id,
        deal.offer_id,
        price,
        source=f"{deal.id} marked down",
        now=now,
        tax=offer.tax,
    )
    return Fall(deal.id, step.id, before, price)


def _is_under_cost(session: Session, offer: Offer, price: Money) -> bool:
    """Whether the goods cost more by now than *price*: they may since it was armed."""
    check = compare_cost(get_retailer(session, offer.retailer_id), offer, price)
    return check is not None and check.under


def _lower(session: Session, deal: Deal, price: Money, now: datetime) -> bool:
    """Charge *price* from now on, if the deal is open and costs more still."""
    reduction = reduction_after(session, deal, price, now=now)
    lowered = session.exec(
        update(Deal)
        .where(
            col(Deal.id) == deal.id,
            col(Deal.price_amount) == deal.price_amount,
            col(Deal.price_amount) > price.amount,
            col(Deal.opened_at).is_not(None),
            col(Deal.closed_at).is_(None),
            col(Deal.sold_out_at).is_(None),
            col(Deal.closes_at) > now,
        )
        .values(
            price_amount=price.amount,
            prior_amount=reduction.prior.amount if reduction else None,
            prior_rule=reduction.rule if reduction else deal.prior_rule,
        )
    )
    session.refresh(deal)
    return lowered.rowcount == 1


def reduction_after(
    session: Session, deal: Deal, price: Money, *, now: datetime
) -> Reduction | None:
    """Return the reduction that may be announced once a deal costs *price*.

    It is found as for any other: the deal's own price until now was charged, too.
    """
    return find_reduction(session, deal.retailer_id, deal.offer_id, price, at=now)
