"""The calls of X's API v2 that a channel makes, and what each of them is allowed."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web
from aiohttp.web import Request, Response

from outletbot.sandbox.windows import Budget, Spent
from outletbot.sandbox.x_grants import Account
from outletbot.sandbox.x_json import media_json, post_json, read_wanted
from outletbot.sandbox.x_rules import Refusal, forbidden, invalid, not_found, problem
from outletbot.sandbox.x_state import Wish, XSandbox

SANDBOX = web.AppKey("x_sandbox", XSandbox)
SPENT = web.RequestKey("x_spent", dict[str, str])

Action = Callable[[Request, Account], Awaitable[Response]]

routes = web.RouteTableDef()

_QUARTER, _DAY = timedelta(minutes=15), timedelta(days=1)
_DEFAULT_PAGE, _LEAST_PAGE, _MOST_PAGE = 10, 5, 100


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may do in a quarter of an hour, and the app in a day."""

    calls: int
    daily: int | None = None


POSTING = Limits(100, daily=10_000)
DELETING = Limits(50)
READING = Limits(900)
KNOWING = Limits(75)
UPLOADING = Limits(500)


def call(
    method: str, path: str, limits: Limits, *scopes: str
) -> Callable[[Action], Action]:
    """Make a route of an action, for whoever has a token for all of *scopes*."""

    def route(action: Action) -> Action:
        async def handle(request: Request) -> Response:
            sandbox = request.app[SANDBOX]
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            account = sandbox.grants.account(token, scopes)
            _spend(request, account, f"{method} {path}", limits)
            return await action(request, account)

        routes.route(method, path)(handle)
        return action

    return route


def _spend(request: Request, account: Account, name: str, limits: Limits) -> None:
    sandbox = request.app[SANDBOX]
    own = Budget(limits.calls, _QUARTER)
    spent = {"x-rate-limit": sandbox.spend(f"{account.id} {name}", own)}
    if limits.daily is not None:
        whole = Budget(limits.daily, _DAY)
        spent["x-app-limit-24hour"] = sandbox.spend(name, whole)
    request[SPENT] = rate_headers(spent)
    if any(one.over for one in spent.values()):
        raise problem(429, "Too Many Requests")


def rate_headers(spent: Mapping[str, Spent]) -> dict[str, str]:
    headers = {}
    for name, one in spent.items():
        headers[f"{name}-limit"] = str(one.budget.calls)
        headers[f"{name}-remaining"] = str(one.left)
        headers[f"{name}-reset"] = str(int(one.resets_at.timestamp()))
    return headers


@call("GET", "/2/users/me", KNOWING, "users.read", "tweet.read")
async def show_me(_request: Request, account: Account) -> Response:
    name = account.name or account.handle
    me = {"id": account.id, "name": name, "username": account.handle}
    return web.json_response({"data": me})


@call("POST", "/2/tweets", POSTING, "tweet.write", "users.read", "tweet.read")
async def create_post(request: Request, account: Account) -> Response:
    sandbox = request.app[SANDBOX]
    post = sandbox.create_post(account, read_wish(await _read_json(request)))
    data = post_json(sandbox, post, read_wanted({}))
    return web.json_response({"data": data}, status=201)


@call("DELETE", "/2/tweets/{id}", DELETING, "tweet.write", "users.read", "tweet.read")
async def delete_post(request: Request, account: Account) -> Response:
    if not request.app[SANDBOX].delete_post(account, request.match_info["id"]):
        raise problem(404, "Not Found")
    return web.json_response({"data": {"deleted": True}})


@call("GET", "/2/tweets", READING, "tweet.read", "users.read")
async def show_posts(request: Request, _account: Account) -> Response:
    sandbox, wanted = request.app[SANDBOX], read_wanted(request.query)
    ids = request.query.get("ids", "").split(",")
    if not 1 <= len(ids) <= 100 or not all(one.isdecimal() for one in ids):
        raise invalid("ids", "size must be between 1 and 100", ids)
    found = {one: sandbox.shelf.get("post", one) for one in ids}
    data = [post_json(sandbox, post, wanted) for post in found.values() if post]
    errors = [not_found(one, "ids") for one, post in found.items() if not post]
    return _answer(data=data, errors=errors)


@call("GET", "/2/users/{id}/tweets", READING, "tweet.read", "users.read")
async def show_timeline(request: Request, _account: Account) -> Response:
    sandbox, wanted = request.app[SANDBOX], read_wanted(request.query)
    size = _page_size(request)
    posts = sandbox.posts_of(request.match_info["id"])
    if "replies" in request.query.get("exclude", ""):
        posts = [post for post in posts if not post["answers"]]
    since = request.query.get("start_time", "").replace("Z", "+00:00")
    before = _last_id(request)
    posts = [
        post
        for post in posts
        if post["created_at"] >= since and (not before or int(post["id"]) < before)
    ]
    page = [post_json(sandbox, post, wanted) for post in posts[:size]]
    meta: dict[str, Any] = {"result_count": len(page)}
    if page:
        meta |= {"newest_id": page[0]["id"], "oldest_id": page[-1]["id"]}
    if len(posts) > size:
        meta["next_token"] = _token(page[-1]["id"])
    return _answer(data=page, meta=meta)


@call("POST", "/2/media/upload", UPLOADING, "media.write")
async def upload(request: Request, account: Account) -> Response:
    form = await request.post()
    media = form.get("media")
    if not isinstance(media, web.FileField):
        raise invalid("media", "media is required")
    if form.get("media_category") != "tweet_image":
        raise invalid("media_category", "is not one of [tweet_image]")
    with media.file as file:
        kept = request.app[SANDBOX].upload(account, file.read())
    return web.json_response({"data": media_json(kept)})


@call("GET", "/2/media/upload", UPLOADING, "media.write")
async def show_upload(request: Request, account: Account) -> Response:
    media_id = request.query.get("media_id", "")
    kept = request.app[SANDBOX].look_at_media(account, media_id)
    return web.json_response({"data": media_json(kept)})


@call("POST", "/2/media/metadata", UPLOADING, "media.write")
async def describe(request: Request, account: Account) -> Response:
    match await _read_json(request):
        case {"id": str(media_id), "metadata": {"alt_text": {"text": str(alt)}}}:
            request.app[SANDBOX].describe(account, media_id, alt)
            about = {"alt_text": {"text": alt}}
            data = {"id": media_id, "associated_metadata": about}
            return web.json_response({"data": data})
    raise invalid("metadata", "alt_text is required")


def read_wish(body: Any) -> Wish:
    """Read what is asked for; what the description does not know is refused."""
    if not isinstance(body, dict):
        raise invalid("body", "is not an object")
    unknown = set(body) - {"text", "media", "reply", "poll"}
    if unknown:
        raise invalid("body", "object has unexpected properties", sorted(unknown))
    if "reply" in body and not body["reply"]["in_reply_to_tweet_id"].isdecimal():
        detail = "in_reply_to_tweet_id"
        raise forbidden(detail)
    poll = body.get("poll", {})
    return Wish(
        text=str(body.get("text", "")),
        media_ids=tuple(body.get("media", {}).get("media_ids", ())),
        answers=body.get("reply", {}).get("in_reply_to_tweet_id", ""),
        options=tuple(poll.get("options", ())),
        minutes=int(poll.get("duration_minutes", 0)),
    )


async def _read_json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError as error:
        raise invalid("body", "is not valid JSON") from error


def _page_size(request: Request) -> int:
    size = request.query.get("max_results", str(_DEFAULT_PAGE))
    if not size.isdecimal() or not _LEAST_PAGE <= int(size) <= _MOST_PAGE:
        raise invalid("max_results", "must be between 5 and 100", size)
    return int(size)


def _last_id(request: Request) -> int:
    """Return the id that a page goes on below, or 0."""
    token = request.query.get("pagination_token", "")
    try:
        return int(base64.b32hexdecode(token.upper()) or 0)
    except ValueError as error:
        raise invalid("pagination_token", "is not a valid token", token) from error


def _token(post_id: str) -> str:
    return base64.b32hexencode(post_id.encode()).decode().lower()


def _answer(**parts: Any) -> Response:
    """Answer as X does: a list without anything in it is not there at all."""
    return web.json_response({name: part for name, part in parts.items() if part})


def answer_refusal(refusal: Refusal) -> Response:
    return web.json_response(
        refusal.content,
        status=refusal.status,
        content_type="application/problem+json",
    )
