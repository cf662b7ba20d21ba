"""The calls of a Bluesky server that a channel makes, and what its readers see.

In the real network the calls under ``app.bsky`` are answered by another server, to
which this one passes them on.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from outletbot.sandbox.bluesky_rates import Rates
from outletbot.sandbox.bluesky_rules import (
    POST,
    XrpcError,
    blobs_of,
    moment_of,
    refuse,
)
from outletbot.sandbox.bluesky_sessions import Tokens
from outletbot.sandbox.bluesky_state import Account, BlueskySandbox, parent_of
from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.social_page import Shown, show_posts
from outletbot.sandbox.windows import Budget, Spent

SANDBOX = web.AppKey("bluesky_sandbox", BlueskySandbox)
RATES = web.AppKey("bluesky_rates", Rates)
SPENT = web.RequestKey("bluesky_spent", Spent)

routes = web.RouteTableDef()


class TooMany(XrpcError):
    """The budget that *spent* tells of is over."""

    def __init__(self, spent: Spent) -> None:
        super().__init__(429, "RateLimitExceeded", "Rate Limit Exceeded")
        self.spent = spent


@routes.post("/xrpc/com.atproto.server.createSession")
async def create_session(request: web.Request) -> web.Response:
    wish = await _read(request, "identifier", "password")
    handle = str(wish["identifier"]).lower()
    spend(request, f"sign-in {handle}", request.app[RATES].sign_ins)
    account, tokens = request.app[SANDBOX].sign_in(handle, str(wish["password"]))
    return web.json_response(_session(account, tokens))


@routes.post("/xrpc/com.atproto.server.refreshSession")
async def refresh_session(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    if request.body_exists and request.headers.get("Content-Length") != "0":
        refuse("A request body was provided when none was expected")
    did, tokens = sandbox.sessions.refresh(_token(request), now=sandbox.clock())
    return web.json_response(_session(sandbox.accounts[did], tokens))


@routes.get("/xrpc/com.atproto.server.getSession")
async def get_session(request: web.Request) -> web.Response:
    return web.json_response(_described(_account(request)))


@routes.post("/xrpc/com.atproto.repo.uploadBlob")
async def upload_blob(request: web.Request) -> web.Response:
    did = _account(request).id
    spend(request, f"upload {did}", request.app[RATES].uploads)
    content = await request.read()
    blob = request.app[SANDBOX].upload(did, content, request.content_type)
    return web.json_response({"blob": blob})


@routes.post("/xrpc/com.atproto.repo.putRecord")
async def put_record(request: web.Request) -> web.Response:
    did, wish = await _write(request, "rkey", "record", cost=2)
    return _put(request, did, str(wish["rkey"]), wish["record"])


@routes.post("/xrpc/com.atproto.repo.createRecord")
async def create_record(request: web.Request) -> web.Response:
    did, wish = await _write(request, "record", cost=3)
    sandbox = request.app[SANDBOX]
    rkey = str(wish.get("rkey") or sandbox.new_key(sandbox.shelf.number()))
    return _put(request, did, rkey, wish["record"])


@routes.post("/xrpc/com.atproto.repo.deleteRecord")
async def delete_record(request: web.Request) -> web.Response:
    did, wish = await _write(request, "rkey", cost=1)
    rev = request.app[SANDBOX].delete(did, str(wish["rkey"]))
    return web.json_response({"commit": _commit(rev)} if rev else {})


@routes.get("/xrpc/com.atproto.repo.getRecord")
async def get_record(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    did = sandbox.find_account(request.query.get("repo", "")).id
    uri = f"at://{did}/{request.query.get('collection')}/{request.query.get('rkey')}"
    post = sandbox.shelf.get("post", uri)
    if post is None:
        code = "RecordNotFound"
        raise XrpcError(400, code, f"Could not locate record: {uri}")
    return web.json_response(_record(post))


@routes.get("/xrpc/com.atproto.repo.listRecords")
async def list_records(request: web.Request) -> web.Response:
    """List from the newest on; ``cursor`` is the key of the last one seen."""
    sandbox, query = request.app[SANDBOX], request.query
    did = sandbox.find_account(query.get("repo", "")).id
    limit = int(query.get("limit", "50"))
    if not 1 <= limit <= 100:
        why = f"integer too big (maximum 100, got {limit})"
        refuse(f"Invalid com.atproto.repo.listRecords params: {why}")
    below = f"at://{did}/{POST}/{query.get('cursor', '~')}"
    page = [post for post in sandbox.posts_of(did) if post["uri"] < below][:limit]
    cursor = {"cursor": page[-1]["uri"].rpartition("/")[2]} if page else {}
    return web.json_response({"records": [_record(post) for post in page], **cursor})


@routes.get("/xrpc/com.atproto.sync.getBlob")
async def get_blob(request: web.Request) -> web.Response:
    name = f"{request.query.get('did')}/{request.query.get('cid')}"
    shelf = request.app[SANDBOX].shelf
    facts, content = shelf.get("blob", name), shelf.content("blob", name)
    if facts is None:
        refuse("Blob not found")
    return web.Response(body=content, content_type=facts["mimeType"])


@routes.get("/xrpc/app.bsky.feed.getPosts")
async def get_posts(request: web.Request) -> web.Response:
    _account(request)
    uris = request.query.getall("uris", [])
    if not 1 <= len(uris) <= 25:
        why = f"array too big (maximum 25, got {len(uris)})"
        refuse(f"Invalid app.bsky.feed.getPosts params: {why}")
    sandbox = request.app[SANDBOX]
    found = [sandbox.shelf.get("post", uri) for uri in uris]
    views = [_view(sandbox, post) for post in found if post]
    return web.json_response({"posts": views})


@routes.get("/xrpc/app.bsky.actor.getProfile")
async def get_profile(request: web.Request) -> web.Response:
    account = request.app[SANDBOX].find_account(request.query.get("actor", ""))
    return web.json_response({"did": account.id, "handle": account.handle})


@routes.get("/@{handle}")
async def show_account(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = _shown_account(request)
    posts = [post for post in sandbox.posts_of(account.id) if not parent_of(post)]
    shown = [_shown(sandbox, post) for post in posts]
    return show_posts("Bluesky", f"@{account.handle}", shown)


@routes.get("/profile/{handle}/post/{rkey}")
async def show_post(request: web.Request) -> web.Response:
    sandbox, account = request.app[SANDBOX], _shown_account(request)
    uri = f"at://{account.id}/{POST}/{request.match_info['rkey']}"
    post = sandbox.shelf.get("post", uri)
    if post is None:
        raise web.HTTPNotFound
    return show_posts("Bluesky", f"@{account.handle}", [_shown(sandbox, post)])


def spend(
    request: web.Request, who: str, budgets: tuple[Budget, ...], *, cost: int = 1
) -> Spent:
    """Count a call; the budget that is nearest to its end is told in the headers.

    Raises:
        TooMany: If a budget is over.
    """
    now = request.app[SANDBOX].clock()
    spent = request.app[RATES].spend(who, budgets, now=now, cost=cost)
    if spent.over:
        raise TooMany(spent)
    nearest = request.get(SPENT)
    if nearest is None or spent.left < nearest.left:
        request[SPENT] = spent
    return spent


async def _write(
    request: web.Request, *names: str, cost: int
) -> tuple[str, Mapping[str, Any]]:
    """Read a change of the account's own records, and count what it costs."""
    account = _account(request)
    if not account.active:
        code = "AccountDeactivated"
        raise XrpcError(401, code, "Account is deactivated")
    spend(request, f"points {account.id}", request.app[RATES].points, cost=cost)
    wish = await _read(request, "repo", "collection", *names)
    if wish["repo"] not in {account.id, account.handle}:
        code = "AuthenticationRequired"
        raise XrpcError(401, code, "Authentication Required")
    if wish["collection"] != POST:
        refuse(f"Unknown collection: {wish['collection']}")
    return account.id, wish


async def _read(request: web.Request, *names: str) -> Mapping[str, Any]:
    if request.content_type != "application/json":
        kind = request.content_type
        refuse(f"Wrong request encoding (Content-Type): {kind}")
    try:
        wish = await request.json()
    except ValueError:
        wish = None
    if not isinstance(wish, dict):
        refuse("Expected object value type")
    for name in names:
        if name not in wish:
            refuse(f'Missing required key "{name}" at $')
    return wish


def _account(request: web.Request) -> Account:
    """Return whose access token came along."""
    sandbox = request.app[SANDBOX]
    did = sandbox.sessions.did_of(_token(request), now=sandbox.clock())
    return sandbox.accounts[did]


def _token(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer":
        code = "AuthMissing"
        raise XrpcError(401, code, "Authentication Required")
    return token


def _put(request: web.Request, did: str, rkey: str, record: Any) -> web.Response:
    post, rev = request.app[SANDBOX].put(did, rkey, record)
    answer = {"uri": post["uri"], "cid": post["cid"], "validationStatus": "valid"}
    return web.json_response(answer | ({"commit": _commit(rev)} if rev else {}))


def _commit(rev: str) -> Thing:
    return {"cid": f"bafyrei{rev:a>52}", "rev": rev}


def _record(post: Thing) -> Thing:
    return {name: post[name] for name in ("uri", "cid", "value")}


def _described(account: Account) -> Thing:
    facts = {"did": account.id, "handle": account.handle, "active": account.active}
    return facts if account.active else {**facts, "status": "deactivated"}


def _session(account: Account, tokens: Tokens) -> Thing:
    return {
        "accessJwt": tokens.access,
        "refreshJwt": tokens.refresh,
        **_described(account),
    }


def _view(sandbox: BlueskySandbox, post: Thing) -> Thing:
    author = sandbox.accounts[post["uri"].split("/")[2]]
    reactions = sandbox.shelf.get("reactions", post["uri"]) or {}
    return {
        "uri": post["uri"],
        "cid": post["cid"],
        "author": {"did": author.id, "handle": author.handle},
        "record": post["value"],
        "indexedAt": post["indexed_at"],
        "likeCount": reactions.get("likes", 0),
        "repostCount": reactions.get("reposts", 0),
        "replyCount": len(sandbox.answers_to(post["uri"])),
        "quoteCount": 0,
    }


def _shown_account(request: web.Request) -> Account:
    try:
        return request.app[SANDBOX].find_account(request.match_info["handle"])
    except XrpcError as error:
        raise web.HTTPNotFound from error


def _shown(sandbox: BlueskySandbox, post: Thing) -> Shown:
    _, _, did, _, rkey = post["uri"].split("/")
    record, get_blob = post["value"], f"/xrpc/com.atproto.sync.getBlob?did={did}&cid="
    external = record.get("embed", {}).get("external")
    return Shown(
        record["text"],
        moment_of(record),
        f"{sandbox.public_url}/profile/{did}/post/{rkey}",
        [(sandbox.public_url + get_blob + cid, alt) for cid, alt in blobs_of(record)],
        (external["uri"], external["title"]) if external else None,
        answers=[_shown(sandbox, one) for one in sandbox.answers_to(post["uri"])],
    )
