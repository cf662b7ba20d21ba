"""Ready: an answer that is bytes already, for what is asked for thousands of times.

The library makes and checks each header of each answer; here only the date is made.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE

from outletbot.clock import utc_now

Way = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""How a request is answered."""


def head_of(status: int, reason: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the first lines of an answer, to whoever speaks HTTP/1.1 and stays.

    Raises:
        ValueError: If a header would become two of them.
    """
    return f"HTTP/1.1 {status} {reason}\r\n".encode() + lines_of(
        [*headers, ("Server", SERVER_SOFTWARE)]
    )


def lines_of(headers: Iterable[tuple[str, str]]) -> bytes:
    """Return *headers*, each a line.

    Raises:
        ValueError: If one of them would become two.
    """
    lines = [f"{name}: {value}" for name, value in headers]
    if any("\r" in line or "\n" in line for line in lines):
        msg = "there is a line break in a header"
        raise ValueError(msg)
    return "".join(f"{line}\r\n" for line in lines).encode()


class Ready(web.StreamResponse):
    """Sends *head*, the date and *body* in one piece; the connection stays open."""

    def __init__(self, status: int, head: bytes, body: bytes = b"") -> None:
        super().__init__(status=status)
        self._head, self._rest = head, body
        self._asked: web.BaseRequest | None = None

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        self._asked = request
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        assert self._asked is not None, "it is prepared first"
        date = http_date(int(utc_now().timestamp()))
        answer = b"%bDate: %b\r\n\r\n%b" % (self._head, date, self._rest)
        await self._asked.writer.write_eof(answer)


@lru_cache(maxsize=2)
def http_date(second: int) -> bytes:
    """Return a second since 1970 as HTTP writes it."""
    return format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True).encode()
