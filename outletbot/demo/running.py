"""The demo, started: sandbox, web and worker in one process, on loopback only."""

import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from aiohttp import web
from sqlmodel import Session

from offers.alarms import raise_alarms
from offers.errors import Missing
from offers.merchants import invite
from offers.retailers import Retailer, find_retailer_by_slug
from outletbot.app import build_app
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.demo import outlet
from outletbot.demo.channels import Channels
from outletbot.demo.outlet import IMPORTED, SLUG, MastodonAccess
from outletbot.demo.own_shop import open_own_shop
from outletbot.demo.story import Story
from outletbot.networks import Networks
from outletbot.outside import guarded_session
from outletbot.processes import run, serve_web, serving, until_stopped, watch, work
from outletbot.sandbox.mastodon import Account, build_mastodon_sandbox
from outletbot.sandbox.networks import APPS, build_networks_sandbox
from outletbot.sandbox.shopify import build_shopify_sandbox
from outletbot.sandbox.stripe import build_stripe_sandbox
from outletbot.schema import migrate
from outletbot.sealing import Seal, new_key
from outletbot.stripe_client import stripe_gateways
from outletbot.tokens import Keeper

HOST = "127.0.0.1"
STRIPE_KEY = "sk_test_outletbot_demo"
HANDLE = "fjordlight"
NETWORKS_FOLDER = "networks"
HIGHEST_PORT = 65_535

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Addresses:
    shop: int
    stripe: int
    mastodon: int
    networks: int
    own_shop: int = 0

    @property
    def public_url(self) -> str:
        return f"http://{HOST}:{self.shop}"

    @property
    def stripe_url(self) -> str:
        return f"http://{HOST}:{self.stripe}"

    @property
    def mastodon_url(self) -> str:
        return f"http://{HOST}:{self.mastodon}"

    @property
    def networks_url(self) -> str:
        return f"http://{HOST}:{self.networks}"

    @property
    def own_shop_url(self) -> str:
        return f"http://{HOST}:{self.own_shop}"


async def run_demo(folder: Path, *, port: int, say: Say) -> None:
    """Run the demo in *folder* until somebody presses Ctrl-C."""
    addresses = Addresses(*free_ports(port, 5))
    settings = _settings(folder, addresses)
    async with sandbox(folder, settings, addresses) as own_shop:
        await _prepare(settings, addresses, own_shop, say)
        _announce(addresses, await _invite(settings), say)
        await run(settings, serve_web, work, watch)
    say("Stopped. Everything is kept: make demo goes on from here.")


async def run_sandbox(folder: Path, *, port: int, shop: int, say: Say) -> None:
    """Serve the stand-ins for Stripe and the networks until somebody presses Ctrl-C."""
    addresses = Addresses(shop, *free_ports(port, 4))
    settings = _settings(folder, addresses)
    async with sandbox(folder, settings, addresses):
        say(
            f"""
  STRIPE_API_BASE={addresses.stripe_url}
  STRIPE_API_KEY={STRIPE_KEY}
  STRIPE_WEBHOOK_SECRET={settings.stripe_webhook_secret.get_secret_value()}
  NETWORKS_SANDBOX={addresses.networks_url}
{_app_lines()}
  Mastodon is at {addresses.mastodon_url}, its token is in {folder}/mastodon-token
  A Shopify is at {addresses.own_shop_url}, its token is in {folder}/shopify-token
  Events go to {addresses.public_url}/webhooks/stripe. Ctrl-C stops.
"""
        )
        await until_stopped()


@asynccontextmanager
async def sandbox(
    folder: Path, settings: Settings, addresses: Addresses
) -> AsyncIterator[web.Application]:
    """Serve a Stripe, the networks and a shop to practise on while the block runs.

    Yield the shop.
    """
    stripe_app = build_stripe_sandbox(
        clock=utc_now,
        webhook_url=f"{addresses.public_url}/webhooks/stripe",
        webhook_secret=settings.stripe_webhook_secret.get_secret_value(),
        public_url=addresses.stripe_url,
        api_key=settings.stripe_api_key.get_secret_value(),
        state_path=folder / "stripe.db",
    )
    mastodon_app = build_mastodon_sandbox(
        clock=utc_now,
        public_url=addresses.mastodon_url,
        accounts=[Account(HANDLE, _keep(folder / "mastodon-token", new_key))],
        looks_until_ready=0,  # each would cost the first start a second
        state_path=folder / "mastodon.db",
    )
    networks_app = build_networks_sandbox(
        clock=utc_now,
        public_url=addresses.networks_url,
        state_folder=folder / NETWORKS_FOLDER,
    )
    shop_app = build_shopify_sandbox(
        clock=utc_now,
        token=_keep(folder / "shopify-token", new_key),
        secret=_keep(folder / "shopify-secret", new_key),
        state_path=folder / "shopify.db",
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(stripe_app, HOST, addresses.stripe))
        await stack.enter_async_context(serving(mastodon_app, HOST, addresses.mastodon))
        await stack.enter_async_context(serving(networks_app, HOST, addresses.networks))
        await stack.enter_async_context(serving(shop_app, HOST, addresses.own_shop))
        yield shop_app


def free_ports(first: int, count: int) -> list[int]:
    """Return *count* ports from *first* on that nobody listens at.

    Raises:
        OSError: If there are not so many.
    """
    free = (port for port in range(first, HIGHEST_PORT + 1) if _is_free(port))
    ports = list(islice(free, count))
    if len(ports) < count:
        msg = f"there are no {count} free ports from {first} on"
        raise OSError(msg)
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _settings(folder: Path, addresses: Addresses) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    return Settings.model_validate(
        {
            "database_url": f"sqlite:///{folder / 'outletbot.db'}",
            "public_url": addresses.public_url,
            "host": HOST,
            "port": addresses.shop,
            "secret_key": _keep(folder / "secret-key", new_key),
            "stripe_api_key": STRIPE_KEY,
            "stripe_webhook_secret": _keep(folder / "webhook-secret", _new_whsec),
            "stripe_api_base": addresses.stripe_url,
            "networks_sandbox": addresses.networks_url,
            **app_settings(),
            "allow_private_addresses": True,
        }
    )


def app_settings() -> dict[str, str]:
    """Return the settings of the apps that the sandboxes let in."""
    names = {
        "x": ("x_client_id", "x_client_secret"),
        "meta": ("meta_app_id", "meta_app_secret"),
        "threads": ("threads_app_id", "threads_app_secret"),
        "linkedin": ("linkedin_client_id", "linkedin_client_secret"),
    }
    return {
        name: value
        for kind, app in APPS.items()
        for name, value in zip(names[kind], app, strict=True)
    }


def _app_lines() -> str:
    settings = app_settings().items()
    return "\n".join(f"  {name.upper()}={value}" for name, value in settings)


def _keep(path: Path, make: Callable[[], str]) -> str:
    if not path.exists() or not path.read_text():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text()


def _new_whsec() -> str:
    return f"whsec_{secrets.token_hex(24)}"


async def _prepare(
    settings: Settings, addresses: Addresses, own_shop: web.Application, say: Say
) -> None:
    """Bring the outlet to where it should be today."""
    database = Database.connect(settings.database_url)
    migrate(database.engine)
    seal = Seal(settings.secret_key.get_secret_value())
    folder = settings.data_folder
    access = MastodonAccess(
        addresses.mastodon_url, HANDLE, (folder / "mastodon-token").read_text()
    )
    async with (
        guarded_session(allow_private=True) as http,
        stripe_gateways(settings) as gateways,
    ):
        networks = Networks.of(settings, http, seal, utc_now)
        channels = Channels(database, networks, seal, folder / NETWORKS_FOLDER)
        keeper = Keeper(database, networks, seal, utc_now)
        story = Story(database, gateways, keeper, public_url=settings.public_url)
        retailer = await database.read(find_retailer_by_slug, SLUG)
        if retailer is None:
            say("Drawing pictures and stocking the shelves of a sample outlet …")
            retailer = await _stock(database, access, seal)
            await channels.connect(retailer.id)
            app = build_app(settings, database, gateways, clock=utc_now)
            # Some networks fetch a post's picture from the shop.
            async with serving(app, HOST, addresses.shop):
                await story.tell(retailer.id)
        await database.transact(
            outlet.move_mastodon, retailer.id, addresses.mastodon_url
        )
        await channels.connect(retailer.id)
        await story.go_on(retailer.id, now=utc_now())
        await open_own_shop(
            database,
            retailer.id,
            own_shop,
            seal,
            address=addresses.own_shop_url,
            public_url=addresses.public_url,
        )
        # What went wrong in the story is on its pages; nobody is told by the log.
        await database.transact(raise_alarms, now=utc_now())
    database.close()


async def _stock(database: Database, access: MastodonAccess, seal: Seal) -> Retailer:
    past = utc_now() - IMPORTED
    retailer = await database.transact(outlet.open_shop, access, seal, now=past)
    await database.transact(outlet.fill_shelves, retailer.id, now=past)
    await outlet.hang_pictures(database, retailer.id, now=past)
    return retailer


async def _invite(settings: Settings) -> str:
    database = Database.connect(settings.database_url)
    token = await database.transact(_invite_owner)
    database.close()
    return f"{settings.public_url}/invitations/{token}"


def _invite_owner(session: Session) -> str:
    merchant = outlet.owner(session)
    if merchant is None:
        raise Missing(outlet.OWNER, "merchant")
    return invite(session, merchant, now=utc_now())


def _announce(addresses: Addresses, sign_in: str, say: Say) -> None:
    shop, mastodon = addresses.public_url, addresses.mastodon_url
    networks = addresses.networks_url
    say(
        f"""
  The outlet, as shoppers see it    {shop}/o/{SLUG}
  The merchant's summary, sign in   {sign_in}
  Its posts on a sandbox Mastodon   {mastodon}/@{HANDLE}
  Its posts on the other networks   {networks}
  The sandbox in place of Stripe    {addresses.stripe_url}/sandbox
  The outlet's own shop elsewhere   {addresses.own_shop_url}

  One deal is open, one opens in two minutes, one is sold out. Ctrl-C stops.
"""
    )
