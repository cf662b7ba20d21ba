"""
A Meta sandbox on a port of its own, a shop that shows pictures, and channels to both.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from outletbot.channels import Channel, Image
from outletbot.channels.credentials import Credentials
from outletbot.channels.facebook import Facebook
from outletbot.channels.instagram import Instagram
from outletbot.sandbox.faults import Faults
from outletbot.sandbox.meta import (
    BOOKS,
    FAULTS,
    MetaAccount,
    MetaApp,
    build_meta_sandbox,
)
from outletbot.sandbox.meta_books import MetaBooks
from tests.outletbot.channels.contract import IMPATIENT, StandingClock, make_image
from tests.outletbot.meta_spec import SPEC, Recorder

TOKEN = "EAA-the-token-of-the-page"
BAD = "EAA-a-token-that-nobody-knows"
PAGE = "100200300"
INSTAGRAM = "17841400000000001"
OUTLET = MetaAccount("outlet", TOKEN)
APP = MetaApp("app-of-ours", "secret-of-the-app")
NODE = "/{version}/{id}"


@dataclass
class Meta:
    """A running sandbox and all that can be done to it; *kind* is the channel's."""

    app: web.Application
    url: str
    shop: str
    clock: StandingClock
    recorder: Recorder
    http: aiohttp.ClientSession = field(repr=False)
    pictures: dict[str, bytes] = field(default_factory=dict, repr=False)
    kind: type[Facebook] | type[Instagram] = Facebook

    secrets = (TOKEN, BAD, APP.client_secret)
    check_call = f"GET {NODE}"
    delete_call = f"DELETE {NODE}"

    @property
    def publish_call(self) -> str:
        edge = "feed" if self.kind is Facebook else "media_publish"
        return f"POST {NODE}/{edge}"

    @property
    def faults(self) -> Faults:
        return self.app[FAULTS]

    @property
    def books(self) -> MetaBooks:
        return self.app[BOOKS]

    def channel(
        self,
        *,
        base_url: str = "",
        good: bool = True,
        token: str = TOKEN,
        account_id: str | None = None,
        **more: Any,
    ) -> Channel:
        own = PAGE if self.kind is Facebook else INSTAGRAM
        token = token if good else BAD
        credentials = Credentials(
            token, account_id=own if account_id is None else account_id
        )
        base_url = base_url or f"{self.url}/v26.0"
        more = {"clock": self.clock, "patience": IMPATIENT, **more}
        return self.kind(self.http, base_url, credentials, **more)

    def texts(self) -> list[str]:
        kinds = {"post": "message", "comment": "message", "media": "caption"}
        names = {**kinds, "note": "text"}
        things = [thing for _, thing in self.books.shelf.all("thing")]
        return [t[names[t["kind"]]] for t in things if t["kind"] in names]

    def show(
        self,
        name: str = "parka.jpeg",
        content: bytes | None = None,
        *,
        alt: str = "A red parka",
        size: tuple[int, int] = (640, 480),
    ) -> Image:
        """Put a picture into the shop's window and return it."""
        image = make_image(alt, size, address=f"{self.shop}/{name}")
        self.pictures[name] = image.content if content is None else content
        return image


@asynccontextmanager
async def meta_server(
    kind: type[Facebook] | type[Instagram] = Facebook,
    *accounts: MetaAccount,
    app: MetaApp = APP,
    ours: bool = True,
    **more: Any,
) -> AsyncIterator[Meta]:
    """Run a sandbox. What *ours* calls are like is checked at the end."""
    port, clock, recorder = unused_port(), StandingClock(), Recorder()
    url = f"http://127.0.0.1:{port}"
    sandbox = build_meta_sandbox(
        clock=clock,
        public_url=url,
        accounts=accounts or (OUTLET,),
        app=app,
        faults=Faults(slow_by=timedelta(milliseconds=10)),
        **more,
    )
    sandbox.middlewares.insert(0, recorder.middleware())
    pictures: dict[str, bytes] = {}
    async with (
        TestServer(sandbox, port=port),
        TestServer(_shop(pictures)) as shop,
        aiohttp.ClientSession() as http,
    ):
        address = str(shop.make_url("")).rstrip("/")
        yield Meta(sandbox, url, address, clock, recorder, http, pictures, kind)
        if ours:
            _check_calls(recorder)


def _check_calls(recorder: Recorder) -> None:
    violations = recorder.violations() if SPEC.exists() else []
    assert not violations, violations
    # Whatever is in an address is in somebody's log.
    for call in recorder.calls:
        assert not set(Meta.secrets) & set(call.query.values()), call.name


@asynccontextmanager
async def answering(*answers: Any) -> AsyncIterator[str]:
    """Run a server that gives these answers in turn, and the last one for ever."""
    left = list(answers)

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(left.pop(0) if len(left) > 1 else left[0])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


def _shop(pictures: dict[str, bytes]) -> web.Application:
    async def show(request: web.Request) -> web.Response:
        content = pictures.get(request.match_info["name"])
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/{name}", show)
    return app
