"""Refunds: never more than was charged, whatever is asked for at once or in turn.

A refund of a card succeeds at once, but for one test card; that card's and a bank
debit's are pending first. Any may fail later, and the money is the retailer's again.
"""

from datetime import datetime

import stripe

from outletbot.sandbox.stripe_balance import move_money
from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_disputes import is_disputed
from outletbot.sandbox.stripe_errors import Invalid, StripeRefusal
from outletbot.sandbox.stripe_fees import return_fee
from outletbot.sandbox.stripe_objects import new
from outletbot.sandbox.stripe_payments import SLOW_REFUND_CARD
from outletbot.sandbox.stripe_rules import check_metadata, spoken


def create_refund(account: Account, asked: Json, *, now: datetime) -> Json:
    """Give money of a charge back: *amount* of it, or all that is left.

    Raises:
        Invalid: If the parameters name no charge, or an absurd amount.
        StripeRefusal: If there is no such charge, or too little left of it.
    """
    check_metadata(asked.get("metadata", {}), "metadata")
    charge = _charge_of(account, asked)
    amount = _amount_of(account, charge, asked)

    refund = new(
        account,
        stripe.Refund,
        "re" if _is_card(charge) else "pyr",
        now,
        object="refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=asked.get("metadata") or {},
        payment_intent=charge["payment_intent"],
        reason=asked.get("reason"),
        status="pending" if _is_slow(charge) else "succeeded",
    )
    del refund["livemode"]
    fees = []
    if asked.get("refund_application_fee"):
        fees = return_fee(account, charge, amount, now=now)
    kind = "refund" if _is_card(charge) else "payment_refund"
    given = move_money(account, refund, kind, amount=-amount, fees=fees, now=now)
    refund["balance_transaction"] = given["id"]
    _count_refund(account, refund, charge, amount)
    account.tell("refund.created", refund, now=now)
    account.tell("charge.refunded", charge, now=now)
    return refund


def conclude_refund(account: Account, refund_id: str, *, now: datetime) -> Json:
    """Let a pending refund arrive.

    Raises:
        StripeRefusal: If it is not pending.
    """
    refund = account.get("refund", refund_id)
    if refund["status"] != "pending":
        raise _is_over(refund)
    refund["status"] = "succeeded"
    _tell_changed(account, refund, now)
    return refund


def fail_refund(account: Account, refund_id: str, *, now: datetime) -> Json:
    """Let a refund fail, as banks do days later when an account was closed.

    Raises:
        StripeRefusal: If it failed before.
    """
    refund = account.get("refund", refund_id)
    if refund["status"] == "failed":
        raise _is_over(refund)
    charge, amount = account.get("charge", refund["charge"]), refund["amount"]
    refund.update(status="failed", failure_reason="expired_or_canceled_card")
    back = move_money(account, refund, "refund_failure", amount=amount, now=now)
    refund["failure_balance_transaction"] = back["id"]
    _count_refund(account, refund, charge, -amount)
    _tell_changed(account, refund, now)
    account.tell("refund.failed", refund, now=now)
    return refund


def _tell_changed(account: Account, refund: Json, now: datetime) -> None:
    """Tell it by the refund's own event, and by the older one of its charge."""
    account.tell("refund.updated", account.keep(refund), now=now)
    account.tell("charge.refund.updated", refund, now=now)


def _is_card(charge: Json) -> bool:
    return bool(charge["payment_method_details"]["type"] == "card")


def _is_slow(charge: Json) -> bool:
    """Whether its refunds take days: a bank debit's, and those of one test card."""
    card = charge["payment_method_details"].get("card", {})
    return not _is_card(charge) or card["last4"] == SLOW_REFUND_CARD[-4:]


def _is_over(refund: Json) -> StripeRefusal:
    message = f"This refund is {refund['status']} already."
    return StripeRefusal(message, code="sandbox_refund_over")


def _charge_of(account: Account, asked: Json) -> Json:
    if "charge" in asked:
        return account.get("charge", asked["charge"], param="charge")
    if "payment_intent" not in asked:
        message = (
            "One of the following params should be provided for this request: "
            "payment_intent or charge."
        )
        raise Invalid(message, code="parameter_missing")
    intent_id = asked["payment_intent"]
    intent = account.get("payment_intent", intent_id, param="payment_intent")
    if intent["status"] != "succeeded":
        message = (
            f"This PaymentIntent ({intent_id}) does not have a successful charge to "
            "refund."
        )
        raise StripeRefusal(message, code="payment_intent_unexpected_state")
    return account.get("charge", intent["latest_charge"])


def _check_disputed(account: Account, charge: Json) -> None:
    if is_disputed(account, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise StripeRefusal(message, code="charge_disputed")


def _amount_of(account: Account, charge: Json, asked: Json) -> int:
    _check_disputed(account, charge)
    left: int = charge["amount"] - charge["amount_refunded"]
    amount: int = asked.get("amount", left)
    if "amount" in asked and amount < 1:
        message = "Invalid positive integer"
        raise Invalid(message, param="amount", code="parameter_invalid_integer")
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeRefusal(message, code="charge_already_refunded")
    if amount > left:
        what = (
            "unrefunded amount on charge"
            if charge["amount_refunded"]
            else "charge amount"
        )
        currency = charge["currency"]
        message = (
            f"Refund amount ({spoken(amount, currency)}) is greater than {what} "
            f"({spoken(left, currency)})"
        )
        # Stripe's own answer was seen with this text and parameter, and no code.
        raise StripeRefusal(message, param="amount")
    return amount


def _count_refund(account: Account, refund: Json, charge: Json, amount: int) -> None:
    """Count *amount* as given back; below 0, as come back."""
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    account.keep(refund)
    account.keep(charge)
