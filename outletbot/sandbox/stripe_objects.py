"""Stripe's objects as they are when new: every field that the library's types promise.

A field that may be null is null unless something here says otherwise, so reading any
documented attribute of a sandbox's object works as it does with Stripe's.
"""

import types
from datetime import datetime
from functools import cache
from typing import Any, NotRequired, Union, get_args, get_origin

import stripe

from outletbot.sandbox.stripe_books import Account, Json


def new(account: Account, cls: type, prefix: str, now: datetime, **fields: Any) -> Json:
    """Return a new object of *account*, not yet kept."""
    return {
        **nullable(cls),
        "id": account.new_id(prefix, length=58 if prefix == "cs_test" else 24),
        "created": int(now.timestamp()),
        "livemode": account.livemode,
        **fields,
    }


def nullable(cls: type) -> dict[str, None]:
    """Return the fields of a library class that may be null, all null."""
    return dict.fromkeys(_nullable(cls))


@cache
def _nullable(cls: type) -> tuple[str, ...]:
    return tuple(
        name for name, hint in cls.__annotations__.items() if _may_be_null(hint)
    )


def _may_be_null(hint: Any) -> bool:
    if get_origin(hint) is NotRequired:
        return False
    is_union = get_origin(hint) in (Union, types.UnionType)
    return is_union and type(None) in get_args(hint)


def new_intent(account: Account, session: Json, now: datetime) -> Json:
    intent = new(
        account,
        stripe.PaymentIntent,
        "pi",
        now,
        object="payment_intent",
        amount=session["amount_total"],
        amount_capturable=0,
        amount_received=0,
        automatic_payment_methods=None,
        capture_method="automatic_async",
        confirmation_method="automatic",
        currency=session["currency"],
        metadata={},
        payment_method=account.new_id("pm"),
        payment_method_types=session["payment_method_types"],
        status="processing",
    )
    intent["client_secret"] = f"{intent['id']}_secret_sandbox"
    return intent


def new_charge(
    account: Account, intent: Json, method: str, now: datetime, *, last4: str
) -> Json:
    return new(
        account,
        stripe.Charge,
        "ch" if method == "card" else "py",
        now,
        object="charge",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        application_fee_amount=intent["application_fee_amount"],
        billing_details=dict.fromkeys(("address", "email", "name", "phone", "tax_id")),
        captured=False,
        currency=intent["currency"],
        description=intent["description"],
        disputed=False,
        metadata=dict(intent["metadata"]),
        paid=False,
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
        payment_method_details=_method_details(method, last4),
        refunded=False,
        shipping=intent["shipping"],
        status="pending",
    )


def _method_details(method: str, last4: str) -> Json:
    if method != "card":
        return {"type": method, method: {"last4": last4}}
    card = {"brand": "visa", "last4": last4, "funding": "credit", "country": "US"}
    return {"type": "card", "card": card}
