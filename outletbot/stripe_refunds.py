"""Stripe's refunds and disputes, in our words."""

from datetime import UTC, datetime

import stripe
from stripe.params import RefundCreateParams

from offers.disputes import DisputeWord
from offers.money import Money
from offers.refund_news import RefundWord
from offers.refunds import Refund, RefundStage
from offers.returns import RefundReason
from outletbot.stripe_money import from_stripe, to_stripe

STAGES = {
    "pending": RefundStage.PENDING,
    "requires_action": RefundStage.PENDING,
    "succeeded": RefundStage.SUCCEEDED,
    "failed": RefundStage.FAILED,
    "canceled": RefundStage.FAILED,
}

# What Stripe refuses today and may well do tomorrow: the balance grows with the next
# payments, a key that was replaced is put right.
PASSING = {"balance_insufficient", "insufficient_funds"}


def describe_refund(refund: Refund) -> RefundCreateParams:
    """Return what to ask of Stripe; *metadata* tells ours from others later."""
    asked: RefundCreateParams = {
        "payment_intent": refund.payment_id,
        "amount": to_stripe(refund.money),
        "metadata": {"refund": refund.id, "reason": refund.reason},
    }
    if refund.reason in set(RefundReason):
        asked["reason"] = RefundReason(refund.reason).value
    return asked


def key_of_refund(refund: Refund) -> str:
    """Return the key by which Stripe knows a repetition.

    Stripe answers a repetition as it did before, a refusal too; so what it provably did
    not do is asked for by another key.
    """
    return f"{refund.id}-{refund.refusals}" if refund.refusals else refund.id


def read_refund(given: stripe.Refund) -> RefundWord:
    ours = getattr(given.metadata, "refund", "") or ""
    reason = getattr(given, "failure_reason", None) or given.status or ""
    return RefundWord(
        id=given.id,
        money=from_stripe(given.amount, given.currency),
        stage=STAGES.get(given.status or "", RefundStage.PENDING),
        refund_id=str(ours),
        reason=given.reason or "",
        failure=reason,
    )


def read_dispute(dispute: stripe.Dispute, *, read_at: datetime) -> DisputeWord:
    intent = dispute.payment_intent
    due_by = dispute.evidence_details.due_by
    return DisputeWord(
        id=dispute.id,
        payment_id=(intent if isinstance(intent, str) else intent.id) if intent else "",
        money=from_stripe(dispute.amount, dispute.currency),
        withdrawn=_withdrawn(dispute),
        reason=dispute.reason,
        state=dispute.status,
        due_by=None if due_by is None else datetime.fromtimestamp(due_by, UTC),
        opened_at=datetime.fromtimestamp(dispute.created, UTC),
        read_at=read_at,
    )


def _withdrawn(dispute: stripe.Dispute) -> Money:
    """Return what the account lacks because of it.

    It may have been booked in the account's own currency, so its sum tells whether the
    money is gone, and the dispute how much that is.
    """
    moved = sum(each.amount for each in dispute.balance_transactions)
    return from_stripe(dispute.amount if moved < 0 else 0, dispute.currency)
