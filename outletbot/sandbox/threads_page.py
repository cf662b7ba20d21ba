"""What people see of a Threads: its profiles, and the question whether we may in."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape

from aiohttp import web

from outletbot.sandbox.meta_errors import GraphFault, refuse
from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.social_page import Shown, show_posts
from outletbot.sandbox.threads_routes import SANDBOX, pass_of
from outletbot.sandbox.threads_state import DAY, ThreadsSandbox

pages = web.RouteTableDef()

_QUESTION = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Threads to practise on</title>
<p>An app would like to post as you on Threads.</p>{forms}</html>
"""
_FORM = """<form action="{action}"><input type="hidden" name="code" value="{code}">
<input type="hidden" name="state" value="{state}"><button>Allow</button>
@{handle}</form>
"""


@pages.get("/oauth/authorize")
async def ask(request: web.Request) -> web.Response:
    query = request.query
    for name in ("client_id", "redirect_uri", "scope", "response_type"):
        if name not in query:
            raise web.HTTPBadRequest(text=f"The parameter {name} is required")
    scopes = re.split("[, ]", query["scope"])
    forms = "".join(
        _FORM.format(
            action=escape(query["redirect_uri"]),
            code=request.app[SANDBOX].issue_code(user, query["redirect_uri"], scopes),
            state=escape(query.get("state", "")),
            handle=escape(account.handle),
        )
        for user, account in request.app[SANDBOX].accounts.items()
    )
    page = _QUESTION.format(forms=forms)
    return web.Response(text=page, content_type="text/html")


@pages.post("/oauth/access_token")
async def exchange_code(request: web.Request) -> web.Response:
    """Give a token of an hour; what is refused is worded as nowhere else."""
    form = {name: str(value) for name, value in (await request.post()).items()}
    _check_secret(form)
    sandbox = request.app[SANDBOX]
    kept = sandbox.spend_code(form.get("code", ""), form.get("redirect_uri", ""))
    if kept is None or form.get("grant_type") != "authorization_code":
        words = "Matching code was not found or was already used"
        refusal = {"error_type": "OAuthException", "code": 400, "error_message": words}
        return web.json_response(refusal, status=400)
    issued = sandbox.issue(kept["user_id"], kept["scopes"], is_long=False)
    token = issued["access_token"]
    return web.json_response({"access_token": token, "user_id": int(kept["user_id"])})


@pages.get("/access_token")
async def lengthen(request: web.Request) -> web.Response:
    _check_secret(request.query)
    if request.query.get("grant_type") != "th_exchange_token":
        refuse("Unsupported grant_type")
    good = pass_of(request)
    if good.is_long:
        raise GraphFault(452, "Session key invalid: the token is no short-lived one")
    sandbox = request.app[SANDBOX]
    return web.json_response(sandbox.issue(good.user_id, good.scopes, is_long=True))


@pages.get("/refresh_access_token")
async def renew(request: web.Request) -> web.Response:
    if request.query.get("grant_type") != "th_refresh_token":
        refuse("Unsupported grant_type")
    good, sandbox = pass_of(request), request.app[SANDBOX]
    good.needs()
    young = good.issued_at and sandbox.clock() - good.issued_at < DAY
    if not good.is_long or young:
        refuse("The access token cannot be refreshed yet")
    return web.json_response(sandbox.issue(good.user_id, good.scopes, is_long=True))


@pages.get("/@{handle}")
async def show_profile(request: web.Request) -> web.Response:
    sandbox, handle = request.app[SANDBOX], request.match_info["handle"]
    for user, account in sandbox.accounts.items():
        if account.handle == handle:
            posts = sandbox.posts(user_id=user, kind="post")
            shown = [_shown(sandbox, number, post) for number, post in posts]
            return show_posts("Threads", f"@{handle}", shown)
    raise web.HTTPNotFound


@pages.get("/@{handle}/post/{id}")
async def show_post(request: web.Request) -> web.Response:
    sandbox, number = request.app[SANDBOX], request.match_info["id"]
    post = sandbox.shelf.get("post", number)
    if post is None or post["gone"]:
        raise web.HTTPNotFound
    shown = _shown(sandbox, number, post)
    return show_posts("Threads", f"@{request.match_info['handle']}", [shown])


@pages.get("/pictures/{id}")
async def show_picture(request: web.Request) -> web.Response:
    content = request.app[SANDBOX].shelf.content("container", request.match_info["id"])
    if content is None:
        raise web.HTTPNotFound
    kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
    return web.Response(body=content, content_type=kind)


def _check_secret(form: Mapping[str, str]) -> None:
    if not form.get("client_secret"):
        raise GraphFault(1, "Error validating client secret.")


def _shown(sandbox: ThreadsSandbox, number: str, post: Thing) -> Shown:
    handle, link = sandbox.accounts[post["user_id"]].handle, post.get("link_attachment")
    answers = reversed(sandbox.posts(reply_to_id=number))
    return Shown(
        "\n".join([post.get("text", ""), *_poll(post)]),
        datetime.fromisoformat(post["made_at"]),
        address=f"{sandbox.public_url}/@{handle}/post/{number}",
        pictures=list(_pictures(sandbox, post)),
        card=(link, "What the page behind the link says of itself") if link else None,
        answers=[_shown(sandbox, *answer) for answer in answers],
    )


def _pictures(sandbox: ThreadsSandbox, post: Thing) -> Iterator[tuple[str, str]]:
    shown = post["children"] if post["media_type"] == "CAROUSEL" else []
    if post["media_type"] == "IMAGE":
        shown = [post["container"]]
    for number in shown:
        container = sandbox.shelf.get("container", number) or {}
        address = f"{sandbox.public_url}/pictures/{number}"
        yield address, container.get("alt_text", "")


def _poll(post: Thing) -> Iterator[str]:
    for option in post.get("poll_attachment", {}).values():
        yield f"○ {option}"
