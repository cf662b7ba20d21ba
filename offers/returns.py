"""Returns: what a merchant gives back of an order, its money and its units.

The refunds of an order never come to more than it was paid, whoever asks for them at
once: they are asked for under the lock of its hold. Units that come back are the
retailer's again, for the next deals; the deal they were sold in stays sold.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, func, select, update

from offers.allotments import lock_offer
from offers.catalog import Offer
from offers.deals import Deal
from offers.disputes import disputes_of_order
from offers.errors import InvalidField, WrongState
from offers.ids import new_id
from offers.money import Money
from offers.orders import Order, Way
from offers.refund_news import count_refunded, lock_hold
from offers.refunds import Refund, RefundStage, RefundState, refunds_of_order
from offers.scope import get_own
from offers.sentences import Sentence
from offers.stock import Cause, move_stock, moved_by

LONGEST_NOTE = 500


class RefundReason(StrEnum):
    """Why a merchant gives money back, in Stripe's words."""

    REQUESTED = "requested_by_customer"
    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish:
    """What a merchant asks for. *key* is the form's: the same gives the same refund.

    *units* go back into the stock; *note* is for the retailer's people alone.
    """

    key: str
    money: Money
    units: int
    reason: RefundReason
    note: str
    asked_by: str


@dataclass(frozen=True, slots=True)
class Returnable:
    """What can still come back of an order; *hindrance* is why no money can."""

    money: Money
    units: int
    hindrance: Sentence | None


def returnable(session: Session, order: Order) -> Returnable:
    """Return what can still be given back of *order*."""
    refunds = refunds_of_order(session, order.retailer_id, order.id)
    given = sum(refund.amount for refund in refunds if refund.counts)
    due = sum(refund.amount for refund in refunds if refund.state is RefundState.DUE)
    # What an older version heard of has no refund of its own.
    left = order.total_amount - max(given, order.refunded_amount) - due
    units = order.quantity - sum(refund.units for refund in refunds)
    money = Money(max(0, left), order.currency)
    return Returnable(money, max(0, units), _hindrance(session, order, money))


def ask_refund(
    session: Session,
    retailer_id: str,
    order_id: str,
    wish: RefundWish,
    *,
    now: datetime,
) -> Refund:
    """Give back what a merchant asks for; a form that is sent twice gives it once.

    The money of an order that was paid in the store was given there: it is only noted.

    Raises:
        Missing: If the order is not this retailer's.
        WrongState: If nothing can be given back now.
        InvalidField: If it is more than is left, or nothing.
    """
    order = lock_order(session, retailer_id, order_id)
    asked = find_asked(session, order.id, wish.key)
    if asked is not None:
        return asked
    check_wish(session, order, wish)
    refund = _refund(order, wish, now)
    session.add(refund)
    session.flush()
    _restock(session, order, refund, now)
    count_refunded(session, order.id)
    return refund


def find_asked(session: Session, order_id: str, key: str) -> Refund | None:
    """Return what the form with this *key* asked for before, if it was sent before."""
    return _find_by_key(session, f"{order_id}:{key}")


def check_wish(session: Session, order: Order, wish: RefundWish) -> None:
    """Refuse what cannot be given back.

    Raises:
        WrongState: If nothing can be given back now.
        InvalidField: If it is more than is left, or nothing.
    """
    left = returnable(session, order)
    if left.hindrance is not None:
        raise WrongState(left.hindrance)
    value = str(wish.money.value)
    if wish.money.amount <= 0:
        raise InvalidField("amount", Sentence("Enter an amount above zero."), value)
    if wish.money > left.money:
        problem = Sentence(
            "Only {left} of it can still be given back.", left=left.money
        )
        raise InvalidField("amount", problem, value)
    if not 0 <= wish.units <= left.units:
        problem = Sentence("Choose between 0 and {most} units.", most=left.units)
        raise InvalidField("units", problem, str(wish.units))


def try_refund_again(
    session: Session, retailer_id: str, refund_id: str, *, by: str, now: datetime
) -> Refund:
    """Ask the provider once more, now; a refund that failed is asked for anew.

    Raises:
        Missing: If the refund is not this retailer's.
        WrongState: If it was given, or cannot be.
    """
    refund = get_own(session, Refund, retailer_id, refund_id)
    lock_hold(session, refund.hold_id)
    session.refresh(refund)
    again = _find_by_key(session, f"{refund.id}:again")
    if again is not None:
        return again
    if refund.state is RefundState.DUE:
        refund.due_at = now
        return refund
    _check_again(session, refund)
    refund.cleared_at = now
    return _repeat(session, refund, by, now)


def clear_refund(
    session: Session, retailer_id: str, refund_id: str, *, now: datetime
) -> None:
    """Note that a person has dealt with a refund that failed.

    Raises:
        Missing: If the refund is not this retailer's.
    """
    refund = get_own(session, Refund, retailer_id, refund_id)
    session.exec(
        update(Refund)
        .where(
            col(Refund.id) == refund.id,
            col(Refund.failed_at).is_not(None),
            col(Refund.cleared_at).is_(None),
        )
        .values(cleared_at=now)
    )


def units_restocked_since(
    session: Session, retailer_id: str, offer_id: str, since: datetime
) -> int:
    """Return how many units of an offer came back here after *since*."""
    statement = (
        select(func.coalesce(func.sum(Refund.units), 0))
        .join(Order, col(Order.id) == col(Refund.order_id))
        .join(Deal, col(Deal.id) == col(Order.deal_id))
        .where(
            Refund.retailer_id == retailer_id,
            Deal.offer_id == offer_id,
            col(Refund.asked_at) > since,
        )
    )
    return int(session.exec(statement).one())


def _hindrance(session: Session, order: Order, left: Money) -> Sentence | None:
    disputes = disputes_of_order(session, order.retailer_id, order.id)
    if any(dispute.state == "lost" for dispute in disputes):
        return Sentence("The bank has given this payment back already, in a dispute.")
    if any(dispute.bars_refunds for dispute in disputes):
        return Sentence(
            "The payment is disputed: until that is decided Stripe gives nothing back."
        )
    if left.amount == 0:
        return Sentence("All of it was given back, or is about to be.")
    return None


def lock_order(session: Session, retailer_id: str, order_id: str) -> Order:
    """Return an order of which nobody else can give anything back now.

    Raises:
        Missing: If it is not this retailer's.
    """
    order = get_own(session, Order, retailer_id, order_id)
    lock_hold(session, order.hold_id)
    session.refresh(order)
    return order


def _find_by_key(session: Session, key: str) -> Refund | None:
    return session.exec(select(Refund).where(Refund.key == key)).one_or_none()


def _refund(order: Order, wish: RefundWish, now: datetime) -> Refund:
    in_store = order.way is Way.STORE
    return Refund(
        id=new_id("refund", now),
        retailer_id=order.retailer_id,
        hold_id=order.hold_id,
        payment_id=order.payment_id,
        key=f"{order.id}:{wish.key}",
        account_id=order.account_id,
        order_id=order.id,
        asked_by=wish.asked_by,
        asked_at=now,
        units=wish.units,
        amount=wish.money.amount,
        currency=wish.money.currency,
        reason=wish.reason,
        note=wish.note,
        due_at=now,
        stage=RefundStage.SUCCEEDED if in_store else RefundStage.NONE,
        given_at=now if in_store else None,
    )


def _restock(session: Session, order: Order, refund: Refund, now: datetime) -> None:
    if refund.units:
        offer = lock_offer(session, order.deal_id)
        for place_id, units in _places_sold(session, order, offer, refund):
            move_stock(
                session,
                offer,
                units,
                cause=Cause.REFUND,
                source_id=refund.id,
                now=now,
                place_id=place_id,
            )


def _places_sold(
    session: Session, order: Order, offer: Offer, refund: Refund
) -> Iterator[tuple[str, int]]:
    """Yield how many units of *refund* go back where: to the places they came off."""
    refunds = refunds_of_order(session, order.retailer_id, order.id)
    left, sources = refund.units, [order.id, *(each.id for each in refunds)]
    for place_id, change in moved_by(session, offer, sources, since=order.paid_at):
        if (units := min(left, -change)) > 0:
            yield place_id, units
            left -= units
    if left:
        yield "", left


def _check_again(session: Session, refund: Refund) -> None:
    if refund.state is not RefundState.FAILED or refund.cleared_at is not None:
        raise WrongState(Sentence("There is nothing to try again: it did not fail."))
    if refund.order_id is None:
        return
    left = returnable(session, session.get_one(Order, refund.order_id))
    if left.hindrance is not None:
        raise WrongState(left.hindrance)
    if refund.money > left.money:
        problem = Sentence(
            "Only {left} of it can still be given back.", left=left.money
        )
        raise WrongState(problem)


def _repeat(session: Session, refund: Refund, by: str, now: datetime) -> Refund:
    """Its units came back with the first try."""
    again = Refund(
        id=new_id("refund", now),
        retailer_id=refund.retailer_id,
        hold_id=refund.hold_id,
        payment_id=refund.payment_id,
        key=f"{refund.id}:again",
        account_id=refund.account_id,
        order_id=refund.order_id,
        asked_by=by,
        asked_at=now,
        amount=refund.amount,
        currency=refund.currency,
        reason=refund.reason,
        note=refund.note,
        due_at=now,
    )
    session.add(again)
    session.flush()
    return again
