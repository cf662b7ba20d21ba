"""Proposals: which goods to let go first, and for what. Reads only.

Offers are ranked by the cash that is tied up in them for how long: the units that are
in no deal, times what one cost, times the days since a feed first brought them. Where
no cost is told a share of the price is taken for it, and that is said. What a rule
excludes is not proposed, nor what nobody counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy
from sqlalchemy import Float, cast, func
from sqlmodel import Session, col, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.honesty_costs import compare_cost
from offers.money import Money
from offers.planning import MAX_ALLOTMENT
from offers.proposed_prices import Terms, cost_of, floor_of, propose
from offers.ranking import DAY, Ranked, most_first, narrowed, rank, select_ranked
from offers.retailers import Retailer, get_retailer
from offers.rules import (
    NO_RULE,
    MarkdownRule,
    RuleFacts,
    catches,
    get_terms,
    rule_by_offer,
    rules,
    terms_under,
)
from offers.sell_through import NOTHING, PastDeal, outlook, past_deals
from offers.sentences import Sentence

PAGE = 50
TOO_DEAR = Sentence("No price fits between its floor and what your shop charges.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An offer, what lies in it, and what it could be let go for.

    *units* are those in no deal, *most* how many one deal would have. Without a
    *price* none fits. *expected* is what past deals say.
    """

    offer: Offer
    units: int
    most: int
    days: int
    cost: Money
    is_cost_told: bool
    tied_up: Money
    rule: MarkdownRule | None
    floor: Money
    price: Money | None
    expected: Sentence
    last_deal_at: datetime | None

    @property
    def percent(self) -> int:
        """How much cheaper than the shop it would be, rounded down."""
        if self.price is None:
            return 0
        shop = self.offer.price_amount
        return (shop - self.price.amount) * 100 // shop


@dataclass(frozen=True, slots=True)
class Caught:
    """How many offers a rule is the first to catch, and what lies in their units."""

    offers: int
    tied_up: tuple[Money, ...]


NOTHING_CAUGHT = Caught(0, ())


@dataclass(frozen=True, slots=True)
class Overview:
    """What lies in the stock: by the number of the rule, and what nobody counts."""

    by_rule: Mapping[int, Caught]
    uncounted: int

    def of(self, number: int) -> Caught:
        return self.by_rule.get(number, NOTHING_CAUGHT)


def proposals(
    session: Session,
    retailer_id: str,
    *,
    now: datetime,
    rule_id: str = "",
    page: int = 1,
    limit: int = PAGE,
) -> list[Proposal]:
    """Return a page of proposals, the most cash for the longest time first.

    With *rule_id* only those that this rule catches; ``none`` is for those that none
    does.
    """
    terms, known = get_terms(session, retailer_id), rules(session, retailer_id)
    columns = rank(session, retailer_id, terms, known, now)
    statement = (
        select_ranked(columns, retailer_id)
        .where(narrowed(columns.number, known, rule_id))
        .order_by(most_first(columns), col(Offer.id))
        .limit(limit)
        .offset((page - 1) * limit)
    )
    return _proposals(session, retailer_id, statement, terms, known)


def proposals_of(
    session: Session, retailer_id: str, offer_ids: Sequence[str], *, now: datetime
) -> list[Proposal]:
    """Return the proposals for some offers, ranked, leaving out those without units."""
    terms, known = get_terms(session, retailer_id), rules(session, retailer_id)
    columns = rank(session, retailer_id, terms, known, now, among=offer_ids)
    statement = (
        select_ranked(columns, retailer_id)
        .where(col(Offer.id).in_(offer_ids))
        .order_by(most_first(columns), col(Offer.id))
    )
    return _proposals(session, retailer_id, statement, terms, known)


def overview(session: Session, retailer_id: str, *, now: datetime) -> Overview:
    """Return how much lies where, over all offers with units that are in no deal."""
    known = rules(session, retailer_id)
    terms = get_terms(session, retailer_id)
    columns = rank(session, retailer_id, terms, known, now)
    each = select_ranked(columns, retailer_id).subquery()
    found = session.execute(
        sqlalchemy.select(
            each.c.number,
            each.c.currency,
            func.count(),
            func.sum(cast(each.c.units, Float) * each.c.cost),
        )
        .group_by(each.c.number, each.c.currency)
        .order_by(each.c.currency)
    )
    sums: dict[int, Caught] = {}
    for number, currency, offers, cash in found:
        so_far = sums.get(number, NOTHING_CAUGHT)
        tied_up = (*so_far.tied_up, Money(round(cash), currency))
        sums[number] = Caught(so_far.offers + offers, tied_up)
    return Overview(sums, _uncounted(session, retailer_id))


def caught_by(
    session: Session, retailer_id: str, facts: RuleFacts, *, limit: int = 5
) -> tuple[int, list[Offer]]:
    """Return how many offers a rule would catch if it came first, and a few of them."""
    own = (Offer.retailer_id == retailer_id, catches(facts))
    number = session.exec(select(func.count(col(Offer.id))).where(*own)).one()
    some = select(Offer).where(*own).order_by(col(Offer.quantity).desc(), col(Offer.id))
    return number, list(session.exec(some.limit(limit)))


def categories(session: Session, retailer_id: str, *, limit: int = 200) -> list[str]:
    """Return the categories with the most offers, by name."""
    statement = (
        select(Offer.category)
        .where(Offer.retailer_id == retailer_id, col(Offer.category).is_not(None))
        .group_by(col(Offer.category))
        .order_by(func.count(col(Offer.id)).desc())
        .limit(limit)
    )
    return sorted(name for name in session.exec(statement) if name)


def _proposals(
    session: Session,
    retailer_id: str,
    statement: Ranked,
    terms: Terms,
    known: Sequence[MarkdownRule],
) -> list[Proposal]:
    rows = session.execute(statement).all()
    ids = [row.id for row in rows]
    found = session.exec(select(Offer).where(col(Offer.id).in_(ids)))
    offers = {offer.id: offer for offer in found}
    retailer = get_retailer(session, retailer_id)
    past = past_deals(session, retailer_id)
    last = _last_deals(session, retailer_id, ids)
    return [
        _proposal(
            offers[row.id],
            int(row.units),
            int(row.seconds) // DAY,
            terms,
            tax_on(retailer, offers[row.id]),
            None if row.number == NO_RULE else known[row.number],
            past,
            last.get(row.id),
        )
        for row in rows
    ]


def _proposal(
    offer: Offer,
    units: int,
    days: int,
    terms: Terms,
    tax_points: int,
    rule: MarkdownRule | None,
    past: Sequence[PastDeal],
    last_deal_at: datetime | None,
) -> Proposal:
    under = replace(terms_under(terms, rule), tax_points=tax_points)
    cost = cost_of(offer.cost, offer.price, under)
    floor = floor_of(cost, under)
    price = propose(offer.price, floor, under)
    most = rule.most_units if rule and rule.most_units else MAX_ALLOTMENT
    percent = 0
    if price is not None:
        percent = (offer.price_amount - price.amount) * 100 // offer.price_amount
    return Proposal(
        offer=offer,
        units=units,
        most=min(units, most, MAX_ALLOTMENT),
        days=days,
        cost=cost,
        is_cost_told=bool(offer.cost_amount),
        tied_up=cost * units,
        rule=rule,
        floor=floor,
        price=price,
        expected=outlook(past, offer.category or "", percent) if price else NOTHING,
        last_deal_at=last_deal_at,
    )


def floor_for(session: Session, offer: Offer) -> Money:
    """Return the least that a unit of *offer* may be sold for, by what holds for it."""
    retailer = get_retailer(session, offer.retailer_id)
    caught = rule_by_offer(session, retailer.id, [offer.id])
    terms = terms_under(get_terms(session, retailer.id), caught.get(offer.id))
    under = replace(terms, tax_points=tax_on(retailer, offer))
    return floor_of(cost_of(offer.cost, offer.price, under), under)


def tax_on(retailer: Retailer, offer: Offer) -> int:
    """Return the tax in an offer's price that is not in its cost, as far as is known.

    A cost that is taken to be a share of the price has it in it.
    """
    check = compare_cost(retailer, offer, offer.price)
    if check is None or check.compared == offer.price:
        return 0
    return retailer.tax_points or 0


def _last_deals(
    session: Session, retailer_id: str, offer_ids: Sequence[str]
) -> dict[str, datetime]:
    """Return when the last deals of some offers ended, or will."""
    statement = (
        select(Deal.offer_id, func.max(col(Deal.closes_at)))
        .where(Deal.retailer_id == retailer_id, col(Deal.offer_id).in_(offer_ids))
        .group_by(col(Deal.offer_id))
    )
    return dict(session.exec(statement).all())


def _uncounted(session: Session, retailer_id: str) -> int:
    statement = select(func.count(col(Offer.id))).where(
        Offer.retailer_id == retailer_id, col(Offer.quantity).is_(None)
    )
    return session.exec(statement).one()
