"""Refunds: money to give back, until the provider has, and what became of it.

    due → given (pending → succeeded) → failed
      └→ failed

A refund is owed because a payment came too late or twice, asked for by a merchant
(``offers.returns``), or was made at the provider and only heard of here. What was given
and did not fail is what ``Order.refunded_amount`` adds up. Whoever changes the refunds
of a payment locks its hold first.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, Index, func, text
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment, word
from offers.ids import new_id
from offers.leases import lease
from offers.money import Money

LEASE = timedelta(minutes=1)
STUCK_AFTER = timedelta(hours=1)

_UNTOLD = "email <> '' AND told_at IS NULL"


class RefundStage(StrEnum):
    """How far it is at the provider; it may fail even after it succeeded."""

    NONE = ""
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundState(StrEnum):
    """What people are told."""

    DUE = "due"
    PENDING = "pending"
    GIVEN = "given"
    FAILED = "failed"


class Refund(SQLModel, table=True):
    """*key* makes asking twice ask once; *provider_id* is there once it was given.

    *units* went back into the retailer's stock. A refund that failed was not given, or
    came back: *failure* says why in the provider's words, *failure_code* in one of its
    codes, and *cleared_at* when a person dealt with that. *refusals* counts how often
    the provider provably did not do it, so that the next try is not taken for a
    repetition. Whoever paid for what the shop had sold is told why by mail to *email*.
    """

    __table_args__ = (
        Index(
            "ix_refund_untold",
            "id",
            postgresql_where=text(_UNTOLD),
            sqlite_where=text(_UNTOLD),
        ),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    hold_id: str = Field(foreign_key="hold.id", index=True)
    payment_id: str = Field(index=True)
    key: str | None = Field(default=None, unique=True)
    account_id: str = ""
    order_id: str | None = Field(default=None, foreign_key="orders.id", index=True)
    asked_by: str = ""
    asked_at: datetime | None = Field(default=None, sa_type=Moment)
    units: int = 0
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    reason: str
    note: str = ""
    due_at: datetime = Field(sa_type=Moment, index=True)
    attempts: int = 0
    refusals: int = 0
    provider_id: str | None = None
    stage: RefundStage = Field(default=RefundStage.NONE, sa_type=word(RefundStage))
    given_at: datetime | None = Field(default=None, sa_type=Moment)
    failed_at: datetime | None = Field(default=None, sa_type=Moment)
    failure: str = ""
    failure_code: str = ""
    cleared_at: datetime | None = Field(default=None, sa_type=Moment)
    email: str = Field(default="", repr=False)
    told_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def state(self) -> RefundState:
        if self.failed_at is not None:
            return RefundState.FAILED
        if self.given_at is None:
            return RefundState.DUE
        pending = self.stage is RefundStage.PENDING
        return RefundState.PENDING if pending else RefundState.GIVEN

    @property
    def counts(self) -> bool:
        """Whether the money has left: it was given, and did not come back."""
        return self.given_at is not None and self.failed_at is None


def find_refund(session: Session, payment_id: str) -> Refund | None:
    """Return what is owed back of a payment that became no order."""
    owed = (Refund.payment_id == payment_id, col(Refund.order_id).is_(None))
    statement = select(Refund).where(*owed).order_by(col(Refund.id))
    return session.exec(statement).first()


def find_refund_of_hold(session: Session, hold_id: str) -> Refund | None:
    """Return what is owed back of a payment for a hold, the latest; not of an order."""
    owed = (Refund.hold_id == hold_id, col(Refund.order_id).is_(None))
    statement = select(Refund).where(*owed).order_by(col(Refund.id).desc())
    return session.exec(statement).first()


def refunds_of_order(session: Session, retailer_id: str, order_id: str) -> list[Refund]:
    """Return the refunds of an order, the first one first."""
    statement = (
        select(Refund)
        .where(Refund.retailer_id == retailer_id, Refund.order_id == order_id)
        .order_by(col(Refund.id))
    )
    return list(session.exec(statement))


def refunds_by_order(session: Session, retailer_id: str) -> dict[str, int]:
    """Return how many refunds each order has that were given, or are about to be."""
    statement = (
        select(Refund.order_id, func.count(col(Refund.id)))
        .where(
            Refund.retailer_id == retailer_id,
            col(Refund.order_id).is_not(None),
            col(Refund.failed_at).is_(None),
        )
        .group_by(col(Refund.order_id))
    )
    return {str(order_id): count for order_id, count in session.exec(statement)}


def request_refund(
    session: Session,
    retailer_id: str,
    hold_id: str,
    payment_id: str,
    money: Money,
    *,
    reason: str,
    account_id: str = "",
    now: datetime,
) -> Refund:
    """Owe the shopper a whole payment back; asking twice changes nothing."""
    asked = find_refund(session, payment_id)
    if asked is not None:
        return asked
    refund = Refund(
        id=new_id("refund", now),
        retailer_id=retailer_id,
        hold_id=hold_id,
        payment_id=payment_id,
        key=f"{payment_id}:whole",
        account_id=account_id,
        asked_at=now,
        amount=money.amount,
        currency=money.currency,
        reason=reason,
        due_at=now,
    )
    session.add(refund)
    session.flush()
    return refund


def owe_letter(session: Session, refund: Refund, email: str) -> None:
    """Owe whoever paid a letter that says why their money comes back."""
    refund.email = refund.email or email
    session.add(refund)
    session.flush()


def untold_refunds(
    session: Session, *, since: datetime, limit: int = 20
) -> list[Refund]:
    """Return, locked, refunds whose shoppers are owed a letter; each to one caller."""
    statement = (
        select(Refund)
        .where(
            col(Refund.email) != "",
            col(Refund.told_at).is_(None),
            col(Refund.asked_at) >= since,
        )
        .order_by(col(Refund.id))
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return list(session.exec(statement))


def lease_due_refunds(
    session: Session, *, now: datetime, limit: int = 20
) -> list[Refund]:
    """Take refunds that the provider has to be asked for."""
    due = (
        col(Refund.given_at).is_(None),
        col(Refund.failed_at).is_(None),
        col(Refund.due_at) <= now,
    )
    attempts = col(Refund.attempts) + 1
    values = {"due_at": now + LEASE, "attempts": attempts}
    return lease(session, Refund, due, values, order=Refund.due_at, limit=limit)


def put_off_refund(
    session: Session,
    refund_id: str,
    *,
    until: datetime,
    reason: str,
    refused: bool = False,
) -> None:
    """Ask again at *until*; *refused* if the provider provably did not do it."""
    session.exec(
        update(Refund)
        .where(col(Refund.id) == refund_id, col(Refund.given_at).is_(None))
        .values(
            due_at=until,
            failure=reason,
            refusals=col(Refund.refusals) + int(refused),
        )
    )


def fail_refund(
    session: Session, refund_id: str, *, code: str, reason: str, now: datetime
) -> bool:
    """The provider will not give it. Return whether that is news."""
    failed = session.exec(
        update(Refund)
        .where(
            col(Refund.id) == refund_id,
            col(Refund.given_at).is_(None),
            col(Refund.failed_at).is_(None),
        )
        .values(failed_at=now, failure=reason, failure_code=code)
    )
    return failed.rowcount == 1


def troubled_refunds(
    session: Session, retailer_id: str, *, now: datetime
) -> list[Refund]:
    """Return the refunds that a person has to look at, the oldest first.

    They failed, or the provider could not be brought to give them for an hour.
    """
    failed = col(Refund.failed_at).is_not(None)
    stuck = (
        col(Refund.given_at).is_(None)
        & (col(Refund.failure) != "")
        & (col(Refund.asked_at) <= now - STUCK_AFTER)
    )
    statement = (
        select(Refund)
        .where(
            Refund.retailer_id == retailer_id,
            col(Refund.cleared_at).is_(None),
            failed | stuck,
        )
        .order_by(col(Refund.id))
    )
    return list(session.exec(statement))
