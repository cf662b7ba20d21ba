"""Stripe's client, on aiohttp, told where Stripe is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import stripe

from outletbot.config import Settings
from outletbot.stripe_gateway import StripeGateway

TIMEOUT = aiohttp.ClientTimeout(total=20)
RETRIES = 2


@asynccontextmanager
async def stripe_gateway(settings: Settings) -> AsyncIterator[StripeGateway]:
    """Yield the gateway that *settings* describe."""
    stripe.enable_telemetry = False
    http = stripe.AIOHTTPClient(timeout=TIMEOUT)
    client = stripe.StripeClient(
        settings.stripe_api_key.get_secret_value() or "none",
        http_client=http,
        max_network_retries=RETRIES,
        base_addresses={"api": settings.stripe_api_base},
    )
    try:
        yield StripeGateway(
            client,
            public_url=settings.public_url,
            webhook_secret=settings.stripe_webhook_secret.get_secret_value(),
            livemode=settings.livemode,
            ship_to=settings.ship_to,
        )
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]  # the library's
