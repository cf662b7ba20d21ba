"""Feeds: a file comes in, is looked at, and becomes offers once it is confirmed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from aiohttp import web
from sqlmodel import Session

from offers.deciding import confirm_import, discard_import
from offers.errors import InvalidField, Refused
from offers.feed import DELIMITERS, DIALECTS, ENCODINGS
from offers.imports import FeedImport, ImportState
from offers.scope import get_own
from offers.undoing import begin_undo
from outletbot.keys import (
    CLOCK,
    DATABASE,
    HINTS,
    LANGUAGE,
    MERCHANT,
    RETAILER,
    SETTINGS,
)
from outletbot.printing import print_time
from outletbot.web.desk.feed_choices import forget_choices, recheck
from outletbot.web.desk.feed_upload import TooLarge, receive_upload
from outletbot.web.desk.feed_view import (
    CHOOSABLE,
    SHOWN_COLUMNS,
    FeedView,
    feed_lines,
    feed_view,
)
from outletbot.web.desk.live import HEADERS, LIVE, event
from outletbot.web.forms import read_text
from outletbot.web.rendering import page, render

CURRENCIES = ("eur", "gbp", "usd", "chf", "sek", "nok", "dkk", "pln", "czk", "cad")
NAMES = {dialect.slug: dialect.name for dialect in DIALECTS}
LOOK_EVERY = 0.5  # seconds between two looks at the progress
FOLLOWED = 1_200  # looks, ten minutes: then the browser asks again

routes = web.RouteTableDef()


@routes.get("/feeds")
async def show_feeds(request: web.Request) -> web.Response:
    return await _feeds_page(request)


@routes.post("/feeds")
async def upload_feed(request: web.Request) -> web.Response:
    """Keep the file; the worker looks at it next."""
    try:
        entry = await receive_upload(request)
    except TooLarge as problem:
        return await _feeds_page(request, problem, status=413)
    except InvalidField as problem:
        return await _feeds_page(request, problem, status=422)
    address = f"/feeds/{entry.id}"
    raise web.HTTPSeeOther(address)


@routes.get("/feeds/{import_id}")
async def show_feed(request: web.Request) -> web.Response:
    return await _feed_page(request)


@routes.get("/feeds/{import_id}/live")
async def follow_feed(request: web.Request) -> web.StreamResponse:
    """Send the progress until the worker is done with the file."""
    view = await _read_view(request)
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    with suppress(ConnectionError):
        async for text in _progress(request, view):
            await response.write(text)
    return response


@routes.post("/feeds/{import_id}/recheck")
async def recheck_feed(request: web.Request) -> web.Response:
    """Look at the file again, read in the way that was chosen."""
    form = await request.post()
    try:
        await _change(request, recheck, form)
    except InvalidField as problem:
        return await _feed_page(request, problem)
    raise _back(request)


@routes.post("/feeds/{import_id}/forget")
async def forget_memory(request: web.Request) -> web.Response:
    """Use nothing any more of what was chosen for earlier files like this one."""
    await _change(request, forget_choices, now=request.app[CLOCK]())
    raise _back(request)


@routes.post("/feeds/{import_id}/confirm")
async def confirm_feed(request: web.Request) -> web.Response:
    """Import the file; whatever is in doubt is asked before."""
    form = await request.post()
    wishes = {"complete": "complete" in form, "whole": "whole" in form}
    agreed = read_text(form, "agreed", longest=20)
    try:
        await _change(
            request,
            confirm_import,
            by=request[MERCHANT].id,
            agreed=int(agreed) if agreed.isdecimal() else None,
            **wishes,
        )
    except Refused as problem:
        return await _feed_page(request, problem, **wishes)
    raise _back(request)


@routes.post("/feeds/{import_id}/undo")
async def undo_feed(request: web.Request) -> web.Response:
    """Take the last import back; pressing twice is fine."""
    now = request.app[CLOCK]()
    await _change(request, begin_undo, by=request[MERCHANT].id, now=now)
    raise _back(request)


@routes.post("/feeds/{import_id}/discard")
async def discard_feed(request: web.Request) -> web.Response:
    await _change(request, _discard)
    raise web.HTTPSeeOther("/feeds")


async def _feeds_page(
    request: web.Request, problem: InvalidField | None = None, *, status: int = 200
) -> web.Response:
    retailer = request[RETAILER]
    lines = await request.app[DATABASE].read(feed_lines, retailer.id)
    return page(
        request,
        "desk/feeds.html",
        status=status,
        lines=lines,
        problem=problem.sentence if problem else None,
        currencies=_currencies(retailer.currency),
        most=request.app[SETTINGS].max_upload_mb,
    )


async def _feed_page(
    request: web.Request, problem: Refused | None = None, **wishes: bool
) -> web.Response:
    """Show one import, and what stands in the way of what was asked."""
    view = await _read_view(request)
    return page(
        request,
        "desk/feed.html",
        status=422 if problem else 200,
        view=view,
        dialect=NAMES.get(view.dialect, ""),
        fields=CHOOSABLE,
        encodings=ENCODINGS,
        delimiters=DELIMITERS,
        currencies=_currencies(view.entry.currency),
        most_columns=SHOWN_COLUMNS,
        problem=problem,
        losing=getattr(problem, "losing", None),
        wishes=wishes,
    )


async def _read_view(request: web.Request) -> FeedView:
    import_id, retailer = request.match_info["import_id"], request[RETAILER]
    return await request.app[DATABASE].read(feed_view, retailer.id, import_id)


async def _change(
    request: web.Request, work: Any, *args: object, **facts: object
) -> None:
    import_id, retailer = request.match_info["import_id"], request[RETAILER]
    await request.app[DATABASE].transact(work, retailer.id, import_id, *args, **facts)
    request.app[HINTS].tell("imports")


def _back(request: web.Request) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(f"/feeds/{request.match_info['import_id']}")


def _discard(session: Session, retailer_id: str, import_id: str) -> None:
    """Discard once; whoever clicks twice is not told off."""
    entry = get_own(session, FeedImport, retailer_id, import_id)
    if entry.state is not ImportState.DISCARDED:
        discard_import(session, retailer_id, import_id)


async def _progress(request: web.Request, view: FeedView) -> AsyncIterator[bytes]:
    shown = None
    stopping = request.app[LIVE].stopping
    for _ in range(FOLLOWED):
        if not view.waiting:
            yield event("done", "done")
            return
        if stopping.is_set():
            return
        if shown != (view.entry.state, view.entry.progress):
            shown = (view.entry.state, view.entry.progress)
            text = render("desk/feed_progress.html", request[LANGUAGE], view=view)
            yield event("parts", text, _time(request))
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_EVERY)
        view = await _read_view(request)


def _time(request: web.Request) -> str:
    return print_time(request.app[CLOCK](), request[RETAILER].zone, request[LANGUAGE])


def _currencies(first: str) -> list[str]:
    return [first, *(code for code in CURRENCIES if code != first)]
