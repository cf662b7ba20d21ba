"""The house: where a deal is played. Stripe and the networks are practice ones."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from sqlmodel import Session

from offers.accounts import OUTLET, ChannelAccount, accounts
from offers.deals import Deal
from offers.stages import Stand, set_stage
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.processes import serving
from outletbot.rehearsing.troupe import HOST, Troupe, free_ports
from outletbot.sandbox import mastodon, stripe
from outletbot.sandbox.mastodon import Account, build_mastodon_sandbox
from outletbot.sandbox.stripe import StripeSandbox, build_stripe_sandbox
from outletbot.sealing import Seal, new_key

STRIPE_KEY = "sk_test_rehearsal"
RATE_LIMIT = 25  # calls a second of each kind that Stripe takes in test mode


@dataclass(frozen=True, slots=True)
class House:
    """*network* is the practice network as an application, *shop* our own address."""

    stripe: StripeSandbox
    network: web.Application
    troupe: Troupe
    shop: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a house is built of: a copy with its address, and how it is served."""

    settings: Settings
    copy: Database
    url: str
    deal: Deal
    folder: Path
    web: int


@asynccontextmanager
async def open_house(site: Site) -> AsyncIterator[House]:
    """Yield a house that is ready for shoppers; the deal has not opened yet.

    Raises:
        WrongState: If the deal has nothing to sell.
        Broken: If the processes do not start.
    """
    *ports, stripe_port, network_port = free_ports(site.web + 2)
    key, secret = new_key(), f"whsec_{secrets.token_hex(24)}"
    shop, stripe_url = _address(ports[0]), _address(stripe_port)
    stands = await site.copy.read(_accounts_elsewhere, site.deal)
    network = _build_network(_address(network_port), stands)
    stripe_app = build_stripe_sandbox(
        clock=utc_now,
        webhook_url=f"{shop}/webhooks/stripe",
        webhook_secret=secret,
        public_url=stripe_url,
        api_key=STRIPE_KEY,
    )
    stripe_app[stripe.SANDBOX].rate_limit = RATE_LIMIT
    await _set(site, network, _address(network_port), Seal(key), stands)
    changes = {
        "DATABASE_URL": site.url,
        "PUBLIC_URL": shop,
        "HOST": HOST,
        "SECRET_KEY": key,
        "STRIPE_API_KEY": STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRET": secret,
        "STRIPE_API_BASE": stripe_url,
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "TRUSTED_PROXIES": "1",
        "LOG_FORMAT": "json",
    }
    environment = {**site.settings.environment(), **changes}
    troupe = Troupe(environment, tuple(ports), site.folder)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(network, HOST, network_port))
        await stack.enter_async_context(serving(stripe_app, HOST, stripe_port))
        await stack.enter_async_context(troupe)
        yield House(stripe_app[stripe.SANDBOX], network, troupe, shop)


def _address(port: int) -> str:
    return f"http://{HOST}:{port}"


def _accounts_elsewhere(session: Session, deal: Deal) -> list[ChannelAccount]:
    """Return the channels that are somebody else's servers and not paused."""
    known = accounts(session, deal.retailer_id)
    return [one for one in known if one.kind != OUTLET and not one.paused]


def _build_network(url: str, stands: Sequence[ChannelAccount]) -> web.Application:
    return build_mastodon_sandbox(
        clock=utc_now,
        public_url=url,
        accounts=[
            Account(f"shop{number}", new_key()) for number, _ in enumerate(stands)
        ],
        looks_until_ready=0,
    )


async def _set(
    site: Site,
    network: web.Application,
    url: str,
    seal: Seal,
    accounts_elsewhere: Sequence[ChannelAccount],
) -> None:
    practice = network[mastodon.SANDBOX].accounts.values()
    stands = {
        account.id: Stand(url, stand.username, seal.close(stand.token))
        for account, stand in zip(accounts_elsewhere, practice, strict=True)
    }
    await site.copy.transact(
        set_stage, site.deal.retailer_id, site.deal.id, stands, now=utc_now()
    )
