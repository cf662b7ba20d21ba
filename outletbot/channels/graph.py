"""What the networks of Meta share: the Graph API, its errors, limits and pages.

The token goes in the ``Authorization`` header, never in an address: so Meta's own guide
to WhatsApp does on the same host, and others with pages. A proof that the app itself is
calling goes along where the app's secret is given (``appsecret_proof``).

Facts: developers.facebook.com/docs/graph-api, "Handling errors" (codes and subcodes),
"Rate limits" (the usage headers, codes 4, 17, 32, 613 and 80001 to 80014), "Paginated
results", "Securing Graph API requests" (the proof).
"""

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from outletbot.channels import (
    ChannelError,
    Disowned,
    Limited,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.calls import (
    PATIENCE,
    Calls,
    Judge,
    NotThere,
    Patience,
    Refusal,
    Unclear,
    judge,
    retry_after,
)
from outletbot.clock import Clock

# The newest since 29 July 2026; the one before it works until 29 July 2028.
GRAPH_URL = "https://graph.facebook.com/v26.0"

# Rates are counted by the hour, and how long is left is not always told.
PAUSE = timedelta(hours=1)

_TOKEN_CODES = {102, 190}
_RATE_CODES = {4, 17, 32, 341, 613, *range(80001, 80015)}
_TRANSIENT_CODES = {-2, -1, 1, 2}
_PERMISSION_CODES = {3, 10, *range(200, 300)}
_GONE = 33
_RECONNECT = "Connect the account again."
# The network's own words may quote the token, so these are ours.
_TOKEN_WORDS = {
    458: "the app was removed from the account's settings",
    459: "it wants the account's owner to log in and confirm something first",
    460: "the password was changed",
    463: "the access token has expired",
    464: "the account's owner has to confirm their account first",
    467: "the access token is no longer valid",
    492: "the person who connected the account may no longer act for the page",
}
_PERMISSION = re.compile(r"\b(?:pages|instagram|threads|business)_[a-z_]+\b")
_SECRET = re.compile(r"[\w-]{48,}")

Meaning = Callable[[str], ChannelError]


def means(kind: Callable[[str], ChannelError], remedy: str) -> Meaning:
    """Return what an error means whose words are followed by *remedy*."""
    return lambda said: kind(f"{said} {remedy}")


_MEANINGS: Mapping[int, Meaning] = {
    368: means(
        lambda words: Limited(words, after=PAUSE),
        "It has blocked the account for a while for breaking its rules. Look at the"
        " account's notifications there.",
    ),
    506: means(Unconfirmed, "A post with the same link is there already."),
    803: NotThere,
    1500: means(Rejected, "It cannot use the link: check that anybody can open it."),
    1609005: means(Rejected, "It cannot read the link's page: check that it opens."),
}


@dataclass(frozen=True, slots=True)
class GraphError:
    """``{"error": {…}}``: *words* are for a person, without the code before them."""

    code: int
    subcode: int
    words: str
    transient: bool = False


def read_error(content: Any) -> GraphError | None:
    """Return the error in an answer of the Graph API, or None if it holds none."""
    match content:
        case {"error": {"code": int(code), **more}}:
            pass
        case _:
            return None
    words = str(more.get("error_user_msg") or more.get("message") or "")
    words = _SECRET.sub("…", re.sub(r"^\(#\d+\)\s*", "", words))
    subcode = more.get("error_subcode")
    return GraphError(
        code,
        subcode if isinstance(subcode, int) else 0,
        words,
        transient=more.get("is_transient") is True,
    )


def judge_graph(
    refusal: Refusal, *, meanings: Mapping[int, Meaning] | None = None
) -> ChannelError:
    """Return what a refusal means: by its code, and else by its status.

    *meanings* are a network's own: they come first, by subcode and then by code.
    """
    error = read_error(refusal.content)
    if error is None:
        return judge(refusal, after=regains_access(refusal.headers))
    said = refusal.said(said_plainly(error))
    known = {**_MEANINGS, **(meanings or {})}
    for number in (error.subcode, error.code):
        if number in known:
            return known[number](said)
    return _by_code(refusal, error, said)


def _by_code(refusal: Refusal, error: GraphError, said: str) -> ChannelError:
    if error.code in _TOKEN_CODES:
        return Disowned(_locked_out(refusal, error))
    if error.code in _RATE_CODES:
        return Limited(said, after=regains_access(refusal.headers))
    if error.code in _TRANSIENT_CODES or error.transient:
        return refusal.broken(said)
    if error.code in _PERMISSION_CODES:
        return Rejected(f"{said} {_allow(error.words)}")
    gone = error.subcode == _GONE
    return NotThere(said) if gone else judge(refusal, said_plainly(error))


def said_plainly(error: GraphError) -> str:
    """Return the network's words with the numbers to look them up by."""
    numbers = f"{error.code}/{error.subcode}" if error.subcode else str(error.code)
    return f"{error.words.rstrip('.') or 'no reason'} [{numbers}]"


def _locked_out(refusal: Refusal, error: GraphError) -> str:
    why = _TOKEN_WORDS.get(error.subcode, "the access token is no longer good")
    return f"{refusal.server} does not let us in: {why}. {_RECONNECT}"


def _allow(words: str) -> str:
    """Say which permissions are wanted, if the network does."""
    wanted = " and ".join(dict.fromkeys(_PERMISSION.findall(words)))
    return f"{_RECONNECT[:-1]} and allow {wanted or 'everything that is asked for'}."


def regains_access(headers: Mapping[str, str]) -> timedelta:
    """Return how long to leave an account alone whose rate is limited.

    ``X-Business-Use-Case-Usage`` tells it in minutes, for each kind of use.
    """
    try:
        usage = json.loads(headers.get("X-Business-Use-Case-Usage", "{}"))
        minutes = max(
            use.get("estimated_time_to_regain_access", 0)
            for uses in usage.values()
            for use in uses
        )
        wait = timedelta(minutes=minutes)
    except (AttributeError, OverflowError, TypeError, ValueError):
        wait = timedelta()
    return wait or retry_after(headers) or PAUSE


def proof_of(token: str, app_secret: str) -> str:
    """Return the ``appsecret_proof`` of a token: HMAC-SHA256 in hexadecimal digits."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


class Graph:
    """One token's way to a Graph API. Without *app_secret* no proof is sent.

    What goes wrong is raised as ``Calls`` says.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        token: str,
        *,
        clock: Clock,
        server: str,
        patience: Patience = PATIENCE,
        app_secret: str = "",
        judge: Judge = judge_graph,
    ) -> None:
        token = token.strip()
        self._proof = (
            {"appsecret_proof": proof_of(token, app_secret)} if app_secret else {}
        )
        self._calls = Calls(
            http,
            base_url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            judge=judge,
            clock=clock,
            patience=patience,
            server=server,
        )

    async def read(self, path: str, **params: str) -> Any:
        """Return what is at *path*; whatever fails but a refusal is ``TryLater``."""
        return (await self._calls.read(path, {**params, **self._proof})).content

    async def post(
        self,
        path: str,
        form: Mapping[str, str] | aiohttp.FormData,
        *,
        lost: type[ChannelError] = TryLater,
        broken: type[ChannelError] = TryLater,
    ) -> Any:
        """Send *form* and return the answer; see ``Calls.call`` for the rest."""
        answer = await self._calls.call(
            "POST", path, lost=lost, broken=broken, params=self._proof, data=form
        )
        return answer.content

    async def post_for_id(
        self,
        path: str,
        form: Mapping[str, str] | aiohttp.FormData,
        *,
        lost: type[ChannelError] = TryLater,
    ) -> str:
        """Make something and return its id. *lost* is also what a failure means."""
        match await self.post(path, form, lost=lost, broken=lost):
            case {"id": str(made)}:
                return made
        if lost is TryLater:
            raise Unclear(path)
        raise lost(str(Unclear(path)))

    async def delete(self, path: str) -> None:
        """Take something away; what is gone already is fine.

        "Does not exist" is also said of what cannot be deleted, so it is looked for.
        """
        try:
            await self._calls.call("DELETE", path, lost=Unconfirmed, params=self._proof)
        except NotThere as refusal:
            if await self._is_there(path):
                raise Rejected(str(refusal)) from refusal

    async def _is_there(self, path: str) -> bool:
        try:
            await self.read(path, fields="id")
        except NotThere:
            return False
        return True

    async def each(self, path: str, **params: str) -> AsyncIterator[Any]:
        """Yield all there is under *path*, as many calls as it takes.

        A page may be empty and not the last: what readers may not see is left out.
        """
        while True:
            page = await self.read(path, **params)
            if not isinstance(page, dict) or not isinstance(page.get("data"), list):
                raise Unclear(path)
            for thing in page["data"]:
                yield thing
            onward = {**params, **_onward(page)}
            is_last = onward == params or not (page["data"] or "after" in onward)
            if is_last:
                return
            params = onward


def _onward(page: Mapping[str, Any]) -> dict[str, str]:
    """Return what asks for the next page; its address would have the token in it."""
    match page:
        case {"paging": {"next": str(address)}}:
            query = dict(parse_qsl(urlsplit(address).query))
            return {k: v for k, v in query.items() if k in _PLACES}
    return {}


_PLACES = {"after", "until", "__paging_token", "offset"}
