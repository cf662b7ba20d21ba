"""Calls to one network, and what their failures mean.

What matters of a failure is whether the network may have acted. A call that never left
did nothing (``TryLater``), a refusal is the network's word (``Rejected``), and a lost
or unreadable answer proves nothing: what that means depends on the call, so the caller
says it (*lost*, *broken*). Words from the network are passed on to the person.

How a network words its refusals is its own: its file gives a ``Judge``, which makes an
error of an answer that is none of the usual ones.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from outletbot.channels import ChannelError, Disowned, Limited, Rejected, TryLater
from outletbot.clock import Clock

MAX_ANSWER = 8 * 1024 * 1024

# The last two are what reading JSON raises, however it was garbled.
_NO_ANSWER = (aiohttp.ClientError, TimeoutError, ValueError, RecursionError)

_RATE_LIMITED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)


class NotThere(Rejected):
    """The network knows no such thing."""


class Unclear(TryLater):
    """The answer is not what the network answers."""

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


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Answer:
    """*content* is the body, read as JSON; None if there was none."""

    status: int
    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no success. *content* is None if the body was no JSON.

    *server* is how the network is called in sentences; *broken* what it means if the
    network failed (5xx).
    """

    server: str
    status: int
    reason: str
    headers: Mapping[str, str]
    content: Any
    broken: type[ChannelError]
    now: datetime

    def said(self, words: str = "") -> str:
        """Return the network's *words* as a sentence, or its status if it has none."""
        if words:
            return f"{self.server} says: {words.rstrip('.')} ({self.status})."
        return f"{self.server} says: {f'{self.status} {self.reason}'.rstrip()}."


Judge = Callable[[Refusal], ChannelError]


def judge(
    refusal: Refusal,
    words: str = "",
    *,
    remedies: Mapping[int, str] | None = None,
    after: timedelta | None = None,
) -> ChannelError:
    """Return what a refusal means by its status, as HTTP has it.

    *words* are the network's own, *remedies* what a person can do by status, *after*
    how long it wants to be left alone, if it says so in another way than by
    ``Retry-After``.
    """
    status, said = refusal.status, refusal.said(words)
    if status in _RATE_LIMITED:
        return Limited(said, after=after or retry_after(refusal.headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return refusal.broken(said)
    if status < HTTPStatus.BAD_REQUEST:
        place = origin_of(refusal.headers.get("Location", "")) or "elsewhere"
        msg = f"{refusal.server} has moved to {place}. Use its present address."
        return Rejected(msg)
    gone = status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
    remedy = (remedies or {}).get(HTTPStatus.NOT_FOUND if gone else status, "")
    disowned = status == HTTPStatus.UNAUTHORIZED
    meaning = NotThere if gone else Disowned if disowned else Rejected
    return meaning(f"{said} {remedy}".strip())


def origin_of(address: str) -> str:
    """Return whose server an address leads to; the rest of it may be secret."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else ""


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long ``Retry-After`` wants us to wait, if it says so in seconds."""
    try:
        return timedelta(seconds=max(1, float(headers.get("Retry-After", ""))))
    except (ValueError, OverflowError):
        return None


class Calls:
    """One account's way to its network; what *headers* hold never appears in words.

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
        *,
        headers: Mapping[str, str],
        judge: Judge,
        clock: Clock,
        patience: Patience = PATIENCE,
        server: str = "",
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._server = server or self._base_url
        self._headers = {
            "Accept": "application/json",
            "Connection": "close",
            **headers,
        }
        self._judge = judge
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
            TryLater: If nothing was sent; ``Limited`` if our rate is limited.
            Rejected: If the network refuses; ``NotThere`` if it knows no such thing.
            ChannelError: *lost* if the answer is, *broken* if the network failed (5xx).
        """
        try:
            async with self._http.request(
                method,
                _address(self._base_url, path),
                headers={**self._headers, **(headers or {})},
                timeout=self._timeout,
                allow_redirects=False,
                **request,
            ) as response:
                body = await _read(response)
                if response.status < HTTPStatus.MULTIPLE_CHOICES:
                    content = _read_json(body) if body else None
                    return Answer(response.status, content, response.headers)
                refusal = self._refusal(response, body, broken)
        except aiohttp.InvalidURL as error:
            msg = f"{self._base_url} is not the address of a server."
            raise Rejected(msg) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            msg = f"{self._server} cannot be reached."
            raise TryLater(msg) from error
        except _NO_ANSWER as error:
            msg = f"{self._server} was asked, and its answer was lost."
            raise lost(msg) from error
        raise self._judge(refusal)

    def _refusal(
        self,
        response: aiohttp.ClientResponse,
        body: bytes,
        broken: type[ChannelError],
    ) -> Refusal:
        return Refusal(
            self._server,
            response.status,
            response.reason or "",
            response.headers,
            _json(body),
            broken,
            self._clock(),
        )


def _address(base_url: str, path: str) -> str | URL:
    """Leave a path as it is that is quoted already: yarl would undo some of that."""
    return URL(base_url + path, encoded=True) if "%" in path else base_url + path


def _json(body: bytes) -> Any:
    """Proxies and small servers answer with a page, or with nothing."""
    try:
        return _read_json(body)
    except (ValueError, RecursionError):
        return None


def _read_json(body: bytes) -> Any:
    return _writable(json.loads(body))


def _writable(content: Any) -> Any:
    """Return what was read with texts that can be kept, shown and sent everywhere.

    JSON can name halves of characters, and the NUL that PostgreSQL does not take.
    """
    match content:
        case str():
            return content.encode(errors="replace").decode().replace("\0", "")
        case list():
            return [_writable(each) for each in content]
        case dict():
            return {_writable(name): _writable(each) for name, each in content.items()}
    return content


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            msg = "more than any answer is long"
            raise aiohttp.ClientPayloadError(msg)
    return bytes(body)
