"""Refunds: money to give back, until the provider has."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment
from offers.ids import new_id
from offers.leases import lease
from offers.money import Money

LEASE = timedelta(minutes=1)


class Refund(SQLModel, table=True):
    """*key* makes asking twice ask once; *provider_id* is there once it was given.

    *units* go back into the retailer's stock. A refund that failed was not given, or
    came back: a person is told why by *failure*.
    """

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    hold_id: str = Field(foreign_key="hold.id", index=True)
    payment_id: str = Field(index=True)
    key: str | None = Field(default=None, unique=True)
    account_id: str = ""
    order_id: str | None = Field(default=None, foreign_key="orders.id", index=True)
    asked_by: str = ""
    units: int = 0
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    reason: str
    due_at: datetime = Field(sa_type=Moment, index=True)
    attempts: int = 0
    provider_id: str | None = None
    given_at: datetime | None = Field(default=None, sa_type=Moment)
    failed_at: datetime | None = Field(default=None, sa_type=Moment)
    failure: str = ""

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


def find_refund(session: Session, payment_id: str) -> Refund | None:
    return session.exec(
        select(Refund).where(Refund.payment_id == payment_id)
    ).one_or_none()


def find_refund_of_hold(session: Session, hold_id: str) -> Refund | None:
    return session.exec(select(Refund).where(Refund.hold_id == hold_id)).first()


def request_refund(
    session: Session,
    retailer_id: str,
    hold_id: str,
    payment_id: str,
    money: Money,
    *,
    reason: str,
    now: datetime,
) -> Refund:
    """Owe the shopper a payment back; asking twice changes nothing."""
    asked = find_refund(session, payment_id)
    if asked is not None:
        return asked
    refund = Refund(
        id=new_id("refund", now),
        retailer_id=retailer_id,
        hold_id=hold_id,
        payment_id=payment_id,
        amount=money.amount,
        currency=money.currency,
        reason=reason,
        due_at=now,
    )
    session.add(refund)
    session.flush()
    return refund


def lease_due_refunds(
    session: Session, *, now: datetime, limit: int = 20
) -> list[Refund]:
    """Take refunds that the provider has to be asked for."""
    due = (col(Refund.given_at).is_(None), col(Refund.due_at) <= now)
    attempts = col(Refund.attempts) + 1
    values = {"due_at": now + LEASE, "attempts": attempts}
    return lease(session, Refund, due, values, order=Refund.due_at, limit=limit)


def mark_given(
    session: Session, refund_id: str, provider_id: str, *, now: datetime
) -> None:
    session.exec(
        update(Refund)
        .where(col(Refund.id) == refund_id)
        .values(provider_id=provider_id, given_at=now, failure="")
    )


def put_off_refund(
    session: Session, refund_id: str, *, until: datetime, reason: str
) -> None:
    session.exec(
        update(Refund)
        .where(col(Refund.id) == refund_id)
        .values(due_at=until, failure=reason)
    )
