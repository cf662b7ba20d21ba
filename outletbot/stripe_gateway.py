"""Stripe as the payment provider: its hosted Checkout, by its own library."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import stripe

from offers.checkouts import Checkout, CheckoutState, Paid
from offers.disputes import DisputeWord
from offers.holds import Hold
from offers.money import Money, exponent
from offers.payment_accounts import AccountWord
from offers.refund_news import RefundWord
from offers.refunds import Refund
from outletbot.clock import Clock, utc_now
from outletbot.payments import (
    Declined,
    ProviderEvent,
)
from outletbot.stripe_errors import translated
from outletbot.stripe_events import read_event
from outletbot.stripe_money import from_stripe, to_stripe
from outletbot.stripe_refunds import (
    describe_refund,
    key_of_refund,
    read_dispute,
    read_refund,
)

# Stripe closes a page 30 minutes at the least after it got our request, and takes the
# request until then: so there is leeway for a page that is opened late.
LEEWAY = timedelta(minutes=65)

SKEW = timedelta(minutes=15)
"""So far Stripe's clock and ours may be apart when we look for what we asked for."""


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """For whom a gateway acts: *id* is ours for it, empty for the house's own.

    *connected_as* is Stripe's name for it, if the house acts for it by Connect; then
    *fee_bps* is the house's share in hundredths of a percent. Stripe takes so many
    *writes_per_second*, 25 in its sandboxes (https://docs.stripe.com/rate-limits).
    """

    id: str = ""
    connected_as: str = ""
    fee_bps: int = 0
    writes_per_second: int = 25


THE_HOUSE = StripeAccount()


class StripeGateway:
    """Stripe's hosted Checkout, by its own library on aiohttp.

    *client* and what ``options`` returns are for whoever asks Stripe something else on
    behalf of the same account. *webhook_secret* may be several with commas.
    """

    def __init__(
        self,
        client: stripe.StripeClient,
        *,
        public_url: str,
        webhook_secret: str,
        livemode: bool,
        account: StripeAccount = THE_HOUSE,
        ship_to: Sequence[str] = (),
        clock: Clock = utc_now,
    ) -> None:
        self.client = client
        self._stripe = client.v1
        self._public_url = public_url
        self._secrets = [s.strip() for s in webhook_secret.split(",") if s.strip()]
        self._ship_to = list(ship_to)
        self._account = account
        self._clock = clock
        self.account_id = account.id
        self.livemode = livemode
        self.writes_per_second = account.writes_per_second

    def options(self, *, idempotency_key: str = "") -> Any:
        """Return what every call says beside its parameters: for whom, and its key."""
        named = {"stripe_account": self._account.connected_as}
        keyed = {"idempotency_key": idempotency_key}
        return {name: said for name, said in (named | keyed).items() if said}

    def describe(self, hold: Hold) -> str:
        back = f"{self._public_url}/h/{hold.token}"
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": hold.id,
            "expires_at": int((hold.expires_at + LEEWAY).timestamp()),
            "success_url": f"{back}/paid",
            "cancel_url": back,
            "line_items": [_line_item(hold)],
            "metadata": {"hold": hold.id, "attempt": str(hold.attempts)},
            "payment_intent_data": {
                "metadata": {"hold": hold.id},
                **self._fee(hold.total),
            },
            "adaptive_pricing": {"enabled": False},
            "phone_number_collection": {"enabled": False},
        }
        if self._ship_to:
            countries = {"allowed_countries": self._ship_to}
            params["shipping_address_collection"] = countries
        return json.dumps(params, sort_keys=True)

    async def create(self, hold: Hold) -> Checkout:
        # What Stripe refused or broke is composed anew, and needs a key of its own: the
        # attempt in it makes it another request.
        digest = hashlib.sha256(hold.request.encode()).hexdigest()[:16]
        options = self.options(idempotency_key=f"{hold.id}-{digest}")
        with translated():
            session = await self._stripe.checkout.sessions.create_async(
                json.loads(hold.request), options
            )
        return _checkout(session, self.account_id)

    async def find(self, hold: Hold) -> Checkout | None:
        since = int((hold.held_at - SKEW).timestamp())
        params: dict[str, Any] = {"created": {"gte": since}, "limit": 100}
        more = True
        while more:
            with translated():
                page = await self._stripe.checkout.sessions.list_async(
                    params,  # type: ignore[arg-type]  # it grows by a cursor
                    self.options(),
                )
            for session in page.data:
                if session.client_reference_id == hold.id:
                    return _checkout(session, self.account_id)
                params["starting_after"] = session.id
            more = page.has_more
        return None

    def _fee(self, total: Money) -> dict[str, int]:
        """Return the house's share; none if it would be nothing, or all there is.

        It is a whole number of what can be charged (https://docs.stripe.com/currencies).
        """
        charge = to_stripe(total)
        step = charge // total.amount * 10 ** max(0, exponent(total.currency) - 2)
        fee = charge * self._account.fee_bps // 10_000 // step * step
        connected = bool(self._account.connected_as)
        return {"application_fee_amount": fee} if connected and 0 < fee < charge else {}

    async def retrieve(self, checkout_id: str) -> Checkout:
        with translated():
            session = await self._stripe.checkout.sessions.retrieve_async(
                checkout_id, {"expand": ["payment_intent"]}, self.options()
            )
        return _checkout(session, self.account_id)

    async def expire(self, checkout_id: str) -> Checkout:
        try:
            with translated():
                session = await self._stripe.checkout.sessions.expire_async(
                    checkout_id, options=self.options()
                )
        except Declined:
            return await self.retrieve(checkout_id)  # it is not open: what is it then?
        return _checkout(session, self.account_id)

    async def refund(self, refund: Refund) -> RefundWord:
        options = self.options(idempotency_key=key_of_refund(refund))
        with translated():
            params = describe_refund(refund) | await self._fee_back(refund.payment_id)
            given = await self._stripe.refunds.create_async(params, options)
        return read_refund(given)

    async def _fee_back(self, payment_id: str) -> Any:
        """Return what gives the house's share back, if it took one of this payment."""
        if not self._account.connected_as:
            return {}
        payment = await self._stripe.payment_intents.retrieve_async(
            payment_id, options=self.options()
        )
        return (
            {"refund_application_fee": True} if payment.application_fee_amount else {}
        )

    async def refunds(self, payment_id: str) -> list[RefundWord]:
        with translated():
            given = await self._stripe.refunds.list_async(
                {"payment_intent": payment_id, "limit": 100}, self.options()
            )
        return [read_refund(each) for each in given.data]

    async def dispute(self, dispute_id: str, *, now: datetime) -> DisputeWord:
        with translated():
            dispute = await self._stripe.disputes.retrieve_async(
                dispute_id, options=self.options()
            )
        return read_dispute(dispute, read_at=now)

    async def check(self) -> str:
        """Return Stripe's name for the account, as proof that the key works.

        Raises:
            PaymentError: If it does not, with the provider's words.
        """
        return (await self.standing()).provider_id

    async def standing(self) -> AccountWord:
        with translated():
            account = await self._stripe.accounts.retrieve_current_async(
                options=self.options()
            )
        return AccountWord(account.id, _name(account), bool(account.charges_enabled))

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        return read_event(body, signature, self._secrets, now=self._clock())


def _name(account: stripe.Account) -> str:
    """Return what people call an account, as far as Stripe was told."""
    shown = account.settings and account.settings.dashboard.display_name
    profile = account.business_profile and account.business_profile.name
    return shown or profile or account.email or ""


def _line_item(hold: Hold) -> Mapping[str, object]:
    unit = Money(hold.unit_amount, hold.currency)
    return {
        "quantity": hold.quantity,
        "price_data": {
            "currency": hold.currency,
            "unit_amount": to_stripe(unit),
            "product_data": {"name": hold.title},
        },
    }


def _checkout(session: stripe.checkout.Session, account_id: str) -> Checkout:
    intent = session.payment_intent
    customer = session.customer_details
    return Checkout(
        id=session.id,
        hold_id=session.client_reference_id or "",
        state=CheckoutState(session.status or "open"),
        paid=_paid(session),
        total=from_stripe(session.amount_total or 0, session.currency or ""),
        livemode=session.livemode,
        account_id=account_id,
        url=session.url or "",
        payment_id=(intent if isinstance(intent, str) else intent.id) if intent else "",
        email=(customer and customer.email) or "",
        name=(customer and customer.name) or "",
        address=_address(session),
    )


def _paid(session: stripe.checkout.Session) -> Paid:
    if session.payment_status != "unpaid":
        return Paid.PAID
    intent = session.payment_intent
    failed = (
        not isinstance(intent, str)
        and intent is not None
        and (intent.status in {"canceled", "requires_payment_method"})
    )
    complete = session.status == "complete"
    return Paid.FAILED if complete and failed else Paid.UNPAID


def _address(session: stripe.checkout.Session) -> str:
    collected = session.collected_information
    shipping = collected and collected.shipping_details
    if not shipping:
        return ""
    a = shipping.address
    town = " ".join(part for part in (a.postal_code, a.city) if part)
    lines = (shipping.name, a.line1, a.line2, town, a.state, a.country)
    return "\n".join(line for line in lines if line)
