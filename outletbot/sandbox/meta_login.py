"""Facebook's login in the sandbox: the page that asks, and the tokens it leads to."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any

from aiohttp import web
from yarl import URL

from outletbot.sandbox.meta_books import LONG, SCOPES, SHORT, MetaBooks
from outletbot.sandbox.meta_calls import APP, BOOKS, Call
from outletbot.sandbox.meta_errors import GraphFault, refuse
from outletbot.sandbox.meta_facebook import whole_page
from outletbot.sandbox.shelf import Thing

CODE_LASTS = timedelta(minutes=10)
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Facebook</title>
<h1>Facebook, to practise on</h1>
<p>The app asks for: {scopes}. It would see these pages: {pages}.</p>
<form method="post">{inputs}<button>Allow</button></form></html>
"""


async def ask(request: web.Request) -> web.Response:
    """Show the page with the button."""
    _check(request, request.query)
    asked = ("client_id", "redirect_uri", "state", "scope")
    inputs = "".join(
        f'<input type="hidden" name="{name}"'
        f' value="{escape(request.query.get(name, ""), quote=True)}">'
        for name in asked
    )
    pages = ", ".join(page["name"] for page in request.app[BOOKS].pages())
    page = _PAGE.format(
        scopes=escape(request.query.get("scope", "nothing")),
        pages=escape(pages),
        inputs=inputs,
    )
    return web.Response(text=page, content_type="text/html")


async def allow(request: web.Request) -> web.Response:
    """Send the person back with a code."""
    form = await request.post()
    _check(request, form)
    books, code = request.app[BOOKS], secrets.token_urlsafe(24)
    facts = {
        "redirect_uri": form["redirect_uri"],
        "scopes": _scopes(form),
        "ends_at": (books.now + CODE_LASTS).isoformat(),
    }
    books.shelf.keep("code", code, facts)
    back = URL(str(form["redirect_uri"])).update_query(
        code=code, state=str(form.get("state", ""))
    )
    raise web.HTTPFound(back)


async def give_token(request: web.Request) -> web.Response:
    """Exchange a code for a short-lived token, or such a token for a long-lived one."""
    form = {**request.query, **await request.post()}
    app, books = request.app[APP], request.app[BOOKS]
    if form.get("client_id") != app.client_id:
        raise GraphFault(101, "Error validating application. Invalid application ID.")
    if form.get("client_secret") != app.client_secret:
        raise GraphFault(1, "Error validating client secret.")
    if form.get("grant_type") == "fb_exchange_token":
        good, lasts = books.pass_of(str(form.get("fb_exchange_token", ""))), LONG
        scopes = sorted(good.scopes)
    else:
        scopes, lasts = _spend(books, form), SHORT
    token = books.new_token("", scopes, lasts=lasts)
    ends = int(lasts.total_seconds())
    return web.json_response(
        {"access_token": token, "token_type": "bearer", "expires_in": ends}
    )


async def accounts(request: web.Request) -> web.Response:
    call = await Call.read(request)
    call.needs("pages_show_list")
    return call.some(call.books.pages(), lambda page: _whole_account(call, page))


def _whole_account(call: Call, page: Thing) -> Thing:
    """Return a page with a token of its own, which does not end."""
    token = call.books.new_token(page["page_id"], call.good.scopes, lasts=None)
    return {**whole_page(page), "access_token": token}


def _check(request: web.Request, form: Mapping[str, Any]) -> None:
    if form.get("client_id") != request.app[APP].client_id:
        raise web.HTTPBadRequest(text="Invalid App ID")
    if not str(form.get("redirect_uri", "")).startswith(("http://", "https://")):
        raise web.HTTPBadRequest(text="Invalid redirect_uri")
    unknown = [scope for scope in _scopes(form) if scope not in SCOPES]
    if unknown:
        raise web.HTTPBadRequest(text=f"Invalid Scopes: {', '.join(unknown)}")


def _scopes(form: Mapping[str, Any]) -> list[str]:
    return [scope for scope in str(form.get("scope", "")).split(",") if scope]


def _spend(books: MetaBooks, form: Mapping[str, Any]) -> list[str]:
    """Take a code, which works once, and return the scopes that it stands for."""
    code = str(form.get("code", ""))
    facts = books.shelf.get("code", code)
    if facts is None:
        raise GraphFault(100, "This authorization code has been used.", subcode=36009)
    books.shelf.drop("code", code)
    if facts["redirect_uri"] != form.get("redirect_uri"):
        message = "Error validating verification code: another redirect_uri."
        raise GraphFault(100, message, subcode=36008)
    if datetime.fromisoformat(facts["ends_at"]) <= books.now:
        refuse("This authorization code has expired.")
    return list(facts["scopes"])
