"""A week of deals: proposals get their times, people change them, one press makes all.

Nothing is made before that press, and nothing at all if a row cannot be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

from aiohttp import web
from multidict import MultiMapping
from sqlmodel import Session

from offers.catalog import Offer
from offers.deals import Deal
from offers.errors import InvalidFields
from offers.ids import new_code
from offers.planning import DealPlan
from offers.proposals import Proposal, proposals, proposals_of
from offers.retailers import Retailer, take_turns
from offers.scope import get_own
from offers.slots import coming_days
from offers.spreading import spread
from offers.weeks import (
    MOST_ROWS,
    Week,
    can_be_cancelled,
    cancel_week,
    check_week,
    clashes_of_week,
    deals_of_week,
    find_week,
    make_week,
)
from outletbot.keys import CLOCK, DATABASE, HINTS, LANGUAGE, MERCHANT, RETAILER
from outletbot.printing import print_weekday
from outletbot.web.desk.proposals_form import (
    PatternForm,
    Row,
    key_of,
    offers_of,
    read_pattern,
    read_row,
    row_of,
    usual_pattern,
    with_problems,
)
from outletbot.web.rendering import page

routes = web.RouteTableDef()
Sent = MultiMapping[str | bytes | bytearray | web.FileField]


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
class WeekForm:
    """The pattern and the table; *left_out* are offers that got no row."""

    pattern: PatternForm
    every_day: Sequence[date]
    rows: Sequence[Row]
    key: str
    without_slot: Sequence[Proposal] = ()
    without_price: Sequence[Proposal] = ()

    @property
    def wrong(self) -> bool:
        return bool(self.pattern.problems) or any(row.wrong for row in self.rows)

    @property
    def kept(self) -> list[Row]:
        return [row for row in self.rows if row.kept]

    @property
    def ready(self) -> list[DealPlan]:
        return [row.plan for row in self.kept if row.plan is not None]


@dataclass(frozen=True, slots=True)
class MadeWeek:
    week: Week
    deals: Sequence[Deal]
    can_be_cancelled: bool


@routes.post("/proposals/week")
async def plan_week(request: web.Request) -> web.Response:
    """Give offers their times, look at what was changed, or make every deal."""
    desk, form = _desk(request), await request.post()
    if form.get("action") == "make":
        made = await _make(request, desk, form)
        if made is not None:
            request.app[HINTS].tell("deals", "posts")
            address = f"/proposals/weeks/{made}"
            raise web.HTTPSeeOther(address)
    changed = form.get("action") in {"check", "make"}
    read = _changed if changed else _fresh
    week = await request.app[DATABASE].read(read, desk, form)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if week.wrong else HTTPStatus.OK
    names = {day: print_weekday(day, request[LANGUAGE]) for day in week.every_day}
    return page(
        request, "desk/proposals_week.html", status=status, week=week, names=names
    )


@routes.get("/proposals/weeks/{week_id}")
async def show_week(request: web.Request) -> web.Response:
    made = await request.app[DATABASE].read(
        read_week,
        request[RETAILER].id,
        request.match_info["week_id"],
        now=request.app[CLOCK](),
    )
    return page(
        request, "desk/proposals_made.html", made=made, now=request.app[CLOCK]()
    )


@routes.post("/proposals/weeks/{week_id}/cancel")
async def call_off(request: web.Request) -> web.Response:
    """Call every deal of a week off, as long as none has opened."""
    week_id, desk = request.match_info["week_id"], _desk(request)
    await request.app[DATABASE].transact(
        cancel_week, desk.retailer.id, week_id, by=desk.merchant_id, now=desk.now
    )
    request.app[HINTS].tell("deals", "posts")
    address = f"/proposals/weeks/{week_id}"
    raise web.HTTPSeeOther(address)


def read_week(
    session: Session, retailer_id: str, week_id: str, *, now: datetime
) -> MadeWeek:
    """Return a week that was made.

    Raises:
        Missing: If it is not this retailer's.
    """
    week = get_own(session, Week, retailer_id, week_id)
    found = deals_of_week(session, week)
    return MadeWeek(week, found, can_be_cancelled(week, found, now=now))


def _desk(request: web.Request) -> Desk:
    return Desk(request[RETAILER], request[MERCHANT].id, request.app[CLOCK]())


async def _make(request: web.Request, desk: Desk, form: Sent) -> str | None:
    try:
        return await request.app[DATABASE].transact(_make_all, desk, form)
    except InvalidFields:
        return None  # somebody was quicker: the table says what cannot be any more


def _make_all(session: Session, desk: Desk, form: Sent) -> str | None:
    """Make every deal; return the week's id, or nothing if a row cannot be."""
    key, mine = key_of(form.get("key")), desk.retailer.id
    take_turns(session, mine)
    earlier = find_week(session, mine, key) if key else None
    if earlier is not None:
        return earlier.id
    week = _changed(session, desk, form)
    if not key or week.wrong or not week.ready:
        return None
    by, now = desk.merchant_id, desk.now
    return make_week(session, desk.retailer, week.ready, key=key, by=by, now=now).id


def _fresh(session: Session, desk: Desk, form: Sent) -> WeekForm:
    """Give what was chosen its times: as asked for, or as is usual."""
    wanted = _wanted(session, desk, form)
    pattern = _pattern(desk, form, len(wanted))
    if pattern.pattern is None:
        return _week(session, desk, form, pattern, _rows(session, desk, form))
    found = spread(session, desk.retailer, wanted, pattern.pattern, now=desk.now)
    by_id = {proposal.offer.id: proposal.offer for proposal in wanted}
    rows = [row_of(by_id[p.offer_id], p, desk.zone) for p in found.plans]
    week = _week(session, desk, form, pattern, rows)
    return replace(
        week, without_slot=found.without_slot, without_price=found.without_price
    )


def _changed(session: Session, desk: Desk, form: Sent) -> WeekForm:
    """Read the table as somebody left it."""
    rows = _rows(session, desk, form)
    return _week(session, desk, form, _pattern(desk, form, len(rows)), rows)


def _wanted(session: Session, desk: Desk, form: Sent) -> list[Proposal]:
    mine, now = desk.retailer.id, desk.now
    if form.get("scope") == "all":
        rule_id = key_of(form.get("rule"))
        return proposals(session, mine, now=now, rule_id=rule_id, limit=MOST_ROWS)
    ticked = [key_of(key) for key in form.getall("offer", [])]
    table = [key for n, key in offers_of(form).items() if form.get(f"keep-{n}")]
    left = [key_of(key) for key in form.getall("left", [])]
    ids = list(dict.fromkeys([*ticked, *table, *left]))[:MOST_ROWS]
    return proposals_of(session, mine, ids, now=now)


def _pattern(desk: Desk, form: Sent, number: int) -> PatternForm:
    if "number" not in form:
        usual = usual_pattern(number, desk.now, desk.zone)
        days = [day.isoformat() for day in coming_days(desk.now, desk.zone)]
        return read_pattern(usual, days, desk.now, desk.zone)
    return read_pattern(form, form.getall("day", []), desk.now, desk.zone)


def _rows(session: Session, desk: Desk, form: Sent) -> list[Row]:
    rows = []
    for number, key in offers_of(form).items():
        offer = get_own(session, Offer, desk.retailer.id, key)
        rows.append(read_row(form, number, offer, desk.zone, now=desk.now))
    return rows


def _week(
    session: Session,
    desk: Desk,
    form: Sent,
    pattern: PatternForm,
    rows: Sequence[Row],
) -> WeekForm:
    """Return the form with all that is wrong with its rows, and what clashes."""
    return WeekForm(
        pattern=pattern,
        every_day=coming_days(desk.now, desk.zone),
        rows=_checked(session, desk, rows),
        key=key_of(form.get("key")) or new_code(),
    )


def _checked(session: Session, desk: Desk, rows: Sequence[Row]) -> list[Row]:
    readable = [(n, row.plan) for n, row in enumerate(rows) if row.plan is not None]
    plans = [plan for _, plan in readable]
    found = check_week(session, desk.retailer.id, plans, now=desk.now)
    clashes = clashes_of_week(session, desk.retailer, plans, now=desk.now)
    checked = list(rows)
    for (n, _), problems, clashing in zip(readable, found, clashes, strict=True):
        checked[n] = replace(with_problems(rows[n], problems), clashes=clashing)
    return checked
