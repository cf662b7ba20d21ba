"""Load: as many HTTP/1.1 requests as a server answers, over kept connections.

A request is sent on a connection when the one before it was answered. Plain enough to
ask more than the servers measured can answer, so that it is them that are measured.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Result:
    """Requests answered within *seconds*, by status, and their times in ms."""

    seconds: float
    statuses: dict[int, int]
    times: list[float]

    @property
    def per_second(self) -> float:
        return sum(self.statuses.values()) / self.seconds

    def percentile(self, share: float) -> float:
        return sorted(self.times)[int(len(self.times) * share)] if self.times else 0.0


class _Connection(asyncio.Protocol):
    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: Any = None  # uvloop's is no asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(HEAD_END)
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        at = head.find(LENGTH)
        length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < head_end + len(HEAD_END) + length:
            return
        self._load.note(int(head[9:12]), time.perf_counter() - self._sent_at)
        self._buffer = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.closed.release()

    def _send(self) -> None:
        request = self._load.next_request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class _Load:
    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self._requests = requests
        self._until = until
        self.closed = asyncio.Semaphore(0)
        self.statuses: dict[int, int] = {}
        self.times: list[float] = []

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self._until:
            return None
        return next(self._requests, None)

    def note(self, status: int, seconds: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.times.append(seconds * 1000)


async def load(
    port: int, requests: Iterator[bytes], *, connections: int, seconds: float
) -> Result:
    """Send *requests* until they or the *seconds* run out."""
    started = time.perf_counter()
    made = _Load(requests, started + seconds)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(made), "127.0.0.1", port)
    async with asyncio.timeout(seconds + 30):
        for _ in range(connections):
            await made.closed.acquire()
    return Result(time.perf_counter() - started, made.statuses, made.times)


def same(request: bytes) -> Iterator[bytes]:
    while True:
        yield request


def get(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n"
        "Accept-Encoding: gzip\r\nAccept-Language: en\r\n"
        "User-Agent: Mozilla/5.0\r\n\r\n"
    ).encode()


def posts(path: str, body: Callable[[int], str]) -> Iterator[bytes]:
    """Return forms sent to *path*, each with a body of its own, from our own page."""
    number = 0
    while True:
        text = body(number)
        number += 1
        yield (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Sec-Fetch-Site: same-origin\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Accept: text/html\r\nUser-Agent: Mozilla/5.0\r\n"
            f"Content-Length: {len(text)}\r\n\r\n{text}"
        ).encode()
