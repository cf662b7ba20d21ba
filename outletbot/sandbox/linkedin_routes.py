"""The calls of LinkedIn's API that a channel makes, as HTTP."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from outletbot.sandbox.linkedin_grants import ADMIN, READ, READ_FEED, Member
from outletbot.sandbox.linkedin_rules import Refusal, denied
from outletbot.sandbox.linkedin_state import LinkedInSandbox

SANDBOX = web.AppKey("linkedin_sandbox", LinkedInSandbox)
MAX_COUNT = 100

routes = web.RouteTableDef()


def member_of(request: web.Request) -> Member:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer":
        words = "Empty oauth2 access token"
        raise Refusal(401, "EMPTY_ACCESS_TOKEN", words, serviceErrorCode=65604)
    return request.app[SANDBOX].grants.member(token)


@routes.get("/rest/organizationAcls")
async def list_roles(request: web.Request) -> web.Response:
    member = member_of(request)
    if ADMIN not in member.scopes:
        method = "organizationAcls.FINDER-roleAssignee"
        raise denied(method)
    roles = [
        {"organization": urn, "role": "ADMINISTRATOR", "state": "APPROVED"}
        for urn in sorted(member.urns)
    ]
    return _page(request, roles)


@routes.get("/rest/organizations/{id}")
async def show_organization(request: web.Request) -> web.Response:
    urn = f"urn:li:organization:{request.match_info['id']}"
    member_of(request).may(ADMIN, urn, "organizations.GET")
    account = request.app[SANDBOX].accounts[urn]
    name = account.name or account.handle
    return web.json_response(
        {
            "id": int(account.organization_id),
            "vanityName": account.handle,
            "localizedName": name,
        }
    )


@routes.post("/rest/images")
async def initialize_upload(request: web.Request) -> web.Response:
    if request.query.get("action") != "initializeUpload":
        raise Refusal(400, "ILLEGAL_ARGUMENT", "Unknown action")
    wish = (await request.json())["initializeUploadRequest"]
    sandbox = request.app[SANDBOX]
    urn = sandbox.begin_upload(member_of(request), wish["owner"])
    address = (
        f"{sandbox.public_url}/dms-uploads/{urn.rpartition(':')[2]}/uploaded-image/0"
    )
    value = {"uploadUrl": f"{address}?sync=0&v=beta", "image": urn}
    return web.json_response({"value": value})


@routes.put("/dms-uploads/{id}/uploaded-image/0")
async def upload(request: web.Request) -> web.Response:
    member_of(request)
    urn = f"urn:li:image:{request.match_info['id']}"
    request.app[SANDBOX].take_upload(urn, await request.read())
    return web.Response(status=201)


@routes.get("/rest/images/{urn}")
async def show_image(request: web.Request) -> web.Response:
    member_of(request)
    return web.json_response(
        request.app[SANDBOX].look_at_image(request.match_info["urn"])
    )


@routes.post("/rest/posts")
async def create_post(request: web.Request) -> web.Response:
    member, post = member_of(request), await request.json()
    urn = request.app[SANDBOX].create_post(member, post)
    return web.Response(status=201, headers={"x-restli-id": urn})


@routes.get("/rest/posts")
async def find_posts(request: web.Request) -> web.Response:
    author = request.query.get("author", "")
    if request.query.get("q") != "author":
        words = "Resource method could not be resolved from request parameters."
        raise Refusal(400, "ILLEGAL_ARGUMENT", words)
    member_of(request).may(READ, author, "posts.FINDER-author")
    return _page(request, [post for _, post in request.app[SANDBOX].posts(author)])


@routes.post("/rest/posts/{urn}")
async def edit_post(request: web.Request) -> web.Response:
    patch = (await request.json())["patch"]
    request.app[SANDBOX].edit_post(
        member_of(request), request.match_info["urn"], patch["$set"]
    )
    return web.Response(status=204)


@routes.delete("/rest/posts/{urn}")
async def delete_post(request: web.Request) -> web.Response:
    request.app[SANDBOX].delete_post(member_of(request), request.match_info["urn"])
    return web.Response(status=204)


@routes.post("/rest/socialActions/{urn}/comments")
async def create_comment(request: web.Request) -> web.Response:
    member, comment = member_of(request), await request.json()
    urn = request.match_info["urn"]
    made = request.app[SANDBOX].create_comment(member, urn, comment)
    return web.json_response(made, status=201, headers={"x-restli-id": made["id"]})


@routes.get("/rest/socialActions/{urn}/comments")
async def list_comments(request: web.Request) -> web.Response:
    sandbox, urn = request.app[SANDBOX], request.match_info["urn"]
    member_of(request).may(READ_FEED, sandbox.post(urn)["author"], "socialActions.GET")
    return _page(request, sandbox.comments(urn))


@routes.post("/rest/socialActions/{urn}/comments/{id}")
async def edit_comment(request: web.Request) -> web.Response:
    text = (await request.json())["patch"]["message"]["$set"]["text"]
    request.app[SANDBOX].edit_comment(
        member_of(request),
        request.match_info["id"],
        request.query.get("actor", ""),
        text,
    )
    return web.Response(status=204)


@routes.delete("/rest/socialActions/{urn}/comments/{id}")
async def delete_comment(request: web.Request) -> web.Response:
    request.app[SANDBOX].delete_comment(
        member_of(request), request.match_info["id"], request.query.get("actor", "")
    )
    return web.Response(status=204)


@routes.get("/rest/socialMetadata")
async def batch_metadata(request: web.Request) -> web.Response:
    member = member_of(request)
    results, errors = {}, {}
    for urn in _list(request, "ids"):
        try:
            results[urn] = _metadata(request.app[SANDBOX], member, urn)
        except Refusal as refusal:
            errors[urn] = refusal.content
    return web.json_response({"results": results, "statuses": {}, "errors": errors})


@routes.get("/rest/organizationalEntityShareStatistics")
async def share_statistics(request: web.Request) -> web.Response:
    owner = request.query.get("organizationalEntity", "")
    member_of(request).may(ADMIN, owner, "organizationalEntityShareStatistics.FINDER")
    elements = []
    for urn in _list(request, "shares"):
        if seen := request.app[SANDBOX].reactions(urn):
            names = ("impressionCount", "shareCount", "likeCount", "commentCount")
            counts = {name: seen.get(name, 0) for name in names}
            elements.append(
                {
                    "share": urn,
                    "organizationalEntity": owner,
                    "totalShareStatistics": counts,
                }
            )
    return _page(request, elements)


def _metadata(sandbox: LinkedInSandbox, member: Member, urn: str) -> Any:
    if urn.startswith("urn:li:comment:"):
        number = urn.rpartition(",")[2].rstrip(")")
        owner, replies = sandbox.comment(number)["actor"], 0
    else:
        owner, replies = sandbox.post(urn)["author"], len(sandbox.comments(urn))
    member.may(READ_FEED, owner, "socialMetadata.BATCH_GET")
    likes = {name: n for name, n in sandbox.reactions(urn).items() if name.isupper()}
    return {
        "entity": urn,
        "commentsState": "OPEN",
        "commentSummary": {"count": replies, "topLevelCount": replies},
        "reactionSummaries": {
            name: {"reactionType": name, "count": n} for name, n in likes.items()
        },
    }


def _page(request: web.Request, things: Sequence[Any]) -> web.Response:
    start = int(request.query.get("start", 0))
    count = min(int(request.query.get("count", 10)), MAX_COUNT)
    paging = {"start": start, "count": count, "links": [], "total": len(things)}
    page = things[start : start + count]
    return web.json_response({"elements": page, "paging": paging})


def _list(request: web.Request, name: str) -> list[str]:
    """Read ``name=List(a,b)``, whose members are encoded once more than the list."""
    found = re.search(rf"[?&]{name}=List\(([^)]*)\)", request.raw_path)
    return [unquote(one) for one in found[1].split(",")] if found else []
