"""Rehearsals of a deal: asked for here, followed while they are played, read after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from sqlmodel import Session

from offers.deals import Deal
from offers.errors import InvalidField, WrongState
from offers.merchants import Merchant, Role
from offers.rehearsals import (
    MOST_SHOPPERS,
    Rehearsal,
    ask_rehearsal,
    load_progress,
    rehearsals_of_deal,
)
from offers.reports import Report, load_report, remarks
from offers.scope import find_own, get_own
from offers.sentences import Sentence
from outletbot.keys import (
    CLOCK,
    DATABASE,
    HINTS,
    LANGUAGE,
    MERCHANT,
    RETAILER,
)
from outletbot.web.desk.live import HEADERS, LIVE, event
from outletbot.web.desk.rehearsal_chart import SLIM, WIDE, at_times, draw_units
from outletbot.web.desk.summary import clock_time
from outletbot.web.forms import Form, read_int
from outletbot.web.rendering import page, render

USUAL = 10  # shoppers for each unit, unless somebody says otherwise
LOOK_EVERY = 1.0  # seconds
LOOKS = 600  # then the browser asks again

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class View:
    """A deal with its rehearsals, the latest first, and the one that is looked at."""

    deal: Deal
    rehearsals: list[Rehearsal]
    rehearsal: Rehearsal | None = None
    who: str = ""


@routes.get("/deals/{deal_id}/rehearsals")
async def show_rehearsals(request: web.Request) -> web.Response:
    return await _list(request)


@routes.post("/deals/{deal_id}/rehearsals")
async def ask(request: web.Request) -> web.Response:
    """Let the worker play the deal; an owner decides when this machine is busy."""
    form, merchant = await request.post(), request[MERCHANT]
    if merchant.role is not Role.OWNER:
        raise WrongState(Sentence("Only an owner can start a rehearsal."))
    try:
        shoppers = read_int(form, "shoppers", minimum=1, maximum=MOST_SHOPPERS)
    except InvalidField as problem:
        return await _list(request, problem, form)
    rehearsal = await request.app[DATABASE].transact(
        ask_rehearsal,
        request[RETAILER].id,
        request.match_info["deal_id"],
        shoppers=shoppers,
        faults="faults" in form,
        asked_by=merchant.id,
        now=request.app[CLOCK](),
    )
    request.app[HINTS].tell("rehearsals")
    raise web.HTTPSeeOther(_address(rehearsal))


@routes.get("/deals/{deal_id}/rehearsals/{rehearsal_id}")
async def show_rehearsal(request: web.Request) -> web.Response:
    view = await _read(request)
    assert view.rehearsal is not None
    report = load_report(view.rehearsal.report) if view.rehearsal.report else None
    return page(
        request,
        "desk/rehearsal.html",
        view=view,
        rehearsal=view.rehearsal,
        here=_address(view.rehearsal),
        progress=load_progress(view.rehearsal.stage),
        owner=request[MERCHANT].role is Role.OWNER,
        **_told(request, report),
    )


@routes.get("/deals/{deal_id}/rehearsals/{rehearsal_id}/live")
async def follow_rehearsal(request: web.Request) -> web.StreamResponse:
    """Send where it stands until it is over."""
    view = await _read(request)
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    with suppress(ConnectionError):
        async for part in _progress(request, view):
            await response.write(part)
    return response


async def _list(
    request: web.Request, problem: InvalidField | None = None, typed: Form | None = None
) -> web.Response:
    view = await _read(request)
    usual = min(view.deal.allotment * USUAL, MOST_SHOPPERS)
    return page(
        request,
        "desk/rehearsals.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        view=view,
        reports={
            one.id: load_report(one.report) for one in view.rehearsals if one.report
        },
        owner=request[MERCHANT].role is Role.OWNER,
        problem=problem and problem.sentence,
        shoppers=typed.get("shoppers", "") if typed else usual,
        faults=typed is None or "faults" in typed,
        most=MOST_SHOPPERS,
    )


async def _read(request: web.Request) -> View:
    return await request.app[DATABASE].read(
        _read_view,
        request[RETAILER].id,
        request.match_info["deal_id"],
        request.match_info.get("rehearsal_id", ""),
    )


def _read_view(
    session: Session, retailer_id: str, deal_id: str, rehearsal_id: str
) -> View:
    deal = get_own(session, Deal, retailer_id, deal_id)
    rehearsals = rehearsals_of_deal(session, retailer_id, deal_id)
    if not rehearsal_id:
        return View(deal, rehearsals)
    rehearsal = get_own(session, Rehearsal, retailer_id, rehearsal_id)
    merchant = find_own(session, Merchant, retailer_id, rehearsal.asked_by)
    return View(deal, rehearsals, rehearsal, merchant.name if merchant else "")


def _told(request: web.Request, report: Report | None) -> dict[str, Any]:
    """Return what the page says of a report, if there is one."""
    if report is None:
        return {"report": None}
    charts = [
        (name, draw_units(report, *size, request[LANGUAGE]))
        for name, size in (("wide", WIDE), ("slim", SLIM))
    ]
    return {
        "report": report,
        "remarks": remarks(report),
        "charts": charts,
        "table_of_units": at_times(report),
    }


async def _progress(request: web.Request, view: View) -> AsyncIterator[bytes]:
    shown, stopping = None, request.app[LIVE].stopping
    for _ in range(LOOKS):
        rehearsal = view.rehearsal
        assert rehearsal is not None
        if not rehearsal.under_way:
            yield event("done", "done")
            return
        if stopping.is_set():
            return
        if shown != (rehearsal.state, rehearsal.stage):
            shown = rehearsal.state, rehearsal.stage
            progress = load_progress(rehearsal.stage)
            context = {"rehearsal": rehearsal, "progress": progress}
            text = render("desk/rehearsal_progress.html", request[LANGUAGE], **context)
            yield event("parts", text, clock_time(request))
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_EVERY)
        view = await _read(request)


def _address(rehearsal: Rehearsal) -> str:
    return f"/deals/{rehearsal.deal_id}/rehearsals/{rehearsal.id}"
