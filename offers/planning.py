"""Planning: what a merchant asks for becomes a deal, or a list of what cannot be."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from offers.allotments import lock, spare_units
from offers.catalog import Offer
from offers.deals import Deal
from offers.errors import InvalidField, InvalidFields
from offers.honesty_costs import compare_cost, why_under_cost
from offers.honesty_words import check_words
from offers.ids import new_id
from offers.money import Money
from offers.retailers import get_retailer
from offers.scope import get_own
from offers.sentences import Sentence

MAX_ALLOTMENT = 100_000
MAX_RUN = timedelta(days=30)
MAX_RESERVED = timedelta(days=14)
TWICE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DealPlan:
    """What a merchant asks for; ``plan_deal`` says whether it can be.

    *under_cost_by* is the merchant, if any, who said that the price is to be under the
    cost.
    """

    offer_id: str
    price: Money
    units: int
    limit_per_shopper: int
    opens_at: datetime
    closes_at: datetime
    hold_minutes: int = 10
    reserve_until: datetime | None = None
    pay_online: bool = True
    title: str = ""
    pitch: str = ""
    under_cost_by: str = ""


def plan_deal(
    session: Session, retailer_id: str, plan: DealPlan, *, now: datetime
) -> Deal:
    """Make a deal that will open by itself.

    Raises:
        Missing: If the offer is not this retailer's.
        InvalidFields: With every field that cannot be.
    """
    offer = get_own(session, Offer, retailer_id, plan.offer_id)
    lock(session, offer)
    problems = check_plan(session, offer, plan, now=now)
    if problems:
        raise InvalidFields(problems)
    deal = Deal(
        id=new_id("deal", now),
        retailer_id=retailer_id,
        offer_id=offer.id,
        title=plan.title or offer.title,
        pitch=plan.pitch,
        price_amount=plan.price.amount,
        currency=plan.price.currency,
        allotment=plan.units,
        limit_per_shopper=plan.limit_per_shopper,
        hold_minutes=plan.hold_minutes,
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
        reserve_until=plan.reserve_until,
        pay_online=plan.pay_online,
        created_at=now,
    )
    check = compare_cost(get_retailer(session, retailer_id), offer, plan.price)
    if check is not None and check.under:
        deal.under_cost_by, deal.under_cost_at = plan.under_cost_by, now
    session.add(deal)
    session.flush()
    return deal


def find_deal_of_plan(
    session: Session, retailer_id: str, plan: DealPlan, *, now: datetime
) -> Deal | None:
    """Return the deal that *plan* became within the last minute.

    Whoever presses a button twice wants one deal.
    """
    same = select(Deal).where(
        Deal.retailer_id == retailer_id,
        Deal.offer_id == plan.offer_id,
        Deal.price_amount == plan.price.amount,
        Deal.allotment == plan.units,
        col(Deal.closes_at) == plan.closes_at,
        col(Deal.created_at) > now - TWICE,
    )
    return session.exec(same).first()


def check_plan(
    session: Session, offer: Offer, plan: DealPlan, *, now: datetime
) -> list[InvalidField]:
    """Return everything that is wrong with a plan, so that it is mended in one go."""
    return [
        *(_check_price(offer, plan) or _check_cost(session, offer, plan)),
        *_check_units(session, offer, plan),
        *_check_times(plan, now),
        *_check_reserving(plan),
        *_check_words(session, offer, plan),
    ]


def _check_price(offer: Offer, plan: DealPlan) -> list[InvalidField]:
    if plan.price.amount <= 0:
        problem = Sentence("Enter a price above zero.")
    elif plan.price.currency != offer.currency:
        problem = Sentence(
            "This offer is priced in {currency}.", currency=offer.currency
        )
    elif plan.price >= offer.price:
        problem = Sentence(
            "A deal is cheaper than the shop, which charges {price}.", price=offer.price
        )
    else:
        return []
    return [InvalidField("price", problem, str(plan.price.value))]


def _check_cost(session: Session, offer: Offer, plan: DealPlan) -> list[InvalidField]:
    """Let nobody sell under cost without having said so."""
    retailer = get_retailer(session, offer.retailer_id)
    check = compare_cost(retailer, offer, plan.price)
    if check is None or not check.under or plan.under_cost_by:
        return []
    start, end = plan.opens_at, plan.closes_at
    problem = why_under_cost(session, retailer, check, start=start, end=end)
    return [InvalidField("under_cost", problem, str(plan.price.value))]


def _check_words(session: Session, offer: Offer, plan: DealPlan) -> list[InvalidField]:
    retailer = get_retailer(session, offer.retailer_id)
    texts = (("title", plan.title or offer.title), ("pitch", plan.pitch))
    start, end = plan.opens_at, plan.closes_at
    return check_words(session, retailer, texts, start=start, end=end)


def _check_units(session: Session, offer: Offer, plan: DealPlan) -> list[InvalidField]:
    problems = []
    spare = spare_units(session, offer)
    most = MAX_ALLOTMENT if spare is None else spare
    if not 1 <= plan.units <= most:
        problem = Sentence("Choose between 1 and {most} units.", most=most)
        if most == 0:
            problem = Sentence("There is no stock left that is not in a deal already.")
        problems.append(InvalidField("units", problem, str(plan.units)))
    if not 1 <= plan.limit_per_shopper <= max(1, min(plan.units, 10)):
        problem = Sentence("Choose between 1 and 10, and no more than the units.")
        field = "limit_per_shopper"
        problems.append(InvalidField(field, problem, str(plan.limit_per_shopper)))
    if not 2 <= plan.hold_minutes <= 60:
        problem = Sentence("Choose between 2 and 60 minutes.")
        problems.append(InvalidField("hold_minutes", problem, str(plan.hold_minutes)))
    return problems


def _check_times(plan: DealPlan, now: datetime) -> list[InvalidField]:
    if plan.closes_at <= plan.opens_at:
        problem = Sentence("The end must come after the opening.")
    elif plan.closes_at <= now:
        problem = Sentence("This end is in the past.")
    elif plan.closes_at - plan.opens_at > MAX_RUN:
        problem = Sentence("A deal runs for 30 days at most.")
    elif plan.opens_at < now - timedelta(minutes=1):
        problem = Sentence("This opening is in the past.")
        return [InvalidField("opens_at", problem, plan.opens_at.isoformat())]
    else:
        return []
    return [InvalidField("closes_at", problem, plan.closes_at.isoformat())]


def _check_reserving(plan: DealPlan) -> list[InvalidField]:
    until = plan.reserve_until
    if until is None:
        if plan.pay_online:
            return []
        problem = Sentence("Say until when reserved units are kept in the store.")
    elif until <= plan.opens_at:
        problem = Sentence("Reserved units are kept until after the opening.")
    elif until > plan.closes_at + MAX_RESERVED:
        problem = Sentence("Keep them for 14 days after the end at most.")
    else:
        return []
    return [InvalidField("reserve_until", problem, until.isoformat() if until else "")]
