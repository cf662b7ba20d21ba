"""Payment accounts: whose money it is. A retailer has at most one that is in use.

The house's own account has no row: it is the empty id, and takes the money of every
retailer who has connected none. What an account took it also gives back, so each hold,
order and refund keeps the id of its account, and an account that was replaced stays
until its last hold is over.
"""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment, word

HOUSE = ""


class PaymentAccountKind(StrEnum):
    """How the service acts for the account: by its own key, or by Stripe Connect."""

    OWN_KEY = "own_key"
    CONNECTED = "connected"


class PaymentAccount(SQLModel, table=True):
    """*provider_id* is the provider's name for it (``acct_…``).

    *fee_bps* is the platform's share of a payment in hundredths of a percent, for a
    connected account. *writes_per_second* is the provider's pace; 0 for the usual one.
    """

    __tablename__ = "payment_account"

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    kind: PaymentAccountKind = Field(sa_type=word(PaymentAccountKind))
    provider_id: str
    name: str = ""
    sealed_key: str = Field(default="", repr=False)
    sealed_webhook_secret: str = Field(default="", repr=False)
    livemode: bool
    fee_bps: int = 0
    writes_per_second: int = 0
    connected_at: datetime = Field(sa_type=Moment)
    proved_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    trouble: str = ""


def find_account_in_use(session: Session, retailer_id: str) -> PaymentAccount | None:
    """Return the account that takes a retailer's money now; None for the house's."""
    statement = select(PaymentAccount).where(
        PaymentAccount.retailer_id == retailer_id,
        col(PaymentAccount.ended_at).is_(None),
    )
    return session.exec(statement).one_or_none()
