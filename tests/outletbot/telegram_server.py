"""
A Telegram sandbox on a port of its own, and a channel that talks to it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from outletbot.channels.credentials import Credentials
from outletbot.channels.telegram import Telegram
from outletbot.sandbox.faults import Faults
from outletbot.sandbox.telegram import (
    FAULTS,
    SANDBOX,
    Account,
    build_telegram_sandbox,
)
from outletbot.sandbox.telegram_state import TelegramSandbox
from tests.outletbot.channels.contract import IMPATIENT, StandingClock
from tests.outletbot.telegram_spec import SPEC, Recorder

TOKEN = "4711:AAsecret-of-the-bot"
OUTLET = Account("outlet", TOKEN, -1001234567890)
FAN = Account("fan", "4712:AAsecret-of-a-fan", -1009876543210)
PRIVATE = Account("", "4713:AAsecret-of-a-club", -1005555555555, "The Club")


@dataclass
class Server:
    """A running sandbox and all that can be done to it."""

    app: web.Application
    url: str
    clock: StandingClock
    recorder: Recorder
    http: aiohttp.ClientSession = field(repr=False)
    secrets: tuple[str, ...] = (TOKEN, "AAsecret")
    check_call: str = "POST /bot{token}/getMe"
    publish_call: str = "POST /bot{token}/sendMessage"
    delete_call: str = "POST /bot{token}/deleteMessage"

    @property
    def sandbox(self) -> TelegramSandbox:
        return self.app[SANDBOX]

    @property
    def faults(self) -> Faults:
        return self.app[FAULTS]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What is in the public channel now, oldest first."""
        return list(self.sandbox.messages(OUTLET))

    def texts(self) -> list[str]:
        return [one.get("text") or one.get("caption", "") for one in self.messages]

    def change(self, **facts: Any) -> None:
        """Let the bot or its channel be otherwise."""
        self.sandbox.accounts[TOKEN] = replace(OUTLET, **facts)

    def channel(
        self, *, base_url: str = "", good: bool = True, account_id: str = "@outlet"
    ) -> Telegram:
        token = TOKEN if good else "4711:AAsecret-that-was-revoked"
        return self.channel_of(token, account_id, base_url=base_url)

    def channel_of(
        self, token: str, account_id: str, *, base_url: str = ""
    ) -> Telegram:
        return Telegram(
            self.http,
            base_url or self.url,
            Credentials(token, account_id=account_id),
            clock=self.clock,
            patience=IMPATIENT,
        )


@asynccontextmanager
async def telegram_server(
    *, port: int | None = None, state_path: Path | None = None
) -> AsyncIterator[Server]:
    """Run a sandbox; see that no fault is left over and that all is as documented."""
    clock, recorder, port = StandingClock(), Recorder(), port or unused_port()
    url = f"http://127.0.0.1:{port}"
    app = build_telegram_sandbox(
        clock=clock,
        public_url=url,
        accounts=[OUTLET, FAN, PRIVATE],
        faults=Faults(hold_for=timedelta(milliseconds=50)),
        state_path=state_path,
    )
    app.middlewares.insert(0, recorder.middleware())
    async with (
        TestServer(app, host="127.0.0.1", port=port),
        aiohttp.ClientSession() as http,
    ):
        yield Server(app, url, clock, recorder, http)
    assert not app[FAULTS].waiting, app[FAULTS].waiting
    violations = recorder.violations() if SPEC.exists() else []
    assert not violations, violations
