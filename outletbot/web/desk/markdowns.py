"""A deal's price falls in steps: planned, looked at as a curve, armed, disarmed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlmodel import Session

from offers.catalog import Offer
from offers.curves import Course, Curve, Point, if_nothing_sells, simulate
from offers.deals import Deal
from offers.errors import InvalidFields
from offers.markdown_plans import (
    check_markdown,
    disarm,
    plan_markdown,
    skip_next,
)
from offers.markdowns import MOST_STEPS, OVER, Markdown, find_markdown
from offers.money import Money
from offers.proposals import floor_for
from offers.retailers import Retailer
from offers.rules import get_terms
from offers.scope import get_own
from offers.sell_through import Pace, pace, past_deals
from outletbot.keys import CLOCK, DATABASE, HINTS, LANGUAGE, MERCHANT, RETAILER
from outletbot.web.desk.markdowns_chart import MarkdownChart, Subject, draw
from outletbot.web.desk.markdowns_form import (
    MarkdownForm,
    first_form,
    proposed,
    read_markdown,
)
from outletbot.web.desk.proposals_form import key_of
from outletbot.web.forms import Form
from outletbot.web.rendering import page

WIDE, SLIM = (1120.0, 320.0), (380.0, 280.0)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Desk:
    """Who plans, and when."""

    retailer: Retailer
    merchant_id: str
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.retailer.time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The page: the deal, what is planned, the form, and what it would come to."""

    deal: Deal
    offer: Offer
    over: bool
    known: Markdown | None
    form: MarkdownForm
    pace: Pace | None
    course: Course
    expected: Curve | None = None
    worst: Curve | None = None

    @property
    def cost_left(self) -> Money | None:
        """What lies in the units if nothing sells."""
        left = max(0, self.course.units - self.course.sold)
        return None if self.offer.cost is None else self.offer.cost * left

    @property
    def takings(self) -> Money | None:
        if self.expected is None:
            return None
        return self.money_of(self.expected.last.taken)

    @property
    def margin(self) -> Money | None:
        """What is expected to be left over the cost, before tax and fees."""
        if self.expected is None or self.offer.cost is None:
            return None
        sold = self.expected.last.sold - self.course.sold
        cost = self.offer.cost.amount * sold
        return self.money_of(self.expected.last.taken - cost)

    @property
    def rows(self) -> list[tuple[datetime, Point, Point, Money]]:
        """Return the same as the picture: when, if nothing sells, as assumed, takings.

        Without anything assumed the two are the same.
        """
        if self.worst is None:
            return []
        assumed = self.expected or self.worst
        return [
            (
                self.deal.opens_at + worst.after,
                worst,
                found,
                self.money_of(found.taken),
            )
            for worst, found in zip(self.worst.turns, assumed.turns, strict=True)
        ]

    def money_of(self, amount: float) -> Money:
        return Money(round(amount), self.deal.currency)


@routes.get("/deals/{deal_id}/markdown")
async def show_markdown(request: web.Request) -> web.Response:
    sheet = await request.app[DATABASE].read(
        _fresh_sheet, _desk(request), request.match_info["deal_id"]
    )
    return _sheet_page(request, sheet)


@routes.post("/deals/{deal_id}/markdown")
async def change_markdown(request: web.Request) -> web.Response:
    """Show what a plan would come to, or keep it: armed, or for later."""
    database, desk, form = request.app[DATABASE], _desk(request), await request.post()
    deal_id, action = request.match_info["deal_id"], form.get("action")
    if action == "propose":
        sheet = await database.read(_proposed_sheet, desk, deal_id, form)
        return _sheet_page(request, sheet)
    if action in {"arm", "keep"}:
        arm = action == "arm"
        if await _keep(request, desk, deal_id, form, arm=arm):
            address = f"/deals/{deal_id}/markdown"
            raise web.HTTPSeeOther(address)
    sheet = await database.read(_filled_sheet, desk, deal_id, form)
    wrong = bool(sheet.form.problems)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return _sheet_page(request, sheet, status=status)


@routes.post("/deals/{deal_id}/markdown/disarm")
async def stop_markdown(request: web.Request) -> web.Response:
    """Let the price stay where it is."""
    deal_id, desk = request.match_info["deal_id"], _desk(request)
    await request.app[DATABASE].transact(
        disarm, desk.retailer.id, deal_id, by=desk.merchant_id, now=desk.now
    )
    address = f"/deals/{deal_id}/markdown"
    raise web.HTTPSeeOther(address)


@routes.post("/deals/{deal_id}/markdown/skip")
async def skip_step(request: web.Request) -> web.Response:
    """Leave the next step out, if it is the one that was seen."""
    deal_id, desk, form = (
        request.match_info["deal_id"],
        _desk(request),
        await request.post(),
    )
    step_id = key_of(form.get("step"))
    await request.app[DATABASE].transact(
        skip_next, desk.retailer.id, deal_id, step_id, now=desk.now
    )
    address = f"/deals/{deal_id}/markdown"
    raise web.HTTPSeeOther(address)


def _desk(request: web.Request) -> Desk:
    return Desk(request[RETAILER], request[MERCHANT].id, request.app[CLOCK]())


async def _keep(
    request: web.Request, desk: Desk, deal_id: str, form: Form, *, arm: bool
) -> bool:
    try:
        kept = await request.app[DATABASE].transact(_plan, desk, deal_id, form, arm=arm)
    except InvalidFields:
        return False  # the page says which
    if kept:
        request.app[HINTS].tell("deals")
    return kept


def _plan(session: Session, desk: Desk, deal_id: str, form: Form, *, arm: bool) -> bool:
    """Keep the plan if all of it could be read. Return whether it was."""
    deal = get_own(session, Deal, desk.retailer.id, deal_id)
    read = read_markdown(form, deal, desk.zone)
    if read.problems or read.floor is None:
        return False
    plan_markdown(
        session,
        desk.retailer.id,
        deal_id,
        read.floor,
        read.steps,
        by=desk.merchant_id,
        arm=arm,
        now=desk.now,
    )
    return True


def _fresh_sheet(session: Session, desk: Desk, deal_id: str) -> Sheet:
    deal = get_own(session, Deal, desk.retailer.id, deal_id)
    offer = session.get_one(Offer, deal.offer_id)
    known = find_markdown(session, desk.retailer.id, deal_id)
    found = _pace(session, deal, offer)
    floor = floor_for(session, offer)
    terms = get_terms(session, deal.retailer_id)
    form = first_form(deal, known, floor, found, terms, desk.zone, now=desk.now)
    return _sheet(session, desk, deal, form)


def _proposed_sheet(session: Session, desk: Desk, deal_id: str, form: Form) -> Sheet:
    """Fill the steps in anew: as many as there are, down to the floor that is typed."""
    deal = get_own(session, Deal, desk.retailer.id, deal_id)
    read = read_markdown(form, deal, desk.zone)
    text = form.get("count", "")
    count = int(text) if isinstance(text, str) and text in _COUNTS else len(read.steps)
    floor = read.floor or floor_for(session, session.get_one(Offer, deal.offer_id))
    terms = get_terms(session, deal.retailer_id)
    count = max(1, min(count, MOST_STEPS))
    steps = proposed(deal, floor, count, terms, desk.zone, now=desk.now)
    assumed = {name: form.get(name, "") for name in ("per_hour", "response", "count")}
    return _sheet(session, desk, deal, {**assumed, **steps})


def _filled_sheet(session: Session, desk: Desk, deal_id: str, form: Form) -> Sheet:
    deal = get_own(session, Deal, desk.retailer.id, deal_id)
    return _sheet(session, desk, deal, form, check=True)


def _sheet(
    session: Session, desk: Desk, deal: Deal, form: Form, *, check: bool = False
) -> Sheet:
    offer = session.get_one(Offer, deal.offer_id)
    read = read_markdown(form, deal, desk.zone)
    if check and read.floor is not None:
        wrong = check_markdown(session, deal, read.floor, read.steps, now=desk.now)
        read = read.with_problems(wrong)
    sheet = Sheet(
        deal=deal,
        offer=offer,
        over=deal.phase(desk.now) in OVER,
        known=find_markdown(session, deal.retailer_id, deal.id),
        form=read,
        pace=_pace(session, deal, offer),
        course=_course(deal, desk.now),
    )
    if read.problems or sheet.over or not read.steps:
        return sheet
    return _with_curves(sheet)


def _with_curves(sheet: Sheet) -> Sheet:
    steps, demand = sheet.form.steps, sheet.form.demand
    expected = simulate(sheet.course, steps, demand) if demand else None
    worst = if_nothing_sells(sheet.course, steps)
    return replace(sheet, expected=expected, worst=worst)


def _course(deal: Deal, now: datetime) -> Course:
    return Course(
        price=deal.price,
        units=deal.allotment - deal.withheld,
        sold=deal.sold,
        since=max(timedelta(), now - deal.opens_at),
        end=deal.closes_at - deal.opens_at,
    )


def _pace(session: Session, deal: Deal, offer: Offer) -> Pace | None:
    percent = max(0, (offer.price_amount - deal.price_amount) * 100)
    past = past_deals(session, deal.retailer_id)
    return pace(past, offer.category or "", percent // max(1, offer.price_amount))


def _sheet_page(
    request: web.Request, sheet: Sheet, *, status: int = HTTPStatus.OK
) -> web.Response:
    return page(
        request,
        "desk/markdown.html",
        status=status,
        sheet=sheet,
        charts=_charts(request, sheet),
        most=MOST_STEPS,
        **_facts(sheet),
    )


def _facts(sheet: Sheet) -> dict[str, Any]:
    return {"deal": sheet.deal, "form": sheet.form, "known": sheet.known}


def _charts(request: web.Request, sheet: Sheet) -> Sequence[tuple[str, MarkdownChart]]:
    if sheet.worst is None or sheet.form.floor is None:
        return []
    subject = Subject(
        expected=sheet.expected,
        worst=sheet.worst,
        floor=sheet.form.floor,
        units=sheet.course.units,
        opens_at=sheet.deal.opens_at,
    )
    zone, language = request[RETAILER].zone, request[LANGUAGE]
    return [
        (name, draw(subject, width=width, height=height, zone=zone, language=language))
        for name, (width, height) in (("wide", WIDE), ("slim", SLIM))
    ]


_COUNTS = {str(n) for n in range(1, MOST_STEPS + 1)}
