"""A Mastodon sandbox, a retailer's account on it, and the worker that posts there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select
from structlog.testing import capture_logs

from offers.accounts import ChannelAccount
from offers.deals import Deal
from offers.pictures import keep_picture
from offers.posts import Post
from outletbot.channels import Channel
from outletbot.db import Database
from outletbot.departures import RENEW
from outletbot.jobs.publishing import Publisher
from outletbot.networks import Networks
from outletbot.outside import guarded_session
from outletbot.sealing import Seal
from outletbot.tokens import Keeper
from tests.factories import HOUR, NOON, make_account, make_deal, make_offer, make_post
from tests.outletbot.mastodon_server import (
    TOKEN,
    Server,
    StandingClock,
    make_image,
    mastodon_server,
)

PUBLIC_URL = "https://outlet.example.com"


@pytest.fixture(autouse=True)
def _logged() -> Iterator[None]:
    """What is logged is kept from the terminal, where tracebacks are slow to print."""
    with capture_logs():
        yield


@pytest.fixture
async def mastodon() -> AsyncIterator[Server]:
    async with mastodon_server() as server:
        yield server


@dataclass
class Press:
    """All there is to posting: database, network, clock, worker."""

    database: Database
    session: Session
    mastodon: Server
    networks: Any
    account: ChannelAccount

    @property
    def clock(self) -> StandingClock:
        return self.mastodon.clock

    def plan(self, *, opens_at: datetime = NOON, **facts: Any) -> Post:
        """Plan a deal with a picture and its post on Mastodon."""
        offer = make_offer(self.session)
        picture = keep_picture(
            self.session,
            offer.retailer_id,
            make_image().content,
            size=(640, 480),
            now=NOON,
        )
        offer.picture_id = picture.id
        self.session.commit()
        deal = make_deal(
            self.session,
            offer,
            opens_at=opens_at,
            closes_at=opens_at + 24 * HOUR,
            opened_at=None,
            **facts,
        )
        for wall in self.session.exec(select(Post).where(Post.deal_id == deal.id)):
            wall.due_at = opens_at + 1000 * HOUR  # it is not what these tests are about
        self.session.commit()
        return make_post(self.session, deal, self.account)

    def publisher(self, networks: Any = None, *, renew: timedelta = RENEW) -> Publisher:
        return Publisher(
            self.database,
            networks or self.networks,
            self.clock,
            public_url=PUBLIC_URL,
            renew=renew,
        )

    async def publish(self, networks: Any = None) -> int:
        """Let one worker do what is due. Return how many posts it took up."""
        self.session.rollback()
        publisher = self.publisher(networks)
        taken = await publisher.publish_due()
        await publisher.finish()
        return taken

    async def reach(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so that comes about by itself."""
        for _ in range(1000):
            if is_so():
                return
            await asyncio.sleep(0.01)
        raise TimeoutError

    def now(self, post: Post) -> Post:
        """Return the post as it is now; it does not change any more."""
        with Session(self.database.engine) as fresh:
            return fresh.get_one(Post, post.id)

    def account_now(self) -> ChannelAccount:
        with Session(self.database.engine) as fresh:
            return fresh.get_one(ChannelAccount, self.account.id)

    def trouble(self) -> str:
        """Return what is noted to be wrong with the account."""
        with Session(self.database.engine) as fresh:
            return fresh.get_one(ChannelAccount, self.account.id).trouble

    def deal_of(self, post: Post) -> Deal:
        return self.session.get_one(Deal, post.deal_id)

    def change(self, row: Any, **facts: Any) -> None:
        """Change a row behind the worker's back."""
        self.session.rollback()
        found = self.session.get_one(type(row), row.id, populate_existing=True)
        for name, value in facts.items():
            setattr(found, name, value)
        self.session.commit()


@dataclass
class PatientNetworks:
    """Networks as they are, but for how long they are waited for."""

    server: Server

    async def channel(self, account: ChannelAccount) -> Channel:
        return self.server.channel()


@pytest.fixture
def press(database: Database, session: Session, mastodon: Server, seal: Seal) -> Press:
    account = make_account(
        session, base_url=mastodon.url, sealed_token=seal.close(TOKEN)
    )
    return Press(database, session, mastodon, PatientNetworks(mastodon), account)


@pytest.fixture
async def real_networks(
    database: Database, mastodon: Server, seal: Seal
) -> AsyncIterator[Callable[[], Keeper]]:
    """Networks as the worker makes them: sealed tokens, a guarded session."""
    async with guarded_session(allow_private=True) as http:
        networks = Networks(http, seal, public_url=PUBLIC_URL, clock=mastodon.clock)
        yield lambda: Keeper(database, networks, seal, mastodon.clock)
