"""The calls of Mastodon's API that the sandbox answers, and its pages for people."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from aiohttp import web

from outletbot.sandbox import mastodon_json as entities
from outletbot.sandbox.mastodon_objects import Account, Status
from outletbot.sandbox.mastodon_page import show_account, show_status
from outletbot.sandbox.mastodon_rules import Refusal, not_found
from outletbot.sandbox.mastodon_state import MastodonSandbox, PollWish, Wish

SANDBOX = web.AppKey("mastodon_sandbox", MastodonSandbox)
PAGE, MAX_PAGE = 20, 40

routes = web.RouteTableDef()


def token_of(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def authorize(request: web.Request, scope: str) -> Account:
    """Return whose token this is, if it may do what *scope* names.

    Raises:
        Refusal: If there is no such token, or it may not.
    """
    account = request.app[SANDBOX].account_of(token_of(request))
    if account is None:
        status, sentence = 401, "The access token is invalid"
        raise Refusal(status, sentence)
    if not {scope, scope.partition(":")[0]} & set(account.scopes):
        status, sentence = 403, "This action is outside the authorized scopes"
        raise Refusal(status, sentence)
    return account


@routes.get("/api/v2/instance")
@routes.get("/api/v2/instance/")
async def get_instance(request: web.Request) -> web.Response:
    """Describe this server; as on Mastodon, a slash at the end does not matter."""
    return web.json_response(entities.instance_json(request.app[SANDBOX]))


@routes.get("/api/v1/instance")
@routes.get("/api/v1/instance/")
async def get_old_instance(request: web.Request) -> web.Response:
    """Describe this server in the old way, by which clients tell its version."""
    return web.json_response(entities.old_instance_json(request.app[SANDBOX]))


@routes.get("/api/v1/accounts/verify_credentials")
async def verify_credentials(request: web.Request) -> web.Response:
    account = authorize(request, "read:accounts")
    return web.json_response(entities.credentials_json(request.app[SANDBOX], account))


@routes.get("/api/v1/accounts/{id}/statuses")
async def list_statuses(request: web.Request) -> web.Response:
    sandbox, account_id = request.app[SANDBOX], request.match_info["id"]
    if account_id not in {account.id for account in sandbox.accounts.values()}:
        raise not_found()
    page = _page(request, _wanted(request, sandbox.statuses_of(account_id)))
    return web.json_response(
        [entities.status_json(sandbox, status) for status in page],
        headers=_links(request, page),
    )


@routes.post("/api/v2/media")
async def upload_media(request: web.Request) -> web.Response:
    """Take a picture: 202 while it is worked on, 200 if it can be used at once."""
    sandbox, account = request.app[SANDBOX], authorize(request, "write:media")
    form = await request.post()
    file, description = form.get("file"), form.get("description")
    if not isinstance(file, web.FileField):
        status, sentence = 422, "Validation failed: File can't be blank"
        raise Refusal(status, sentence)
    words = description if isinstance(description, str) else None
    media = sandbox.upload(account, file.file.read(), words)
    return web.json_response(
        entities.media_json(sandbox, media),
        status=202 if media.looks_until_ready else 200,
    )


@routes.get("/api/v1/media/{id}")
async def get_media(request: web.Request) -> web.Response:
    sandbox, account = request.app[SANDBOX], authorize(request, "write:media")
    media = sandbox.look_at_media(account, request.match_info["id"])
    return web.json_response(
        entities.media_json(sandbox, media),
        status=206 if media.looks_until_ready else 200,
    )


@routes.post("/api/v1/statuses")
async def create_status(request: web.Request) -> web.Response:
    sandbox, account = request.app[SANDBOX], authorize(request, "write:statuses")
    key = request.headers.get("Idempotency-Key", "")
    status = sandbox.create_status(account, await _read_wish(request), key=key)
    return web.json_response(entities.status_json(sandbox, status))


@routes.get("/api/v1/statuses/{id}")
async def get_status(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    status = sandbox.get_status(request.match_info["id"])
    return web.json_response(entities.status_json(sandbox, status))


@routes.put("/api/v1/statuses/{id}")
async def edit_status(request: web.Request) -> web.Response:
    sandbox, account = request.app[SANDBOX], authorize(request, "write:statuses")
    wish = await _read_wish(request)
    status = sandbox.edit_status(account, request.match_info["id"], wish)
    return web.json_response(entities.status_json(sandbox, status))


@routes.delete("/api/v1/statuses/{id}")
async def delete_status(request: web.Request) -> web.Response:
    """Take a post away and return it with its text, to be written anew."""
    sandbox, account = request.app[SANDBOX], authorize(request, "write:statuses")
    status = sandbox.delete_status(account, request.match_info["id"])
    text = {"text": status.now.text}
    return web.json_response(entities.status_json(sandbox, status) | text)


@routes.get("/api/v1/statuses/{id}/source")
async def get_source(request: web.Request) -> web.Response:
    sandbox, account = request.app[SANDBOX], authorize(request, "read:statuses")
    status = sandbox.own_status(account, request.match_info["id"])
    return web.json_response(entities.source_json(status))


@routes.get("/api/v1/statuses/{id}/history")
async def get_history(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    status = sandbox.get_status(request.match_info["id"])
    versions = (
        entities.version_json(sandbox, status.account, version)
        for version in status.versions
    )
    return web.json_response(list(versions))


@routes.get("/api/v1/statuses/{id}/context")
async def get_context(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    status = sandbox.get_status(request.match_info["id"])
    context = {
        "ancestors": sandbox.ancestors_of(status),
        "descendants": sandbox.replies_to(status),
    }
    return web.json_response(
        {
            name: [entities.status_json(sandbox, one) for one in statuses]
            for name, statuses in context.items()
        }
    )


@routes.get("/media/{id}")
async def show_media(request: web.Request) -> web.Response:
    media = request.app[SANDBOX].media.get(request.match_info["id"])
    if media is None or media.looks_until_ready:
        raise not_found()
    return web.Response(body=media.content, content_type=media.content_type)


@routes.get("/@{username}")
async def show_timeline(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = sandbox.accounts.get(request.match_info["username"])
    if account is None:
        raise not_found()
    return show_account(sandbox, account)


@routes.get("/@{username}/{id}")
async def show_post(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    status = sandbox.get_status(request.match_info["id"])
    if status.account.username != request.match_info["username"]:
        raise not_found()
    return show_status(sandbox, status)


async def _read_wish(request: web.Request) -> Wish:
    """Read what is asked for, from JSON or from a form, as Mastodon does."""
    fields = await read_fields(request)
    media_ids = fields.get("media_ids")
    return Wish(
        text=str(fields.get("status") or ""),
        spoiler_text=str(fields.get("spoiler_text") or ""),
        sensitive=str(fields.get("sensitive")).lower() == "true",
        language=fields.get("language") or None,
        visibility=fields.get("visibility") or "public",
        in_reply_to_id=str(fields.get("in_reply_to_id") or ""),
        media_ids=None if media_ids is None else [str(one) for one in media_ids],
        poll=_read_poll(fields.get("poll")),
    )


def _read_poll(fields: Any) -> PollWish | None:
    if not isinstance(fields, dict):
        return None
    seconds = str(fields.get("expires_in") or "")
    return PollWish(
        [str(option) for option in fields.get("options") or ()],
        timedelta(seconds=int(seconds)) if seconds.isdecimal() else None,
        str(fields.get("multiple")).lower() == "true",
    )


async def read_fields(request: web.Request) -> dict[str, Any]:
    """Read what was sent, as JSON or as a form; ``name[]`` is a list."""
    if request.content_type == "application/json":
        try:
            fields = await request.json()
        except ValueError:
            fields = None
        if isinstance(fields, dict):
            return fields
        status, sentence = 400, "Error occurred while parsing request parameters"
        raise Refusal(status, sentence)
    form = await request.post()
    lists = {name[:-2]: form.getall(name) for name in form if name.endswith("[]")}
    return {**form, **lists}


def _wanted(request: web.Request, statuses: Iterable[Status]) -> list[Status]:
    """Keep what the client did not filter out; nothing here is a reblog."""
    wanted = list(statuses)
    if request.query.get("exclude_replies") == "true":
        wanted = [one for one in wanted if not _answers_another(one)]
    if request.query.get("only_media") == "true":
        wanted = [one for one in wanted if one.now.media]
    return wanted


def _answers_another(status: Status) -> bool:
    parent = status.in_reply_to
    return parent is not None and parent.account_id != status.account.id


def _page(request: web.Request, statuses: Sequence[Status]) -> list[Status]:
    """Cut out a page: ``max_id`` and ``since_id`` bound it, ``min_id`` walks up."""
    limit = min(_number(request, "limit", PAGE), MAX_PAGE)
    below = _number(request, "max_id", 2**80)
    above = max(_number(request, "since_id", 0), _number(request, "min_id", 0))
    found = [one for one in statuses if above < int(one.id) < below]
    return found[-limit:] if "min_id" in request.query else found[:limit]


def _number(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name, "")
    return int(value) if value.isdecimal() else default


def _links(request: web.Request, page: Sequence[Status]) -> dict[str, str]:
    if not page:
        return {}
    base = request.app[SANDBOX].public_url + request.path
    older, newer = f"{base}?max_id={page[-1].id}", f"{base}?min_id={page[0].id}"
    return {"Link": f'<{older}>; rel="next", <{newer}>; rel="prev"'}
