"""Stripe's client, on aiohttp, told where Stripe is, for each payment account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import stripe

from offers.payment_accounts import (
    PaymentAccount,
    PaymentAccountKind,
    find_payment_account,
)
from outletbot.clock import Clock, utc_now
from outletbot.config import Settings, is_live
from outletbot.db import Database
from outletbot.payments import Declined
from outletbot.sealing import CannotOpen, Seal
from outletbot.stripe_books import StripeBooks
from outletbot.stripe_connect import StripeConnector
from outletbot.stripe_gateway import StripeAccount, StripeGateway

TIMEOUT = aiohttp.ClientTimeout(total=20)
RETRIES = 2
HOUSE_ALONE = "the service acts for the house alone"


@dataclass(frozen=True, slots=True)
class StripeMaker:
    """Makes gateways of accounts; their secrets are opened here and only here."""

    settings: Settings
    http: stripe.AIOHTTPClient
    seal: Seal | None = None
    retries: int = RETRIES
    clock: Clock = utc_now

    def house(self) -> StripeGateway:
        settings = self.settings
        key, live = settings.stripe_api_key.get_secret_value(), settings.livemode
        house = StripeAccount(writes_per_second=self._usual_pace(live=live))
        return self.gateway(key, settings.house_webhook_secrets, house, livemode=live)

    def open(self, account: PaymentAccount, house: StripeGateway) -> StripeGateway:
        """Return the gateway of *account*: by its own key, or by the house's.

        Raises:
            CannotOpen: If its secrets were sealed with another key.
        """
        if account.kind is PaymentAccountKind.CONNECTED:
            name, share = account.provider_id, account.fee_bps
            named = StripeAccount(account.id, name, share, self._pace(account))
            return self._gateway(house.client, "", named, livemode=account.livemode)
        return self.gateway(
            self._unseal(account.sealed_key),
            self._secrets(account),
            StripeAccount(account.id, writes_per_second=self._pace(account)),
            livemode=account.livemode,
        )

    def gateway(
        self, key: str, secrets: str, account: StripeAccount, *, livemode: bool
    ) -> StripeGateway:
        """Return a gateway that acts by *key*."""
        client = stripe.StripeClient(
            key or "none",
            http_client=self.http,
            max_network_retries=self.retries,
            base_addresses={"api": self.settings.stripe_api_base},
        )
        return self._gateway(client, secrets, account, livemode=livemode)

    def _gateway(
        self,
        client: stripe.StripeClient,
        secrets: str,
        account: StripeAccount,
        *,
        livemode: bool,
    ) -> StripeGateway:
        return StripeGateway(
            client,
            public_url=self.settings.public_url,
            webhook_secret=secrets,
            livemode=livemode,
            ship_to=self.settings.ship_to,
            clock=self.clock,
            account=account,
        )

    def _pace(self, account: PaymentAccount) -> int:
        usual = self._usual_pace(live=account.livemode)
        return account.writes_per_second or usual

    def _usual_pace(self, *, live: bool) -> int:
        settings = self.settings
        if live:
            return settings.stripe_writes_per_second_live
        return settings.stripe_writes_per_second_test

    def previous_counts(self, account: PaymentAccount) -> bool:
        """Whether what is signed with the secret before the present one is taken."""
        until = account.previous_until
        return until is not None and self.clock() < until

    def _secrets(self, account: PaymentAccount) -> str:
        sealed = [account.sealed_webhook_secret]
        if self.previous_counts(account):
            sealed.append(account.sealed_previous_secret)
        return ",".join(self._unseal(secret) for secret in sealed)

    def _unseal(self, sealed: str) -> str:
        if self.seal is None:
            msg = "there is no SECRET_KEY to open it with"
            raise CannotOpen(msg)
        return self.seal.open(sealed)


class StripeGateways:
    """Stripe, acting for whichever payment account.

    What was made for an account is used until its row changes.
    """

    def __init__(
        self,
        house: StripeGateway,
        database: Database | None = None,
        maker: StripeMaker | None = None,
    ) -> None:
        self.house = house
        self._database = database
        self._maker = maker
        self._made: dict[str, tuple[str, StripeGateway]] = {}

    @property
    def connector(self) -> StripeConnector:
        return StripeConnector(self.house, self._by_key)

    def _by_key(self, key: str) -> StripeGateway:
        """Return a gateway of a key that is not kept yet."""
        if self._maker is None:
            raise Declined(HOUSE_ALONE)
        unknown = StripeAccount()
        return self._maker.gateway(key, "", unknown, livemode=is_live(key))

    async def of(self, account_id: str) -> StripeGateway:
        if not account_id:
            return self.house
        account = await self._find(account_id)
        if self._maker is None:
            raise Declined(HOUSE_ALONE)
        said = f"{self._maker.previous_counts(account)} {account.model_dump_json()}"
        made, gateway = self._made.get(account_id, ("", self.house))
        if made != said:
            gateway = self._open(account, self._maker)
            self._made[account_id] = said, gateway
        return gateway

    async def books(self, account_id: str) -> StripeBooks:
        return StripeBooks(await self.of(account_id))

    async def _find(self, account_id: str) -> PaymentAccount:
        account = None
        if self._database is not None:
            account = await self._database.read(find_payment_account, account_id)
        if account is None:
            msg = f"there is no payment account {account_id}"
            raise Declined(msg)
        return account

    def _open(self, account: PaymentAccount, maker: StripeMaker) -> StripeGateway:
        try:
            return maker.open(account, self.house)
        except CannotOpen as error:
            raise Declined(str(error)) from error


@asynccontextmanager
async def stripe_gateways(
    settings: Settings, database: Database | None = None, clock: Clock = utc_now
) -> AsyncIterator[StripeGateways]:
    """Yield the gateways that *settings* describe.

    Without a *database* only the house's account is known.
    """
    stripe.enable_telemetry = False
    http = stripe.AIOHTTPClient(timeout=TIMEOUT)
    key = settings.secret_key.get_secret_value()
    maker = StripeMaker(
        settings, http, Seal(key) if key and database else None, clock=clock
    )
    try:
        yield StripeGateways(maker.house(), database, maker)
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]  # the library's
