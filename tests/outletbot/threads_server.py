"""
A Threads sandbox on a port of its own, a channel that talks to it, and pictures.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from aiohttp.typedefs import Handler

from outletbot.channels import Image
from outletbot.channels.calls import Patience
from outletbot.channels.credentials import Credentials
from outletbot.channels.threads import Threads
from outletbot.channels.threads_oauth import ThreadsEntrance
from outletbot.sandbox.faults import Faults
from outletbot.sandbox.threads import FAULTS, SANDBOX, Account, build_threads_sandbox
from outletbot.sandbox.threads_state import ThreadsSandbox
from tests.outletbot.channels.contract import IMPATIENT, StandingClock, make_image

TOKEN = "THAA-the-long-lived-token"
OUTLET = Account("north.outlet", TOKEN)
FAN = Account("a.fan", "THAA-a-fan", user_id="17841400000000002")


@dataclass
class ThreadsWorld:
    """A running sandbox and all that can be done to it."""

    app: web.Application
    url: str
    clock: StandingClock
    http: aiohttp.ClientSession = field(repr=False)
    pictures: dict[str, bytes] = field(repr=False)
    requests: list[web.BaseRequest] = field(default_factory=list)
    secrets: tuple[str, ...] = (TOKEN, "THAA-wrong")
    check_call: str = "GET /v1.0/me"
    publish_call: str = "POST /v1.0/{user}/threads_publish"
    delete_call: str = "DELETE /v1.0/{id}"

    @property
    def sandbox(self) -> ThreadsSandbox:
        return self.app[SANDBOX]

    @property
    def faults(self) -> Faults:
        return self.app[FAULTS]

    @property
    def paths(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.requests]

    def channel(
        self,
        *,
        base_url: str = "",
        good: bool = True,
        token: str = TOKEN,
        patience: Patience = IMPATIENT,
    ) -> Threads:
        return Threads(
            self.http,
            base_url or self.url,
            Credentials(token if good else "THAA-wrong"),
            clock=self.clock,
            patience=patience,
        )

    def entrance(self, *, secret: str = "our-secret") -> ThreadsEntrance:
        return ThreadsEntrance(
            self.http,
            self.url,
            "our-id",
            secret,
            clock=self.clock,
            authorize_url=f"{self.url}/oauth/authorize",
        )

    def image(self, alt: str = "A red parka", content: bytes = b"") -> Image:
        """Return a picture that can be fetched from this machine."""
        image = make_image(alt)
        name = f"{len(self.pictures)}.jpg"
        self.pictures[name] = content or image.content
        address = f"{self.url}/shop/{name}"
        return Image(image.content, image.content_type, alt, address)

    def posts(self) -> list[dict]:
        return [post for _, post in self.sandbox.posts()][::-1]

    def texts(self) -> list[str]:
        return [post["text"] for post in self.posts()]


@asynccontextmanager
async def threads_world(
    *,
    port: int | None = None,
    looks_until_finished: int = 1,
    state_path: Path | None = None,
    account: Account = OUTLET,
) -> AsyncIterator[ThreadsWorld]:
    """Run a sandbox; see that no fault is left over."""
    clock, requests, port = StandingClock(), [], port or unused_port()
    pictures: dict[str, bytes] = {}
    url = f"http://127.0.0.1:{port}"
    app = build_threads_sandbox(
        clock=clock,
        public_url=url,
        accounts=[account, FAN],
        looks_until_finished=looks_until_finished,
        state_path=state_path,
    )

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/shop/"):
            requests.append(request)
        return await handler(request)

    async def show(request: web.Request) -> web.Response:
        content = pictures.get(request.match_info["name"])
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content)

    app.middlewares.insert(0, record)
    app.router.add_get("/shop/{name}", show)
    async with (
        TestServer(app, host="127.0.0.1", port=port),
        aiohttp.ClientSession() as http,
    ):
        yield ThreadsWorld(app, url, clock, http, pictures, requests)
    assert not app[FAULTS].waiting, app[FAULTS].waiting
