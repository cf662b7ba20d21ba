"""Sell-through: what became of past deals, said as what it is and as no more.

A past deal is one that has closed, had units and was on sale. How much cheaper it was
is reckoned from what the shop charged just before it opened, by the price log. Deals
whose price fell in steps had no one price, and are left out. Units are those that were
paid for; what was sent back later is not taken off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ScalarSelect, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from offers.catalog import Offer
from offers.deals import Deal
from offers.markdowns import MarkdownPlan, MarkdownStep, StepState
from offers.prices import PricePoint
from offers.sentences import Sentence

LATEST = 500
NEAR = 5
"""Deals that were this many points cheaper or dearer are taken for the same."""

ENOUGH = 10
"""Fewer deals than this say little of the next one."""

NOTHING = Sentence("No past deals to go by.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDeal:
    """*percent* cheaper than the shop, rounded down; on sale for *lasted*."""

    category: str
    percent: int
    units: int
    sold: int
    lasted: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What *deals* sold: *share* of their units, so many *per_hour* each."""

    deals: int
    share: float
    per_hour: float
    same_category: bool


def past_deals(
    session: Session, retailer_id: str, *, limit: int = LATEST
) -> list[PastDeal]:
    """Return what can be learned from, the latest first."""
    charged = _charged_before()
    statement = (
        select(Deal, func.coalesce(Offer.category, ""), charged)
        .join(Offer, col(Offer.id) == col(Deal.offer_id))
        .where(
            Deal.retailer_id == retailer_id,
            col(Deal.closed_at).is_not(None),
            col(Deal.closes_at) > col(Deal.opened_at),
            col(Deal.allotment) > col(Deal.withheld),
            col(Deal.id).not_in(_stepped(retailer_id)),
        )
        .order_by(col(Deal.opens_at).desc())
        .limit(limit)
    )
    found = session.exec(statement).all()
    return [
        _past(deal, category, int(before))
        for deal, category, before in found
        if before is not None and before > deal.price_amount
    ]


def outlook(past: Sequence[PastDeal], category: str, percent: int) -> Sentence:
    """Return what past deals say of one that is *percent* cheaper than the shop."""
    near = [deal for deal in past if abs(deal.percent - percent) <= NEAR]
    same = [deal for deal in near if _is_same(deal, category)]
    if same:
        return _say(same, percent, Sentence("in this category"))
    if near:
        return _say(near, percent, Sentence("in other categories"))
    return NOTHING


def pace(past: Sequence[PastDeal], category: str, percent: int) -> Pace | None:
    """Return how fast deals like this one sold: the nearest that there are.

    Those of the category go before others, whatever they cost.
    """
    same = [deal for deal in past if _is_same(deal, category)]
    for deals, is_same in ((same, True), (past, False)):
        near = [deal for deal in deals if abs(deal.percent - percent) <= NEAR]
        if chosen := near or deals:
            return _pace(chosen, same_category=is_same)
    return None


def _is_same(deal: PastDeal, category: str) -> bool:
    return bool(category) and deal.category.lower() == category.lower()


def _pace(deals: Sequence[PastDeal], *, same_category: bool) -> Pace:
    hours = sum(deal.lasted / timedelta(hours=1) for deal in deals)
    sold = sum(deal.sold for deal in deals)
    return Pace(
        deals=len(deals),
        share=sold / sum(deal.units for deal in deals),
        per_hour=sold / hours,
        same_category=same_category,
    )


def _say(deals: Sequence[PastDeal], percent: int, where: Sentence) -> Sentence:
    sold = 100 * sum(d.sold for d in deals) // sum(d.units for d in deals)
    facts = {
        "number": len(deals),
        "low": max(0, percent - NEAR),
        "high": percent + NEAR,
        "where": where,
        "share": sold,
    }
    if len(deals) == 1:
        return Sentence(
            "One past deal at {low} to {high} % off {where} sold {share} % of its "
            "units; too few to say more.",
            **facts,
        )
    if len(deals) < ENOUGH:
        return Sentence(
            "{number} past deals at {low} to {high} % off {where} sold {share} % of "
            "their units; too few to say more.",
            **facts,
        )
    return Sentence(
        "{number} past deals at {low} to {high} % off {where} sold {share} % of "
        "their units, from {worst} % to {best} %.",
        worst=min(100 * d.sold // d.units for d in deals),
        best=max(100 * d.sold // d.units for d in deals),
        **facts,
    )


def _past(deal: Deal, category: str, before: int) -> PastDeal:
    ended = deal.sold_out_at or deal.closes_at
    began = deal.opened_at or deal.opens_at
    return PastDeal(
        category=category,
        percent=(before - deal.price_amount) * 100 // before,
        units=deal.allotment - deal.withheld,
        sold=deal.sold,
        lasted=max(timedelta(minutes=1), ended - began),
    )


def _charged_before() -> ScalarSelect[int | None]:
    """What the shop charged last before a deal opened."""
    return (
        select(PricePoint.price_amount)
        .where(
            PricePoint.retailer_id == Deal.retailer_id,
            PricePoint.offer_id == Deal.offer_id,
            PricePoint.currency == Deal.currency,
            col(PricePoint.applied_at) < col(Deal.opened_at),
        )
        .order_by(col(PricePoint.applied_at).desc(), col(PricePoint.id).desc())
        .limit(1)
        .correlate(Deal)
        .scalar_subquery()
    )


def _stepped(retailer_id: str) -> SelectOfScalar[str]:
    return (
        select(MarkdownPlan.deal_id)
        .join(MarkdownStep, col(MarkdownStep.plan_id) == col(MarkdownPlan.id))
        .where(
            MarkdownPlan.retailer_id == retailer_id,
            MarkdownStep.state == StepState.APPLIED,
        )
    )
