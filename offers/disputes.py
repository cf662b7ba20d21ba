"""Disputes: payments that a shopper's bank wants back, each with its deadline.

The provider's dashboard is where they are answered; here they are shown, counted, and
keep a merchant from giving the same money back a second time.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment
from offers.ids import new_id
from offers.money import Money
from offers.refund_news import find_payment, lock_hold

# Stripe's words (https://docs.stripe.com/api/disputes/object#dispute_object-status).
TO_ANSWER = ("warning_needs_response", "needs_response", "appeal_needs_response")
UNDER_REVIEW = ("warning_under_review", "under_review", "appeal_under_review")
OPEN = (*TO_ANSWER, *UNDER_REVIEW)
# A warning is a question of the bank's; to give the money back answers it.
REFUNDABLE = ("warning_needs_response", "warning_under_review", "warning_closed", "won")


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeWord:
    """A dispute as the provider described it at *read_at*.

    *withdrawn* is what it has taken out of the account for it, without its fee.
    """

    id: str
    payment_id: str
    money: Money
    withdrawn: Money
    reason: str
    state: str
    due_by: datetime | None
    opened_at: datetime
    read_at: datetime


class Dispute(SQLModel, table=True):
    """*state* and *reason* are the provider's words; *due_by* is when evidence is due.

    *withdrawn_amount* is what is missing from the account because of it: nothing while
    the bank only asks, and nothing again once it was won. *version* is when the newest
    word that was taken in was read, so that an older one that comes late changes
    nothing.
    """

    __table_args__ = (UniqueConstraint("account_id", "provider_id"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    account_id: str
    provider_id: str
    payment_id: str = Field(index=True)
    order_id: str | None = Field(default=None, foreign_key="orders.id", index=True)
    amount: int = Field(sa_type=BigInteger)
    withdrawn_amount: int = Field(default=0, sa_type=BigInteger)
    currency: str = Field(max_length=3)
    reason: str
    state: str
    due_by: datetime | None = Field(default=None, sa_type=Moment)
    opened_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    version: datetime = Field(sa_type=Moment)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def withdrawn(self) -> Money:
        return Money(self.withdrawn_amount, self.currency)

    @property
    def to_answer(self) -> bool:
        """Whether the bank waits for the retailer's evidence."""
        return self.state in TO_ANSWER

    @property
    def bars_refunds(self) -> bool:
        """Whether the provider would refuse to give the money back."""
        return self.state not in REFUNDABLE


def note_dispute(
    session: Session, account_id: str, said: DisputeWord, *, now: datetime
) -> Dispute | None:
    """Take in a dispute as the provider describes it; an older word changes nothing.

    Return it as it is then; None if the payment is not one of ours.
    """
    payment = find_payment(session, account_id, said.payment_id)
    if payment is None:
        return None
    lock_hold(session, payment.hold_id)
    dispute = _find(session, account_id, said.id)
    if dispute is None:
        dispute = Dispute(
            id=new_id("dispute", now),
            retailer_id=payment.retailer_id,
            account_id=account_id,
            provider_id=said.id,
            payment_id=said.payment_id,
            order_id=payment.order_id,
            amount=said.money.amount,
            currency=said.money.currency,
            reason=said.reason,
            state=said.state,
            opened_at=said.opened_at,
            version=said.read_at,
        )
    elif said.read_at < dispute.version:
        return dispute
    _take_over(dispute, said, now)
    session.add(dispute)
    session.flush()
    return dispute


def disputes_of_order(
    session: Session, retailer_id: str, order_id: str
) -> list[Dispute]:
    """Return the disputes of an order, the first one first."""
    statement = (
        select(Dispute)
        .where(Dispute.retailer_id == retailer_id, Dispute.order_id == order_id)
        .order_by(col(Dispute.opened_at), col(Dispute.id))
    )
    return list(session.exec(statement))


def open_disputes(session: Session, retailer_id: str) -> list[Dispute]:
    """Return the disputes that are not decided, the nearest deadline first."""
    statement = (
        select(Dispute)
        .where(Dispute.retailer_id == retailer_id, col(Dispute.state).in_(OPEN))
        .order_by(col(Dispute.due_by), col(Dispute.id))
    )
    found = session.exec(statement).all()
    return sorted(found, key=lambda dispute: not dispute.to_answer)


def disputes_by_order(session: Session, retailer_id: str) -> dict[str, Dispute]:
    """Return the latest dispute of each order that has one."""
    statement = (
        select(Dispute)
        .where(Dispute.retailer_id == retailer_id, col(Dispute.order_id).is_not(None))
        .order_by(col(Dispute.opened_at), col(Dispute.id))
    )
    found = session.exec(statement)
    return {dispute.order_id: dispute for dispute in found if dispute.order_id}


def _find(session: Session, account_id: str, provider_id: str) -> Dispute | None:
    statement = select(Dispute).where(
        Dispute.account_id == account_id, Dispute.provider_id == provider_id
    )
    options = {"populate_existing": True}
    return session.exec(statement.execution_options(**options)).one_or_none()


def _take_over(dispute: Dispute, said: DisputeWord, now: datetime) -> None:
    dispute.amount = said.money.amount
    dispute.withdrawn_amount = said.withdrawn.amount
    dispute.reason, dispute.state = said.reason, said.state
    dispute.due_by, dispute.version = said.due_by, said.read_at
    is_open = said.state in OPEN
    dispute.closed_at = None if is_open else dispute.closed_at or now
