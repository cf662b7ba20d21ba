"""
The file at an address is fetched if it is another than before, from outside alone, up
to a size and within a time.
"""

import asyncio
import gzip
import io
import json
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer, unused_port

from offers.sources import FeedSource
from outletbot.fetching import Brought, Fetcher, FetchFailed
from outletbot.outside import guarded_session, make_socket
from outletbot.sealing import Seal, new_key

CSV = b"sku,title,price,quantity\nA-1,Parka,99.00,3\n"
MOST = 64 * 1024


@dataclass
class Shop:
    """A shop's server: gives *content* with *headers*, and notes who asks for what."""

    url: str = ""
    content: bytes = CSV
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    leads_to: list[str] = field(default_factory=list)
    drips: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def give(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, dict(request.headers)))
        if self.leads_to:
            raise web.HTTPFound(self.leads_to.pop(0))
        if self.drips:
            return await self._drip(request)
        etag = self.headers.get("ETag")
        if etag and request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        return web.Response(body=self.content, status=self.status, headers=self.headers)

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.01)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop, app = Shop(), web.Application()
    app.router.add_get("/{path:.*}", shop.give)
    async with TestServer(app, host="127.0.0.1") as server:
        shop.url = str(server.make_url("/out/feed.csv"))
        yield shop
        shop.drips = False


@pytest.fixture
def seal() -> Seal:
    return Seal(new_key())


Fetch = Callable[..., object]


@pytest.fixture
def fetch(shop: Shop, seal: Seal) -> Fetch:
    """Fetch from the shop; return what was said of it and what came."""

    async def once(
        *,
        inside: bool = True,
        plain: bool = True,
        patience: float = 10,
        **facts: object,
    ) -> tuple[Brought | None, bytes]:
        source = FeedSource(id="source_1", **{"url": shop.url, **facts})
        target = io.BytesIO()
        async with guarded_session(allow_private=inside) as http:
            fetcher = Fetcher(http, seal, most=MOST, plain=plain, patience=patience)
            return await fetcher.fetch(source, target), target.getvalue()

    return once


async def refusal(fetch: Fetch, **how: object) -> str:
    with pytest.raises(FetchFailed) as refused:
        await fetch(**how)
    return str(refused.value)


class TestFile:
    async def test_comes_with_its_name_and_what_was_said_of_it(self, fetch, shop):
        shop.headers = {
            "ETag": '"v1"',
            "Last-Modified": "Mon, 02 Mar 2026 09:00:00 GMT",
        }

        brought, content = await fetch()

        assert content == CSV
        assert (brought.name, brought.size) == ("feed.csv", len(CSV))
        assert brought.etag == '"v1"'
        assert brought.last_modified == "Mon, 02 Mar 2026 09:00:00 GMT"

    async def test_is_asked_for_only_if_it_is_another(self, fetch, shop):
        shop.headers = {"ETag": '"v1"'}

        brought, content = await fetch(etag='"v1"', last_modified="then")

        assert (brought, content) == (None, b"")
        ((_, asked),) = shop.asked
        assert asked["If-None-Match"] == '"v1"'
        assert asked["If-Modified-Since"] == "then"

    @pytest.mark.parametrize(
        ("encoding", "pack"),
        [
            ("gzip", gzip.compress),
            ("deflate", zlib.compress),
            ("x-gzip", gzip.compress),
        ],
    )
    async def test_may_be_packed_for_the_way(self, fetch, shop, encoding, pack):
        shop.content, shop.headers = pack(CSV), {"Content-Encoding": encoding}

        _, content = await fetch()

        assert content == CSV

    async def test_may_be_packed_in_several_pieces(self, fetch, shop):
        shop.content = gzip.compress(CSV) + gzip.compress(b"B-2,Coat") + bytes(300)
        shop.headers = {"Content-Encoding": "gzip"}

        _, content = await fetch()

        assert content == CSV + b"B-2,Coat"

    @pytest.mark.parametrize(
        ("path", "name"), [("/a%00b.csv", "ab.csv"), ("/%FF.csv", "�.csv")]
    )
    async def test_has_a_name_that_can_be_kept(self, fetch, shop, path, name):
        url = shop.url.removesuffix("/out/feed.csv") + path

        brought, _ = await fetch(url=url)

        assert brought.name == name

    async def test_comes_without_what_cannot_be_sent_back(self, fetch):
        async with speaking(b'ETag: "\xff"\r\nLast-Modified: ' + b"x" * 501) as url:
            brought, content = await fetch(url=url)

        assert content == CSV
        assert (brought.etag, brought.last_modified) == ("", "")

    async def test_that_is_packed_itself_stays_so(self, fetch, shop):
        shop.content = gzip.compress(CSV)

        _, content = await fetch()

        assert gzip.decompress(content) == CSV


@asynccontextmanager
async def speaking(header: bytes) -> AsyncIterator[str]:
    """Give the file with a *header* that no decent server sends."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        length = str(len(CSV)).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n")
        writer.write(header + b"\r\n\r\n" + CSV)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/feed.csv"


class TestLimits:
    async def test_are_of_size(self, fetch, shop):
        shop.content = b"x" * (MOST + 1)

        assert "larger than" in await refusal(fetch)

    async def test_are_of_what_is_unpacked(self, fetch, shop):
        shop.content = gzip.compress(b"x" * 100 * MOST)
        shop.headers = {"Content-Encoding": "gzip"}

        assert "larger than" in await refusal(fetch)

    async def test_are_of_what_comes_of_nothing(self, fetch, shop):
        shop.content = gzip.compress(b"") * (MOST // 10)
        shop.headers = {"Content-Encoding": "gzip"}

        assert "larger than" in await refusal(fetch)

    async def test_are_of_time_however_slowly_it_drips(self, fetch, shop):
        shop.drips = True

        assert "too slow" in await refusal(fetch, patience=0.2)

    async def test_are_of_packing(self, fetch, shop):
        shop.headers = {"Content-Encoding": "br"}

        assert "cannot read" in await refusal(fetch)

    async def test_of_what_breaks_off(self, fetch, shop):
        shop.content = gzip.compress(CSV * 99)[:-9]
        shop.headers = {"Content-Encoding": "gzip"}

        assert "broke off" in await refusal(fetch)

    @pytest.mark.parametrize(
        ("status", "told"),
        [
            (401, "wants a password"),
            (404, "no file at this address"),
            (500, "answered 500"),
            (204, "answered 204"),
        ],
    )
    async def test_of_what_is_no_answer(self, fetch, shop, status, told):
        shop.status = status

        assert told in await refusal(fetch)

    async def test_of_who_is_not_there(self, fetch):
        url = f"http://127.0.0.1:{unused_port()}/feed.csv"

        assert "cannot be reached" in await refusal(fetch, url=url)


class TestRedirects:
    async def test_are_followed(self, fetch, shop):
        shop.leads_to = ["/one", "two/feed.tsv"]

        brought, content = await fetch()

        assert content == CSV
        assert brought.name == "feed.tsv"
        assert [path for path, _ in shop.asked] == [
            "/out/feed.csv",
            "/one",
            "/two/feed.tsv",
        ]

    async def test_are_followed_so_far(self, fetch, shop):
        shop.leads_to = ["/again"] * 6

        assert "on and on" in await refusal(fetch)
        assert len(shop.asked) == 6

    @pytest.mark.parametrize("place", ["ftp://x.example/", "file:///etc/passwd"])
    async def test_lead_to_https_alone(self, fetch, shop, place):
        shop.leads_to = [place]

        assert "does not begin with https" in await refusal(fetch)

    async def test_do_not_lead_from_https_to_http(self, fetch):
        told = await refusal(fetch, plain=False)

        assert "does not begin with https" in told


class TestInside:
    async def test_nothing_is_fetched(self, fetch, shop):
        told = await refusal(fetch, inside=False)

        assert told.startswith("The address leads inside our own network")
        assert shop.asked == []

    async def test_nothing_is_fetched_after_a_redirect(self, shop, seal):
        """An address outside answers with one inside; the guard looks at each."""
        shop.leads_to = ["http://[::1]:1/latest/meta-data"]
        source, target = FeedSource(id="source_1", url=shop.url), io.BytesIO()
        # To this guard the shop's server is outside, and all else is as it is.
        guard = TCPConnector(socket_factory=partial(open_socket, shop))
        async with ClientSession(connector=guard) as http:
            fetcher = Fetcher(http, seal, most=MOST, plain=True)

            with pytest.raises(FetchFailed, match="inside our own network"):
                await fetcher.fetch(source, target)

        assert len(shop.asked) == 1


def open_socket(shop: Shop, info) -> socket.socket:
    family, kind, protocol, _, address = info
    if f":{address[1]}/" in shop.url:
        return socket.socket(family, kind, protocol)
    return make_socket(info, allow_private=False)


LOGIN = {"Authorization": "Basic YW5hOnNlY3JldA=="}


class TestLogin:
    async def test_is_told_to_the_server(self, fetch, shop, seal):
        await fetch(sealed_login=seal.close(json.dumps(LOGIN)))

        ((_, asked),) = shop.asked
        assert asked["Authorization"] == LOGIN["Authorization"]

    async def test_is_told_to_no_other(self, fetch, shop, seal):
        elsewhere, app = Shop(), web.Application()
        app.router.add_get("/{path:.*}", elsewhere.give)
        async with TestServer(app, host="127.0.0.1") as server:
            shop.leads_to = [str(server.make_url("/feed.csv"))]
            await fetch(sealed_login=seal.close(json.dumps(LOGIN)))

        assert "Authorization" in shop.asked[0][1]
        assert "Authorization" not in elsewhere.asked[0][1]

    async def test_that_cannot_be_opened_any_more_is_said(self, fetch):
        other = Seal(new_key()).close(json.dumps(LOGIN))

        assert "cannot be read any more" in await refusal(fetch, sealed_login=other)
