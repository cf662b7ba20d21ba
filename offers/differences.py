"""Differences: where the payment provider's books and ours do not say the same.

Each is found by asking the database for what does not fit: an order, a payment without
one, a dispute, a balance. What is younger than *until* is not judged, since the two
books are never written at the same instant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from offers.disputes import Dispute
from offers.holds import Hold
from offers.ledger import DISPUTES, PAYMENTS, REFUNDS, AccountBalance, LedgerEntry
from offers.money import Money
from offers.orders import Order, Way
from offers.refunds import Refund, RefundStage

MOST = 200
"""More than so many of one kind are one trouble, and nobody reads them."""


class Doubt(StrEnum):
    """In what way the books differ."""

    NO_PAYMENT = "no_payment"
    AMOUNT = "amount"
    REFUNDS = "refunds"
    NO_ORDER = "no_order"
    NO_HOLD = "no_hold"
    DISPUTE = "dispute"
    NO_DISPUTE = "no_dispute"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """*money* is what the provider has more than we do; *since* when.

    *reference* is the provider's id of what it is about, *payment_id* of the payment.
    """

    doubt: Doubt
    money: Money
    since: datetime
    account_id: str
    reference: str = ""
    payment_id: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose books: of an account all, or what is *retailer_id*'s of it."""

    account_id: str
    until: datetime
    retailer_id: str = ""

    def of(
        self, account: Mapped[str], retailer: Mapped[str]
    ) -> tuple[ColumnElement[bool], ...]:
        in_account = account == self.account_id
        everyone = not self.retailer_id
        return (in_account,) if everyone else (in_account, retailer == self.retailer_id)


def differences(session: Session, scope: Scope) -> Iterator[Difference]:
    """Yield in what the books of an account differ."""
    yield from _orders(session, scope)
    yield from _payments(session, scope)
    yield from _disputes(session, scope)
    yield from _unknown_disputes(session, scope)
    yield from _balances(session, scope)


def _sum(kinds: tuple[str, ...], *where: ColumnElement[bool]) -> ColumnElement[int]:
    """Add up what the shopper paid or got back, of entries of some *kinds*."""
    wanted = and_(col(LedgerEntry.kind).in_(kinds), *where)
    amount = case((wanted, col(LedgerEntry.source_amount)), else_=0)
    return func.coalesce(func.sum(amount), 0)


def _given(*where: ColumnElement[bool]) -> ColumnElement[int]:
    """Add up refunds, some of them."""
    total = func.coalesce(func.sum(col(Refund.amount)), 0)
    return select(total).where(*where).scalar_subquery()


_COUNTS = and_(col(Refund.given_at).is_not(None), col(Refund.failed_at).is_(None))
_PENDING = and_(_COUNTS, col(Refund.stage) == RefundStage.PENDING)


def _moving(until: datetime, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a refund changed so lately that the books cannot be compared yet."""
    lately = or_(col(Refund.given_at) > until, col(Refund.failed_at) > until)
    return exists(select(col(Refund.id)).where(*where, lately))


def _settled(until: datetime) -> ColumnElement[bool]:
    latest = func.max(col(LedgerEntry.happened_at))
    return or_(latest.is_(None), latest <= until)


def _orders(session: Session, scope: Scope) -> Iterator[Difference]:
    """What was paid for an order, and what was given back of it."""
    same = col(LedgerEntry.source_currency) == col(Order.currency)
    payments = func.count(case((col(LedgerEntry.kind).in_(PAYMENTS), 1)))
    paid, back = _sum(PAYMENTS, same), -_sum(REFUNDS, same)
    total, refunded = col(Order.total_amount), col(Order.refunded_amount)
    own = col(Refund.order_id) == col(Order.id)
    pending = _given(own, _PENDING)
    statement = (
        select(Order, payments, paid, back)
        .outerjoin(LedgerEntry, col(LedgerEntry.order_id) == col(Order.id))
        .where(
            *scope.of(col(Order.account_id), col(Order.retailer_id)),
            col(Order.way) == Way.ONLINE,
            col(Order.paid_at) <= scope.until,
            ~_moving(scope.until, own),
        )
        .group_by(col(Order.id))
        .having(
            _settled(scope.until),
            or_(paid != total, back > refunded, back < refunded - pending),
        )
        .order_by(col(Order.paid_at))
        .limit(MOST)
    )
    for order, count, came, went in session.execute(statement):
        yield _order(order, int(count), int(came), int(went))


def _order(order: Order, payments: int, paid: int, back: int) -> Difference:
    doubt = Doubt.REFUNDS
    if paid != order.total_amount:
        doubt = Doubt.AMOUNT if payments else Doubt.NO_PAYMENT
    ours = order.total_amount - order.refunded_amount
    return Difference(
        doubt=doubt,
        money=Money(paid - back - ours, order.currency),
        since=order.paid_at,
        account_id=order.account_id,
        reference=order.payment_id,
        payment_id=order.payment_id,
        order_id=order.id,
    )


def _payments(session: Session, scope: Scope) -> Iterator[Difference]:
    """What became no order: it is to be given back, or nobody here knows of it."""
    there = _sum((*PAYMENTS, *REFUNDS))
    own = and_(
        col(Refund.payment_id) == col(LedgerEntry.payment_id),
        col(Refund.account_id) == scope.account_id,
    )
    # One that failed and was tried again is two refunds, and owed once: so what was
    # given is counted, not what was not.
    known = exists(select(col(Refund.id)).where(own))
    owed = case((known, _sum(PAYMENTS) - _given(own, _COUNTS)), else_=0)
    pending = _given(own, _PENDING)
    since, hold = func.min(col(LedgerEntry.happened_at)), col(LedgerEntry.hold_id)
    statement = (
        select(
            col(LedgerEntry.payment_id),
            col(LedgerEntry.source_currency),
            there - owed,
            since,
            func.max(hold),
        )
        .where(
            *scope.of(col(LedgerEntry.account_id), col(LedgerEntry.retailer_id)),
            col(LedgerEntry.order_id).is_(None),
            col(LedgerEntry.payment_id) != "",
            col(LedgerEntry.kind).in_((*PAYMENTS, *REFUNDS)),
            ~_moving(scope.until, own),
        )
        .group_by(col(LedgerEntry.payment_id), col(LedgerEntry.source_currency))
        .having(_settled(scope.until), or_(there < owed, there > owed + pending))
        .order_by(since)
        .limit(MOST)
    )
    for payment_id, currency, more, at, hold_id in session.execute(statement):
        lost = bool(hold_id) and session.get(Hold, hold_id) is None
        yield Difference(
            doubt=Doubt.NO_HOLD if lost else Doubt.NO_ORDER,
            money=Money(int(more), currency),
            since=at,
            account_id=scope.account_id,
            reference=payment_id,
            payment_id=payment_id,
        )


def _disputes(session: Session, scope: Scope) -> Iterator[Difference]:
    """What was taken, or given again, because of a dispute that we know of."""
    taken = -_sum(DISPUTES)
    statement = (
        select(Dispute, taken)
        .outerjoin(
            LedgerEntry,
            and_(
                col(LedgerEntry.payment_id) == col(Dispute.payment_id),
                col(LedgerEntry.source_id) == col(Dispute.provider_id),
                col(LedgerEntry.account_id) == col(Dispute.account_id),
            ),
        )
        .where(
            *scope.of(col(Dispute.account_id), col(Dispute.retailer_id)),
            col(Dispute.version) <= scope.until,
        )
        .group_by(col(Dispute.id))
        .having(_settled(scope.until), taken != col(Dispute.withdrawn_amount))
        .limit(MOST)
    )
    for dispute, gone in session.execute(statement):
        yield Difference(
            doubt=Doubt.DISPUTE,
            money=Money(dispute.withdrawn_amount - int(gone), dispute.currency),
            since=dispute.version,
            account_id=dispute.account_id,
            reference=dispute.provider_id,
            payment_id=dispute.payment_id,
            order_id=dispute.order_id or "",
        )


def _unknown_disputes(session: Session, scope: Scope) -> Iterator[Difference]:
    known = exists(
        select(col(Dispute.id)).where(
            col(Dispute.provider_id) == col(LedgerEntry.source_id),
            col(Dispute.account_id) == scope.account_id,
        )
    )
    sum_, since = _sum(DISPUTES), func.min(col(LedgerEntry.happened_at))
    statement = (
        select(
            col(LedgerEntry.source_id),
            col(LedgerEntry.source_currency),
            sum_,
            since,
            func.max(col(LedgerEntry.payment_id)),
            func.max(col(LedgerEntry.order_id)),
        )
        .where(
            *scope.of(col(LedgerEntry.account_id), col(LedgerEntry.retailer_id)),
            col(LedgerEntry.kind).in_(DISPUTES),
            ~known,
        )
        .group_by(col(LedgerEntry.source_id), col(LedgerEntry.source_currency))
        .having(_settled(scope.until), sum_ != 0)
        .limit(MOST)
    )
    for dispute_id, currency, more, at, payment_id, order_id in session.execute(
        statement
    ):
        yield Difference(
            doubt=Doubt.NO_DISPUTE,
            money=Money(int(more), currency),
            since=at,
            account_id=scope.account_id,
            reference=dispute_id,
            payment_id=payment_id,
            order_id=order_id or "",
        )


def _balances(session: Session, scope: Scope) -> Iterator[Difference]:
    """The balance itself; it differs if it did in two readings, one after the other."""
    statement = select(AccountBalance).where(
        col(AccountBalance.account_id) == scope.account_id,
        col(AccountBalance.differs_since) < col(AccountBalance.read_at),
    )
    for balance in session.scalars(statement.order_by(col(AccountBalance.currency))):
        more = balance.amount - balance.listed_amount
        yield Difference(
            doubt=Doubt.BALANCE,
            money=Money(more, balance.currency),
            since=balance.differs_since or balance.read_at,
            account_id=balance.account_id,
        )
