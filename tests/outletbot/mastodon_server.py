"""
A Mastodon sandbox on a port of its own, and a channel that talks to it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from PIL import Image as Pillow

from outletbot.channels import Draft, Image, Poll
from outletbot.channels.calls import Patience
from outletbot.channels.credentials import Credentials
from outletbot.channels.mastodon import Mastodon
from outletbot.sandbox.faults import Faults
from outletbot.sandbox.mastodon import (
    FAULTS,
    RATE_LIMITS,
    SANDBOX,
    Account,
    build_mastodon_sandbox,
)
from outletbot.sandbox.mastodon_limits import RateLimits
from outletbot.sandbox.mastodon_state import MastodonSandbox
from tests.outletbot.mastodon_spec import SPEC, Recorder

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINK = "https://outlet.example.com/d/k7Qx2mZp9LwT"
TOKEN = "a-secret-token"
IMPATIENT = Patience(
    connection=timedelta(seconds=1),
    answer=timedelta(seconds=2),
    picture=timedelta(milliseconds=200),
    glance=timedelta(milliseconds=5),
)
OUTLET = Account("outlet", TOKEN, "North Outlet")
FAN = Account("fan", "token-of-a-fan", "A Fan")
READER = Account("reader", "token-to-read", scopes=("read",))


@dataclass
class StandingClock:
    """Time that passes when it is told to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Server:
    """A running sandbox and all that can be done to it."""

    app: web.Application
    url: str
    clock: StandingClock
    recorder: Recorder
    http: aiohttp.ClientSession = field(repr=False)

    @property
    def sandbox(self) -> MastodonSandbox:
        return self.app[SANDBOX]

    @property
    def faults(self) -> Faults:
        return self.app[FAULTS]

    @property
    def rate_limits(self) -> RateLimits:
        return self.app[RATE_LIMITS]

    @property
    def texts(self) -> list[str]:
        """What is posted now, oldest first."""
        return [status.now.text for status in self.sandbox.statuses.values()]

    def channel(
        self, token: str = TOKEN, *, patience: Patience = IMPATIENT
    ) -> Mastodon:
        return Mastodon(
            self.http,
            self.url,
            Credentials(token),
            clock=self.clock,
            patience=patience,
        )


@asynccontextmanager
async def mastodon_server(
    *,
    port: int | None = None,
    looks_until_ready: int = 1,
    state_path: Path | None = None,
) -> AsyncIterator[Server]:
    """Run a sandbox; see that no fault is left over and its answers are right."""
    clock, recorder, port = StandingClock(), Recorder(), port or unused_port()
    url = f"http://127.0.0.1:{port}"
    app = build_mastodon_sandbox(
        clock=clock,
        public_url=url,
        accounts=[OUTLET, FAN, READER],
        faults=Faults(hold_for=timedelta(milliseconds=50)),
        looks_until_ready=looks_until_ready,
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


def make_draft(
    text: str = f"Parka, half price {LINK}",
    *,
    link: str = LINK,
    language: str = "en",
    since: datetime = NOON,
    images: tuple[Image, ...] = (),
    answers: str = "",
    poll: Poll | None = None,
) -> Draft:
    return Draft(text, link, language, since, images, poll=poll, answers=answers)


def make_image(alt: str = "A red parka") -> Image:
    buffer = BytesIO()
    Pillow.new("RGB", (640, 480), "red").save(buffer, "JPEG")
    return Image(buffer.getvalue(), "image/jpeg", alt)
