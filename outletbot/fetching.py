"""Fetching: the feed at an address, if it is another than the last time.

The address is a stranger's: it is called through the guard of ``outletbot.outside``,
which looks at each place it leads on to, and what comes is taken up to a size and
within a time, however slowly it drips. The password is told to that place alone.
"""

import asyncio
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote

import aiohttp
import structlog
from yarl import URL

from offers.sentences import Sentence
from offers.sources import FeedSource
from outletbot.outside import NotOutside
from outletbot.sealing import CannotOpen, Seal

MOST_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}
CHUNK = 64 * 1024
PATIENCE = 120  # seconds for all of it
SILENCE = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
LONGEST = 500
LONGEST_NAME = 100
AGENT = "outletbot (feeds)"

log = structlog.get_logger(__name__)


class FetchFailed(Exception):
    """Nothing could be got; *sentence* says why, and is for the retailer."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that came whole, and what its server said of it."""

    name: str
    sha256: str
    size: int
    etag: str = ""
    last_modified: str = ""


class Fetcher:
    """Takes files of at most *most* bytes, by https unless *plain* is allowed too."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        seal: Seal,
        *,
        most: int,
        plain: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        self._http, self._seal, self._most = http, seal, most
        self._schemes = {"https", "http"} if plain else {"https"}
        self._patience = patience

    async def fetch(self, source: FeedSource, target: BinaryIO) -> Brought | None:
        """Write what is at the address of *source* to *target*.

        Returns nothing if the server says that it is the file of the last time.

        Raises:
            FetchFailed: If it cannot be got.
        """
        try:
            async with asyncio.timeout(self._patience):
                return await self._follow(source, target)
        except aiohttp.ClientConnectorError as error:
            raise FetchFailed(_unreachable(error)) from None
        except TimeoutError:
            slow = Sentence("The server is too slow, or does not answer.")
            raise FetchFailed(slow) from None
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            log.info("fetch_broke_off", source=source.id, reason=type(error).__name__)
            cut = Sentence("The connection broke off, or what came is no file.")
            raise FetchFailed(cut) from None

    async def _follow(self, source: FeedSource, target: BinaryIO) -> Brought | None:
        home = url = URL(source.url)
        login = self._login(source)
        for _ in range(MOST_REDIRECTS + 1):
            self._check(url)
            headers = {**_asking(source), **(login if _is_same(url, home) else {})}
            async with self._http.get(
                url,
                headers=headers,
                allow_redirects=False,
                auto_decompress=False,
                timeout=SILENCE,
            ) as answer:
                if answer.status in REDIRECTS and "Location" in answer.headers:
                    url = url.join(URL(answer.headers["Location"]))
                    continue
                if answer.status == 304:
                    return None
                _refuse_status(answer.status)
                return await self._take(answer, url, target)
        raise FetchFailed(Sentence("The address leads on and on, and nowhere."))

    def _check(self, url: URL) -> None:
        if url.scheme not in self._schemes or not url.host:
            raise FetchFailed(
                Sentence("The address leads to one that does not begin with https://.")
            )

    def _login(self, source: FeedSource) -> dict[str, str]:
        try:
            kept = self._seal.open(source.sealed_login)
        except CannotOpen:
            raise FetchFailed(
                Sentence("The password cannot be read any more. Add the address anew.")
            ) from None
        return dict(json.loads(kept)) if kept else {}

    async def _take(
        self, answer: aiohttp.ClientResponse, url: URL, target: BinaryIO
    ) -> Brought:
        sha256, packed, size = hashlib.sha256(), 0, 0
        opening = _opening(answer.headers.get("Content-Encoding", ""))
        async for chunk in answer.content.iter_chunked(CHUNK):
            packed += len(chunk)
            for part in opening.open(chunk):
                size += len(part)
                if max(packed, size) > self._most:
                    raise FetchFailed(_too_large(self._most))
                sha256.update(part)
                target.write(part)
        opening.finish()
        target.seek(0)
        return Brought(
            name=_name_of(url),
            sha256=sha256.hexdigest(),
            size=size,
            etag=_said(answer, "ETag"),
            last_modified=_said(answer, "Last-Modified"),
        )


class _Plain:
    """What came as it is."""

    def open(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def finish(self) -> None: ...


class _Packed:
    """What was packed for the way, a little at a time, in one piece or several."""

    def __init__(self) -> None:
        self._unpacker = _unpacker()

    def open(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._unpacker.eof:
                chunk = chunk.lstrip(b"\0")  # what fills up a block of a tape
                if not chunk:
                    return
                self._unpacker = _unpacker()
            yield self._unpacker.decompress(chunk, CHUNK)
            chunk = self._unpacker.unconsumed_tail or self._unpacker.unused_data

    def finish(self) -> None:
        if not self._unpacker.eof:
            raise FetchFailed(Sentence("The file broke off before its end."))


def _unpacker() -> "zlib._Decompress":
    return zlib.decompressobj(zlib.MAX_WBITS | 32)


def _opening(encoding: str) -> _Plain | _Packed:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip" | "deflate":
            return _Packed()
    raise FetchFailed(
        Sentence("The server packs the file in a way that we cannot read.")
    )


def _asking(source: FeedSource) -> dict[str, str]:
    headers = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
    if source.etag:
        headers["If-None-Match"] = source.etag
    if source.last_modified:
        headers["If-Modified-Since"] = source.last_modified
    return headers


def _said(answer: aiohttp.ClientResponse, name: str) -> str:
    """Return a header that is sent back the next time, if it can be."""
    said = answer.headers.get(name, "")
    return said if said.isprintable() and len(said) <= LONGEST else ""


def _is_same(url: URL, home: URL) -> bool:
    return url.origin() == home.origin()


def _refuse_status(status: int) -> None:
    if status == 200:
        return
    if status in {401, 403}:
        raise FetchFailed(
            Sentence(
                "The server wants a password, or another one (it answered {status}).",
                status=status,
            )
        )
    if status in {404, 410}:
        raise FetchFailed(
            Sentence(
                "There is no file at this address (the server answered {status}).",
                status=status,
            )
        )
    raise FetchFailed(Sentence("The server answered {status}.", status=status))


def _unreachable(error: aiohttp.ClientConnectorError) -> Sentence:
    if isinstance(error.os_error, NotOutside):
        return Sentence(
            "The address leads inside our own network, where nothing is fetched."
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Sentence("The server's certificate is not valid, or not for its name.")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Sentence("There is no server of this name.")
    return Sentence("The server cannot be reached.")


def _too_large(most: int) -> Sentence:
    return Sentence("The file is larger than {most} MB.", most=most // 1024**2)


def _name_of(url: URL) -> str:
    return shown_name(unquote(PurePosixPath(url.path).name)) or url.host or ""


def shown_name(name: str) -> str:
    """Return a stranger's *name* of a file as far as it can be kept and shown."""
    return "".join(filter(str.isprintable, name))[-LONGEST_NAME:]
