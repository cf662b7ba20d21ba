"""How an app is let into an account of the sandbox's Mastodon server."""

from typing import Any

from aiohttp import web
from aiohttp.web import Request, Response
from jinja2 import Environment
from yarl import URL

from outletbot.sandbox.mastodon_apps import Consent
from outletbot.sandbox.mastodon_routes import SANDBOX, read_fields
from outletbot.sandbox.shelf import Thing

doors = web.RouteTableDef()

_PAGE = Environment(autoescape=True).from_string(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Authorization required · a Mastodon to practise on</title>
<body style="max-width: 30em; margin: 3em auto; font: 16px/1.5 system-ui, sans-serif">
<h1>Authorization required</h1>
<p><b>{{ app.name }}</b> would like permission to access your account.</p>
<ul>{% for scope in scopes %}<li>{{ scope }}</li>{% endfor %}</ul>
<form method="post">
<p><label>Account <select name="account">{% for account in accounts %}
<option>{{ account.username }}</option>
{% endfor %}</select></label></p>
<p><button name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Deny</button></p>
</form>
"""
)


@doors.post("/api/v1/apps")
async def register_app(request: Request) -> Response:
    fields = await read_fields(request)
    uris = fields.get("redirect_uris") or []
    app = request.app[SANDBOX].apps.register(
        str(fields.get("client_name") or ""),
        uris.split() if isinstance(uris, str) else [str(uri) for uri in uris],
        str(fields.get("scopes") or "read"),
        str(fields.get("website") or ""),
    )
    return web.json_response(app)


@doors.get("/oauth/authorize")
async def ask_consent(request: Request) -> Response:
    page = _PAGE.render(
        app=_asking(request),
        scopes=_scopes(request),
        accounts=request.app[SANDBOX].accounts.values(),
    )
    return Response(text=page, content_type="text/html")


@doors.post("/oauth/authorize")
async def give_consent(request: Request) -> Response:
    """Send the person back, with a code or without."""
    app, query, form = _asking(request), request.query, await request.post()
    sandbox, username = request.app[SANDBOX], str(form.get("account", ""))
    if form.get("answer") != "allow":
        words = "The resource owner or authorization server denied the request."
        raise _back(request, error="access_denied", error_description=words)
    if username not in sandbox.accounts:
        raise web.HTTPBadRequest(text="There is no such account.")
    consent = Consent(
        app["client_id"],
        username,
        query["redirect_uri"],
        tuple(_scopes(request)),
        query.get("code_challenge", ""),
    )
    raise _back(request, code=sandbox.apps.issue_code(consent))


@doors.post("/oauth/token")
async def give_token(request: Request) -> Response:
    sandbox, fields = request.app[SANDBOX], await read_fields(request)
    app = sandbox.apps.app(str(fields.get("client_id")))
    if app is None or app["client_secret"] != fields.get("client_secret"):
        words = "Client authentication failed due to unknown client."
        return _refuse(401, "invalid_client", words)
    if fields.get("grant_type") != "authorization_code":
        words = "The authorization grant type is not supported."
        return _refuse(400, "unsupported_grant_type", words)
    token = sandbox.apps.spend_code(
        str(fields.get("code")),
        client_id=app["client_id"],
        redirect_uri=str(fields.get("redirect_uri")),
        verifier=str(fields.get("code_verifier") or ""),
    )
    if token is None:
        words = "The provided authorization grant is invalid, expired, or revoked."
        return _refuse(400, "invalid_grant", words)
    return web.json_response(token)


def _asking(request: Request) -> Thing:
    """Return the app that asks; one that asks wrongly is sent nowhere."""
    query = request.query
    app = request.app[SANDBOX].apps.app(query.get("client_id", ""))
    if app is None:
        words = "Client authentication failed due to unknown client."
        raise web.HTTPUnauthorized(text=words)
    if query.get("redirect_uri") not in app["redirect_uris"]:
        words = "The redirect uri included is not valid."
        raise web.HTTPBadRequest(text=words)
    if query.get("response_type") != "code":
        words = "The authorization server does not support this response type."
        raise web.HTTPBadRequest(text=words)
    if not set(_scopes(request)) <= set(app["scopes"]):
        words = "The requested scope is invalid, unknown, or malformed."
        raise web.HTTPBadRequest(text=words)
    if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
        raise web.HTTPBadRequest(text="The code challenge method must be S256.")
    return app


def _scopes(request: Request) -> list[str]:
    return request.query.get("scope", "read").split()


def _back(request: Request, **facts: str) -> web.HTTPFound:
    query: dict[str, Any] = dict(facts)
    if state := request.query.get("state"):
        query["state"] = state
    return web.HTTPFound(URL(request.query["redirect_uri"]).update_query(query))


def _refuse(status: int, error: str, description: str) -> Response:
    answer = {"error": error, "error_description": description}
    return web.json_response(answer, status=status)
