"""Our own load, for where wrk is not: the same requests, the same answers wanted.

Run as ``load.py CONNECTIONS SECONDS`` with the environment and the folder that
``load.lua`` describes. A request is sent on a connection when the one before it was
answered, and each connection's last one is waited for.
"""

import asyncio
import itertools
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvloop

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
TO_HOLD = re.compile(rb"\r\nlocation: /h/(\w+)/pay\r\n", re.IGNORECASE)
AGENT = "User-Agent: Mozilla/5.0 (Linux; Android 14) Mobile"
PAGE = (
    "Accept: text/html\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9"
)
FORM = (
    "Accept: text/html\r\nSec-Fetch-Site: same-origin\r\n"
    "Content-Type: application/x-www-form-urlencoded"
)
JSON = "Content-Type: application/json; charset=utf-8"


class Load:
    """What is sent next, and what came of it."""

    def __init__(self, kind: str, folder: Path, until: float) -> None:
        self.until = until
        self.closed = asyncio.Semaphore(0)
        self.right = self.wrong = 0
        self.sample = b""
        self.times: list[float] = []
        self.holds: list[bytes] = []
        self._folder = folder
        self._paths = self.lines("paths.txt")
        self._requests: Iterator[bytes] = getattr(self, f"_{kind}s")()
        self._is_right: Callable[[int, bytes, bytes], bool]
        self._is_right = getattr(self, f"_is_{kind}")

    def lines(self, name: str) -> list[str]:
        return (self._folder / name).read_text().splitlines()

    def next_request(self) -> bytes | None:
        return next(self._requests) if time.perf_counter() < self.until else None

    def note(self, head: bytes, body: bytes, seconds: float) -> None:
        self.times.append(seconds * 1000)
        if self._is_right(int(head[9:12]), head, body):
            self.right += 1
        else:
            self.wrong += 1
            self.sample = head[:200]

    def _pages(self) -> Iterator[bytes]:
        self._page = (self._folder / "page.bin").read_bytes()
        for path in itertools.cycle(self._paths):
            yield _request("GET", path, PAGE, "")

    def _is_page(self, status: int, _head: bytes, body: bytes) -> bool:
        return status == 200 and body == self._page

    def _claims(self) -> Iterator[bytes]:
        [prefix] = self.lines("prefix.txt")
        for number, path in enumerate(itertools.cycle(self._paths)):
            form = f"key={prefix}-1-{number}&quantity=1"
            yield _request("POST", path, FORM, form)

    def _is_claim(self, status: int, head: bytes, _body: bytes) -> bool:
        led = TO_HOLD.search(head + b"\r\n")
        if status != 303 or led is None:
            return False
        self.holds.append(led[1])
        return True

    def _events(self) -> Iterator[bytes]:
        for line in itertools.cycle(self.lines("events-1.txt")):
            signature, _, body = line.partition("\t")
            headers = f"{JSON}\r\nStripe-Signature: {signature}"
            yield _request("POST", self._paths[0], headers, body)

    def _is_event(self, status: int, _head: bytes, _body: bytes) -> bool:
        return status == 204


def _request(method: str, path: str, headers: str, body: str) -> bytes:
    length = f"\r\nContent-Length: {len(body)}" if method == "POST" else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{AGENT}\r\n{headers}{length}"
        f"\r\n\r\n{body}"
    ).encode()


class Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: Any = None  # uvloop's is no asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(HEAD_END)
        at = head.lower().find(LENGTH)
        length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if not found or len(body) < length:
            return
        self._load.note(head, body, time.perf_counter() - self._sent_at)
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


async def main(connections: int, seconds: float) -> None:
    folder, started = Path(os.environ["BENCH_FOLDER"]), time.perf_counter()
    load = Load(os.environ["BENCH_KIND"], folder, started + seconds)
    loop, ports = asyncio.get_running_loop(), load.lines("ports.txt")
    for _, port in zip(range(connections), itertools.cycle(ports), strict=False):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", int(port))
    async with asyncio.timeout(seconds + 30):
        for _ in range(connections):
            await load.closed.acquire()
    took = time.perf_counter() - started
    (folder / "holds-1.txt").write_bytes(b"\n".join(load.holds))
    times = sorted(load.times)
    p50, p99 = (times[int(len(times) * share)] for share in (0.5, 0.99))
    facts = (load.right, load.wrong, 0, took, p50, p99, load.sample.split(b"\r")[0])
    print("\nRESULT", *facts, sep="\t")


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
