"""Agreement: whether a retailer's books and the payment provider's say the same.

And what remains of a retailer's sales by the provider's books: the cash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from offers.differences import Difference, Scope, differences
from offers.ledger import (
    DISPUTES,
    PAYMENTS,
    REFUNDS,
    AccountBalance,
    LedgerEntry,
)
from offers.money import Money
from offers.orders import Order, Way
from offers.payment_accounts import HOUSE, PaymentAccount, find_payment_account
from offers.readings import Subject, find_reading

GRACE = timedelta(minutes=5)
STALE_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cash:
    """What the provider's books say of sales, in one currency.

    *refunded*, *disputed* and *fees* are what went; ``net`` is what remains.
    """

    gross: Money
    refunded: Money
    disputed: Money
    fees: Money

    @property
    def net(self) -> Money:
        return self.gross - self.refunded - self.disputed - self.fees


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """How far the books of one account were read; *trouble* is why not further.

    *name* is what people call it, empty for the house's; *held* is what was in it when
    nothing moved the last time, of an account that is the retailer's own.
    """

    account_id: str
    name: str = ""
    read_at: datetime | None = None
    trouble: str = ""
    held: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """What is compared, and what came of it; nothing without any *books*."""

    books: tuple[Books, ...]
    differences: tuple[Difference, ...]

    @property
    def read_at(self) -> datetime | None:
        """When the books were read that were read longest ago; None: not all were."""
        times = [each.read_at for each in self.books]
        known = [at for at in times if at is not None]
        return min(known) if known and len(known) == len(times) else None

    @property
    def trouble(self) -> str:
        return next((each.trouble for each in self.books if each.trouble), "")

    @property
    def agrees(self) -> bool:
        return self.read_at is not None and not self.differences

    @property
    def sums(self) -> list[Money]:
        """What the provider has more than we do, once for each currency."""
        sums: dict[str, int] = {}
        for each in self.differences:
            currency = each.money.currency
            sums[currency] = sums.get(currency, 0) + each.money.amount
        return [Money(amount, currency) for currency, amount in sorted(sums.items())]

    def is_stale(self, now: datetime) -> bool:
        return self.read_at is None or self.read_at < now - STALE_AFTER


def compare(session: Session, retailer_id: str) -> Agreement:
    """Return whether a retailer's books agree with the provider's, and if not, why.

    In the house's account, which others share, only what is known to be theirs is
    compared, and the balance as a whole.
    """
    found = _accounts(session, retailer_id)
    return _compare(session, found, retailer_id)


def compare_account(session: Session, account_id: str) -> Agreement:
    """Return the same for all of an account, whosever it is."""
    return _compare(session, [account_id], "")


def _compare(
    session: Session, account_ids: Sequence[str], retailer_id: str
) -> Agreement:
    books: list[Books] = []
    found: list[Difference] = []
    for account_id in account_ids:
        each = _books(session, account_id)
        books.append(each)
        if each.read_at is not None:
            whose = retailer_id if account_id == HOUSE else ""
            found += differences(
                session, Scope(account_id, each.read_at - GRACE, whose)
            )
    return Agreement(tuple(books), tuple(found))


def _books(session: Session, account_id: str) -> Books:
    reading = find_reading(session, account_id, Subject.BOOKS)
    account = find_payment_account(session, account_id)
    return Books(
        account_id=account_id,
        name="" if account is None else account.name or account.provider_id,
        read_at=None if reading is None else reading.read_at,
        trouble="" if reading is None else reading.trouble,
        held=() if account is None else _held(session, account_id),
    )


def _held(session: Session, account_id: str) -> tuple[Money, ...]:
    statement = select(AccountBalance).where(
        col(AccountBalance.account_id) == account_id
    )
    found = session.scalars(statement.order_by(col(AccountBalance.currency)))
    return tuple(Money(balance.amount, balance.currency) for balance in found)


def _accounts(session: Session, retailer_id: str) -> list[str]:
    """Return the accounts that ever took a retailer's money, or do now."""
    own = session.scalars(
        select(col(PaymentAccount.id))
        .where(
            col(PaymentAccount.retailer_id) == retailer_id,
            col(PaymentAccount.proved_at).is_not(None),
        )
        .order_by(col(PaymentAccount.connected_at))
    )
    sold = select(col(Order.id)).where(
        col(Order.retailer_id) == retailer_id,
        col(Order.way) == Way.ONLINE,
        col(Order.account_id) == HOUSE,
    )
    in_house = session.scalars(sold.limit(1)).first() is not None
    return ([HOUSE] if in_house else []) + list(own)


def cash(session: Session, retailer_id: str) -> list[Cash]:
    """Return what remains of a retailer's sales, once for each currency of the books.

    It is about what was sold here; an account of theirs may have other business.
    """
    kind, amount = col(LedgerEntry.kind), col(LedgerEntry.amount)
    sums = [
        func.coalesce(func.sum(case((kind.in_(kinds), amount), else_=0)), 0)
        for kinds in (PAYMENTS, REFUNDS, DISPUTES)
    ]
    fees = func.coalesce(func.sum(col(LedgerEntry.fee)), 0)
    statement = (
        select(col(LedgerEntry.currency), *sums, fees)
        .where(
            col(LedgerEntry.retailer_id) == retailer_id,
            col(LedgerEntry.order_id).is_not(None)
            | col(LedgerEntry.refund_id).is_not(None)
            | (col(LedgerEntry.hold_id) != ""),
        )
        .group_by(col(LedgerEntry.currency))
        .order_by(col(LedgerEntry.currency))
    )
    return [
        _cash(currency, [int(number) for number in numbers])
        for currency, *numbers in session.execute(statement)
    ]


def _cash(currency: str, numbers: Sequence[int]) -> Cash:
    gross, refunds, disputes, fees = (Money(number, currency) for number in numbers)
    none = Money(0, currency)
    return Cash(
        gross=gross, refunded=none - refunds, disputed=none - disputes, fees=fees
    )
