"""Refund news: what the provider says of the refunds of a payment.

It comes late, repeated and out of order, of refunds that we asked for and of others
that somebody made in the provider's dashboard. All of a payment's refunds are taken in
at once, as they are now, and each only moves on, never back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from offers.holds import Hold
from offers.ids import new_id
from offers.money import Money
from offers.orders import Order
from offers.refunds import Refund, RefundStage, find_refund

_ORDER = list(RefundStage)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWord:
    """A refund as the provider describes it now.

    *refund_id* is ours, if it was asked for by us. *failure* is the provider's code.
    """

    id: str
    money: Money
    stage: RefundStage
    refund_id: str = ""
    reason: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of ours: the hold it was for, and the order it became, if it did."""

    hold_id: str
    retailer_id: str
    order: Order | None

    @property
    def order_id(self) -> str | None:
        return None if self.order is None else self.order.id


@dataclass(frozen=True, slots=True)
class Change:
    """What news there was of a refund: it was given, or it failed."""

    refund: Refund
    failed: bool


def find_payment(session: Session, account_id: str, payment_id: str) -> Payment | None:
    """Return what a payment of an account was for, if it is one of ours."""
    order = session.exec(
        select(Order).where(
            Order.payment_id == payment_id, Order.account_id == account_id
        )
    ).one_or_none()
    if order is not None:
        return Payment(order.hold_id, order.retailer_id, order)
    refund = find_refund(session, payment_id)
    if refund is None or refund.account_id != account_id:
        return None
    return Payment(refund.hold_id, refund.retailer_id, None)


def lock_hold(session: Session, hold_id: str) -> None:
    """Let one caller at a time change what was given back for a hold."""
    session.exec(
        select(Hold.id).where(Hold.id == hold_id).with_for_update(key_share=True)
    ).one()


def note_refunds(
    session: Session,
    account_id: str,
    payment_id: str,
    words: Sequence[RefundWord],
    *,
    now: datetime,
) -> list[Change] | None:
    """Take in the refunds of a payment as the provider describes them now.

    In any order, late and as often as you like: a refund only moves on, never back.
    Return what was news; None if the payment is not one of ours.
    """
    payment = find_payment(session, account_id, payment_id)
    if payment is None:
        return None
    lock_hold(session, payment.hold_id)
    rows = _refunds_of(session, payment, payment_id)
    changes = []
    for said in words:
        refund = _find(rows, said)
        if refund is None:
            refund = _made_elsewhere(payment, account_id, payment_id, said, now)
            rows.append(refund)
        changes += _move_on(refund, said, now)
    session.add_all(rows)
    session.flush()
    if payment.order is not None:
        count_refunded(session, payment.order.id)
    return changes


def count_refunded(session: Session, order_id: str) -> None:
    """Bring an order in line with its refunds; its hold is locked."""
    given = select(func.coalesce(func.sum(col(Refund.amount)), 0)).where(
        col(Refund.order_id) == order_id,
        col(Refund.given_at).is_not(None),
        col(Refund.failed_at).is_(None),
    )
    session.exec(
        update(Order)
        .where(col(Order.id) == order_id)
        .values(refunded_amount=given.scalar_subquery())
        .execution_options(synchronize_session="fetch")
    )


def _refunds_of(session: Session, payment: Payment, payment_id: str) -> list[Refund]:
    statement = (
        select(Refund)
        .where(
            Refund.retailer_id == payment.retailer_id, Refund.payment_id == payment_id
        )
        .order_by(col(Refund.id))
        .execution_options(populate_existing=True)
    )
    return list(session.exec(statement))


def _find(rows: Sequence[Refund], said: RefundWord) -> Refund | None:
    """Return ours, by the provider's id or by our own.

    Of a payment that is owed back as a whole it is whichever gave that much.
    """
    for refund in rows:
        if refund.provider_id == said.id:
            return refund
    for refund in rows:
        free = refund.provider_id is None
        owed = refund.order_id is None and refund.money == said.money
        if free and (refund.id == said.refund_id or (owed and not said.refund_id)):
            return refund
    return None


def _made_elsewhere(
    payment: Payment, account_id: str, payment_id: str, said: RefundWord, now: datetime
) -> Refund:
    return Refund(
        id=new_id("refund", now),
        retailer_id=payment.retailer_id,
        hold_id=payment.hold_id,
        payment_id=payment_id,
        key=f"{account_id}:{said.id}",
        account_id=account_id,
        order_id=payment.order_id,
        asked_at=now,
        amount=said.money.amount,
        currency=said.money.currency,
        reason=said.reason,
        due_at=now,
    )


def _move_on(refund: Refund, said: RefundWord, now: datetime) -> list[Change]:
    """Return the news in what the provider said, and note it."""
    before = refund.counts
    if refund.provider_id is None:
        refund.provider_id, refund.given_at = said.id, now
        refund.failed_at, refund.failure, refund.failure_code = None, "", ""
    if _ORDER.index(said.stage) <= _ORDER.index(refund.stage):
        return []
    refund.stage = said.stage
    if said.stage is RefundStage.FAILED:
        refund.failed_at, refund.failure_code = now, said.failure
        refund.failure = said.failure
        return [Change(refund, failed=True)]
    return [] if before else [Change(refund, failed=False)]
