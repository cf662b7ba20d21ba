"""Disputes: a shopper's bank takes a payment back, and may have to return it.

The money and a fee leave the balance on the day the dispute opens. The retailer answers
with evidence until the day it is due, or not; then the bank decides.
"""

from datetime import datetime, timedelta

import stripe

from outletbot.sandbox.stripe_balance import fee_detail, move_money
from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_errors import StripeRefusal
from outletbot.sandbox.stripe_objects import new, nullable
from outletbot.sandbox.stripe_rules import check_metadata

ANSWER_WITHIN = timedelta(days=12)
"""Card networks give 7 to 21 days; Stripe asks for the evidence some days before."""

DECIDED = frozenset(("lost", "won"))


def open_dispute(
    account: Account,
    charge: Json,
    *,
    amount: int | None = None,
    reason: str = "fraudulent",
    fee: int,
    now: datetime,
) -> Json:
    """Take *amount* of a charge back, or all that was not refunded, and a fee.

    Raises:
        StripeRefusal: If there is no such money, or it was disputed before.
    """
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = left if amount is None else amount
    if charge["disputed"] or not 0 < amount <= left:
        message = f"There is nothing of {charge['id']} that could be disputed so."
        raise StripeRefusal(message, code="sandbox_nothing_to_dispute")
    dispute = _new_dispute(account, charge, amount, reason, now)
    text = f"Chargeback withdrawal for {charge['id']}"
    _move(account, dispute, -amount, fee, text, now)
    account.keep({"id": charge["id"], "object": "disputed", "dispute": dispute["id"]})
    charge["disputed"] = True
    account.keep(charge)
    account.tell("charge.dispute.created", dispute, now=now)
    account.tell("charge.dispute.funds_withdrawn", dispute, now=now)
    return dispute


def answer_dispute(
    account: Account, dispute_id: str, asked: Json, *, now: datetime
) -> Json:
    """Take evidence, and give it to the bank unless *submit* is false.

    Raises:
        StripeRefusal: If the bank has decided.
    """
    dispute = _undecided(account, dispute_id)
    check_metadata(asked.get("metadata", {}), "metadata")
    details = dispute["evidence_details"]
    if evidence := asked.get("evidence"):
        dispute["evidence"] |= evidence
        details["has_evidence"] = True
    dispute["metadata"] |= asked.get("metadata") or {}
    if asked.get("submit", True):
        details["submission_count"] += 1
        details["submission_method"] = "manual"
        dispute["status"] = "under_review"
    account.tell("charge.dispute.updated", account.keep(dispute), now=now)
    return dispute


def lose_dispute(account: Account, dispute_id: str, *, now: datetime) -> Json:
    """Let the money be gone: the bank says so, or the retailer gives in.

    Raises:
        StripeRefusal: If the bank has decided.
    """
    dispute = _undecided(account, dispute_id)
    dispute["status"] = "lost"
    account.tell("charge.dispute.closed", account.keep(dispute), now=now)
    return dispute


def win_dispute(account: Account, dispute_id: str, *, now: datetime) -> Json:
    """Let the bank return the money, and the fee, as it does in Europe.

    Raises:
        StripeRefusal: If the bank has decided.
    """
    dispute = _undecided(account, dispute_id)
    dispute["status"] = "won"
    fee = dispute["balance_transactions"][0]["fee"]
    text = f"Chargeback reversal for {dispute['charge']}"
    _move(account, dispute, dispute["amount"], -fee, text, now)
    account.tell("charge.dispute.closed", dispute, now=now)
    account.tell("charge.dispute.funds_reinstated", dispute, now=now)
    return dispute


def end_unanswered(account: Account, *, now: datetime) -> None:
    """Let those be lost whose evidence was due and never came."""
    for dispute in account.due("dispute", now):
        if dispute["status"] == "needs_response":
            lose_dispute(account, dispute["id"], now=now)


def is_disputed(account: Account, charge: Json) -> bool:
    """Whether the bank has the money of a charge, or may yet have it."""
    noted = account.find("disputed", charge["id"])
    return (
        noted is not None
        and account.get("dispute", noted["dispute"])["status"] != "won"
    )


def _new_dispute(
    account: Account, charge: Json, amount: int, reason: str, now: datetime
) -> Json:
    due = (now + ANSWER_WITHIN).replace(hour=23, minute=59, second=59, microsecond=0)
    card = charge["payment_method_details"].get("card")
    details = {"brand": "visa", "case_type": "chargeback", "network": "visa"}
    return new(
        account,
        stripe.Dispute,
        "du",
        now,
        object="dispute",
        amount=amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence={**nullable(stripe.Dispute.Evidence), "enhanced_evidence": {}},
        evidence_details={
            "due_by": int(due.timestamp()),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        is_charge_refundable=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method_details={
            "type": charge["payment_method_details"]["type"],
            **({"card": {**details, "network_reason_code": "10.4"}} if card else {}),
        },
        reason=reason,
        status="needs_response",
    )


def _move(
    account: Account, dispute: Json, amount: int, fee: int, text: str, now: datetime
) -> None:
    transaction = move_money(
        account,
        dispute,
        "adjustment",
        amount=amount,
        fees=[fee_detail("stripe_fee", fee, dispute["currency"], "Dispute fee")],
        category="dispute" if amount < 0 else "dispute_reversal",
        description=text,
        now=now,
    )
    dispute["balance_transactions"].append(transaction)
    account.keep(dispute)


def _undecided(account: Account, dispute_id: str) -> Json:
    dispute = account.get("dispute", dispute_id, param="dispute")
    if dispute["status"] in DECIDED:
        message = "This dispute is already closed"
        raise StripeRefusal(message, param="dispute")
    return dispute
