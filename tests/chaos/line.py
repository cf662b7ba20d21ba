"""
A line: one shopper's connection to the shop, kept open from request to request. Plain,
so that the crowd costs little beside what it tests.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE = 20.0
FORM = "application/x-www-form-urlencoded"


class Lost(Exception):
    """No answer came, or not all of it: it may have been done or not."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def retry_after(self) -> float:
        return float(self.headers.get("retry-after", "1"))


class Line:
    def __init__(self, address: str) -> None:
        """*address* is the shopper's own, which a proxy would tell."""
        self._address = address
        self._port = 0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, port: int, path: str, cookie: str = "") -> Answer:
        return await self._ask(port, "GET", path, "", cookie)

    async def post(
        self, port: int, path: str, form: str = "", cookie: str = ""
    ) -> Answer:
        return await self._ask(port, "POST", path, form, cookie)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _ask(
        self, port: int, method: str, path: str, form: str, cookie: str
    ) -> Answer:
        """Send a request as our own pages would.

        Raises:
            Lost: If there was no answer.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await self._connect(port)
                writer.write(self._request(port, method, path, form, cookie))
                return await self._read(reader)
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError) as error:
            self.close()
            raise Lost(repr(error)) from error

    async def _connect(
        self, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._port != port or self._reader is None or self._writer is None:
            self.close()
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", port, limit=1 << 18
            )
            self._port = port
        return self._reader, self._writer

    def _request(
        self, port: int, method: str, path: str, form: str, cookie: str
    ) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            f"X-Forwarded-For: {self._address}",
            "Accept: text/html",
            "Accept-Language: en",
            "User-Agent: Mozilla/5.0",
            "Sec-Fetch-Site: same-origin",
        ]
        if cookie:
            lines.append(f"Cookie: {cookie}")
        if method == "POST":
            lines += [f"Content-Type: {FORM}", f"Content-Length: {len(form)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + form).encode()

    async def _read(self, reader: asyncio.StreamReader) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(first.split(" ", 2)[1]), headers, body)


def path_of(address: str) -> str:
    """Return what is asked for at *address*, whoever serves it."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
