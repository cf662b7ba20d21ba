"""The calls of Threads' API that a channel makes, as HTTP."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from outletbot.sandbox.meta_calls import select
from outletbot.sandbox.meta_errors import GraphFault, refuse
from outletbot.sandbox.meta_instagram import Fetcher
from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.threads_rules import missing
from outletbot.sandbox.threads_state import (
    DELETIONS,
    POSTS,
    REPLIES,
    Pass,
    ThreadsSandbox,
)

SANDBOX = web.AppKey("threads_sandbox", ThreadsSandbox)
FETCHER = web.AppKey("threads_fetcher", Fetcher)
METRICS = ("views", "likes", "replies", "reposts", "quotes", "shares")

routes = web.RouteTableDef()


def pass_of(request: web.Request) -> Pass:
    header = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = request.query.get("access_token", header)
    if not token:
        message = "An active access token must be used to query information."
        raise GraphFault(2500, message)
    good = request.app[SANDBOX].open(token)
    if request.match_info.get("user", "me") not in {"me", good.user_id}:
        raise missing()
    return good


@routes.get("/v1.0/me")
async def show_profile(request: web.Request) -> web.Response:
    good = pass_of(request)
    good.needs()
    account = request.app[SANDBOX].accounts[good.user_id]
    whole = {"id": account.user_id, "username": account.handle}
    return _answer(request, whole)


@routes.post("/v1.0/{user}/threads")
async def make_container(request: web.Request) -> web.Response:
    good, form = pass_of(request), await _form(request)
    good.needs("threads_content_publish")
    if "reply_to_id" in form:
        good.needs("threads_manage_replies")
    content = None
    if form.get("media_type") == "IMAGE":
        if not form.get("image_url"):
            refuse("The parameter image_url is required")
        content = await request.app[FETCHER].fetch(form["image_url"])
    number = request.app[SANDBOX].make_container(good.user_id, form, content)
    return web.json_response({"id": number})


@routes.get("/v1.0/{user}/threads")
async def list_posts(request: web.Request) -> web.Response:
    good = pass_of(request)
    good.needs()
    sandbox = request.app[SANDBOX]
    return _page(request, sandbox.posts(user_id=good.user_id, kind="post"))


@routes.post("/v1.0/{user}/threads_publish")
async def publish(request: web.Request) -> web.Response:
    good, form = pass_of(request), await _form(request)
    good.needs("threads_content_publish")
    made = request.app[SANDBOX].publish(good.user_id, form.get("creation_id", ""))
    return web.json_response({"id": made})


@routes.get("/v1.0/{user}/threads_publishing_limit")
async def show_quota(request: web.Request) -> web.Response:
    good, sandbox = pass_of(request), request.app[SANDBOX]
    good.needs("threads_content_publish")
    quota: Thing = {}
    for prefix, kind, total in (
        ("", "post", POSTS),
        ("reply_", "reply", REPLIES),
        ("delete_", "deletion", DELETIONS),
    ):
        quota[f"{prefix}quota_usage"] = sandbox.used(good.user_id, kind)
        quota[f"{prefix}config"] = {"quota_total": total, "quota_duration": 86400}
    asked = request.query.get("fields", "quota_usage").split(",")
    return web.json_response({"data": [{name: quota[name] for name in asked}]})


@routes.get("/v1.0/{id}/replies")
async def list_replies(request: web.Request) -> web.Response:
    pass_of(request).needs("threads_read_replies")
    number = request.match_info["id"]
    request.app[SANDBOX].post(number)
    return _page(request, request.app[SANDBOX].posts(reply_to_id=number))


@routes.get("/v1.0/{id}/insights")
async def show_insights(request: web.Request) -> web.Response:
    pass_of(request).needs("threads_manage_insights")
    sandbox, number = request.app[SANDBOX], request.match_info["id"]
    sandbox.post(number)
    values = {"replies": len(sandbox.posts(reply_to_id=number))}
    values |= sandbox.shelf.get("numbers", number) or {}
    asked = request.query.get("metric", "").split(",")
    if not set(asked) <= set(METRICS):
        refuse(f"(#100) metric must be one of {', '.join(METRICS)}")
    metrics = [
        {
            "name": name,
            "period": "lifetime",
            "values": [{"value": values.get(name, 0)}],
            "title": name.title(),
            "id": f"{number}/insights/{name}/lifetime",
        }
        for name in asked
    ]
    return web.json_response({"data": metrics})


@routes.get("/v1.0/{id}")
async def show_thing(request: web.Request) -> web.Response:
    good, number = pass_of(request), request.match_info["id"]
    good.needs()
    sandbox = request.app[SANDBOX]
    if sandbox.shelf.get("container", number):
        return _answer(request, sandbox.look_at_container(number))
    return _answer(request, _whole(sandbox, number, sandbox.post(number)))


@routes.delete("/v1.0/{id}")
async def delete_post(request: web.Request) -> web.Response:
    good, number = pass_of(request), request.match_info["id"]
    good.needs("threads_delete")
    request.app[SANDBOX].delete(good.user_id, number)
    return web.json_response({"success": True, "deleted_id": number})


async def _form(request: web.Request) -> Mapping[str, str]:
    sent = {**request.query, **await request.post()}
    return {name: str(value) for name, value in sent.items()}


def _answer(request: web.Request, whole: Thing) -> web.Response:
    return web.json_response(select(whole, request.query.get("fields", "")))


def _page(request: web.Request, posts: Sequence[tuple[str, Thing]]) -> web.Response:
    """Answer a page; Threads tells where it ends by cursors alone."""
    start = int(request.query.get("after", "0"))
    limit = min(int(request.query.get("limit", "25")), 100)
    chosen = posts[start : start + limit]
    sandbox, fields = request.app[SANDBOX], request.query.get("fields", "")
    data = [select(_whole(sandbox, number, one), fields) for number, one in chosen]
    answer: dict[str, Any] = {"data": data}
    if chosen:
        answer["paging"] = {"cursors": {"after": str(start + len(chosen))}}
    return web.json_response(answer)


def _whole(sandbox: ThreadsSandbox, number: str, post: Thing) -> Thing:
    handle = sandbox.accounts[post["user_id"]].handle
    at = datetime.fromisoformat(post["made_at"])
    kinds = {"TEXT": "TEXT_POST", "CAROUSEL": "CAROUSEL_ALBUM"}
    return {
        "id": number,
        "media_product_type": "THREADS",
        "media_type": kinds.get(post["media_type"], post["media_type"]),
        "permalink": f"{sandbox.public_url}/@{handle}/post/{number}",
        "username": handle,
        "text": post.get("text", ""),
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "link_attachment_url": post.get("link_attachment"),
    }
