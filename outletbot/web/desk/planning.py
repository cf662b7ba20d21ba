"""Planning: an offer becomes a deal, after a look at what it would be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlmodel import Session

from offers.accounts import ChannelAccount, accounts
from offers.calendar import Clash, Entry, Pin, clashes_of
from offers.catalog import Offer
from offers.connecting import tell_deal
from offers.deals import Deal
from offers.planning import DealPlan, find_deal_of_plan, plan_deal
from offers.posts import schedule_posts
from offers.retailers import Retailer, take_turns
from offers.scope import find_own, get_own
from outletbot.keys import (
    CLOCK,
    DATABASE,
    HINTS,
    MERCHANT,
    NETWORKS,
    RETAILER,
    SETTINGS,
)
from outletbot.web.desk.deal_preview import Preview, preview
from outletbot.web.desk.offer_view import free_units
from outletbot.web.desk.plan_form import (
    PlanForm,
    first_values,
    plain,
    read_plan,
    repeat_values,
)
from outletbot.web.forms import Form
from outletbot.web.rendering import page

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


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form with its offer, how many units of it can be had, and what clashes."""

    offer: Offer
    free: int | None
    form: PlanForm
    preview: Preview | None = None
    clashes: Sequence[Clash] = ()


@routes.get("/deals/new")
async def show_form(request: web.Request) -> web.Response:
    """Show the form, filled in for an offer, or like an earlier deal of it."""
    offer_id = request.query.get("offer", "")
    if not offer_id:
        raise web.HTTPSeeOther("/offers")
    sheet = await request.app[DATABASE].read(
        _fresh_sheet, _desk(request), offer_id, request.query.get("from", "")
    )
    return _sheet_page(request, sheet)


@routes.post("/deals")
async def make_deal(request: web.Request) -> web.Response:
    """Show what the deal would be, or arm it: then it opens and is posted by itself."""
    database, desk, form = request.app[DATABASE], _desk(request), await request.post()
    if form.get("action") == "arm":
        armed = await database.transact(_arm, desk, form)
        if armed is not None:
            request.app[HINTS].tell("deals", "posts")
            address = f"/deals/{armed}"
            raise web.HTTPSeeOther(address)
    everywhere = request.query.get("networks") == "all"
    sheet = await database.read(
        _filled_sheet, desk, form, request.app, everywhere=everywhere
    )
    wrong = bool(sheet.form.problems)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return _sheet_page(request, sheet, status=status)


def _desk(request: web.Request) -> Desk:
    return Desk(request[RETAILER], request[MERCHANT].id, request.app[CLOCK]())


def _sheet_page(
    request: web.Request, sheet: Sheet, *, status: int = HTTPStatus.OK
) -> web.Response:
    return page(request, "desk/plan.html", status=status, sheet=sheet)


def _fresh_sheet(session: Session, desk: Desk, offer_id: str, earlier: str) -> Sheet:
    offer = get_own(session, Offer, desk.retailer.id, offer_id)
    free = free_units(session, offer)
    values = first_values(offer, free, desk.zone, desk.now)
    deal = find_own(session, Deal, desk.retailer.id, earlier) if earlier else None
    if deal is not None and deal.offer_id == offer.id:
        values = {**values, **repeat_values(deal, free, desk.zone, desk.now)}
    return Sheet(offer, free, plain(values))


def _filled_sheet(
    session: Session,
    desk: Desk,
    form: Form,
    app: web.Application,
    *,
    everywhere: bool,
) -> Sheet:
    offer, filled = _read(session, desk, form)
    free = free_units(session, offer)
    if filled.plan is None or filled.problems:
        return Sheet(offer, free, filled)
    shown = preview(
        session,
        desk.retailer,
        offer,
        filled.plan,
        app[NETWORKS],
        public_url=app[SETTINGS].public_url,
        now=desk.now,
        everywhere=everywhere,
    )
    clashes = _clashes(session, desk, filled.plan)
    return Sheet(offer, free, filled, shown, clashes)


def _arm(session: Session, desk: Desk, form: Form) -> str | None:
    """Make the deal and its posts; return its id, or nothing if it cannot be."""
    retailer_id = desk.retailer.id
    take_turns(session, retailer_id)
    _, filled = _read(session, desk, form)
    if filled.plan is None:
        return None
    earlier = find_deal_of_plan(session, retailer_id, filled.plan, now=desk.now)
    if earlier is not None:
        return earlier.id
    if filled.problems:
        return None
    deal = plan_deal(session, retailer_id, filled.plan, now=desk.now)
    tell_deal(session, deal)
    schedule_posts(
        session,
        deal,
        _places(session, desk),
        now=desk.now,
        planned_by=desk.merchant_id,
        approval=desk.retailer.approval,
    )
    return deal.id


def _places(session: Session, desk: Desk) -> list[ChannelAccount]:
    return [a for a in accounts(session, desk.retailer.id) if not a.paused]


def _clashes(session: Session, desk: Desk, plan: DealPlan) -> list[Clash]:
    """Return what speaks against the time of a plan."""
    pins = [
        Pin(account_id=place.id, channel=place.kind, at=plan.opens_at)
        for place in _places(session, desk)
    ]
    entry = Entry(
        offer_id=plan.offer_id,
        title=plan.title,
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
        pins=tuple(pins),
    )
    [found] = clashes_of(session, desk.retailer.id, [entry], desk.zone, now=desk.now)
    return found


def _read(session: Session, desk: Desk, form: Form) -> tuple[Offer, PlanForm]:
    offer_id = form.get("offer", "")
    key = offer_id if isinstance(offer_id, str) else ""
    offer = get_own(session, Offer, desk.retailer.id, key)
    by = desk.merchant_id
    return offer, read_plan(session, offer, form, desk.zone, now=desk.now, by=by)
