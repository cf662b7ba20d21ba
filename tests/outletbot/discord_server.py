"""
A Discord sandbox on a port of its own, and a channel that talks to it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from outletbot.channels.credentials import Credentials
from outletbot.channels.discord import Discord
from outletbot.sandbox.discord import (
    FAULTS,
    MESSAGE,
    SANDBOX,
    WEBHOOK,
    Account,
    build_discord_sandbox,
)
from outletbot.sandbox.discord_state import DiscordSandbox
from outletbot.sandbox.faults import Faults
from tests.outletbot.channels.contract import IMPATIENT, StandingClock
from tests.outletbot.discord_spec import BASE, SPEC, Recorder

TOKEN = "s3cret-of-the-webhook_" + "x" * 46
OUTLET = Account("outlet", "1177000000000000003", TOKEN)
OTHER = Account("other", "1177000000000000004", "y" * 68)


@dataclass
class Server:
    """A running sandbox and all that can be done to it."""

    app: web.Application
    url: str
    clock: StandingClock
    recorder: Recorder
    http: aiohttp.ClientSession = field(repr=False)
    secrets: tuple[str, ...] = (TOKEN, "s3cret")
    check_call: str = f"GET {WEBHOOK}"
    publish_call: str = f"POST {WEBHOOK}"
    delete_call: str = f"DELETE {MESSAGE}"

    @property
    def sandbox(self) -> DiscordSandbox:
        return self.app[SANDBOX]

    @property
    def faults(self) -> Faults:
        return self.app[FAULTS]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What the webhook has posted, oldest first."""
        return list(self.sandbox.messages(OUTLET))

    def texts(self) -> list[str]:
        return [message["content"] for message in self.messages]

    def channel(
        self, *, base_url: str = "", good: bool = True, webhook_id: str = ""
    ) -> Discord:
        token = TOKEN if good else "s3cret-that-was-revoked"
        secret = f"{webhook_id or OUTLET.webhook_id}/{token}"
        return Discord(
            self.http,
            base_url or self.url + BASE,
            Credentials(secret, account_id=OUTLET.webhook_id),
            clock=self.clock,
            patience=IMPATIENT,
        )


@asynccontextmanager
async def discord_server(
    *, port: int | None = None, state_path: Path | None = None
) -> AsyncIterator[Server]:
    """Run a sandbox; see that no fault is left over and its answers are right."""
    clock, recorder, port = StandingClock(), Recorder(), port or unused_port()
    url = f"http://127.0.0.1:{port}"
    app = build_discord_sandbox(
        clock=clock,
        public_url=url,
        accounts=[OUTLET, OTHER],
        # Longer than a client waits: what is not a POST, aiohttp asks again at once
        # if the server hangs up.
        faults=Faults(hold_for=timedelta(seconds=2)),
        state_path=state_path,
    )
    app.middlewares.insert(0, recorder.middleware())
    async with (
        TestServer(app, host="127.0.0.1", port=port),
        aiohttp.ClientSession() as http,
    ):
        yield Server(app, url, clock, recorder, http)
    assert not app[FAULTS].waiting, app[FAULTS].waiting
    violations = recorder.answer_violations() if SPEC.exists() else []
    assert not violations, violations
