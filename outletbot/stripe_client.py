"""Stripe's client, on aiohttp, told where Stripe is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import stripe

from outletbot.config import Settings
from outletbot.payments import Declined
from outletbot.stripe_gateway import StripeGateway

TIMEOUT = aiohttp.ClientTimeout(total=20)
RETRIES = 2


class StripeGateways:
    """Stripe, acting for whichever payment account."""

    def __init__(self, house: StripeGateway) -> None:
        self.house = house

    async def of(self, account_id: str) -> StripeGateway:
        if account_id:
            msg = f"there is no payment account {account_id}"
            raise Declined(msg)
        return self.house


@asynccontextmanager
async def stripe_gateways(settings: Settings) -> AsyncIterator[StripeGateways]:
    """Yield the gateways that *settings* describe."""
    stripe.enable_telemetry = False
    http = stripe.AIOHTTPClient(timeout=TIMEOUT)
    client = stripe.StripeClient(
        settings.stripe_api_key.get_secret_value() or "none",
        http_client=http,
        max_network_retries=RETRIES,
        base_addresses={"api": settings.stripe_api_base},
    )
    try:
        house = StripeGateway(
            client,
            public_url=settings.public_url,
            webhook_secret=settings.stripe_webhook_secret.get_secret_value(),
            livemode=settings.livemode,
            ship_to=settings.ship_to,
        )
        yield StripeGateways(house)
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]  # the library's
