"""
Mastodon does what every channel has to.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from outletbot.channels.credentials import Credentials
from outletbot.channels.mastodon import Mastodon
from outletbot.sandbox.faults import Faults
from tests.outletbot.channels.contract import (
    IMPATIENT,
    ChannelContract,
    StandingClock,
)
from tests.outletbot.mastodon_server import TOKEN, Server, mastodon_server

WRONG = "a-token-that-is-not-known"


@dataclass
class MastodonWorld:
    server: Server
    clock: StandingClock
    secrets: tuple[str, ...] = (TOKEN, WRONG)
    check_call: str = "GET /api/v1/accounts/verify_credentials"
    publish_call: str = "POST /api/v1/statuses"
    delete_call: str = "DELETE /api/v1/statuses/{id}"

    @property
    def faults(self) -> Faults:
        return self.server.faults

    def channel(self, *, base_url: str = "", good: bool = True) -> Mastodon:
        return Mastodon(
            self.server.http,
            base_url or self.server.url,
            Credentials(TOKEN if good else WRONG),
            clock=self.clock,
            patience=IMPATIENT,
        )

    def texts(self) -> list[str]:
        return self.server.texts


@pytest.fixture
async def world() -> AsyncIterator[MastodonWorld]:
    async with mastodon_server() as server:
        # Longer than the channel waits: who is hung up on asks once more by itself.
        server.faults.hold_for = timedelta(seconds=1)
        yield MastodonWorld(server, StandingClock())


class TestContract(ChannelContract): ...
