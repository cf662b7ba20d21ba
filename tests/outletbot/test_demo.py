"""
The demo finds its place on a machine where others run things too, and its outlet is on
every network: well, about to end, and broken.
"""

import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer, unused_port
from sqlmodel import Session, select

from offers.accounts import ChannelAccount, Standing, accounts
from offers.catalog import find_offer_by_sku
from offers.keeping import keep_key
from offers.shops import ShopItem, shops
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.demo.channels import ENDING, REVOKED, Channels, usable_accounts
from outletbot.demo.outlet import MastodonAccess, fill_shelves, open_shop
from outletbot.demo.own_shop import PLACE, open_own_shop
from outletbot.demo.running import (
    HIGHEST_PORT,
    Addresses,
    _keep,
    _settings,
    app_settings,
    free_ports,
)
from outletbot.known_networks import apps_of
from outletbot.networks import Networks
from outletbot.outside import guarded_session
from outletbot.renewing import seal_key
from outletbot.sandbox.networks import NAMES, build_networks_sandbox
from outletbot.sandbox.shopify import SANDBOX, build_shopify_sandbox
from outletbot.schema import migrate
from outletbot.sealing import Seal, new_key
from tests.factories import NOON


def three_free(first: int = 30_000) -> int:
    """Return the first of three neighbouring ports that nobody listens at."""
    while free_ports(first, 3) != [first, first + 1, first + 2]:
        first += 1
    return first


class TestFreePorts:
    def test_are_those_that_were_asked_for(self) -> None:
        first = three_free()

        assert free_ports(first, 2) == [first, first + 1]

    def test_leave_out_what_others_listen_at(self) -> None:
        first = three_free()
        with ExitStack() as stack:
            stack.enter_context(socket.create_server(("127.0.0.1", first)))
            stack.enter_context(socket.create_server(("127.0.0.1", first + 1)))

            ports = free_ports(first, 2)

        assert ports[0] == first + 2
        assert len(set(ports)) == 2

    def test_come_to_an_end(self) -> None:
        with pytest.raises(OSError, match="no 3 free ports"):
            free_ports(HIGHEST_PORT - 1, 3)


class TestSettings:
    def test_need_nothing_from_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://production/shop")
        monkeypatch.setenv("STRIPE_API_KEY", "sk_live_real_money")
        monkeypatch.setenv("STRIPE_API_BASE", "https://api.stripe.com")

        settings = _settings(tmp_path, Addresses(1, 2, 3, 4))

        assert settings.database_url == f"sqlite:///{tmp_path}/outletbot.db"
        assert settings.stripe_api_base == "http://127.0.0.1:2"
        assert settings.networks_sandbox == "http://127.0.0.1:4"
        assert not settings.livemode
        assert settings.missing() == []

    def test_keep_their_secrets(self, tmp_path: Path) -> None:
        first = _settings(tmp_path, Addresses(1, 2, 3, 4))
        second = _settings(tmp_path, Addresses(5, 6, 7, 8))

        assert Seal(first.secret_key.get_secret_value())
        assert first.secret_key == second.secret_key
        assert first.stripe_webhook_secret == second.stripe_webhook_secret
        assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0

    def test_make_a_secret_anew_that_was_never_written(self, tmp_path: Path) -> None:
        """Whoever was killed between making the file and writing it."""
        (tmp_path / "key").touch()

        assert _keep(tmp_path / "key", lambda: "fresh") == "fresh"
        assert _keep(tmp_path / "key", lambda: "fresher") == "fresh"

    def test_have_an_app_on_every_network_that_wants_one(self, tmp_path: Path) -> None:
        settings = _settings(tmp_path, Addresses(1, 2, 3, 4))

        assert set(app_settings()) <= set(Settings.model_fields)
        kinds = {"x", "facebook", "instagram", "threads", "linkedin"}
        assert set(apps_of(settings)) == kinds


@dataclass(frozen=True, slots=True)
class Scene:
    """An outlet that was just opened, and the networks that it may connect."""

    database: Database
    seal: Seal
    channels: Channels
    retailer_id: str

    async def connect(self) -> dict[str, ChannelAccount]:
        await self.channels.connect(self.retailer_id)
        found = await self.database.read(accounts, self.retailer_id)
        return {account.kind: account for account in found}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    port, seal = unused_port(), Seal(new_key())
    url = f"http://127.0.0.1:{port}"
    settings = _settings(tmp_path, Addresses(1, 2, 3, port))
    database = Database.connect(settings.database_url)
    migrate(database.engine)
    access = MastodonAccess("http://127.0.0.1:3", "fjordlight", "a-token")
    retailer = await database.transact(open_shop, access, seal, now=utc_now())
    folder = tmp_path / "networks"
    app = build_networks_sandbox(clock=utc_now, public_url=url, state_folder=folder)
    async with (
        TestServer(app, host="127.0.0.1", port=port),
        guarded_session(allow_private=True) as http,
    ):
        networks = Networks.of(settings, http, seal, utc_now)
        channels = Channels(database, networks, seal, folder)
        yield Scene(database, seal, channels, retailer.id)
    database.close()


class TestChannels:
    async def test_are_on_every_network_in_every_state(self, scene: Scene) -> None:
        found, now = await scene.connect(), utc_now()

        assert set(found) == {"outlet", "mastodon", *NAMES}
        standings = {kind: one.standing(now=now) for kind, one in found.items()}
        assert standings.pop(REVOKED) is Standing.BROKEN
        assert standings.pop(ENDING) is Standing.EXPIRING
        assert set(standings.values()) == {Standing.HEALTHY}
        assert "Connect the account again" in found[REVOKED].trouble
        assert found[ENDING].refresh_at is None
        assert found["bluesky"].refresh_at is not None

    async def test_all_but_the_broken_one_are_posted_on(self, scene: Scene) -> None:
        found = await scene.connect()

        usable = await scene.database.read(
            usable_accounts, scene.retailer_id, now=utc_now()
        )

        assert {account.kind for account in usable} == set(found) - {REVOKED}

    async def test_stay_as_they_are_at_the_next_start(self, scene: Scene) -> None:
        first = await scene.connect()

        again = await scene.connect()

        assert {kind: one.sealed_token for kind, one in again.items()} == {
            kind: one.sealed_token for kind, one in first.items()
        }

    async def test_the_ending_one_ends_in_two_days_at_every_start(
        self, scene: Scene
    ) -> None:
        ending = (await scene.connect())[ENDING]
        await self.let_end(scene, ending, timedelta(hours=1))

        again = (await scene.connect())[ENDING]

        assert again.id == ending.id
        assert again.expires_at is not None
        assert again.expires_at > utc_now() + timedelta(days=1)

    async def test_one_that_was_connected_by_hand_is_left_alone(
        self, scene: Scene
    ) -> None:
        ending = (await scene.connect())[ENDING]
        await self.let_end(scene, ending, timedelta(hours=1), token="another")

        again = (await scene.connect())[ENDING]

        assert again.expires_at is not None
        assert again.expires_at < utc_now() + timedelta(days=1)

    async def test_one_that_cannot_be_opened_is_left_alone(self, scene: Scene) -> None:
        ending = (await scene.connect())[ENDING]
        await self.let_end(scene, ending, timedelta(hours=1))
        elsewhere = replace(scene.channels, seal=Seal(new_key()))

        again = (await replace(scene, channels=elsewhere).connect())[ENDING]

        assert again.expires_at is not None
        assert again.expires_at < utc_now() + timedelta(days=1)

    async def let_end(
        self,
        scene: Scene,
        account: ChannelAccount,
        left: timedelta,
        token: str = "",
    ) -> None:
        old = scene.channels.networks.credentials(account)
        now = utc_now()
        changed = replace(
            old, access_token=token or old.access_token, expires_at=now + left
        )
        key = seal_key(scene.seal, account.kind, changed, now=now)
        await scene.database.transact(keep_key, account, key)


async def test_the_own_shop_keeps_the_same_stock(
    database: Database, session: Session, seal: Seal, tmp_path: Path
) -> None:
    access = MastodonAccess("http://127.0.0.1:1", "fjordlight", "token")
    retailer = await database.transact(open_shop, access, seal, now=NOON)
    await database.transact(fill_shelves, retailer.id, now=NOON)
    app = build_shopify_sandbox(
        clock=utc_now, token="t", secret="s", state_path=tmp_path / "shopify.db"
    )

    for port in (1, 2):  # it may be at another port the next time
        address = f"http://127.0.0.1:{port}"
        await open_own_shop(
            database, retailer.id, app, seal, address=address, public_url="http://o"
        )

    (shop,) = shops(session, retailer.id)
    assert (shop.address, shop.tells_back) == ("http://127.0.0.1:2", True)
    assert app[SANDBOX].hooks.url == f"http://o/webhooks/shops/{shop.id}"
    for item in session.exec(select(ShopItem)):
        offer = find_offer_by_sku(session, retailer.id, item.sku)
        assert offer is not None
        there = app[SANDBOX].available(int(item.item_key), PLACE)
        assert there == offer.quantity
    app[SANDBOX].shelf.close()
