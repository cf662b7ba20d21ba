"""
The networks, all of them in one process, with an account for each retailer at each; and
the shop's window, from which some of them fetch pictures.

Where they are is written to a pipe as JSON; they end when the other pipe is closed.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.known_networks import NETWORKS
from outletbot.sandbox import (
    bluesky,
    discord,
    linkedin,
    mastodon,
    meta,
    telegram,
    threads,
    x,
)
from tests.chaos.posting_board import Board, When
from tests.chaos.posting_place import Account, Place, small_picture

CALM = 3
"""So many looks in a row at which nothing is under way."""

GROUP = 5
"""So many retailers share a server of each network: what one keeps, it reads often."""


@dataclass
class _Watch:
    """What is under way, and whose turn it is to strike."""

    board: Board
    runners: list[web.AppRunner] = field(default_factory=list)
    busy: int = 0

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count what is under way, and strike when it is time."""
        turn = None if request.method == "GET" else self.board.count_call()
        if turn is When.HEARD:
            self.board.strike()
        self.busy += 1
        try:
            answer = await handler(request)
        finally:
            self.busy -= 1
        if turn is When.DONE:
            self.board.strike()
        return answer

    async def quiet(self, _request: web.Request) -> web.Response:
        """Answer when all that was asked so far was dealt with."""
        calm = 0
        while calm < CALM:
            await asyncio.sleep(0.001)
            servers = (runner.server for runner in self.runners)
            connected = any(server and server.connections for server in servers)
            calm = 0 if self.busy or connected else calm + 1
        return web.Response()


@dataclass(frozen=True, slots=True)
class _Hall:
    """Where a network is built for some retailers, at *url*."""

    board: Board
    retailers: range
    url: str

    @property
    def facts(self) -> dict[str, Any]:
        return {"clock": self.board.clock, "public_url": self.url}

    def account(
        self, kind: str, number: int, token: str, account_id: str = "", handle: str = ""
    ) -> Account:
        handle = handle or _handle(number)
        path = urlsplit(NETWORKS[kind].base_url).path
        page = f"{self.url}/@{handle}"
        return Account(kind, number, self.url + path, handle, token, account_id, page)


Build: TypeAlias = Callable[[_Hall], tuple[web.Application, list[Account]]]


def _handle(number: int) -> str:
    return f"outlet{number}"


def _mastodon(hall: _Hall) -> tuple[web.Application, list[Account]]:
    known = [mastodon.Account(_handle(n), f"masto-{n}") for n in hall.retailers]
    app = mastodon.build_mastodon_sandbox(
        accounts=known, looks_until_ready=0, **hall.facts
    )
    return app, [
        hall.account("mastodon", n, a.token)
        for n, a in zip(hall.retailers, known, strict=True)
    ]


def _bluesky(hall: _Hall) -> tuple[web.Application, list[Account]]:
    known = [bluesky.Account(f"{_handle(n)}.test") for n in hall.retailers]
    app = bluesky.build_bluesky_sandbox(accounts=known, **hall.facts)
    sessions = app[bluesky.SANDBOX].sessions
    late = hall.board.clock().replace(year=hall.board.clock().year + 1)
    return app, [  # renewing tokens is another job's business
        hall.account("bluesky", n, sessions.open(a.id, now=late).access, a.id, a.handle)
        for n, a in zip(hall.retailers, known, strict=True)
    ]


def _x(hall: _Hall) -> tuple[web.Application, list[Account]]:
    known = [x.Account(_handle(n), f"x-{n}", id=str(7_000 + n)) for n in hall.retailers]
    app = x.build_x_sandbox(accounts=known, **hall.facts)
    return app, [
        hall.account("x", n, a.access_token, a.id)
        for n, a in zip(hall.retailers, known, strict=True)
    ]


def _meta(hall: _Hall) -> tuple[web.Application, list[Account]]:
    """Facebook and Instagram: one account there is one at both, with one page."""
    known = [
        meta.MetaAccount(
            _handle(n),
            f"EAA-{n}",
            page_id=str(100_000 + n),
            instagram_id=str(17_841_400_000_000_000 + n),
        )
        for n in hall.retailers
    ]
    app = meta.build_meta_sandbox(accounts=known, **hall.facts)
    app[meta.BOOKS].looks_until_finished = 0
    numbered = list(zip(hall.retailers, known, strict=True))
    return app, [
        *(hall.account("facebook", n, a.page_token, a.page_id) for n, a in numbered),
        *(
            hall.account("instagram", n, a.page_token, a.instagram_id)
            for n, a in numbered
        ),
    ]


def _threads(hall: _Hall) -> tuple[web.Application, list[Account]]:
    known = [
        threads.Account(_handle(n), f"THAA-{n}", user_id=str(18_000_000_000 + n))
        for n in hall.retailers
    ]
    app = threads.build_threads_sandbox(
        accounts=known, looks_until_finished=0, **hall.facts
    )
    return app, [
        hall.account("threads", n, a.access_token, a.user_id)
        for n, a in zip(hall.retailers, known, strict=True)
    ]


def _telegram(hall: _Hall) -> tuple[web.Application, list[Account]]:
    known = [
        telegram.Account(_handle(n), f"{5_000 + n}:AA", -1_001_000_000_000 - n)
        for n in hall.retailers
    ]
    app = telegram.build_telegram_sandbox(accounts=known, **hall.facts)
    return app, [
        hall.account("telegram", n, a.access_token, f"@{a.handle}")
        for n, a in zip(hall.retailers, known, strict=True)
    ]


def _discord(hall: _Hall) -> tuple[web.Application, list[Account]]:
    known = [
        discord.Account(
            _handle(n),
            str(1_177_000_000_000_000_000 + n),
            "w" * 68,
            channel_id=str(1_178_000_000_000_000_000 + n),
        )
        for n in hall.retailers
    ]
    app = discord.build_discord_sandbox(accounts=known, **hall.facts)
    return app, [
        hall.account("discord", n, a.access_token, a.webhook_id)
        for n, a in zip(hall.retailers, known, strict=True)
    ]


def _linkedin(hall: _Hall) -> tuple[web.Application, list[Account]]:
    known = [
        linkedin.Account(_handle(n), f"li-{n}", organization_id=str(2_000_000 + n))
        for n in hall.retailers
    ]
    app = linkedin.build_linkedin_sandbox(
        accounts=known, looks_until_ready=0, **hall.facts
    )
    return app, [
        hall.account("linkedin", n, a.access_token, a.urn)
        for n, a in zip(hall.retailers, known, strict=True)
    ]


BUILD: tuple[Build, ...] = (
    _mastodon,
    _bluesky,
    _x,
    _meta,
    _threads,
    _telegram,
    _discord,
    _linkedin,
)


def keep_fakes(board: Board, retailers: int, tell: int, stop: int) -> None:
    """Serve them until the pipe *stop* is closed; *tell* the other one where."""
    asyncio.run(_serve(board, retailers, tell, stop))


async def _serve(board: Board, retailers: int, tell: int, stop: int) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_reader(stop, stopped.set)
    watch, accounts = _Watch(board), list[Account]()
    async with AsyncExitStack() as stack:
        for first in range(0, retailers, GROUP):
            some = range(first, min(first + GROUP, retailers))
            for build in BUILD:
                accounts += await _build(stack, watch, build, some)
        door, url = _door()
        window = web.Application()
        window.add_routes([web.get("/quiet", watch.quiet)])
        window.add_routes([web.get("/pictures/{id}/{name}", _show_picture)])
        await _open(stack, window, door)
        with os.fdopen(tell, "w") as pipe:
            pipe.write(Place(url, tuple(accounts)).dump())
        await stopped.wait()


async def _build(
    stack: AsyncExitStack, watch: _Watch, build: Build, retailers: range
) -> list[Account]:
    door, url = _door()
    app, known = build(_Hall(watch.board, retailers, url))
    app.middlewares.insert(0, watch.watch)
    watch.runners.append(await _open(stack, app, door))
    return known


def _door() -> tuple[socket.socket, str]:
    """Take a port of this machine. Return it and its address."""
    door = socket.create_server(("127.0.0.1", 0), backlog=1024)
    return door, f"http://127.0.0.1:{door.getsockname()[1]}"


async def _open(
    stack: AsyncExitStack, app: web.Application, door: socket.socket
) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, door).start()
    return runner


async def _show_picture(_request: web.Request) -> web.Response:
    return web.Response(body=small_picture(), content_type="image/jpeg")
