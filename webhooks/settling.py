"""What the payment provider's word means for holds, orders and refunds.

``settle_checkout`` is the one way in: the webhook, the page a shopper returns to, the
sweeper and the reconciler all bring a checkout as the provider describes it now, in any
order and as often as they like.
"""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, select

from offers.catalog import Offer
from offers.checkouts import Checkout, CheckoutState, Paid
from offers.deals import Deal, mark_sold_out
from offers.errors import Missing, PaidTooLate, ShopSold, WrongState
from offers.holds import ACTIVE, Hold, HoldState, change_state, end_hold
from offers.orders import Order, find_order_of_hold, settle, settle_in_store
from offers.payment_pages import open_checkout
from offers.posts import retire_posts
from offers.refunds import (
    Refund,
    find_refund_of_hold,
    owe_letter,
    request_refund,
)
from offers.reservations import lock_reservation, why_not_redeemable
from webhooks.messages import ORDER_PAID, order_paid
from webhooks.outbox import enqueue
from webhooks.telling import tell_sale


class Outcome(StrEnum):
    """What became of a hold."""

    ORDERED = "ordered"
    REFUNDED = "refunded"
    RELEASED = "released"
    PROCESSING = "processing"
    OPEN = "open"
    REVIEW = "review"


def settle_checkout(
    session: Session, checkout: Checkout, *, livemode: bool, now: datetime
) -> Outcome:
    """Bring a hold in line with its checkout; twice is once.

    What does not agree with our own row (the page, the amount, the currency, live or
    test) is left for a person to review: from then on nothing is sold and nothing is
    freed. A second payment for the same hold is given back.

    Raises:
        Missing: If we made no such checkout, or not by the account that it is of.
    """
    hold = _lock(session, checkout)
    ended = _ended_before(session, hold, checkout, livemode=livemode, now=now)
    if ended is not None:
        return ended
    if hold.state is HoldState.REVIEW or not _agrees(hold, checkout, livemode=livemode):
        return _leave_for_review(session, hold, now)
    match checkout.state, checkout.paid:
        case CheckoutState.COMPLETE, Paid.PAID:
            return _order_or_refund(session, hold, checkout, now)
        case (CheckoutState.EXPIRED, _) | (CheckoutState.COMPLETE, Paid.FAILED):
            return _release(session, hold, now)
        case CheckoutState.COMPLETE, _:
            return _wait(session, hold, now)
        case _:
            open_checkout(session, hold.id, checkout.id, checkout.url, now=now)
            return Outcome.OPEN


def _lock(session: Session, checkout: Checkout) -> Hold:
    """Settle one hold at a time."""
    hold = session.exec(
        select(Hold)
        .where(Hold.id == checkout.hold_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    # A page of a retailer's own account may name any hold: it says nothing of it.
    if hold is None or hold.account_id != checkout.account_id:
        raise Missing(checkout.hold_id, "hold")
    return hold


def _agrees(hold: Hold, checkout: Checkout, *, livemode: bool) -> bool:
    ours = hold.checkout_id is None or hold.checkout_id == checkout.id
    asked = hold.request != ""
    same_money = checkout.total == hold.total
    return ours and asked and same_money and checkout.livemode == livemode


def _ended_before(
    session: Session, hold: Hold, checkout: Checkout, *, livemode: bool, now: datetime
) -> Outcome | None:
    """Return how it ended, if it has; a payment that is not that one's goes back.

    A refund once promised stands, even if a unit is free by now.
    """
    order = find_order_of_hold(session, hold.id)
    if order is None and find_refund_of_hold(session, hold.id) is None:
        return None
    counted = order is not None and order.payment_id == checkout.payment_id
    if checkout.paid is Paid.PAID and checkout.livemode == livemode and not counted:
        _give_back(session, hold, checkout, "paid_twice", now)
    return Outcome.REFUNDED if order is None else Outcome.ORDERED


def _give_back(
    session: Session, hold: Hold, checkout: Checkout, reason: str, now: datetime
) -> Refund:
    return request_refund(
        session,
        hold.retailer_id,
        hold.id,
        checkout.payment_id,
        checkout.total,
        reason=reason,
        account_id=checkout.account_id,
        now=now,
    )


def _order_or_refund(
    session: Session, hold: Hold, checkout: Checkout, now: datetime
) -> Outcome:
    try:
        order = settle(session, hold, checkout, now=now)
    except PaidTooLate as error:
        refund = _give_back(session, hold, checkout, error.code, now)
        if isinstance(error, ShopSold):
            owe_letter(session, refund, checkout.email)
        _retire_if_sold_out(session, hold.deal_id, now)
        return Outcome.REFUNDED
    _conclude(session, order, now)
    return Outcome.ORDERED


def redeem(
    session: Session, retailer_id: str, code: str, *, merchant_id: str, now: datetime
) -> Order:
    """Sell a reserved hold that was paid in the store; the shopper showed its *code*.

    Raises:
        Missing: If this retailer has no such reservation.
        WrongState: If it was redeemed before, or its units are on sale again.
    """
    hold = lock_reservation(session, retailer_id, code)
    order = settle_in_store(session, hold, redeemed_by=merchant_id, now=now)
    if order is None:
        raise WrongState(why_not_redeemable(session, hold))
    _conclude(session, order, now)
    return order


def _conclude(session: Session, order: Order, now: datetime) -> None:
    """Tell the retailer's shop, and take down the posts with the last unit."""
    deal = session.get_one(Deal, order.deal_id)
    offer = session.get_one(Offer, deal.offer_id)
    message = order_paid(order, offer)
    enqueue(session, order.retailer_id, ORDER_PAID, message, now=now)
    tell_sale(session, order, offer, now=now)
    _retire_if_sold_out(session, deal.id, now)


def _release(session: Session, hold: Hold, now: datetime) -> Outcome:
    end_hold(session, hold.id, HoldState.RELEASED, now=now)
    _retire_if_sold_out(session, hold.deal_id, now)
    return Outcome.RELEASED


def _leave_for_review(session: Session, hold: Hold, now: datetime) -> Outcome:
    if hold.state in ACTIVE:
        change_state(session, hold.id, HoldState.REVIEW, now=now)
    return Outcome.REVIEW


def _wait(session: Session, hold: Hold, now: datetime) -> Outcome:
    """Completed, and the money is on its way: nobody else may have the unit."""
    if hold.state in ACTIVE:
        change_state(session, hold.id, HoldState.PROCESSING, now=now)
    return Outcome.PROCESSING


def _retire_if_sold_out(session: Session, deal_id: str, now: datetime) -> None:
    if mark_sold_out(session, deal_id, now=now):
        retire_posts(session, deal_id, now=now)
