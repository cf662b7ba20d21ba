"""Payment accounts: whose money it is. A retailer has at most one that is in use.

The house's own account has no row: it is the empty id, and takes the money of every
retailer who has connected none. What an account took it also gives back, so each hold,
order and refund keeps the id of its account, and an account that was replaced stays
until its last hold is over.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment, word
from offers.errors import Missing, WrongState
from offers.sentences import Sentence

HOUSE = ""


class PaymentAccountKind(StrEnum):
    """How the service acts for the account: by its own key, or by Stripe Connect."""

    OWN_KEY = "own_key"
    CONNECTED = "connected"


class PaymentAccount(SQLModel, table=True):
    """*provider_id* is the provider's name for it (``acct_…``).

    It is in use from when it was proved until it ended. *trouble* at one that ended
    says that its owner did not end it here: then nothing is sold until they choose.
    *fee_bps* is the platform's share of a payment in hundredths of a percent, for a
    connected account. *writes_per_second* is the provider's pace; 0 for the usual one.
    The previous webhook secret is good until *previous_until*.
    """

    __tablename__ = "payment_account"

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    kind: PaymentAccountKind = Field(sa_type=word(PaymentAccountKind))
    provider_id: str
    name: str = ""
    sealed_key: str = Field(default="", repr=False)
    sealed_webhook_secret: str = Field(default="", repr=False)
    sealed_previous_secret: str = Field(default="", repr=False)
    previous_until: datetime | None = Field(default=None, sa_type=Moment)
    livemode: bool
    fee_bps: int = 0
    writes_per_second: int = 0
    connected_at: datetime = Field(sa_type=Moment)
    proved_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    trouble: str = ""

    @property
    def is_in_use(self) -> bool:
        return self.proved_at is not None and self.ended_at is None


@dataclass(frozen=True, slots=True)
class AccountWord:
    """What the provider says of an account now; *enabled*: it may take payments."""

    provider_id: str
    name: str
    enabled: bool


class NoAccount(WrongState):
    """The retailer's payment account ended, and nobody chose another one yet."""

    code = "no_account"

    def __init__(self) -> None:
        super().__init__(
            Sentence("Nothing can be paid here just now: the shop is looking into it.")
        )


def find_account_in_use(session: Session, retailer_id: str) -> PaymentAccount | None:
    """Return the account that takes a retailer's money now; None for the house's.

    There is none either for a retailer whose account ended: ask ``may_sell``.
    """
    statement = select(PaymentAccount).where(
        PaymentAccount.retailer_id == retailer_id, *in_use()
    )
    return session.exec(statement).one_or_none()


def in_use() -> tuple[ColumnElement[bool], ...]:
    """Return what is true of an account that takes money now."""
    proved = col(PaymentAccount.proved_at).is_not(None)
    return proved, col(PaymentAccount.ended_at).is_(None)


def in_trouble() -> tuple[ColumnElement[bool], ...]:
    """Return what is true of an account that was ended by somebody else."""
    ended = col(PaymentAccount.ended_at).is_not(None)
    return ended, col(PaymentAccount.trouble) != ""


def account_for(session: Session, retailer_id: str) -> str:
    """Return the id of the account that a retailer's next payment is asked of.

    Raises:
        NoAccount: If theirs was ended by somebody else; the house's is no stand-in.
    """
    account = find_account_in_use(session, retailer_id)
    if account is not None:
        return account.id
    if not may_sell(session, retailer_id):
        raise NoAccount
    return HOUSE


def may_sell(session: Session, retailer_id: str) -> bool:
    """Whether there is an account to take a retailer's money, theirs or the house's."""
    troubled = select(PaymentAccount.id).where(
        PaymentAccount.retailer_id == retailer_id, *in_trouble()
    )
    if session.exec(troubled.limit(1)).first() is None:
        return True
    return find_account_in_use(session, retailer_id) is not None


def find_payment_account(session: Session, account_id: str) -> PaymentAccount | None:
    """Return an account, in use or ended; its money is asked for by its id alone."""
    return session.get(PaymentAccount, account_id)


def get_payment_account(
    session: Session, retailer_id: str, account_id: str
) -> PaymentAccount:
    """Return a retailer's account.

    Raises:
        Missing: If there is none, or it is another retailer's.
    """
    account = find_payment_account(session, account_id)
    if account is None or account.retailer_id != retailer_id:
        raise Missing(account_id, "paymentaccount")
    return account


def find_connected_account(session: Session, provider_id: str) -> PaymentAccount | None:
    """Return whose connected account the provider calls *provider_id*.

    Of several it is the one that has not ended, or else the one that ended last.
    """
    statement = select(PaymentAccount).where(
        PaymentAccount.provider_id == provider_id,
        PaymentAccount.kind == PaymentAccountKind.CONNECTED,
    )
    found = session.exec(statement.order_by(col(PaymentAccount.id))).all()
    going_on = [account for account in found if account.ended_at is None]
    return next(reversed(going_on or found), None)


def payment_accounts(session: Session, retailer_id: str) -> list[PaymentAccount]:
    """Return every account a retailer ever had, the newest first."""
    statement = select(PaymentAccount).where(PaymentAccount.retailer_id == retailer_id)
    return list(session.exec(statement.order_by(col(PaymentAccount.id).desc())))


def accounts_in_use(session: Session) -> list[PaymentAccount]:
    """Return the accounts that take money now, of every retailer; not the house's."""
    statement = select(PaymentAccount).where(*in_use())
    return list(session.exec(statement.order_by(col(PaymentAccount.id))))
