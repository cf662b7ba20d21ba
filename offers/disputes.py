"""Disputes: payments that a shopper's bank wants back, each with its deadline."""

from datetime import datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from offers.columns import Moment


class Dispute(SQLModel, table=True):
    """*state* and *reason* are the provider's words; *due_by* is when evidence is due.

    *version* is the provider's time of the newest word that was taken in, so that an
    older one that comes late changes nothing.
    """

    __table_args__ = (UniqueConstraint("account_id", "provider_id"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    account_id: str
    provider_id: str
    payment_id: str = Field(index=True)
    order_id: str | None = Field(default=None, foreign_key="orders.id", index=True)
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    reason: str
    state: str
    due_by: datetime | None = Field(default=None, sa_type=Moment)
    opened_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    version: datetime = Field(sa_type=Moment)
