"""Deals: all of a retailer's by what they are doing now, and what ends one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from aiohttp import web
from sqlmodel import Session

from offers.deals import Deal, Phase, deals, end_deal, pictures_of_deals
from offers.posts import Post, adopt, try_again
from offers.scope import get_own
from outletbot.keys import (
    CLOCK,
    DATABASE,
    HINTS,
    LANGUAGE,
    RETAILER,
    SETTINGS,
)
from outletbot.printing import print_day
from outletbot.web.desk.addresses import read_address
from outletbot.web.rendering import page

RUNNING = {Phase.OPEN, Phase.ALL_HELD}

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class DealLine:
    deal: Deal
    phase: Phase
    picture_id: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """The deals that opened, or will, on one day in the retailer's zone."""

    name: str
    lines: Sequence[DealLine]


@routes.get("/deals")
async def show_deals(request: web.Request) -> web.Response:
    now = request.app[CLOCK]()
    lines = await request.app[DATABASE].read(deal_lines, request[RETAILER].id, now=now)
    running = [line for line in lines if line.phase in RUNNING]
    planned = [line for line in lines if line.phase is Phase.SCHEDULED]
    over = [line for line in lines if line.phase in {Phase.SOLD_OUT, Phase.ENDED}]
    return page(
        request,
        "desk/deals.html",
        running=running,
        planned=_by_day(request, planned[::-1]),
        over=_by_day(request, over),
        now=now,
    )


@routes.post("/deals/{deal_id}/end")
async def stop_deal(request: web.Request) -> web.Response:
    """End a deal before its time; who holds a unit may still pay."""
    deal_id, now = request.match_info["deal_id"], request.app[CLOCK]()
    retailer = request[RETAILER]
    await request.app[DATABASE].transact(_end, retailer.id, deal_id, now=now)
    request.app[HINTS].tell("deals")
    address = f"/deals/{deal_id}"
    raise web.HTTPSeeOther(address)


@routes.post("/posts/{post_id}/again")
async def send_again(request: web.Request) -> web.Response:
    """Send a post once more that failed, or that somebody did not find."""
    post_id, now = request.match_info["post_id"], request.app[CLOCK]()
    deal_id = await request.app[DATABASE].transact(
        _try_again, request[RETAILER].id, post_id, now=now
    )
    request.app[HINTS].tell("posts")
    address = f"/deals/{deal_id}"
    raise web.HTTPSeeOther(address)


@routes.post("/posts/{post_id}/there")
async def say_it_is_there(request: web.Request) -> web.Response:
    """Take a post for published that nobody but a person could look for.

    Its address is kept if they say it.
    """
    form, post_id = await request.post(), request.match_info["post_id"]
    url = read_address(form, "url", request.app[SETTINGS])
    deal_id = await request.app[DATABASE].transact(
        _adopt, request[RETAILER].id, post_id, url
    )
    request.app[HINTS].tell("posts")
    address = f"/deals/{deal_id}"
    raise web.HTTPSeeOther(address)


def deal_lines(session: Session, retailer_id: str, *, now: datetime) -> list[DealLine]:
    """Return a retailer's deals, the latest opening first."""
    found = deals(session, retailer_id)
    pictures = pictures_of_deals(session, retailer_id)
    return [DealLine(deal, deal.phase(now), pictures.get(deal.id)) for deal in found]


def _by_day(request: web.Request, lines: Sequence[DealLine]) -> list[Day]:
    zone, language = request[RETAILER].zone, request[LANGUAGE]

    def day_of(line: DealLine) -> str:
        return print_day(line.deal.opens_at, zone, language)

    return [Day(name, list(group)) for name, group in groupby(lines, day_of)]


def _end(session: Session, retailer_id: str, deal_id: str, *, now: datetime) -> None:
    """End it once; whoever clicks twice is not told off."""
    deal = get_own(session, Deal, retailer_id, deal_id)
    if not deal.ended_early:
        end_deal(session, retailer_id, deal_id, now=now)


def _try_again(
    session: Session, retailer_id: str, post_id: str, *, now: datetime
) -> str:
    post = get_own(session, Post, retailer_id, post_id)
    try_again(session, retailer_id, post_id, now=now)
    return post.deal_id


def _adopt(session: Session, retailer_id: str, post_id: str, url: str) -> str:
    post = get_own(session, Post, retailer_id, post_id)
    adopt(session, retailer_id, post_id, url)
    return post.deal_id
