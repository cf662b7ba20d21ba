"""A Discord to practise on: the part of its API that has to do with webhooks.

It keeps Discord's lengths, numbers, sizes and rate limits, answers its errors in its
form with its codes, and goes wrong on demand. People see what a webhook posted at
``/@{handle}``.
"""

import json
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.clock import Clock
from outletbot.sandbox.discord_rules import MAX_FILE, Refusal
from outletbot.sandbox.discord_state import (
    Account,
    DiscordSandbox,
    message_json,
    webhook_json,
)
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.social_page import Shown, show_posts
from outletbot.sandbox.windows import Budget, Spent

__all__ = ["FAULTS", "SANDBOX", "Account", "build_discord_sandbox"]

FAULTS = web.AppKey("discord_faults", Faults)
SANDBOX = web.AppKey("discord_sandbox", DiscordSandbox)

BUCKET = Budget(5, timedelta(seconds=2))
CHANNEL = Budget(30, timedelta(minutes=1))
WEBHOOK = "/api/v10/webhooks/{webhook_id}/{webhook_token}"
MESSAGE = WEBHOOK + "/messages/{message_id}"

routes = web.RouteTableDef()


def build_discord_sandbox(
    *,
    clock: Clock,
    public_url: str,
    accounts: Iterable[Account],
    faults: Faults | None = None,
    state_path: Path | None = None,
) -> web.Application:
    """Build the server; *public_url* is how people and clients reach it.

    With *state_path* messages go on after a restart, given the same *accounts*; rate
    limits begin anew. The server is ``app[SANDBOX]``, and what shall go wrong
    ``app[FAULTS]``.
    """
    faults = faults or Faults()
    app = web.Application(
        client_max_size=11 * MAX_FILE,
        middlewares=[
            inject(faults, too_many=_too_many, error=_broken),
            _answer_errors,
            _limit_rate,
        ],
    )
    app[SANDBOX] = DiscordSandbox(
        clock=clock, public_url=public_url, accounts=accounts, state_path=state_path
    )
    app[FAULTS] = faults
    app.add_routes(routes)
    app.cleanup_ctx.append(_close)
    return app


async def _close(app: web.Application) -> AsyncIterator[None]:
    yield
    app[SANDBOX].shelf.close()


@routes.get(WEBHOOK)
async def get_webhook(request: web.Request) -> web.Response:
    return _json(webhook_json(_account(request)))


@routes.post(WEBHOOK)
async def execute_webhook(request: web.Request) -> web.Response:
    """Post a message, and tell of it if the client waits."""
    sandbox, account = request.app[SANDBOX], _account(request)
    message = sandbox.post(account, *await _read(request))
    if request.query.get("wait", "false").lower() not in {"true", "1"}:
        return web.Response(status=204)
    return _json(message_json(account, message))


@routes.get(MESSAGE)
async def get_message(request: web.Request) -> web.Response:
    account = _account(request)
    message = request.app[SANDBOX].message(account, request.match_info["message_id"])
    return _json(message_json(account, message))


@routes.patch(MESSAGE)
async def edit_message(request: web.Request) -> web.Response:
    sandbox, account = request.app[SANDBOX], _account(request)
    wish, files = await _read(request)
    message_id = request.match_info["message_id"]
    message = sandbox.edit(account, message_id, wish, files)
    return _json(message_json(account, message))


@routes.delete(MESSAGE)
async def delete_message(request: web.Request) -> web.Response:
    sandbox, account = request.app[SANDBOX], _account(request)
    message = sandbox.message(account, request.match_info["message_id"])
    sandbox.shelf.drop("message", message["id"])
    return web.Response(status=204)


@routes.get("/attachments/{channel_id}/{id}/{filename}")
async def show_attachment(request: web.Request) -> web.Response:
    shelf, attachment_id = request.app[SANDBOX].shelf, request.match_info["id"]
    attachment = shelf.get("attachment", attachment_id)
    if attachment is None:
        raise web.HTTPNotFound
    kind = attachment.get("content_type", "application/octet-stream")
    content = shelf.content("attachment", attachment_id)
    return web.Response(body=content, content_type=kind)


@routes.get("/@{handle}")
async def show_channel(request: web.Request) -> web.Response:
    sandbox, handle = request.app[SANDBOX], request.match_info["handle"]
    for account in sandbox.accounts.values():
        if account.handle == handle:
            posts = [_shown(message) for message in sandbox.messages(account)]
            return show_posts("Discord", account.name, reversed(posts))
    raise web.HTTPNotFound


@routes.get("/channels/{guild_id}/{channel_id}/{message_id}")
async def show_message(request: web.Request) -> web.Response:
    """Show one post at the address that Discord's app has for it."""
    sandbox, named = request.app[SANDBOX], request.match_info["message_id"]
    for account in sandbox.accounts.values():
        for message in sandbox.messages(account):
            if message["id"] == named:
                return show_posts("Discord", account.name, [_shown(message)])
    raise web.HTTPNotFound


def _json(content: Any, status: int = 200) -> web.Response:
    """Answer as Discord does, which names no charset; discord.py looks."""
    body = json.dumps(content).encode()
    return web.Response(body=body, status=status, content_type="application/json")


def _account(request: web.Request) -> Account:
    named = request.match_info
    return request.app[SANDBOX].account_of(named["webhook_id"], named["webhook_token"])


async def _read(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a message: JSON, or a form with files beside ``payload_json``."""
    try:
        if request.content_type == "application/json":
            return await request.json(), {}
        form = await request.post()
        files = {
            name: value.file.read()
            for name, value in form.items()
            if isinstance(value, web.FileField)
        }
        return json.loads(_payload(form.get("payload_json"))), files
    except ValueError as error:
        words = "The request body contains invalid JSON."
        raise Refusal(400, 50109, words) from error


def _payload(part: object) -> str | bytes:
    """Read a part of a form; one that names its type comes as bytes."""
    return bytes(part) if isinstance(part, bytearray) else str(part or "{}")


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return _refuse(refusal)
    except web.HTTPClientError as error:
        words = f"{error.status}: {error.reason}"
        return _refuse(Refusal(error.status, 0, words))


def _refuse(refusal: Refusal) -> web.Response:
    answer: dict[str, Any] = {"message": refusal.message, "code": refusal.code}
    if refusal.errors:
        answer["errors"] = refusal.errors
    return _json(answer, status=refusal.status)


@web.middleware
async def _limit_rate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the calls that post, edit or delete: of a webhook, and in a channel."""
    if request.method == "GET" or "webhook_id" not in request.match_info:
        return await handler(request)
    sandbox, account = request.app[SANDBOX], _account(request)
    now = sandbox.clock()
    spent = sandbox.windows.spend(account.webhook_id, BUCKET, now=now)
    if request.method == "POST" and not spent.over:
        posted = sandbox.windows.spend(account.channel_id, CHANNEL, now=now)
        spent = posted if posted.over else spent
    answer = _slow_down(spent, now) if spent.over else await handler(request)
    answer.headers.update(_rate_headers(spent, now))
    return answer


def _rate_headers(spent: Spent, now: datetime) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(spent.budget.calls),
        "X-RateLimit-Remaining": str(spent.left),
        "X-RateLimit-Reset": f"{spent.resets_at.timestamp():.3f}",
        "X-RateLimit-Reset-After": f"{(spent.resets_at - now).total_seconds():.3f}",
        "X-RateLimit-Bucket": "b29e7d2e1a9f4d5c8e6f7a8b9c0d1e2f",
    }


def _slow_down(spent: Spent, now: datetime) -> web.Response:
    seconds = (spent.resets_at - now).total_seconds()
    answer = {
        "message": "You are being rate limited.",
        "retry_after": seconds,
        "global": False,
        "code": 0,
    }
    limited = _json(answer, status=429)
    limited.headers.update({"Retry-After": f"{seconds:.0f}", "Via": "1.1 google"})
    return limited


def _too_many(request: web.Request) -> web.Response:
    now = request.app[SANDBOX].clock()
    return _slow_down(Spent(BUCKET, 6, now + timedelta(seconds=1.25)), now)


def _broken(_request: web.Request) -> web.Response:
    return _refuse(Refusal(500, 0, "500: Internal Server Error"))


def _shown(message: Thing) -> Shown:
    embed: Thing = next(iter(message["embeds"]), {})
    card = (embed.get("url", ""), embed.get("title", "")) if embed else None
    words = [message["content"]]
    if message["poll"]:
        words.append(message["poll"]["question"]["text"])
        answers = (one["poll_media"]["text"] for one in message["poll"]["answers"])
        words.extend(f"○ {answer}" for answer in answers)
    return Shown(
        "\n".join(words),
        datetime.fromisoformat(message["timestamp"]),
        pictures=[
            (one["url"], one.get("description", "")) for one in message["attachments"]
        ],
        card=card,
        note="edited" if message["edited_timestamp"] else "",
    )
