"""How a retailer is paid, as its people see it."""

from dataclasses import dataclass

from sqlmodel import Session

from offers.connecting import find_unproved, holds_open
from offers.holds import Hold
from offers.payment_accounts import (
    PaymentAccount,
    PaymentAccountKind,
    find_account_in_use,
    may_sell,
    payment_accounts,
)
from offers.reviews import holds_in_review
from offers.sentences import Sentence, load_sentence


@dataclass(frozen=True, slots=True)
class Account:
    """An account with how many shoppers it has business with."""

    row: PaymentAccount
    holds: int

    @property
    def by_own_key(self) -> bool:
        return self.row.kind is PaymentAccountKind.OWN_KEY

    @property
    def trouble(self) -> Sentence | None:
        return load_sentence(self.row.trouble) if self.row.trouble else None

    @property
    def fee(self) -> float:
        """The platform's share of each payment, in percent."""
        return self.row.fee_bps / 100


@dataclass(frozen=True, slots=True)
class PaymentsView:
    """*in_use* is what takes the money now: nothing for the house's account.

    *unproved* is begun and not finished; *ended* are those of before.
    """

    in_use: Account | None
    unproved: Account | None
    ended: tuple[Account, ...]
    may_sell: bool
    reviews: tuple[Hold, ...]


def read_payments(session: Session, retailer_id: str) -> PaymentsView:
    """Return how a retailer is paid."""

    def look(row: PaymentAccount | None) -> Account | None:
        return Account(row, holds_open(session, row.id)) if row else None

    rows = payment_accounts(session, retailer_id)
    ended = (look(row) for row in rows if row.ended_at is not None)
    return PaymentsView(
        in_use=look(find_account_in_use(session, retailer_id)),
        unproved=look(find_unproved(session, retailer_id)),
        ended=tuple(account for account in ended if account),
        may_sell=may_sell(session, retailer_id),
        reviews=tuple(holds_in_review(session, retailer_id)),
    )
