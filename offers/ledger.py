"""The ledger: what the payment provider's books say of each retailer's money.

One entry for each of the provider's balance transactions, with its fee and what is
left of it; what an entry is about is told by the payment it belongs to. The sum of an
account's entries is the account's balance, to the cent, or the summary says by what it
differs.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, func
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment
from offers.money import Money


class LedgerEntry(SQLModel, table=True):
    """*amount*, *fee* and *net* are minor units; *kind* is the provider's word for it.

    ``net = amount - fee``; money that leaves is negative. *retailer_id* is empty while
    nobody knows whose it is.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("account_id", "transaction_id"),
        Index("ix_ledger_entry_retailer", "retailer_id", "happened_at"),
        Index("ix_ledger_entry_payment", "payment_id"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = ""
    account_id: str
    transaction_id: str
    kind: str
    source_id: str = ""
    payment_id: str = ""
    order_id: str | None = Field(default=None, foreign_key="orders.id", index=True)
    refund_id: str | None = Field(default=None, foreign_key="refund.id")
    amount: int = Field(sa_type=BigInteger)
    fee: int = Field(sa_type=BigInteger)
    net: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    happened_at: datetime = Field(sa_type=Moment)


class AccountBalance(SQLModel, table=True):
    """What the provider says an account has in one currency, available and pending."""

    __tablename__ = "account_balance"

    account_id: str = Field(primary_key=True)
    currency: str = Field(primary_key=True, max_length=3)
    amount: int = Field(sa_type=BigInteger)
    read_at: datetime = Field(sa_type=Moment)


class Reading(SQLModel, table=True):
    """How far a list of the provider was read: *position* is the last id taken in."""

    __table_args__ = (UniqueConstraint("account_id", "subject"),)

    id: str = Field(primary_key=True)
    account_id: str
    subject: str
    position: str = ""
    due_at: datetime = Field(sa_type=Moment, index=True)
    attempts: int = 0
    read_at: datetime | None = Field(default=None, sa_type=Moment)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What the provider has booked for something: its *fee*, and the *net* that is left.

    Both are of the account's own currency.
    """

    fee: Money
    net: Money


def entries_of_order(
    session: Session, retailer_id: str, order_id: str
) -> list[LedgerEntry]:
    """Return what the provider's books say of an order, in their order."""
    statement = (
        select(LedgerEntry)
        .where(LedgerEntry.retailer_id == retailer_id, LedgerEntry.order_id == order_id)
        .order_by(col(LedgerEntry.happened_at), col(LedgerEntry.transaction_id))
    )
    return list(session.exec(statement))


def settled_by_order(session: Session, retailer_id: str) -> dict[str, Settled]:
    """Return what was booked for each order of a retailer that the books know of."""
    statement = (
        select(
            LedgerEntry.order_id,
            LedgerEntry.currency,
            func.sum(LedgerEntry.fee),
            func.sum(LedgerEntry.net),
        )
        .where(
            LedgerEntry.retailer_id == retailer_id,
            col(LedgerEntry.order_id).is_not(None),
        )
        .group_by(col(LedgerEntry.order_id), col(LedgerEntry.currency))
    )
    return {
        str(order_id): Settled(Money(int(fee), currency), Money(int(net), currency))
        for order_id, currency, fee, net in session.exec(statement)
    }
