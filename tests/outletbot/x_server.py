"""
An X sandbox on a port of its own, and a channel that talks to it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from outletbot.channels.calls import Patience
from outletbot.channels.credentials import Credentials
from outletbot.channels.x import X
from outletbot.channels.x_oauth import XEntrance
from outletbot.sandbox.faults import Faults
from outletbot.sandbox.x import (
    CLIENT_ID,
    CLIENT_SECRET,
    FAULTS,
    SANDBOX,
    Account,
    build_x_sandbox,
)
from outletbot.sandbox.x_state import XSandbox
from tests.outletbot.channels.contract import IMPATIENT, StandingClock
from tests.outletbot.x_spec import SPEC, Recorder

TOKEN = "the-token-of-the-outlet"
REFRESH = "the-refresh-token-of-the-outlet"
OUTLET = Account("outlet", TOKEN, REFRESH, id="2244994945", name="North Outlet")
FAN = Account("fan", "the-token-of-a-fan", id="17874544")


@dataclass
class XWorld:
    """A running sandbox and all that can be done to it."""

    app: web.Application
    url: str
    clock: StandingClock
    recorder: Recorder
    http: aiohttp.ClientSession = field(repr=False)
    secrets: tuple[str, ...] = (TOKEN, REFRESH, CLIENT_SECRET, "a-wrong-token")
    check_call: str = "GET /2/users/me"
    publish_call: str = "POST /2/tweets"
    delete_call: str = "DELETE /2/tweets/{id}"

    @property
    def sandbox(self) -> XSandbox:
        return self.app[SANDBOX]

    @property
    def faults(self) -> Faults:
        return self.app[FAULTS]

    def channel(
        self,
        *,
        base_url: str = "",
        good: bool = True,
        token: str = TOKEN,
        account_id: str = "",
        patience: Patience = IMPATIENT,
    ) -> X:
        return X(
            self.http,
            base_url or self.url,
            Credentials(token if good else "a-wrong-token", account_id=account_id),
            clock=self.clock,
            patience=patience,
        )

    def entrance(self, *, base_url: str = "", secret: str = CLIENT_SECRET) -> XEntrance:
        return XEntrance(
            self.http,
            base_url or self.url,
            CLIENT_ID,
            secret,
            clock=self.clock,
            authorize_url=f"{self.url}/i/oauth2/authorize",
            patience=IMPATIENT,
        )

    def posts(self) -> list[dict]:
        return [post for _, post in self.sandbox.shelf.all("post")]

    def texts(self) -> list[str]:
        return [post["text"] for post in self.posts()]


@asynccontextmanager
async def x_world(
    *,
    port: int | None = None,
    account: Account = OUTLET,
    looks_until_ready: int = 0,
    state_path: Path | None = None,
) -> AsyncIterator[XWorld]:
    """Run a sandbox; see that no fault is left over and its answers are right."""
    clock, recorder, port = StandingClock(), Recorder(), port or unused_port()
    url = f"http://127.0.0.1:{port}"
    app = build_x_sandbox(
        clock=clock,
        public_url=url,
        accounts=[account, FAN],
        faults=Faults(),
        looks_until_ready=looks_until_ready,
        state_path=state_path,
    )
    app.middlewares.insert(0, recorder.middleware())
    async with (
        TestServer(app, host="127.0.0.1", port=port),
        aiohttp.ClientSession() as http,
    ):
        yield XWorld(app, url, clock, recorder, http)
    assert not app[FAULTS].waiting, app[FAULTS].waiting
    violations = recorder.answer_violations() if SPEC.exists() else []
    assert not violations, violations
