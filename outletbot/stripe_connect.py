"""Connecting accounts at Stripe: a retailer's own key proved, or an account made."""

from collections.abc import Callable
from typing import Any

import stripe

from offers.payment_accounts import AccountWord
from offers.retailers import Retailer
from outletbot.payments import Declined
from outletbot.stripe_books import EVENTS
from outletbot.stripe_errors import translated
from outletbot.stripe_gateway import StripeGateway


class StripeConnector:
    """Says whose account a key is, and makes what a new account needs.

    *by_key* makes a gateway of any key.
    """

    def __init__(
        self, house: StripeGateway, by_key: Callable[[str], StripeGateway]
    ) -> None:
        self._house = house
        self._by_key = by_key

    async def prove(self, key: str) -> AccountWord:
        return await self._by_key(key).standing()

    async def make_endpoint(self, key: str, url: str) -> str:
        endpoints = self._by_key(key).client.v1.webhook_endpoints
        asked: Any = {
            "url": url,
            "enabled_events": list(EVENTS),
            # Events have the form of their endpoint's version, not of our requests'.
            "api_version": stripe.api_version,
            "description": "outletbot",
        }
        with translated():
            made = await endpoints.create_async(asked)
        if not made.secret:
            msg = "Stripe told no secret of the endpoint"
            raise Declined(msg)
        return made.secret

    async def make_account(self, retailer: Retailer, email: str, *, key: str) -> str:
        accounts = self._house.client.v1.accounts
        with translated():
            made = await accounts.create_async(
                {
                    "type": "standard",
                    "country": retailer.country,
                    "email": email,
                    "metadata": {"retailer": retailer.id},
                },
                self._house.options(idempotency_key=key),
            )
        return made.id

    async def onboarding(self, provider_id: str, *, back: str, again: str) -> str:
        links = self._house.client.v1.account_links
        with translated():
            link = await links.create_async(
                {
                    "account": provider_id,
                    "type": "account_onboarding",
                    "return_url": back,
                    "refresh_url": again,
                }
            )
        return link.url
