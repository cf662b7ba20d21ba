"""What people see of a LinkedIn: its pages, and the question whether we may come in."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import Any

from aiohttp import web

from outletbot.sandbox.linkedin_routes import SANDBOX
from outletbot.sandbox.linkedin_rules import images_in, read_little
from outletbot.sandbox.linkedin_state import LinkedInSandbox
from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.social_page import Shown, show_posts

pages = web.RouteTableDef()

_QUESTION = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>LinkedIn to practise on</title>
<p>An application would like to post as the pages you administer: {pages}.</p>
<form action="{action}"><input type="hidden" name="code" value="{code}">
<input type="hidden" name="state" value="{state}"><button>Allow</button></form></html>
"""


@pages.get("/oauth/v2/authorization")
async def ask(request: web.Request) -> web.Response:
    sandbox, query = request.app[SANDBOX], request.query
    for name in ("client_id", "redirect_uri", "scope"):
        if name not in query:
            raise web.HTTPBadRequest(text=f"You need to pass the '{name}' parameter")
    code = sandbox.grants.issue_code(query["redirect_uri"], query["scope"].split())
    handles = ", ".join(account.handle for account in sandbox.accounts.values())
    text = _QUESTION.format(
        pages=escape(handles),
        action=escape(query["redirect_uri"]),
        code=code,
        state=escape(query.get("state", "")),
    )
    return web.Response(text=text, content_type="text/html")


@pages.post("/oauth/v2/accessToken")
async def give_token(request: web.Request) -> web.Response:
    sandbox, form = request.app[SANDBOX], await request.post()
    said = {name: str(value) for name, value in form.items()}
    if not (said.get("client_id") and said.get("client_secret")):
        return _refuse(401, "invalid_client", "Client authentication failed")
    match said.get("grant_type"):
        case "authorization_code":
            tokens = sandbox.grants.spend_code(said["code"], said["redirect_uri"])
            words = "Unable to retrieve access token: authorization code not found"
            refused = _refuse(400, "invalid_request", words)
        case "refresh_token":
            tokens = sandbox.grants.renew(said["refresh_token"])
            words = "The provided authorization grant or refresh token is invalid"
            refused = _refuse(400, "invalid_grant", words)
        case _:
            return _refuse(400, "unsupported_grant_type", "Unknown grant type")
    return refused if tokens is None else web.json_response(tokens)


@pages.get("/@{handle}")
async def show_page(request: web.Request) -> web.Response:
    sandbox, handle = request.app[SANDBOX], request.match_info["handle"]
    for account in sandbox.accounts.values():
        if account.handle == handle:
            posts = [_shown(sandbox, post) for _, post in sandbox.posts(account.urn)]
            return show_posts("LinkedIn", account.name or handle, posts)
    raise web.HTTPNotFound


@pages.get("/feed/update/{urn}")
async def show_post(request: web.Request) -> web.Response:
    sandbox, urn = request.app[SANDBOX], request.match_info["urn"]
    post = sandbox.shelf.get("post", urn)
    if post is None:
        raise web.HTTPNotFound
    account = sandbox.accounts[post["author"]]
    name = account.name or account.handle
    return show_posts("LinkedIn", name, [_shown(sandbox, post)])


@pages.get("/pictures/{urn}")
async def show_picture(request: web.Request) -> web.Response:
    content = request.app[SANDBOX].shelf.content("image", request.match_info["urn"])
    if content is None:
        raise web.HTTPNotFound
    kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
    return web.Response(body=content, content_type=kind)


def _refuse(status: int, error: str, description: str) -> web.Response:
    answer = {"error": error, "error_description": description}
    return web.json_response(answer, status=status)


def _shown(sandbox: LinkedInSandbox, post: Thing) -> Shown:
    content = post.get("content", {})
    return Shown(
        "\n".join([read_little(post["commentary"]), *_poll(content)]),
        datetime.fromtimestamp(post["createdAt"] / 1000, UTC),
        address=f"{sandbox.public_url}/feed/update/{post['id']}",
        pictures=[
            (f"{sandbox.public_url}/pictures/{image['id']}", image.get("altText", ""))
            for image in images_in(content)
        ],
        card=_card(content),
        note="edited" if post["lastModifiedAt"] > post["createdAt"] else "",
        answers=[_commented(comment) for comment in sandbox.comments(post["id"])],
    )


def _commented(comment: Thing) -> Shown:
    made_at = datetime.fromtimestamp(comment["created"]["time"] / 1000, UTC)
    return Shown(comment["message"]["text"], made_at)


def _card(content: Any) -> tuple[str, str] | None:
    article = content.get("article")
    return (article["source"], article["title"]) if article else None


def _poll(content: Any) -> Iterator[str]:
    if "poll" in content:
        yield content["poll"]["question"]
        yield from (f"○ {option['text']}" for option in content["poll"]["options"])
