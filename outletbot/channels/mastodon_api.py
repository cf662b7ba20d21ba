"""Calls to one Mastodon server, and what their failures mean.

What matters of a failure is whether the server may have acted. A call that never left
did nothing (``TryLater``), a refusal is the server's word (``Rejected``), and a lost or
unreadable answer proves nothing: what that means depends on the call, so the caller
says it (*lost*, *broken*). Words from the server are passed on to the person.

Facts: docs.joinmastodon.org, "Rate limits" and the errors of each method.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import aiohttp

from outletbot.channels import ChannelError, Disowned, Rejected, TryLater
from outletbot.clock import Clock

MAX_ANSWER = 8 * 1024 * 1024

# The last two are what reading JSON raises, however it was garbled.
_NO_ANSWER = (aiohttp.ClientError, TimeoutError, ValueError, RecursionError)

_REMEDIES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: (
        "Connect the account again: its access token is no longer good."
    ),
    HTTPStatus.FORBIDDEN: (
        "Connect the account again and allow reading the account and writing posts and"
        " media, or ask the server's moderators."
    ),
    HTTPStatus.NOT_FOUND: (
        "The post or account is gone, or the server's address is wrong."
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Take a smaller picture.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Change the post and send it again.",
}


class NotThere(Rejected):
    """The server knows no such thing."""


class Unclear(TryLater):
    """The answer is not what Mastodon answers."""

    def __init__(self, path: str) -> None:
        super().__init__(f"The server's answer to {path} makes no sense.")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: for a connection, an answer, a picture to be worked on.

    *glance* is how long to leave it between two looks at such a picture.
    """

    connection: timedelta = timedelta(seconds=10)
    answer: timedelta = timedelta(seconds=30)
    picture: timedelta = timedelta(minutes=1)
    glance: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: Any


class MastodonApi:
    """One account's way to its server; *token* never appears in what it says.

    Every call has its own connection. A server may hang up an idle one unannounced
    (snac does after each answer), and a post sent into that looks as if its answer was
    lost. For servers that do not answer ``Connection: close`` in kind, give it a
    session with ``TCPConnector(force_close=True)``. What may be repeated without harm
    (all but POST) aiohttp repeats once by itself if the server hangs up.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        token: str,
        *,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token.strip()}",
            "Accept": "application/json",
            "Connection": "close",
        }
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(
            total=patience.answer.total_seconds(),
            sock_connect=patience.connection.total_seconds(),
        )

    async def read(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Ask for something. Whatever fails but a refusal is ``TryLater``."""
        return await self.call("GET", path, lost=TryLater, params=params)

    async def call(
        self,
        method: str,
        path: str,
        *,
        lost: type[ChannelError],
        broken: type[ChannelError] = TryLater,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> Answer:
        """Make one call and return its answer.

        Raises:
            TryLater: If nothing was sent, or our rate is limited.
            Rejected: If the server refuses; ``NotThere`` if it knows no such thing.
            ChannelError: *lost* if the answer is, *broken* if the server failed (5xx).
        """
        try:
            async with self._http.request(
                method,
                self._base_url + path,
                headers={**self._headers, **(headers or {})},
                timeout=self._timeout,
                allow_redirects=False,
                **request,
            ) as response:
                return self._judge(response, await _read(response), broken)
        except aiohttp.InvalidURL as error:
            msg = f"{self._base_url} is not the address of a server."
            raise Rejected(msg) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            msg = f"{self._base_url} cannot be reached."
            raise TryLater(msg) from error
        except _NO_ANSWER as error:
            msg = f"{self._base_url} was asked, and its answer was lost."
            raise lost(msg) from error

    def _judge(
        self,
        response: aiohttp.ClientResponse,
        body: bytes,
        broken: type[ChannelError],
    ) -> Answer:
        """Return the answer, or raise what the server's refusal means."""
        status = response.status
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return Answer(status, json.loads(body) if body else None)
        said = f"{self._base_url} says: {_sentence(response, body)}"
        if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT}:
            raise TryLater(said, after=_wait(response.headers, now=self._clock()))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise broken(said)
        if status < HTTPStatus.BAD_REQUEST:
            place = response.headers.get("Location", "elsewhere")
            msg = f"{self._base_url} has moved to {place}. Use its present address."
            raise Rejected(msg)
        gone = status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
        remedy = _REMEDIES.get(HTTPStatus.NOT_FOUND if gone else status, "")
        disowned = status == HTTPStatus.UNAUTHORIZED
        refusal = NotThere if gone else Disowned if disowned else Rejected
        raise refusal(f"{said} {remedy}".strip())


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            msg = "more than any answer is long"
            raise aiohttp.ClientPayloadError(msg)
    return bytes(body)


def _sentence(response: aiohttp.ClientResponse, body: bytes) -> str:
    """Return the server's own words, or the status if it has none."""
    try:
        match json.loads(body):
            case {"error": str(words)} if words:
                return f"{words.rstrip('.')} ({response.status})."
    except ValueError:
        pass  # a page, or nothing: proxies and small servers answer so
    return f"{response.status} {response.reason or ''}".rstrip() + "."


def _wait(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Return how long the server wants to be left alone, if it says so.

    ``X-RateLimit-Reset`` is a moment in ISO 8601; proxies use ``Retry-After``.
    """
    try:
        if "Retry-After" in headers:
            return timedelta(seconds=max(1, int(headers["Retry-After"])))
        reset = datetime.fromisoformat(headers.get("X-RateLimit-Reset", ""))
    except (ValueError, OverflowError):
        return None
    reset = reset if reset.tzinfo else reset.replace(tzinfo=UTC)
    return max(reset - now, timedelta(seconds=1))
