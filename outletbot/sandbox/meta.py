"""A Graph API of Facebook and Instagram to practise on, a page for people, a login.

It keeps the rules that Meta documents: what a token may and until when, how long texts
are, what pictures are taken, what a post is made of, how much may be posted in a day;
and says no in Meta's own words and numbers. Instagram's pictures are fetched by their
address, from this machine only.
"""

import re
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from outletbot.clock import Clock
from outletbot.sandbox import meta_facebook as facebook
from outletbot.sandbox import meta_instagram as instagram
from outletbot.sandbox import meta_login as login
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.meta_books import MetaAccount, MetaBooks
from outletbot.sandbox.meta_calls import APP, BOOKS, PUBLIC_URL, Call, MetaApp
from outletbot.sandbox.meta_errors import (
    BUSINESS_USE,
    GraphFault,
    blocked,
    broken,
    refuse,
    too_many,
    unknown,
    usage,
)
from outletbot.sandbox.meta_instagram import FETCHER, Fetcher
from outletbot.sandbox.meta_page import people_page, picture
from outletbot.sandbox.windows import Budget, Windows

__all__ = [
    "APP",
    "BOOKS",
    "FAULTS",
    "WINDOWS",
    "MetaAccount",
    "MetaApp",
    "build_meta_sandbox",
]

FAULTS = web.AppKey("faults", Faults)
WINDOWS = web.AppKey("windows", Windows)
CALLS = Budget(calls=4_800, window=timedelta(hours=1))
MAX_BODY = 16 * 1024 * 1024
_V = r"/{version:v\d+\.\d+}"
_OF_API = re.compile(r"/v\d+\.\d+/")
_FETCH_FOR = aiohttp.ClientTimeout(total=10)


def build_meta_sandbox(
    *,
    clock: Clock,
    public_url: str,
    accounts: Iterable[MetaAccount],
    app: MetaApp | None = None,
    faults: Faults | None = None,
    state_path: Path | None = None,
    calls: Budget = CALLS,
) -> web.Application:
    """Build the application; *public_url* is where people and Meta's clients find it.

    *calls* is how many calls each account may make.
    """
    faults = faults or Faults()
    windows = Windows()
    served = web.Application(
        client_max_size=MAX_BODY,
        middlewares=[
            inject(faults, too_many=too_many, error=broken, locked=blocked),
            _answer_faults,
            _count_calls(windows, calls, clock),
            _close_files,
        ],
    )
    served[FAULTS], served[WINDOWS] = faults, windows
    served[APP] = app or MetaApp()
    served[PUBLIC_URL] = public_url.rstrip("/")
    served[BOOKS] = MetaBooks(clock, accounts, state_path)
    served.cleanup_ctx.append(_open)
    served.add_routes(_routes())
    return served


def _routes() -> list[web.RouteDef]:
    return [
        web.get(f"{_V}/dialog/oauth", login.ask),
        web.post(f"{_V}/dialog/oauth", login.allow),
        web.get(f"{_V}/oauth/access_token", login.give_token),
        web.post(f"{_V}/oauth/access_token", login.give_token),
        web.get(f"{_V}/me/accounts", login.accounts),
        web.post(f"{_V}/{{id}}/photos", facebook.upload_photo),
        web.post(f"{_V}/{{id}}/feed", facebook.publish),
        web.get(f"{_V}/{{id}}/published_posts", facebook.published_posts),
        web.post(f"{_V}/{{id}}/media", instagram.make_container),
        web.get(f"{_V}/{{id}}/media", instagram.media),
        web.post(f"{_V}/{{id}}/media_publish", instagram.publish),
        web.get(f"{_V}/{{id}}/content_publishing_limit", instagram.publishing_limit),
        web.get(f"{_V}/{{id}}/comments", _comments),
        web.post(f"{_V}/{{id}}/comments", _comment),
        web.get(f"{_V}/{{id}}/insights", _insights),
        web.get(f"{_V}/{{id}}", _read),
        web.post(f"{_V}/{{id}}", _edit),
        web.delete(f"{_V}/{{id}}", _delete),
        # So Meta's own client writes them.
        web.get(f"{_V}/{{id}}/", _read),
        web.post(f"{_V}/{{id}}/", _edit),
        web.delete(f"{_V}/{{id}}/", _delete),
        web.get("/@{handle}", people_page),
        web.get("/pictures/{id}", picture),
    ]


async def _read(request: web.Request) -> web.Response:
    call = await Call.read(request)
    if call.target == call.page["page_id"]:
        return call.one(facebook.whole_page(call.own_page()))
    if call.target == call.page["instagram_id"]:
        call.needs("instagram_basic")
        return call.one(instagram.whole_account(call.own_instagram()))
    thing = call.own("post", "comment", "media", "container")
    match thing["kind"]:
        case "container":
            return instagram.look_at_container(call, thing)
        case "media":
            return call.one(instagram.whole_media(call, thing))
        case "comment":
            return call.one(facebook.whole_comment(call, thing))
    return call.one(facebook.whole_post(call, thing))


async def _edit(request: web.Request) -> web.Response:
    call = await Call.read(request)
    thing = call.own("post", "comment", "media")
    if thing["kind"] == "media":
        refuse("The parameter comment_enabled is required")
    return await facebook.edit(call, thing)


async def _delete(request: web.Request) -> web.Response:
    call = await Call.read(request)
    thing = call.own("post", "comment", "media", "note")
    if thing["kind"] in {"media", "note"}:
        return await instagram.delete(call, thing)
    return await facebook.delete(call, thing)


async def _comment(request: web.Request) -> web.Response:
    call = await Call.read(request)
    thing = call.own("post", "media")
    if thing["kind"] == "media":
        return await instagram.comment(call, thing)
    return await facebook.comment(call, thing)


async def _comments(request: web.Request) -> web.Response:
    call = await Call.read(request)
    thing = call.own("post", "media")
    if thing["kind"] == "media":
        return await instagram.comments(call, thing)
    return await facebook.comments(call, thing)


async def _insights(request: web.Request) -> web.Response:
    call = await Call.read(request)
    thing = call.own("post", "media")
    if thing["kind"] == "media":
        return instagram.insights(call, thing)
    return facebook.insights(call, thing)


@web.middleware
async def _answer_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say what is refused as Meta does; what is not there is an unknown path."""
    try:
        return await handler(request)
    except GraphFault as fault:
        return fault.answer()
    except web.HTTPNotFound:
        if not _OF_API.search(request.path):
            raise
        path = request.path.rpartition("/")[2]
        return GraphFault(2500, f"Unknown path components: /{path}").answer()
    except web.HTTPMethodNotAllowed:
        return unknown(request.path.rpartition("/")[2]).answer()


@web.middleware
async def _close_files(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    finally:
        if request.content_type.startswith("multipart/"):
            for value in (await request.post()).values():
                if isinstance(value, web.FileField):
                    value.file.close()


def _count_calls(windows: Windows, budget: Budget, clock: Clock) -> Middleware:
    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        who = request.headers.get("Authorization", "")
        spent = windows.spend(who, budget, now=clock())
        if spent.over:
            refused = too_many(request)
            wait = spent.resets_at - clock() + timedelta(minutes=1)
            refused.headers[BUSINESS_USE] = usage(100, regain=wait)
            return refused
        answer = await handler(request)
        answer.headers[BUSINESS_USE] = usage(100 * spent.used // budget.calls)
        return answer

    return count


async def _open(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(timeout=_FETCH_FOR) as http:
        app[FETCHER] = Fetcher(http)
        yield
    app[BOOKS].shelf.close()
