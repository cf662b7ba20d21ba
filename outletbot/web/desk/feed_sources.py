"""Feeds that come by themselves: from an address, a folder, or a program with a token.

A token is made here and shown once: in the answer to the form that made it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlmodel import Session

from offers.errors import InvalidField, Missing
from offers.imports import FeedImport
from offers.judging import drop_doubted
from offers.scope import find_own
from offers.sentences import Sentence, load_sentence
from offers.source_tokens import add_token, renew_token
from offers.sources import (
    EVERY,
    FeedSource,
    Halt,
    SourceKind,
    add_address,
    ask_now,
    delete_source,
    pause_source,
    sources,
    watch_folder,
)
from outletbot.keys import CLOCK, DATABASE, HINTS, RETAILER, SEAL, SETTINGS
from outletbot.web.desk.feeds import CURRENCIES
from outletbot.web.desk.source_form import read_address, read_currency
from outletbot.web.forms import read_text
from outletbot.web.rendering import page

HERE = "/feeds/sources"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source, how it stands, what came of it last, and its last import."""

    source: FeedSource
    entry: FeedImport | None
    standing: str
    reason: Sentence | None
    result: Sentence | None

    @property
    def at(self) -> str:
        return f"{self.source.minute // 60:02}:{self.source.minute % 60:02}"


@routes.get(HERE)
async def show_sources(request: web.Request) -> web.Response:
    return await _page(request)


@routes.post(HERE)
async def fetch_from_address(request: web.Request) -> web.Response:
    """Fetch from an address on a schedule, and now."""
    form, settings = await request.post(), request.app[SETTINGS]
    try:
        address = read_address(form, settings, request.app[SEAL])
        await _transact(request, add_address, address, now=request.app[CLOCK]())
    except InvalidField as problem:
        return await _page(request, problem, form, status=422)
    raise _back(request)


@routes.post(f"{HERE}/folder")
async def watch_own_folder(request: web.Request) -> web.Response:
    if not request.app[SETTINGS].feed_folder:
        raise Missing("folder", "source")
    form = await request.post()
    try:
        currency, now = read_currency(form), request.app[CLOCK]()
        await _transact(request, watch_folder, currency=currency, now=now)
    except InvalidField as problem:
        return await _page(request, problem, form, status=422)
    raise _back(request)


@routes.post(f"{HERE}/tokens")
async def let_program_in(request: web.Request) -> web.Response:
    """Make a token, and show it this once."""
    form, now = await request.post(), request.app[CLOCK]()
    try:
        name = read_text(form, "name", longest=80, needed=True)
        facts = {"name": name, "currency": read_currency(form)}
        _, token = await _transact(request, add_token, **facts, now=now)
    except InvalidField as problem:
        return await _page(request, problem, form, status=422, about="token")
    return await _page(request, token=token)


@routes.post(HERE + "/{source_id}/token")
async def make_new_token(request: web.Request) -> web.Response:
    """Replace a token; the one before is worth nothing any more."""
    token = await _transact(request, renew_token, request.match_info["source_id"])
    return await _page(request, token=token)


@routes.post(HERE + "/{source_id}/now")
async def look_now(request: web.Request) -> web.Response:
    return await _change(request, ask_now, now=request.app[CLOCK]())


@routes.post(HERE + "/{source_id}/pause")
async def pause(request: web.Request) -> web.Response:
    return await _change(request, pause_source, now=request.app[CLOCK]())


@routes.post(HERE + "/{source_id}/resume")
async def resume(request: web.Request) -> web.Response:
    """Go on; what was in doubt is discarded."""
    return await _change(request, drop_doubted, now=request.app[CLOCK]())


@routes.post(HERE + "/{source_id}/delete")
async def delete(request: web.Request) -> web.Response:
    return await _change(request, delete_source)


def source_lines(session: Session, retailer_id: str) -> list[SourceLine]:
    """Return a retailer's sources, the oldest first, each with its last import."""
    return [_line(session, source) for source in sources(session, retailer_id)]


def _line(session: Session, source: FeedSource) -> SourceLine:
    key = source.import_id or ""
    return SourceLine(
        source=source,
        entry=find_own(session, FeedImport, source.retailer_id, key),
        standing=_standing(source),
        reason=load_sentence(source.halt_reason) if source.halt_reason else None,
        result=load_sentence(source.result) if source.result else None,
    )


def _standing(source: FeedSource) -> str:
    match source.halt:
        case Halt.PAUSED:
            return "paused"
        case Halt.FIRST:
            return "checked"
        case Halt.DOUBT:
            return "trouble"
    return "failed" if source.failing_since else "connected"


async def _transact(
    request: web.Request, work: Callable[..., Any], *args: object, **facts: object
) -> Any:
    database, retailer = request.app[DATABASE], request[RETAILER]
    return await database.transact(work, retailer.id, *args, **facts)


async def _change(
    request: web.Request, work: Callable[..., object], **facts: datetime
) -> web.Response:
    await _transact(request, work, request.match_info["source_id"], **facts)
    raise _back(request)


def _back(request: web.Request) -> web.HTTPSeeOther:
    request.app[HINTS].tell("sources")
    return web.HTTPSeeOther(HERE)


async def _page(
    request: web.Request,
    problem: InvalidField | None = None,
    typed: Mapping[str, object] | None = None,
    *,
    status: int = 200,
    token: str = "",
    about: str = "address",
) -> web.Response:
    retailer, settings = request[RETAILER], request.app[SETTINGS]
    lines = await request.app[DATABASE].read(source_lines, retailer.id)
    return page(
        request,
        "desk/feed_sources.html",
        status=status,
        lines=lines,
        every=EVERY,
        currencies=list(dict.fromkeys((retailer.currency, *CURRENCIES))),
        typed=typed if typed is not None and about == "address" else {},
        problems={f"{about}-{problem.field}": problem.sentence} if problem else {},
        token=token,
        push=f"{settings.public_url}/feeds/{retailer.slug}",
        folder=_folder(request) if settings.feed_folder else "",
        watched=any(line.source.kind is SourceKind.FOLDER for line in lines),
    )


def _folder(request: web.Request) -> str:
    """Return what a person calls the folder: how far it is ours to tell."""
    return f"{request[RETAILER].slug}/"
