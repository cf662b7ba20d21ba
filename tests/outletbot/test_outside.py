"""
Addresses that other people gave us lead out, never in: not by number, not by name, not
by a redirect.
"""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from outletbot.outside import NotOutside, guarded_session, is_public, make_socket

INSIDE = [
    "0.0.0.0",  # noqa: S104  (the point of the test)
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.9.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:100.64.0.1",
    "::ffff:224.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "fc00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"]
DISGUISES = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://localhost.:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://you@127.0.0.1:{port}/",
]


@pytest.fixture
async def inside() -> AsyncIterator[tuple[list[str], int]]:
    """A server in our own network, and what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(str(request.url))
        return web.Response(text="secrets", headers={"Set-Cookie": "kept=1"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        assert server.port is not None
        yield asked, server.port


@pytest.mark.parametrize("address", INSIDE)
def test_knows_what_is_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_knows_what_is_outside(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("disguise", DISGUISES)
async def test_lets_nothing_in(inside: tuple[list[str], int], disguise: str) -> None:
    asked, port = inside

    async with guarded_session(allow_private=False) as http:
        with pytest.raises((aiohttp.ClientError, ValueError)):
            await http.get(disguise.format(port=port))

    assert asked == []


async def test_says_why(inside: tuple[list[str], int]) -> None:
    _, port = inside

    async with guarded_session(allow_private=False) as http:
        with pytest.raises(aiohttp.ClientConnectorError) as refusal:
            await http.get(f"http://localhost:{port}/")

    assert isinstance(refusal.value.os_error, NotOutside)


async def test_goes_inside_where_that_is_allowed(
    inside: tuple[list[str], int],
) -> None:
    asked, port = inside

    async with (
        guarded_session(allow_private=True) as http,
        http.get(f"http://127.0.0.1:{port}/here") as answer,
    ):
        assert await answer.text() == "secrets"

    assert asked == [f"http://127.0.0.1:{port}/here"]


async def test_keeps_no_cookies(inside: tuple[list[str], int]) -> None:
    _, port = inside

    async with guarded_session(allow_private=True) as http:
        await (await http.get(f"http://127.0.0.1:{port}/")).read()

        assert len(http.cookie_jar) == 0


def test_opens_a_socket_to_the_outside() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("1.1.1.1", 1))

    with make_socket(info, allow_private=False) as made:
        assert made.family is socket.AF_INET


def test_opens_none_for_a_name_that_resolves_to_the_inside() -> None:
    """What is checked is the address that the name has, once it was resolved."""
    info = (
        socket.AF_INET,
        socket.SOCK_STREAM,
        socket.IPPROTO_TCP,
        "shop.example",
        ("127.0.0.1", 443),
    )

    with pytest.raises(NotOutside):
        make_socket(info, allow_private=False)
