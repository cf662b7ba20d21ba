"""Payments: what a shopper does on the checkout page, and what follows from it.

A card is charged at once. A bank debit completes the session unpaid; days later the
money comes (``async_payment_succeeded``) or does not (``async_payment_failed``).
"""

from dataclasses import dataclass, field
from datetime import datetime

from outletbot.sandbox.stripe_balance import fee_detail, move_money
from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_disputes import open_dispute
from outletbot.sandbox.stripe_errors import StripeRefusal
from outletbot.sandbox.stripe_fees import earn_fee
from outletbot.sandbox.stripe_objects import new_charge, new_intent
from outletbot.sandbox.stripe_rules import whole
from outletbot.sandbox.stripe_sessions import get_session

GOOD_CARD = "4242424242424242"
DISPUTED_CARD = "4000000000000259"
SLOW_REFUND_CARD = "4000000000007726"

# https://docs.stripe.com/testing
TEST_CARDS = {
    GOOD_CARD: None,
    DISPUTED_CARD: None,
    SLOW_REFUND_CARD: None,
    "4000000000000002": "Your card has been declined.",
    "4000000000009995": "Your card has insufficient funds.",
    "4000000000000069": "Your card has expired.",
    "4000000000000127": "Your card's security code is incorrect.",
    "4000000000000119": "An error occurred while processing your card. Try again.",
}
NO_TEST_CARD = (
    "Your card was declined. Your request was in test mode, but used a non test card."
)


# Stripe lets nobody pay without an address where one is asked for, so a test that
# types none has this one.
_SOMEWHERE = {
    "line1": "1 Sandbox Street",
    "line2": None,
    "postal_code": "00001",
    "city": "Sandbox",
    "state": None,
}


class SessionOver(Exception):
    """The session is complete or expired: nobody can pay it any more."""

    def __init__(self, session: Json) -> None:
        super().__init__(f"This Checkout Session is {session['status']}.")
        self.session = session


@dataclass(frozen=True, slots=True)
class Fees:
    """Stripe's price for a charge: *basis_points* of it and *fixed* minor units.

    *dispute* is what one costs, in minor units of whichever currency.
    """

    basis_points: int = 150
    fixed: int = 25
    dispute: int = 2_000

    def of(self, amount: int, currency: str) -> int:
        fee = (amount * self.basis_points + 5_000) // 10_000 + self.fixed
        return whole(fee, currency)


@dataclass(frozen=True, slots=True)
class Shopper:
    """What somebody typed on the page."""

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: Json | None = field(default=None)
    card: str = GOOD_CARD


def decline_of(card: str) -> str | None:
    """Return why the bank declines *card*, as Stripe tells the shopper, or None."""
    return TEST_CARDS.get("".join(card.split()), NO_TEST_CARD)


def pay_now(
    account: Account, session_id: str, shopper: Shopper, fees: Fees, *, now: datetime
) -> Json:
    """Pay a session by card. Return the session, complete and paid.

    Raises:
        SessionOver: If it is not open.
    """
    session, charge = _complete(account, session_id, shopper, "card", now)
    _receive(account, charge, fees, now)
    session["payment_status"] = "paid"
    account.keep(session)
    account.tell("checkout.session.completed", session, now=now)
    if shopper.card == DISPUTED_CARD:
        open_dispute(account, charge, fee=fees.dispute, now=now)
    return session


def pay_later(
    account: Account, session_id: str, shopper: Shopper, *, now: datetime
) -> Json:
    """Promise to pay a session by bank debit. Return the session, complete but unpaid.

    Raises:
        SessionOver: If it is not open.
    """
    method = get_session(account, session_id, now=now)["payment_method_types"][-1]
    session, charge = _complete(account, session_id, shopper, method, now)
    account.tell("payment_intent.processing", _intent(account, charge), now=now)
    account.tell("charge.pending", charge, now=now)
    account.tell("checkout.session.completed", session, now=now)
    return session


def let_arrive(account: Account, session_id: str, fees: Fees, *, now: datetime) -> Json:
    """Let the money of a bank debit arrive.

    Raises:
        StripeRefusal: If no money is on its way.
    """
    session, charge = _pending(account, session_id)
    _receive(account, charge, fees, now)
    session["payment_status"] = "paid"
    account.keep(session)
    account.tell("checkout.session.async_payment_succeeded", session, now=now)
    return session


def let_fail(account: Account, session_id: str, *, now: datetime) -> Json:
    """Let a bank debit fail; its session stays complete and unpaid for ever.

    Raises:
        StripeRefusal: If no money is on its way.
    """
    session, charge = _pending(account, session_id)
    intent = _intent(account, charge)
    reason = "The customer's bank account has insufficient funds."
    charge.update(status="failed", failure_code="insufficient_funds")
    charge["failure_message"] = reason
    intent.update(status="requires_payment_method", payment_method=None)
    intent["last_payment_error"] = {
        "code": "payment_intent_payment_attempt_failed",
        "message": reason,
        "type": "invalid_request_error",
    }
    account.tell("charge.failed", account.keep(charge), now=now)
    account.tell("payment_intent.payment_failed", account.keep(intent), now=now)
    account.tell("checkout.session.async_payment_failed", session, now=now)
    return session


def is_pending(account: Account, session: Json) -> bool:
    """Whether money for this session is on its way."""
    intent = account.find("payment_intent", session["payment_intent"] or "")
    return intent is not None and intent["status"] == "processing"


def _complete(
    account: Account, session_id: str, shopper: Shopper, method: str, now: datetime
) -> tuple[Json, Json]:
    session = get_session(account, session_id, now=now)
    if session["status"] != "open":
        raise SessionOver(session)
    data = account.get("intent_data", session_id)
    intent = new_intent(account, session, now)
    for name in ("metadata", "description", "application_fee_amount"):
        intent[name] = data.get(name, intent[name])
    last4 = shopper.card[-4:] if method == "card" else "3000"
    charge = new_charge(account, intent, method, now, last4=last4)
    intent["latest_charge"] = charge["id"]
    session.update(status="complete", url=None, payment_intent=intent["id"])
    _fill_in(session, intent, charge, shopper)
    account.keep(intent)
    account.keep(charge)
    return account.keep(session), charge


def _fill_in(session: Json, intent: Json, charge: Json, shopper: Shopper) -> None:
    said = {"email": shopper.email, "name": shopper.name, "phone": shopper.phone}
    known = {name: value for name, value in said.items() if value}
    details = session["customer_details"] or {"tax_exempt": "none", "tax_ids": []}
    session["customer_details"] = {
        "address": None,
        "business_name": None,
        "individual_name": None,
        **said,
        **details,
        **known,
    }
    charge["billing_details"].update(known)
    if asked := session["shipping_address_collection"]:
        shipping = {
            "name": shopper.name or "Sandbox Shopper",
            "address": {
                **_SOMEWHERE,
                "country": asked["allowed_countries"][0],
                **(shopper.address or {}),
            },
        }
        session["collected_information"] = {
            "business_name": None,
            "individual_name": None,
            "shipping_details": shipping,
        }
        intent["shipping"] = {**shipping, "phone": shopper.phone}
        charge["shipping"] = intent["shipping"]


def _pending(account: Account, session_id: str) -> tuple[Json, Json]:
    session = account.get("checkout.session", session_id, param="session")
    if not is_pending(account, session):
        message = "No payment of this Checkout Session is on its way."
        raise StripeRefusal(message, code="sandbox_nothing_pending")
    intent = account.get("payment_intent", session["payment_intent"])
    return session, account.get("charge", intent["latest_charge"])


def _intent(account: Account, charge: Json) -> Json:
    return account.get("payment_intent", charge["payment_intent"])


def _receive(account: Account, charge: Json, fees: Fees, now: datetime) -> None:
    intent, amount = _intent(account, charge), charge["amount"]
    kind = "charge" if charge["id"].startswith("ch_") else "payment"
    details = _fee_details(charge, fees)
    earned = move_money(account, charge, kind, amount=amount, fees=details, now=now)
    charge.update(status="succeeded", paid=True, captured=True)
    charge.update(amount_captured=amount, balance_transaction=earned["id"])
    intent.update(status="succeeded", amount_received=amount)
    earn_fee(account, charge, now=now)
    account.tell("charge.succeeded", account.keep(charge), now=now)
    account.tell("payment_intent.succeeded", account.keep(intent), now=now)


def _fee_details(charge: Json, fees: Fees) -> list[Json]:
    taken = {
        "stripe_fee": (
            fees.of(charge["amount"], charge["currency"]),
            "Stripe processing fees",
        ),
        "application_fee": (charge["application_fee_amount"], "Application fee"),
    }
    return [
        fee_detail(kind, amount, charge["currency"], description)
        for kind, (amount, description) in taken.items()
        if amount
    ]
