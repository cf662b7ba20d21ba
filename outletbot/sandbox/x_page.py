"""What people see of the sandbox's X: posts, pictures, and who asks for access."""

import base64
from datetime import datetime
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.web import Request, Response
from jinja2 import Environment

from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.social_page import Shown, show_posts
from outletbot.sandbox.x_grants import SCOPES, Consent
from outletbot.sandbox.x_routes import SANDBOX
from outletbot.sandbox.x_state import XSandbox

CLIENT_ID, CLIENT_SECRET = "x-sandbox-app", "x-sandbox-secret"

pages = web.RouteTableDef()

_CONSENT = Environment(autoescape=True).from_string(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Allow an app · X to practise on</title>
<body style="max-width: 30em; margin: 3em auto; font: 16px/1.5 system-ui, sans-serif">
<h1>An app wants to access your account</h1>
<ul>{% for scope in scopes %}<li>{{ scope }}</li>{% endfor %}</ul>
<form method="post">
<p><label>Account <select name="account">{% for account in accounts %}
<option value="{{ account.id }}">@{{ account.handle }}</option>
{% endfor %}</select></label></p>
<p><button name="answer" value="allow">Allow</button>
<button name="answer" value="cancel">Cancel</button></p>
</form>
"""
)


@pages.get("/i/oauth2/authorize")
async def ask_consent(request: Request) -> Response:
    _check_request(request)
    page = _CONSENT.render(
        scopes=request.query["scope"].split(),
        accounts=request.app[SANDBOX].accounts.values(),
    )
    return Response(text=page, content_type="text/html")


@pages.post("/i/oauth2/authorize")
async def give_consent(request: Request) -> Response:
    _check_request(request)
    form, query = await request.post(), request.query
    state = query.get("state", "")
    if form.get("answer") == "cancel":
        raise _back(query["redirect_uri"], error="access_denied", state=state)
    account_id = str(form.get("account", ""))
    if account_id not in request.app[SANDBOX].accounts:
        raise web.HTTPBadRequest(text="There is no such account.")
    consent = Consent(
        account_id,
        query["redirect_uri"],
        tuple(query["scope"].split()),
        query["code_challenge"],
    )
    code = request.app[SANDBOX].grants.issue_code(consent)
    raise _back(query["redirect_uri"], state=state, code=code)


@pages.post("/2/oauth2/token")
async def give_token(request: Request) -> Response:
    names = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    if request.headers.get("Authorization") != f"Basic {names}":
        words = "Missing valid authorization header"
        return _refuse(401, "unauthorized_client", words)
    form = {name: str(value) for name, value in (await request.post()).items()}
    grants = request.app[SANDBOX].grants
    match form:
        case {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": uri,
            "code_verifier": verifier,
        }:
            issued, what = grants.spend_code(code, uri, verifier), "authorization code"
        case {"grant_type": "refresh_token", "refresh_token": token}:
            issued, what = grants.renew(token), "token"
        case _:
            return _refuse(400, "invalid_request", "Missing required parameter")
    if issued is None:
        words = f"Value passed for the {what} was invalid."
        return _refuse(400, "invalid_request", words)
    return web.json_response(issued)


@pages.get("/@{handle}")
async def show_account(request: Request) -> Response:
    sandbox, handle = request.app[SANDBOX], request.match_info["handle"]
    for account in sandbox.accounts.values():
        if account.handle == handle:
            posts = sandbox.posts_of(account.id)
            roots = [_shown(sandbox, post) for post in posts if not post["answers"]]
            return show_posts("X", f"@{handle}", roots)
    raise web.HTTPNotFound


@pages.get("/i/status/{id}")
async def show_post(request: Request) -> Response:
    sandbox = request.app[SANDBOX]
    post = sandbox.shelf.get("post", request.match_info["id"])
    if post is None:
        raise web.HTTPNotFound
    handle = sandbox.accounts[post["account_id"]].handle
    return show_posts("X", f"@{handle}", [_shown(sandbox, post)])


@pages.get("/media/{id}")
async def show_media(request: Request) -> Response:
    sandbox, media_id = request.app[SANDBOX], request.match_info["id"]
    media = sandbox.shelf.get("media", media_id)
    if media is None:
        raise web.HTTPNotFound
    content = sandbox.shelf.content("media", media_id)
    return Response(body=content, content_type=media["content_type"])


def _shown(sandbox: XSandbox, post: Thing) -> Shown:
    poll = f"poll: {' / '.join(post['options'])}" if post["options"] else ""
    return Shown(
        text=post["text"],
        made_at=datetime.fromisoformat(post["created_at"]),
        address=f"{sandbox.public_url}/i/status/{post['id']}",
        pictures=[_picture(sandbox, media_id) for media_id in post["media_ids"]],
        note=poll,
        answers=[_shown(sandbox, answer) for answer in sandbox.answers_to(post["id"])],
    )


def _picture(sandbox: XSandbox, media_id: str) -> tuple[str, str]:
    media = sandbox.shelf.get("media", media_id) or {}
    return f"{sandbox.public_url}/media/{media_id}", str(media.get("alt", ""))


def _check_request(request: Request) -> None:
    """Show X's own page for an app that asks wrongly; it is sent nowhere."""
    query = request.query
    wanted = {"redirect_uri", "scope", "state", "code_challenge"}
    known = query.get("client_id") == CLIENT_ID and wanted <= set(query)
    code = query.get("response_type") == "code"
    s256 = query.get("code_challenge_method") == "S256"
    if not (known and code and s256 and set(query["scope"].split()) <= set(SCOPES)):
        raise web.HTTPBadRequest(text="Something went wrong. You weren't able to give")


def _back(address: str, **parameters: str) -> web.HTTPSeeOther:
    joint = "&" if "?" in address else "?"
    return web.HTTPSeeOther(f"{address}{joint}{urlencode(parameters)}")


def _refuse(status: int, error: str, words: str) -> Response:
    content = {"error": error, "error_description": words}
    return web.json_response(content, status=status)
