"""A Telegram to practise on: the part of its Bot API that a channel uses.

It keeps Telegram's lengths, sizes, rights and its 48 hours for deletions, answers its
errors in its words, and goes wrong on demand. Of its limits on how often a bot may post
it keeps the one by the minute. People see a channel at ``/@{handle}``, a private one
under its number.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.clock import Clock
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.social_page import Shown, show_posts
from outletbot.sandbox.telegram_methods import METHODS, Call
from outletbot.sandbox.telegram_rules import MAX_PHOTO, Refusal
from outletbot.sandbox.telegram_state import Account, TelegramSandbox, too_many

__all__ = ["FAULTS", "SANDBOX", "Account", "build_telegram_sandbox"]

FAULTS = web.AppKey("telegram_faults", Faults)
SANDBOX = web.AppKey("telegram_sandbox", TelegramSandbox)


def build_telegram_sandbox(
    *,
    clock: Clock,
    public_url: str,
    accounts: Iterable[Account],
    faults: Faults | None = None,
    state_path: Path | None = None,
) -> web.Application:
    """Build the server; *public_url* is how people and clients reach it.

    With *state_path* posts go on after a restart, given the same *accounts*. The server
    is ``app[SANDBOX]``, and what shall go wrong ``app[FAULTS]``: a call is named
    ``POST /bot{token}/sendMessage``.
    """
    faults = faults or Faults()
    app = web.Application(
        client_max_size=11 * MAX_PHOTO,
        middlewares=[
            inject(faults, too_many=_too_many, error=_broken),
            _answer_errors,
        ],
    )
    app[SANDBOX] = TelegramSandbox(
        clock=clock, public_url=public_url, accounts=accounts, state_path=state_path
    )
    app[FAULTS] = faults
    for name in METHODS:
        app.router.add_route("*", f"/bot{{token}}/{name}", partial(_answer, name))
    app.router.add_get("/photos/{id}", _show_photo)
    app.router.add_get("/@{handle}", _show_channel)
    # As t.me has the address of one post, in a public channel or a private one.
    app.router.add_get(r"/{handle}/{message:\d+}", _show_channel)
    app.router.add_get(r"/c/{handle}/{message:\d+}", _show_channel)
    app.cleanup_ctx.append(_close)
    return app


async def _close(app: web.Application) -> AsyncIterator[None]:
    yield
    app[SANDBOX].shelf.close()


async def _answer(method: str, request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = sandbox.account_of(request.match_info["token"])
    fields, files = await _read(request)
    result = METHODS[method](Call(sandbox, account, fields, files))
    return web.json_response({"ok": True, "result": result})


async def _read(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a call in any of the ways in which Telegram takes it."""
    fields: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        return fields | await request.json(), {}
    files: dict[str, bytes] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = value.file.read()
        else:
            fields[name] = value
    return fields, files


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return _refuse(refusal)
    except web.HTTPClientError as error:
        return _refuse(Refusal(error.status, error.reason))
    except ValueError:
        return _refuse(Refusal(400, "Bad Request: can't parse the request"))


def _refuse(refusal: Refusal) -> web.Response:
    answer: dict[str, Any] = {
        "ok": False,
        "error_code": refusal.status,
        "description": refusal.description,
    }
    headers = {}
    if refusal.parameters:
        answer["parameters"] = dict(refusal.parameters)
    if "retry_after" in refusal.parameters:
        headers["Retry-After"] = str(refusal.parameters["retry_after"])
    return web.json_response(answer, status=refusal.status, headers=headers)


def _too_many(_request: web.Request) -> web.Response:
    return _refuse(too_many(timedelta(seconds=17)))


def _broken(_request: web.Request) -> web.Response:
    return _refuse(Refusal(500, "Internal Server Error"))


async def _show_photo(request: web.Request) -> web.Response:
    content = request.app[SANDBOX].shelf.content("message", request.match_info["id"])
    if content is None:
        raise web.HTTPNotFound
    return web.Response(body=content, content_type="image/jpeg")


async def _show_channel(request: web.Request) -> web.Response:
    sandbox, handle = request.app[SANDBOX], request.match_info["handle"]
    for account in sandbox.accounts.values():
        number = str(account.channel_id)
        if handle in {account.handle, number, number.removeprefix("-100")}:
            break
    else:
        raise web.HTTPNotFound
    albums = groupby(_wanted(request, sandbox.messages(account)), key=_album)
    posts = [_shown(sandbox, list(messages)) for _, messages in albums]
    name = f"@{account.handle}" if account.handle else account.title
    return show_posts("Telegram", name, reversed(posts))


def _wanted(request: web.Request, messages: Iterable[Thing]) -> list[Thing]:
    """Return the messages of the post that the address names, or all if none."""
    every, named = list(messages), request.match_info.get("message")
    albums = {_album(kept) for kept in every if str(kept["message_id"]) == named}
    if named and not albums:
        raise web.HTTPNotFound
    return [kept for kept in every if not named or _album(kept) in albums]


def _album(kept: Thing) -> str:
    return kept.get("media_group_id") or f"message {kept['message_id']}"


def _shown(sandbox: TelegramSandbox, messages: Sequence[Thing]) -> Shown:
    first = messages[0]
    preview = first.get("link_preview_options") or {}
    card = (preview["url"], preview["url"]) if preview.get("url") else None
    return Shown(
        _words(first),
        datetime.fromtimestamp(first["date"], UTC),
        pictures=[
            (f"{sandbox.public_url}/photos/{kept['message_id']}", "")
            for kept in messages
            if "photo" in kept
        ],
        card=card,
        note=", ".join(_notes(first)),
    )


def _words(kept: Thing) -> str:
    if "poll" not in kept:
        return str(kept.get("text") or kept.get("caption") or "")
    poll = kept["poll"]
    options = [f"○ {option}" for option in poll["options"]]
    return "\n".join([poll["description"], poll["question"], *options])


def _notes(kept: Thing) -> Iterable[str]:
    if "answers" in kept:
        yield f"answers message {kept['answers']}"
    if "edit_date" in kept:
        yield "edited"
