"""Checkout sessions: made as asked, or refused for Stripe's reasons; expired once.

A session is ``open`` until it is ``complete`` (somebody paid, or promised to) or
``expired``, and neither of these two ever changes again.
"""

from datetime import datetime, timedelta
from typing import Any

import stripe

from outletbot.sandbox.stripe_books import OWN, Account, Json
from outletbot.sandbox.stripe_errors import Invalid, StripeRefusal
from outletbot.sandbox.stripe_items import read_items, refuse_unspoken
from outletbot.sandbox.stripe_objects import new
from outletbot.sandbox.stripe_rules import (
    check_address,
    check_expiry,
    check_length,
    check_metadata,
    check_total,
    demand,
)

DEFAULT_LIFE = timedelta(hours=24)

DELAYED = {
    "aud": "au_becs_debit",
    "cad": "acss_debit",
    "eur": "sepa_debit",
    "gbp": "bacs_debit",
    "usd": "us_bank_account",
}
"""Each currency's bank debit: paid days after the shopper has finished."""

# What would change a session in ways that the sandbox does not act out. To refuse it
# is better than to let somebody believe that it was rehearsed.
NOT_SPOKEN = frozenset(
    (
        "after_expiration",
        "consent_collection",
        "custom_fields",
        "customer",
        "customer_account",
        "discounts",
        "invoice_creation",
        "managed_payments",
        "name_collection",
        "optional_items",
        "permissions",
        "return_url",
        "saved_payment_method_options",
        "setup_intent_data",
        "shipping_options",
        "subscription_data",
        "tax_id_collection",
    )
)


def create_session(
    account: Account, asked: Json, *, now: datetime, public_url: str
) -> Json:
    """Make an open session of the parameters *asked*, already read by their schema.

    Raises:
        Invalid: If they break one of Stripe's rules.
    """
    asked = {"ui_mode": "hosted_page", **asked}
    items = _check(account, asked, now)
    amount = sum(item["amount_total"] for item in items)
    check_total(amount, items[0]["currency"])
    _check_fee(account, asked.get("payment_intent_data", {}), amount)

    session = new(account, stripe.checkout.Session, "cs_test", now)
    session |= _fields(asked, items, now)
    session["url"] = f"{public_url}/c/pay/{session['id']}"
    _keep_beside(account, session, asked, items)
    return account.keep(session)


def _check(account: Account, asked: Json, now: datetime) -> list[Json]:
    """Return the line items, after everything but their sum was checked."""
    _check_spoken(asked)
    check_address(asked.get("success_url"), "success_url")
    if "cancel_url" in asked:
        check_address(asked["cancel_url"], "cancel_url")
    if "expires_at" in asked:
        check_expiry(asked["expires_at"], now)
    check_length(asked.get("client_reference_id", ""), 200, "client_reference_id")
    check_metadata(asked.get("metadata", {}), "metadata")
    check_metadata(
        asked.get("payment_intent_data", {}).get("metadata", {}),
        "payment_intent_data[metadata]",
    )
    email = asked.get("customer_email")
    if email is not None and not _is_address(email):
        message = f"Invalid email address: {email}"
        raise Invalid(message, param="customer_email", code="email_invalid")
    return list(read_items(account, asked))


def _is_address(email: str) -> bool:
    name, at, host = email.rpartition("@")
    return bool(name and at and "." in host.strip(".")) and " " not in email


def _check_spoken(asked: Json) -> None:
    for name, known in (("mode", "payment"), ("ui_mode", "hosted_page")):
        if demand(asked, name) != known:
            refuse_unspoken(name, asked[name])
    for name in sorted(NOT_SPOKEN & asked.keys()):
        refuse_unspoken(name, "…")
    for name in ("automatic_tax", "adaptive_pricing"):
        if asked.get(name, {}).get("enabled"):
            refuse_unspoken(f"{name}[enabled]", "true")
    capture = asked.get("payment_intent_data", {}).get("capture_method", "automatic")
    if capture == "manual":
        refuse_unspoken("payment_intent_data[capture_method]", capture)


def _check_fee(account: Account, intent: Json, amount: int) -> None:
    fee = intent.get("application_fee_amount")
    if fee is None:
        return
    at = "payment_intent_data[application_fee_amount]"
    if account.id == OWN:
        message = (
            "Can only apply an application_fee_amount when the PaymentIntent is "
            "attempting a direct payment (using an OAuth key or Stripe-Account header) "
            "or destination payment (using `transfer_data[destination]`)."
        )
        raise Invalid(message, param=at)
    if not 0 < fee < amount:
        message = "The application fee must be positive and less than the amount."
        raise Invalid(message, param=at)


def _fields(asked: Json, items: list[Json], now: datetime) -> dict[str, Any]:
    """Return what the parameters decide; those that a session shows are shown."""
    shown = stripe.checkout.Session.__annotations__
    total = sum(item["amount_total"] for item in items)
    currency = items[0]["currency"]
    methods = _methods(asked, currency)
    email = asked.get("customer_email")
    end = int((now + DEFAULT_LIFE).timestamp())
    return {
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "custom_fields": [],
        "custom_text": dict.fromkeys(_TEXTS),
        "customer_creation": "if_required",
        "expires_at": end,
        "metadata": {},
        "payment_method_collection": "if_required",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        **{name: value for name, value in asked.items() if name in shown},
        "amount_subtotal": total,
        "amount_total": total,
        "currency": currency,
        "customer_details": {**dict.fromkeys(_DETAILS), "email": email}
        if email
        else None,
        "object": "checkout.session",
        "payment_method_types": methods,
        "payment_status": "unpaid",
        "status": "open",
        "total_details": dict.fromkeys(_TOTALS, 0),
    }


_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
_TOTALS = ("amount_discount", "amount_shipping", "amount_tax")
_DETAILS = (
    "address",
    "business_name",
    "email",
    "individual_name",
    "name",
    "phone",
    "tax_exempt",
    "tax_ids",
)


def _methods(asked: Json, currency: str) -> list[str]:
    offered = ["card", *filter(None, [DELAYED.get(currency)])]
    allowed = asked.get("allowed_payment_method_types", offered)
    excluded = asked.get("excluded_payment_method_types", [])
    left = [method for method in offered if method in allowed]
    left = [method for method in left if method not in excluded]
    if not left:
        message = "No valid payment method types for this Checkout Session."
        raise Invalid(message, param="allowed_payment_method_types")
    return left


def _keep_beside(
    account: Account, session: Json, asked: Json, items: list[Json]
) -> None:
    """Keep what a session does not show by itself; it is for the page and later."""
    session.pop("line_items")
    account.keep({"id": session["id"], "object": "line_items", "data": items})
    intent = asked.get("payment_intent_data", {})
    account.keep({"id": session["id"], "object": "intent_data", **intent})


def expire_session(account: Account, session_id: str, *, now: datetime) -> Json:
    """End an open session.

    Raises:
        StripeRefusal: If there is no such session, or it is not open any more.
    """
    session = get_session(account, session_id, now=now)
    if session["status"] != "open":
        message = (
            'Only Checkout Sessions with a status in ["open"] can be expired. This '
            f"Checkout Session has a status of `{session['status']}`."
        )
        raise StripeRefusal(message, param="session")
    return _end(account, session, now)


def get_session(account: Account, session_id: str, *, now: datetime) -> Json:
    """Return a session as it is at *now*: expired, if its time is up.

    Raises:
        StripeRefusal: If this account has no such session.
    """
    session = account.get("checkout.session", session_id, param="session")
    if session["status"] == "open" and session["expires_at"] <= now.timestamp():
        return _end(account, session, now)
    return session


def end_lapsed_sessions(account: Account, *, now: datetime) -> int:
    """Expire every session whose time is up. Return how many did."""
    due = account.due("checkout.session", now)
    lapsed = [session for session in due if session["status"] == "open"]
    for session in lapsed:
        _end(account, session, now)
    return len(lapsed)


def _end(account: Account, session: Json, now: datetime) -> Json:
    session.update(status="expired", url=None)
    account.tell("checkout.session.expired", session, now=now)
    return account.keep(session)
