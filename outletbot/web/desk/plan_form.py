"""The form on which a deal is planned: what was typed, and what is wrong with it.

The price is of the offer's own currency whatever a form says, and every wrong field is
told at once, beside what was typed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import Session

from offers.catalog import Offer
from offers.deals import Deal
from offers.errors import InvalidField
from offers.money import Money
from offers.moving import next_week
from offers.planning import MAX_ALLOTMENT, DealPlan, check_plan
from offers.sentences import Sentence
from outletbot.stripe_money import why_not_charged
from outletbot.web.forms import (
    Form,
    read_amount,
    read_int,
    read_moment,
    read_text,
)

T = TypeVar("T")

FIELDS = (
    "price",
    "units",
    "limit_per_shopper",
    "opens",
    "opens_at",
    "closes_at",
    "hold_minutes",
    "paying",
    "reserve_until",
    "title",
    "pitch",
    "under_cost",
)
NOW, LATER = "now", "later"
ONLINE, BOTH, STORE = "online", "both", "store"
LONGEST_TITLE, LONGEST_PITCH = 150, 300
RUN = timedelta(hours=3)
USUAL_LIMIT = 2
DEPENDING = {
    "price": {"price", "under_cost"},
    "units": {"units", "limit_per_shopper"},
    "opens_at": {"opens_at", "closes_at"},
    "closes_at": {"opens_at", "closes_at"},
    "reserve_until": {"reserve_until"},
}
"""What cannot be judged while a field cannot be read."""


@dataclass(frozen=True, slots=True)
class PlanForm:
    """*values* are as typed; *plan* is there if every field could be read.

    It can be made only if there are no *problems*.
    """

    values: Mapping[str, str]
    problems: Mapping[str, Sentence]
    plan: DealPlan | None


def first_values(offer: Offer, free: int | None, zone: ZoneInfo, now: datetime) -> Form:
    """Return what the form proposes: all that is free, from now on, for some hours."""
    opens_at = _next_quarter(now)
    return {
        "units": str(free or ""),
        "limit_per_shopper": str(max(1, min(USUAL_LIMIT, free or USUAL_LIMIT))),
        "opens": NOW,
        "opens_at": _local(opens_at, zone),
        "closes_at": _local(opens_at + RUN, zone),
        "hold_minutes": "10",
        "paying": ONLINE,
        "title": f"{offer.title}, {offer.variant}" if offer.variant else offer.title,
    }


def repeat_values(deal: Deal, free: int | None, zone: ZoneInfo, now: datetime) -> Form:
    """Return of an earlier deal what another one of it would have again.

    One that has ended comes back on the same weekday at the same time, next week. How
    long it was to run is not known any more if somebody ended it.
    """
    units = max(1, deal.left if free is None else min(deal.left, free))
    again = {
        "price": str(deal.price.value),
        "units": str(units),
        "limit_per_shopper": str(min(deal.limit_per_shopper, units)),
        "hold_minutes": str(deal.hold_minutes),
        "paying": _paying(deal),
        "title": deal.title,
        "pitch": deal.pitch,
    }
    later = _next_times(deal, zone, now) if now >= deal.closes_at else {}
    return {**again, **later}


def _next_times(deal: Deal, zone: ZoneInfo, now: datetime) -> Form:
    times = next_week(deal, zone, now=now)
    closes_at = times.opens_at + RUN if deal.ended_early else times.closes_at
    until = times.reserve_until
    return {
        "opens": LATER,
        "opens_at": _local(times.opens_at, zone),
        "closes_at": _local(closes_at, zone),
        "reserve_until": _local(until, zone) if until else "",
    }


def plain(form: Form) -> PlanForm:
    """Return a form that nobody has filled in yet."""
    return PlanForm(_typed(form), {}, None)


def read_plan(
    session: Session,
    offer: Offer,
    form: Form,
    zone: ZoneInfo,
    *,
    now: datetime,
    by: str = "",
) -> PlanForm:
    """Read the form and check the plan, as far as its fields can be read.

    *by* is the merchant who answers for a price under the cost.
    """
    reading = _Reading(form)
    plan = _read(reading, offer, zone, now)
    if form.get("under_cost") == "yes":
        plan = replace(plan, under_cost_by=by)
    unread = reading.problems
    wrong = {p.field: p.sentence for p in check_plan(session, offer, plan, now=now)}
    problems = _not_charged(plan) | wrong
    if "price" in problems:
        problems.pop("under_cost", None)
    for field, others in DEPENDING.items():
        if field in unread:
            problems = {f: p for f, p in problems.items() if f not in others}
    return PlanForm(_typed(form), problems | unread, None if unread else plan)


def _read(reading: "_Reading", offer: Offer, zone: ZoneInfo, now: datetime) -> DealPlan:
    """Return the plan; what cannot be read is replaced by something that could be."""
    read = reading.field
    later = reading.form.get("opens") == LATER
    opens_at = now
    if later:
        opens_at = read("opens_at", lambda f: _moment(reading.form, f, zone), now)
    return DealPlan(
        offer_id=offer.id,
        price=read("price", lambda f: _price(reading.form, f, offer), offer.price),
        units=read("units", reading.number(1, MAX_ALLOTMENT), 1),
        limit_per_shopper=read("limit_per_shopper", reading.number(1, 10), 1),
        opens_at=opens_at,
        closes_at=read(
            "closes_at", lambda f: _moment(reading.form, f, zone), now + RUN
        ),
        hold_minutes=read("hold_minutes", reading.number(2, 60), 10),
        reserve_until=_reserving(reading, zone),
        pay_online=reading.form.get("paying") != STORE,
        title=read("title", reading.text(LONGEST_TITLE), ""),
        pitch=read("pitch", reading.text(LONGEST_PITCH), ""),
    )


def _reserving(reading: "_Reading", zone: ZoneInfo) -> datetime | None:
    """Return until when shoppers may reserve, if they may at all."""
    form = reading.form
    if form.get("paying") not in {BOTH, STORE}:
        return None
    return reading.field("reserve_until", lambda f: _moment(form, f, zone), None)


def _paying(deal: Deal) -> str:
    if not deal.pay_online:
        return STORE
    return BOTH if deal.reserve_until else ONLINE


class _Reading:
    """Reads field after field, and goes on after a wrong one to find them all."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.problems: dict[str, Sentence] = {}

    def field(self, name: str, read: Callable[[str], T], otherwise: T) -> T:
        try:
            return read(name)
        except InvalidField as problem:
            self.problems[name] = problem.sentence
            return otherwise

    def number(self, least: int, most: int) -> Callable[[str], int]:
        return lambda name: read_int(self.form, name, minimum=least, maximum=most)

    def text(self, longest: int) -> Callable[[str], str]:
        return lambda name: read_text(self.form, name, longest=longest)


def _price(form: Form, field: str, offer: Offer) -> Money:
    """Return an amount, in the offer's own currency whatever the form says."""
    return read_amount(form, field, offer.currency)


def _moment(form: Form, field: str, zone: ZoneInfo) -> datetime:
    try:
        return read_moment(form, field, zone)
    except OverflowError as error:  # the years 1 and 9999 end at their zone's edge
        problem = Sentence("Enter a day and a time, such as 2026-12-01T18:00.")
        raise InvalidField(field, problem) from error


def _not_charged(plan: DealPlan) -> dict[str, Sentence]:
    problem = why_not_charged(plan.price) if plan.pay_online else None
    return {} if problem is None else {"price": problem}


def _typed(form: Form) -> dict[str, str]:
    values = {name: form.get(name, "") for name in FIELDS}
    return {name: v if isinstance(v, str) else "" for name, v in values.items()}


def _next_quarter(now: datetime) -> datetime:
    whole = now.astimezone(UTC).replace(second=0, microsecond=0)
    return whole + timedelta(minutes=15 - whole.minute % 15)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
