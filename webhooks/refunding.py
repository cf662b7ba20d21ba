"""What refunds and disputes mean for orders, and who is told.

The provider's answer to us, its webhooks and the reconciler all come by the same way:
``settle_refunds`` for all refunds of a payment, ``settle_dispute`` for a dispute.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from offers.catalog import Offer
from offers.deals import Deal
from offers.disputes import DisputeWord, note_dispute
from offers.errors import Missing
from offers.orders import Order
from offers.refund_news import RefundWord, note_refunds
from offers.refunds import Refund
from offers.returns import RefundWish, ask_refund, find_asked, lock_order
from webhooks.messages import ORDER_REFUNDED, REFUND_FAILED, order_refunded
from webhooks.outbox import enqueue
from webhooks.telling import tell_restock


def settle_refunds(
    session: Session,
    account_id: str,
    payment_id: str,
    words: Sequence[RefundWord],
    *,
    now: datetime,
) -> str:
    """Bring our refunds of a payment in line with the provider's; twice is once.

    Return what was news, in a few words.

    Raises:
        Missing: If the payment is not one of ours.
    """
    changes = note_refunds(session, account_id, payment_id, words, now=now)
    if changes is None:
        raise Missing(payment_id, "payment")
    for change in changes:
        kind = REFUND_FAILED if change.failed else ORDER_REFUNDED
        _tell(session, change.refund, kind, now)
    said = ["failed" if change.failed else "given" for change in changes]
    return f"refund {', '.join(said)}" if said else "no news of its refunds"


def settle_dispute(
    session: Session, account_id: str, said: DisputeWord, *, now: datetime
) -> str:
    """Bring a dispute in line with the provider's word. Return its state.

    Raises:
        Missing: If the payment is not one of ours.
    """
    dispute = note_dispute(session, account_id, said, now=now)
    if dispute is None:
        raise Missing(said.payment_id, "payment")
    return f"dispute {dispute.state}"


def refund_order(
    session: Session,
    retailer_id: str,
    order_id: str,
    wish: RefundWish,
    *,
    now: datetime,
) -> Refund:
    """Give back what a merchant asks for, as ``offers.returns.ask_refund`` does.

    What was given in the store is told at once, the rest when the provider gave it.
    """
    lock_order(session, retailer_id, order_id)  # who sends it twice waits here
    asked = find_asked(session, order_id, wish.key)
    refund = ask_refund(session, retailer_id, order_id, wish, now=now)
    if asked is None:
        _tell_restock(session, refund, now)
        if refund.counts:
            _tell(session, refund, ORDER_REFUNDED, now)
    return refund


def _tell_restock(session: Session, refund: Refund, now: datetime) -> None:
    order = session.get_one(Order, refund.order_id)
    offer = session.get_one(Offer, session.get_one(Deal, order.deal_id).offer_id)
    tell_restock(session, refund, order, offer, now=now)


def _tell(session: Session, refund: Refund, kind: str, now: datetime) -> None:
    if refund.order_id is None:
        return
    order = session.get_one(Order, refund.order_id)
    offer = session.get_one(Offer, session.get_one(Deal, order.deal_id).offer_id)
    message = order_refunded(order, offer, refund, now)
    enqueue(session, refund.retailer_id, kind, message, now=now)
