"""The calendar: deals and posts by day or week, and what people change of them there.

Moving is a form with a day and a time; dragging a bar sends the same form. Whoever
moves a deal to where something clashes is asked once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web
from sqlmodel import Session

from offers.calendar import Clash, Entry, clashes_of, find_entry
from offers.deals import Deal
from offers.errors import InvalidField, Missing, OfferError
from offers.moving import (
    approve_posts,
    ask_again,
    check_opening,
    move_deal,
    pause_posts,
    resume_posts,
    send_back,
)
from offers.retailers import Retailer
from offers.sentences import Sentence
from outletbot.keys import CLOCK, DATABASE, HINTS, LANGUAGE, MERCHANT, RETAILER
from outletbot.printing import say
from outletbot.web.desk.calendar_style import style_of
from outletbot.web.desk.calendar_view import read_calendar, read_span
from outletbot.web.errors import status_of
from outletbot.web.forms import Form, read_moment, read_text
from outletbot.web.rendering import page

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_NOTE = 300

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Move:
    """Where a deal is to be moved to, from where whoever moves it *seen* it."""

    to: datetime
    seen: datetime
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """A deal that was just moved, and back to where: nowhere if that is past."""

    entry: Entry
    back: datetime | None


@routes.get("/calendar")
async def show_calendar(request: web.Request) -> web.Response:
    return await _calendar_page(request, request.query)


@routes.post("/calendar/deals/{deal_id}/move")
async def move(request: web.Request) -> web.Response:
    """Move a deal, or ask once more if something new clashes there."""
    form, retailer = await request.post(), request[RETAILER]
    deal_id, now = request.match_info["deal_id"], request.app[CLOCK]()
    database = request.app[DATABASE]
    try:
        wish = read_move(form, ZoneInfo(retailer.time_zone))
        if not wish.is_sure:
            entry, clashes = await database.read(
                _new_clashes, retailer, deal_id, wish, now=now
            )
            if clashes:
                return _question(request, entry, clashes, wish, form)
        deal = await database.transact(
            move_deal, retailer.id, deal_id, wish.to, seen=wish.seen, now=now
        )
    except Missing:
        raise
    except OfferError as refusal:
        return await _calendar_page(request, _shown(form), refusal=refusal)
    _note(request, "deal_moved", deal=deal.id, opens_at=deal.opens_at.isoformat())
    raise web.HTTPSeeOther(_address_of(deal, wish, form, retailer))


@routes.post("/calendar/deals/{deal_id}/approve")
async def approve(request: web.Request) -> web.Response:
    """Let the posts of a deal go out that somebody else planned."""
    form, deal_id = await request.post(), request.match_info["deal_id"]
    count = await request.app[DATABASE].transact(
        approve_posts, request[MERCHANT], deal_id, now=request.app[CLOCK]()
    )
    _note(request, "posts_approved", deal=deal_id, posts=count)
    raise web.HTTPSeeOther(_back(form, deal_id))


@routes.post("/calendar/deals/{deal_id}/send-back")
async def refuse(request: web.Request) -> web.Response:
    """Tell whoever planned the posts of a deal what is wrong with them."""
    form, deal_id = await request.post(), request.match_info["deal_id"]
    note = read_text(form, "note", longest=LONGEST_NOTE, needed=True)
    count = await request.app[DATABASE].transact(
        send_back, request[MERCHANT], deal_id, note, now=request.app[CLOCK]()
    )
    _note(request, "posts_sent_back", deal=deal_id, posts=count)
    raise web.HTTPSeeOther(_back(form, deal_id))


@routes.post("/calendar/deals/{deal_id}/ask-again")
async def ask(request: web.Request) -> web.Response:
    """Ask for approval again: what was wrong is settled."""
    form, deal_id = await request.post(), request.match_info["deal_id"]
    await request.app[DATABASE].transact(ask_again, request[RETAILER].id, deal_id)
    _note(request, "approval_asked_again", deal=deal_id)
    raise web.HTTPSeeOther(_back(form, deal_id))


@routes.post("/calendar/pause")
async def pause(request: web.Request) -> web.Response:
    """Let nothing more go out on any channel."""
    await request.app[DATABASE].transact(pause_posts, request[RETAILER].id)
    _note(request, "posts_paused")
    raise web.HTTPSeeOther(_page_of(await request.post()))


@routes.post("/calendar/resume")
async def resume(request: web.Request) -> web.Response:
    """Let posts go out again, those at once that came due meanwhile."""
    now = request.app[CLOCK]()
    await request.app[DATABASE].transact(resume_posts, request[RETAILER].id, now=now)
    _note(request, "posts_resumed")
    raise web.HTTPSeeOther(_page_of(await request.post()))


def read_move(form: Form, zone: ZoneInfo) -> Move:
    """Return what a form asks for: an instant as a script sends it, or a local time.

    Raises:
        InvalidField: If a time is none.
    """
    problem = Sentence("Enter a day and a time, such as 2026-12-01T18:00.")
    try:
        seen = datetime.fromisoformat(read_text(form, "seen", longest=40))
        exact = read_text(form, "at", longest=20)
        to = read_instant(exact) if exact else read_moment(form, "to", zone)
        if seen.tzinfo is None:
            raise InvalidField("to", problem)
    except (ValueError, OverflowError) as error:
        raise InvalidField("to", problem) from error
    return Move(to, seen, form.get("sure") == "yes")


def read_instant(text: str) -> datetime:
    """Return what a script calls an instant: milliseconds since 1970.

    Raises:
        ValueError, OverflowError: If it is none.
    """
    return EPOCH + timedelta(milliseconds=int(text))


def instant(moment: datetime) -> int:
    """Return *moment* as scripts have it."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


async def _calendar_page(
    request: web.Request,
    query: Mapping[str, str],
    *,
    refusal: OfferError | None = None,
) -> web.Response:
    now, retailer = request.app[CLOCK](), request[RETAILER]
    span = read_span(query, retailer.zone, now=now)
    calendar = await read_calendar(request, span)
    moved = await request.app[DATABASE].read(_moved, retailer.id, query, now=now)
    return page(
        request,
        "desk/calendar.html",
        status=status_of(refusal) if refusal else HTTPStatus.OK,
        calendar=calendar,
        style=style_of(calendar),
        instant=instant,
        moved=moved,
        notice=say(refusal.sentence, request[LANGUAGE]) if refusal else "",
        notice_tone="bad",
    )


def _question(
    request: web.Request, entry: Entry, clashes: list[Clash], wish: Move, form: Form
) -> web.Response:
    return page(
        request,
        "desk/calendar_move.html",
        entry=entry,
        clashes=clashes,
        wish=wish,
        at=instant(wish.to),
        shown=_shown(form),
    )


def _new_clashes(
    session: Session, retailer: Retailer, deal_id: str, wish: Move, *, now: datetime
) -> tuple[Entry, list[Clash]]:
    """Return what would speak against a new time that does not against the old one.

    Nothing speaks against what cannot be moved: that is refused.
    """
    check_opening(wish.to, now=now)
    entry = find_entry(session, retailer.id, deal_id, now=now)
    if entry is None:
        raise Missing(deal_id, "deal")
    if not entry.movable or entry.opens_at != wish.seen:
        return entry, []
    there = entry.moved(wish.to)
    before, after = clashes_of(
        session, retailer.id, [entry, there], retailer.zone, now=now
    )
    known = {clash.key for clash in before}
    return there, [clash for clash in after if clash.key not in known]


def _moved(
    session: Session, retailer_id: str, query: Mapping[str, str], *, now: datetime
) -> Moved | None:
    """Return which deal was just moved, as the address says."""
    if not query.get("moved"):
        return None
    entry = find_entry(session, retailer_id, query["moved"], now=now)
    if entry is None or not entry.movable:
        return None
    try:
        back = read_instant(query.get("from", ""))
    except (ValueError, OverflowError):
        return None
    return Moved(entry, back if back > now else None)


def _address_of(deal: Deal, wish: Move, form: Form, retailer: Retailer) -> str:
    """Return where a deal is seen that was just moved."""
    day = deal.opens_at.astimezone(retailer.zone).date().isoformat()
    shown = {**_shown(form), "day": day}
    shown |= {"moved": deal.id, "from": str(instant(wish.seen))}
    return f"/calendar?{urlencode(shown)}"


def _shown(form: Form) -> dict[str, str]:
    """Return which days were looked at."""
    return {name: str(form[name]) for name in ("view", "day") if form.get(name)}


def _back(form: Form, deal_id: str) -> str:
    """Return the page on which a button was pressed."""
    if "view" not in form:
        return f"/deals/{deal_id}"
    return f"/calendar?{urlencode(_shown(form))}"


def _page_of(form: Form) -> str:
    return "/channels" if form.get("page") == "channels" else "/calendar"


def _note(request: web.Request, event: str, **facts: Any) -> None:
    """Tell who follows, and the log who did it."""
    request.app[HINTS].tell("deals", "posts")
    log.info(event, retailer=request[RETAILER].id, by=request[MERCHANT].id, **facts)
