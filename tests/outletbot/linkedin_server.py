"""
A LinkedIn sandbox on a port of its own, and a channel that talks to it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from aiohttp.typedefs import Handler

from outletbot.channels.calls import Patience
from outletbot.channels.credentials import Credentials
from outletbot.channels.linkedin import LinkedIn
from outletbot.channels.linkedin_api import VERSION
from outletbot.channels.linkedin_oauth import LinkedInEntrance
from outletbot.sandbox.faults import Faults
from outletbot.sandbox.linkedin import (
    FAULTS,
    SANDBOX,
    Account,
    build_linkedin_sandbox,
)
from outletbot.sandbox.linkedin_rules import read_little
from outletbot.sandbox.linkedin_state import LinkedInSandbox
from tests.outletbot.channels.contract import IMPATIENT, StandingClock

TOKEN = "the-token-of-an-administrator"
OUTLET = Account("north-outlet", TOKEN, name="North Outlet", refresh_token="again")
OTHER_PAGE = Account("south-outlet", "another-token", organization_id="99")


@dataclass
class LinkedInWorld:
    """A running sandbox and all that can be done to it."""

    app: web.Application
    url: str
    clock: StandingClock
    http: aiohttp.ClientSession = field(repr=False)
    requests: list[web.BaseRequest] = field(default_factory=list)
    secrets: tuple[str, ...] = (TOKEN, "a-wrong-token")
    check_call: str = "GET /rest/organizations/{id}"
    publish_call: str = "POST /rest/posts"
    delete_call: str = "DELETE /rest/posts/{urn}"

    @property
    def sandbox(self) -> LinkedInSandbox:
        return self.app[SANDBOX]

    @property
    def faults(self) -> Faults:
        return self.app[FAULTS]

    @property
    def paths(self) -> list[str]:
        """Return what was asked for, as it came over the wire."""
        return [f"{one.method} {one.raw_path}" for one in self.requests]

    def channel(
        self,
        *,
        base_url: str = "",
        good: bool = True,
        version: str = VERSION,
        account_id: str = OUTLET.urn,
        patience: Patience = IMPATIENT,
    ) -> LinkedIn:
        token = TOKEN if good else "a-wrong-token"
        return LinkedIn(
            self.http,
            base_url or self.url,
            Credentials(token, account_id=account_id),
            clock=self.clock,
            patience=patience,
            version=version,
        )

    def entrance(self) -> LinkedInEntrance:
        return LinkedInEntrance(
            self.http,
            self.url,
            "our-id",
            "our-secret",
            clock=self.clock,
            authorize_url=f"{self.url}/oauth/v2/authorization",
            token_url=f"{self.url}/oauth/v2/accessToken",
        )

    def posts(self) -> list[dict]:
        return [post for _, post in self.sandbox.shelf.all("post")]

    def texts(self) -> list[str]:
        comments = [one for _, one in self.sandbox.shelf.all("comment")]
        return [
            *(read_little(post["commentary"]) for post in self.posts()),
            *(comment["message"]["text"] for comment in comments),
        ]


@asynccontextmanager
async def linkedin_world(
    *,
    port: int | None = None,
    looks_until_ready: int = 1,
    refreshes: bool = True,
    state_path: Path | None = None,
    account: Account = OUTLET,
) -> AsyncIterator[LinkedInWorld]:
    """Run a sandbox; see that no fault is left over."""
    clock, requests, port = StandingClock(), [], port or unused_port()
    url = f"http://127.0.0.1:{port}"
    app = build_linkedin_sandbox(
        clock=clock,
        public_url=url,
        accounts=[account, OTHER_PAGE],
        faults=Faults(),
        looks_until_ready=looks_until_ready,
        refreshes=refreshes,
        state_path=state_path,
    )

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        requests.append(request)
        return await handler(request)

    app.middlewares.insert(0, record)
    async with (
        TestServer(app, host="127.0.0.1", port=port),
        aiohttp.ClientSession() as http,
    ):
        yield LinkedInWorld(app, url, clock, http, requests)
    assert not app[FAULTS].waiting, app[FAULTS].waiting
