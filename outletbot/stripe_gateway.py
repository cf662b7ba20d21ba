"""Stripe as the payment provider: its hosted Checkout, by its own library."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
import stripe

from offers.checkouts import Checkout, CheckoutState, Paid
from offers.holds import Hold
from offers.money import Money
from offers.refunds import Refund
from outletbot.payments import Declined, ProviderEvent, Unknown

# Stripe closes a page 30 minutes at the least after it got our request, and takes the
# request until then: so there is leeway for a page that is opened late.
LEEWAY = timedelta(minutes=65)


# Currencies that Stripe writes with other decimals than ISO 4217 has
# (https://docs.stripe.com/currencies#special-cases).
TWO_DECIMALS_AT_STRIPE = {"isk", "ugx"}


class StripeGateway:
    """Stripe's hosted Checkout, by its own library on aiohttp."""

    def __init__(
        self,
        client: stripe.StripeClient,
        *,
        public_url: str,
        webhook_secret: str,
        livemode: bool,
        account_id: str = "",
        ship_to: Sequence[str] = (),
    ) -> None:
        self._stripe = client.v1
        self._public_url = public_url
        self._webhook_secret = webhook_secret
        self._ship_to = list(ship_to)
        self.account_id = account_id
        self.livemode = livemode

    def describe(self, hold: Hold) -> str:
        back = f"{self._public_url}/h/{hold.token}"
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": hold.id,
            "expires_at": int((hold.expires_at + LEEWAY).timestamp()),
            "success_url": f"{back}/paid",
            "cancel_url": back,
            "line_items": [_line_item(hold)],
            "metadata": {"hold": hold.id},
            "payment_intent_data": {"metadata": {"hold": hold.id}},
            "adaptive_pricing": {"enabled": False},
            "phone_number_collection": {"enabled": False},
        }
        if self._ship_to:
            countries = {"allowed_countries": self._ship_to}
            params["shipping_address_collection"] = countries
        return json.dumps(params, sort_keys=True)

    async def create(self, hold: Hold) -> Checkout:
        # A request that Stripe refused is composed anew, so it needs a key of its own.
        digest = hashlib.sha256(hold.request.encode()).hexdigest()[:16]
        options: Any = {"idempotency_key": f"{hold.id}-{digest}"}
        with _translated():
            session = await self._stripe.checkout.sessions.create_async(
                json.loads(hold.request), options
            )
        return _checkout(session, self.account_id)

    async def retrieve(self, checkout_id: str) -> Checkout:
        with _translated():
            session = await self._stripe.checkout.sessions.retrieve_async(
                checkout_id, {"expand": ["payment_intent"]}
            )
        return _checkout(session, self.account_id)

    async def expire(self, checkout_id: str) -> Checkout:
        try:
            with _translated():
                session = await self._stripe.checkout.sessions.expire_async(checkout_id)
        except Declined:
            return await self.retrieve(checkout_id)  # it is not open: what is it then?
        return _checkout(session, self.account_id)

    async def refund(self, refund: Refund) -> str:
        options: Any = {"idempotency_key": refund.id}
        with _translated():
            try:
                given = await self._stripe.refunds.create_async(
                    {
                        "payment_intent": refund.payment_id,
                        "amount": to_stripe(refund.money),
                        "metadata": {"refund": refund.id, "reason": refund.reason},
                    },
                    options,
                )
            except stripe.InvalidRequestError as error:
                if error.code != "charge_already_refunded":
                    raise
                return await self._given_before(refund)
        return given.id

    async def _given_before(self, refund: Refund) -> str:
        """Find the refund that was given by hand, or by us more than a day ago."""
        given = await self._stripe.refunds.list_async(
            {"payment_intent": refund.payment_id, "limit": 1}
        )
        if not given.data:
            msg = (
                f"{refund.payment_id} was refunded, and no refund of it is to be found"
            )
            raise Declined(msg)
        return given.data[0].id

    async def check(self) -> str:
        """Return whose account it is, as proof that the key works.

        Raises:
            PaymentError: If it does not, with the provider's words.
        """
        with _translated():
            account = await self._stripe.accounts.retrieve_current_async()
        return account.id

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        if not self._webhook_secret.strip():
            msg = "there is no webhook secret, so nothing proves who sent this"
            raise Declined(msg)
        try:
            text = body.decode()
            stripe.WebhookSignature.verify_header(
                text, signature, self._webhook_secret, tolerance=300
            )
        except (ValueError, stripe.SignatureVerificationError) as error:
            msg = "the signature is not Stripe's, or is old"
            raise Declined(msg) from error
        return _event(text)


def _event(text: str) -> ProviderEvent:
    match said := _json(text):
        case {
            "id": str(event_id),
            "type": str(kind),
            "created": int(created),
            "data": {"object": dict(payload)},
        }:
            return ProviderEvent(
                event_id,
                kind,
                created,
                payload,
                account=str(said.get("account") or ""),
                livemode=said.get("livemode") is True,
            )
    msg = "the body is no event"
    raise Declined(msg)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def to_stripe(money: Money) -> int:
    """Return *money* as Stripe writes it."""
    if money.currency in TWO_DECIMALS_AT_STRIPE:
        return money.amount * 100
    return money.amount


def from_stripe(amount: int, currency: str) -> Money:
    if currency in TWO_DECIMALS_AT_STRIPE:
        return Money(amount // 100, currency)
    return Money(amount, currency)


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


class _translated:  # noqa: N801  (read as a verb: with _translated())
    """Stripe's errors in our words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _tb: object) -> None:
        match error:
            case stripe.InvalidRequestError() | stripe.AuthenticationError():
                raise Declined(_words(error)) from error
            case stripe.PermissionError() | stripe.IdempotencyError():
                raise Declined(_words(error)) from error
            case stripe.StripeError() | aiohttp.ClientError() | TimeoutError():
                raise Unknown(_words(error)) from error


def _words(error: BaseException) -> str:
    said = getattr(error, "user_message", None) or str(error) or type(error).__name__
    return " ".join(str(said).split())


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
