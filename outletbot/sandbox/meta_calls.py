"""One call of the sandbox's Graph API: who makes it, what it asks for, its answer."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from yarl import URL

from outletbot.sandbox.meta_books import MetaBooks, Pass
from outletbot.sandbox.meta_errors import GraphFault, lacks, refuse, unknown
from outletbot.sandbox.shelf import Thing

BOOKS = web.AppKey("books", MetaBooks)
PUBLIC_URL = web.AppKey("public_url", str)

# What the kinds are called in Meta's own description of its API.
NODES = {
    "comment": "Comment",
    "container": "IGContainer",
    "instagram": "IGUser",
    "media": "IGMedia",
    "note": "IGComment",
    "page": "Page",
    "photo": "Photo",
    "post": "PagePost",
}
NODE = web.RequestKey("node", str)
MOST = 100


@dataclass(frozen=True, slots=True)
class MetaApp:
    """The app that is registered at Meta; it may want a proof with every call."""

    client_id: str = "sandbox-app"
    client_secret: str = "sandbox-app-secret"  # noqa: S105 - of a sandbox
    wants_proof: bool = False


APP = web.AppKey("app", MetaApp)


@dataclass(frozen=True, slots=True)
class Call:
    """*form* is what was sent in the body, *good* what the token is good for."""

    request: web.Request
    books: MetaBooks
    good: Pass
    form: Mapping[str, Any]
    token: str = field(repr=False)

    @classmethod
    async def read(cls, request: web.Request) -> Self:
        """Find out who calls and what is sent.

        Raises:
            GraphFault: If the token is bad, or its proof.
        """
        form = dict(await request.post())
        query = {**request.query, **form}
        token = _token(request, query.get("access_token"))
        good = request.app[BOOKS].pass_of(token)
        _check_proof(request.app[APP], token, query.get("appsecret_proof"))
        return cls(request, request.app[BOOKS], good, form, token)

    @property
    def target(self) -> str:
        """The id in the path; ``me`` is the page whose token it is."""
        asked = self.request.match_info["id"]
        return self.good.page_id if asked == "me" else asked

    @property
    def page(self) -> Thing:
        page = self.books.page(self.good.page_id)
        if page is None:
            message = "A page access token is required to request this resource."
            raise GraphFault(210, message)
        return page

    def needs(self, *scopes: str) -> None:
        missing = [scope for scope in scopes if scope not in self.good.scopes]
        if missing:
            raise lacks(*missing)

    def own_page(self) -> Thing:
        """Return the page that is called, which has to be the caller's."""
        self.request[NODE] = "Page"
        if self.target != self.page["page_id"]:
            raise unknown(self.target)
        return self.page

    def own_instagram(self) -> Thing:
        self.request[NODE] = "IGUser"
        if not self.target or self.target != self.page["instagram_id"]:
            raise unknown(self.target)
        return self.page

    def own(self, *kinds: str) -> Thing:
        """Return the thing that is called, which has to be the caller's."""
        thing = self.books.thing(self.target, *kinds)
        self.request[NODE] = NODES[thing["kind"]]
        if thing["account"] != self.page["page_id"]:
            raise unknown(self.target)
        return thing

    def text(self, name: str) -> str:
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def address_of(self, thing_id: str) -> str:
        """Return where people see a thing."""
        handle = self.page["handle"] or self.page["page_id"]
        return f"{self.request.app[PUBLIC_URL]}/@{handle}#{thing_id}"

    def one(self, whole: Thing) -> web.Response:
        return web.json_response(select(whole, self.request.query.get("fields", "")))

    def some(
        self, things: Sequence[Thing], whole: Callable[[Thing], Thing]
    ) -> web.Response:
        """Answer a page of *things*, and where the next one is."""
        limit, start = _limit(self.request), _start(self.request)
        fields = self.request.query.get("fields", "")
        chosen = things[start : start + limit]
        answer: Thing = {"data": [select(whole(thing), fields) for thing in chosen]}
        if chosen:
            answer["paging"] = {"cursors": {"after": _cursor(start + limit)}}
        if start + limit < len(things):
            answer["paging"]["next"] = self._address(after=_cursor(start + limit))
        return web.json_response(answer)

    def _address(self, **more: str) -> str:
        """Return this call's address and more; Meta puts the token there."""
        origin = URL(self.request.app[PUBLIC_URL]).origin()
        query = {**self.request.query, "access_token": self.token, **more}
        return str(origin.with_path(self.request.path).with_query(query))


def select(whole: Thing, fields: str) -> Thing:
    """Return the *fields* of a thing that were asked for, and its id always.

    Raises:
        GraphFault: If there is no such field.
    """
    chosen = {"id": whole["id"]} if "id" in whole else {}
    for part in _split(fields):
        name, _, inner = part.partition("{")
        name = name.partition(".")[0]
        if name not in whole:
            refuse(f"Tried accessing nonexisting field ({name})")
        value = whole[name]
        if inner and value is not None:
            value = select(value, inner.removesuffix("}"))
        if value is not None:
            chosen[name] = value
    return chosen


def _split(fields: str) -> list[str]:
    """Split at the commas that are in no bracket."""
    return re.findall(r"(?:[^,({]|\([^)]*\)|\{[^}]*\})+", fields)


def _token(request: web.Request, given: Any) -> str:
    """Return the token, wherever it was put: Meta takes it as a parameter as well."""
    token = given or request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token:
        message = "An active access token must be used to query information."
        raise GraphFault(2500, message)
    return str(token)


def _check_proof(app: MetaApp, token: str, given: Any) -> None:
    if given is None and not app.wants_proof:
        return
    secret = app.client_secret.encode()
    wanted = hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()
    if given is None:
        refuse("API calls from the server require an appsecret_proof argument")
    if not hmac.compare_digest(wanted, str(given)):
        refuse("Invalid appsecret_proof provided in the API argument")


def _limit(request: web.Request) -> int:
    limit = request.query.get("limit", "25")
    if not limit.isdecimal() or not 0 < int(limit) <= MOST:
        refuse("Param limit must be a number that is not greater than 100")
    return int(limit)


def _start(request: web.Request) -> int:
    try:
        return int(base64.urlsafe_b64decode(request.query.get("after", "MA==")))
    except (binascii.Error, ValueError):
        refuse("Invalid cursor value")


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(str(start).encode()).decode()
