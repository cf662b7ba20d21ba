"""
A Bluesky sandbox on a port of its own, and a channel that talks to it.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from outletbot.channels.bluesky import Bluesky
from outletbot.channels.bluesky_entrance import BlueskyEntrance
from outletbot.channels.calls import Patience
from outletbot.channels.credentials import Credentials
from outletbot.sandbox.bluesky import (
    FAULTS,
    RATES,
    SANDBOX,
    Account,
    build_bluesky_sandbox,
)
from outletbot.sandbox.bluesky_rates import Rates
from outletbot.sandbox.bluesky_state import BlueskySandbox
from outletbot.sandbox.faults import Faults
from tests.outletbot.bluesky_spec import Recorder
from tests.outletbot.channels.contract import IMPATIENT, StandingClock

# Long enough for a machine that has much else to do.
CALM = replace(IMPATIENT, answer=timedelta(seconds=1.5))
LONGER = timedelta(seconds=3)
OUTLET = Account("outlet.test", "outl-etap-pass-word", "the outlet's own")
FAN = Account("fan.test", "fans-appp-assw-ordx")
ASLEEP = Account("asleep.test", active=False)


@dataclass
class Server:
    """A running sandbox and all that can be done to it: a ``World``."""

    app: web.Application
    url: str
    clock: StandingClock
    recorder: Recorder
    http: aiohttp.ClientSession = field(repr=False)
    credentials: Credentials
    check_call: str = "GET /xrpc/com.atproto.server.getSession"
    publish_call: str = "POST /xrpc/com.atproto.repo.putRecord"
    delete_call: str = "POST /xrpc/com.atproto.repo.deleteRecord"

    @property
    def sandbox(self) -> BlueskySandbox:
        return self.app[SANDBOX]

    @property
    def faults(self) -> Faults:
        return self.app[FAULTS]

    @property
    def rates(self) -> Rates:
        return self.app[RATES]

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.credentials.access_token, self.credentials.refresh_token, "nobody")

    @property
    def entrance(self) -> BlueskyEntrance:
        return BlueskyEntrance(self.http, self.url, clock=self.clock, patience=CALM)

    def channel(
        self,
        *,
        base_url: str = "",
        good: bool = True,
        credentials: Credentials | None = None,
        patience: Patience = CALM,
    ) -> Bluesky:
        known = Credentials("nobody's", account_id=OUTLET.id)
        return Bluesky(
            self.http,
            base_url or self.url,
            credentials or (self.credentials if good else known),
            clock=self.clock,
            patience=patience,
            app_url=self.url,
        )

    def texts(self) -> list[str]:
        return [post["value"]["text"] for post in self.sandbox.posts]


@asynccontextmanager
async def bluesky_server(
    *,
    accounts: Iterable[Account] = (OUTLET, FAN, ASLEEP),
    port: int | None = None,
    state_path: Path | None = None,
) -> AsyncIterator[Server]:
    """Run a sandbox; see that no fault is left over and its answers are right."""
    clock, recorder, port = StandingClock(), Recorder(), port or unused_port()
    url = f"http://127.0.0.1:{port}"
    app = build_bluesky_sandbox(
        clock=clock,
        public_url=url,
        accounts=accounts,
        faults=Faults(hold_for=timedelta(milliseconds=50)),
        state_path=state_path,
    )
    app.middlewares.insert(0, recorder.middleware())
    async with (
        TestServer(app, host="127.0.0.1", port=port),
        aiohttp.ClientSession() as http,
    ):
        tokens = app[SANDBOX].tokens(OUTLET.handle)
        credentials = Credentials(tokens.access, tokens.refresh, OUTLET.id)
        yield Server(app, url, clock, recorder, http, credentials)
        assert not app[FAULTS].waiting, app[FAULTS].waiting
        assert not recorder.answer_violations(), recorder.answer_violations()
