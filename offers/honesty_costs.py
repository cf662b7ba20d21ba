"""Costs: whether a price is under what the goods cost, and what was compared.

A cost is usually without tax and a price to shoppers with it. Where the retailer told
the usual rate of tax, the price is compared without it; else the two are compared as
they stand, and that is said.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from offers.catalog import Offer
from offers.honesty import law_of
from offers.honesty_seasons import seasons
from offers.money import Money
from offers.retailers import Retailer
from offers.sentences import Sentence

WHOLE = 10_000  # hundredths of a percent


@dataclass(frozen=True, slots=True)
class CostCheck:
    """*compared* is the price as it was held against *cost*: *net* is without tax."""

    cost: Money
    compared: Money
    net: bool

    @property
    def under(self) -> bool:
        return self.compared < self.cost

    @property
    def sentence(self) -> Sentence:
        """What was compared with what."""
        if self.net:
            return Sentence(
                "Without tax the price is {price}, and each unit cost you {cost}.",
                price=self.compared,
                cost=self.cost,
            )
        return Sentence(
            "The price of {price} was compared with the cost of {cost} as they stand:"
            " your rate of tax is not in the settings.",
            price=self.compared,
            cost=self.cost,
        )


def compare_cost(retailer: Retailer, offer: Offer, price: Money) -> CostCheck | None:
    """Return *price* against what *offer* cost; ``None`` if nobody knows that."""
    cost = offer.cost
    if cost is None or cost.currency != price.currency:
        return None
    if retailer.tax_points is not None and _with_tax(retailer, offer):
        net = price.amount * WHOLE // (WHOLE + retailer.tax_points)
        return CostCheck(cost, Money(net, price.currency), net=True)
    return CostCheck(cost, price, net=not _with_tax(retailer, offer))


def why_under_cost(
    session: Session,
    retailer: Retailer,
    check: CostCheck,
    *,
    start: datetime,
    end: datetime,
) -> Sentence:
    """Return what speaks against a price under cost from *start* to *end*."""
    if not law_of(retailer.country).no_loss or _in_season(
        session, retailer, start, end
    ):
        return Sentence(
            "This is under your cost. {compared} Tick that you know it, or enter a"
            " higher price.",
            compared=check.sentence,
        )
    return Sentence(
        "This is under your cost. {compared} In France resale at a loss is forbidden"
        " outside the two legal sale periods, but for a few exceptions. Tick that you"
        " know it, or enter a higher price.",
        compared=check.sentence,
    )


def _with_tax(retailer: Retailer, offer: Offer) -> bool:
    if offer.tax == "unknown":
        return law_of(retailer.country).with_tax
    return offer.tax == "included"


def _in_season(
    session: Session, retailer: Retailer, start: datetime, end: datetime
) -> bool:
    zone = retailer.zone
    found = seasons(session, retailer, around=start.astimezone(zone).date())
    return any(
        one.opens_at(zone) <= start and end <= one.closes_at(zone) for one in found
    )
