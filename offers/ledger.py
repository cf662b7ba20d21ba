"""The ledger: what the payment provider's books say of each retailer's money.

One entry for each line of the provider's books, with its fee and what is left of it.
An entry is told from others by the provider's id, so a line that is read twice is kept
once. What it is about is told by the payment it belongs to, at once or as soon as the
order is there. The entries of an account add up to its balance, to the cent, or
``offers.agreement`` says by what it differs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Index, UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, func, select, update

from offers.columns import Moment
from offers.holds import Hold
from offers.ids import new_id
from offers.money import Money
from offers.orders import Order
from offers.payment_accounts import find_payment_account
from offers.refunds import Refund

# The provider's words for what a line is, as accountants sort them
# (https://docs.stripe.com/reports/reporting-categories).
PAYMENTS = ("charge", "charge_failure", "partial_capture_reversal")
REFUNDS = ("refund", "refund_failure")
DISPUTES = ("dispute", "dispute_reversal")
OPENING = "opening"
"""Our own word: what an account had before its books were read for the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """A line of the provider's books: ``net = amount - fee``, what leaves is negative.

    *source* is the same in the currency in which the shopper paid, which may be another
    than the account's. *hold_id* is what the payment itself says that it is for.
    """

    id: str
    kind: str
    amount: Money
    fee: Money
    source: Money
    source_id: str = ""
    payment_id: str = ""
    hold_id: str = ""
    happened_at: datetime

    @property
    def net(self) -> Money:
        return self.amount - self.fee


class LedgerEntry(SQLModel, table=True):
    """*amount*, *fee* and *net* are minor units; *kind* is the provider's word for it.

    ``net = amount - fee``; money that leaves is negative. *source_amount* is the same
    in the currency in which the shopper paid. *retailer_id* is empty while nobody knows
    whose it is; *hold_id* is what the payment says of itself.
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
    hold_id: str = ""
    order_id: str | None = Field(default=None, foreign_key="orders.id", index=True)
    refund_id: str | None = Field(default=None, foreign_key="refund.id")
    amount: int = Field(sa_type=BigInteger)
    fee: int = Field(sa_type=BigInteger)
    net: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    source_amount: int = Field(sa_type=BigInteger)
    source_currency: str = Field(max_length=3)
    happened_at: datetime = Field(sa_type=Moment)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def paid(self) -> Money:
        """What the shopper paid, or got back."""
        return Money(self.source_amount, self.source_currency)

    @property
    def fees(self) -> Money:
        return Money(self.fee, self.currency)

    @property
    def left(self) -> Money:
        """What the entry brought, less its fee."""
        return Money(self.net, self.currency)


class AccountBalance(SQLModel, table=True):
    """What the provider says an account has in one currency, available and pending.

    *listed_amount* is what the entries added up to at the same moment; the two differ
    since *differs_since*, or agree.
    """

    __tablename__ = "account_balance"

    account_id: str = Field(primary_key=True)
    currency: str = Field(primary_key=True, max_length=3)
    amount: int = Field(sa_type=BigInteger)
    listed_amount: int = Field(sa_type=BigInteger)
    differs_since: datetime | None = Field(default=None, sa_type=Moment)
    read_at: datetime = Field(sa_type=Moment)


def opening_lines(
    balances: Iterable[Money], lines: Iterable[BookLine], *, at: datetime
) -> list[BookLine]:
    """Return what an account had before the first of its *lines*, by *balances* now."""
    before: dict[str, int] = {money.currency: money.amount for money in balances}
    for line in lines:
        net = line.net
        before[net.currency] = before.get(net.currency, 0) - net.amount
    return [
        BookLine(
            id=f"{OPENING}:{currency}",
            kind=OPENING,
            amount=Money(amount, currency),
            fee=Money(0, currency),
            source=Money(amount, currency),
            happened_at=at,
        )
        for currency, amount in sorted(before.items())
        if amount
    ]


def keep_lines(
    session: Session, account_id: str, lines: Sequence[BookLine], *, now: datetime
) -> int:
    """Keep each line once. Return how many were new."""
    if not lines:
        return 0
    account = find_payment_account(session, account_id)
    retailer_id = account.retailer_id if account else ""
    rows = [_entry(account_id, retailer_id, line, now).model_dump() for line in lines]
    on_postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if on_postgres else sqlite.insert
    statement = insert(LedgerEntry).values(rows).on_conflict_do_nothing()
    kept = session.connection().execute(statement.returning(col(LedgerEntry.id)))
    return len(kept.all())


def _entry(
    account_id: str, retailer_id: str, line: BookLine, now: datetime
) -> LedgerEntry:
    return LedgerEntry(
        id=new_id("entry", now),
        retailer_id=retailer_id,
        account_id=account_id,
        transaction_id=line.id,
        kind=line.kind,
        source_id=line.source_id,
        payment_id=line.payment_id,
        hold_id=line.hold_id,
        amount=line.amount.amount,
        fee=line.fee.amount,
        net=line.net.amount,
        currency=line.amount.currency,
        source_amount=line.source.amount,
        source_currency=line.source.currency,
        happened_at=line.happened_at,
    )


def attribute_entries(session: Session, account_id: str) -> None:
    """Say of each entry what it is about and whose it is, as far as that is known."""
    order = (
        Order.payment_id == LedgerEntry.payment_id,
        Order.account_id == LedgerEntry.account_id,
    )
    refund = (
        Refund.payment_id == LedgerEntry.payment_id,
        Refund.account_id == LedgerEntry.account_id,
    )
    hold = (Hold.id == LedgerEntry.hold_id, Hold.account_id == LedgerEntry.account_id)
    given = (*refund, Refund.provider_id == LedgerEntry.source_id)
    nobodys = col(LedgerEntry.retailer_id) == ""
    _point(session, account_id, "order_id", Order.id, order)
    _point(session, account_id, "refund_id", Refund.id, given)
    _point(session, account_id, "retailer_id", Order.retailer_id, order, nobodys)
    _point(session, account_id, "retailer_id", Refund.retailer_id, refund, nobodys)
    _point(session, account_id, "retailer_id", Hold.retailer_id, hold, nobodys)


def _point(
    session: Session,
    account_id: str,
    name: str,
    what: str,
    where: Sequence[bool],
    unknown: ColumnElement[bool] | None = None,
) -> None:
    """Set *name* in the entries that lack it to *what* is found for them."""
    lacking = getattr(LedgerEntry, name).is_(None) if unknown is None else unknown
    found = select(func.min(what)).where(*where).correlate(LedgerEntry)
    session.exec(
        update(LedgerEntry)
        .where(
            col(LedgerEntry.account_id) == account_id,
            col(LedgerEntry.payment_id) != "",
            lacking,
            select(what).where(*where).correlate(LedgerEntry).exists(),
        )
        .values({name: found.scalar_subquery()})
        .execution_options(synchronize_session=False)
    )


def keep_balances(
    session: Session, account_id: str, balances: Iterable[Money], *, now: datetime
) -> None:
    """Keep what the provider says an account has, beside what its entries add up to.

    The entries are those of the same moment: whoever asked has made sure of that.
    """
    said = {money.currency: money.amount for money in balances}
    listed = _sums(session, account_id)
    for currency in sorted(said.keys() | listed.keys()):
        kept = session.get(AccountBalance, (account_id, currency))
        amount, sum_ = said.get(currency, 0), listed.get(currency, 0)
        since = (kept and kept.differs_since) or now
        row = AccountBalance(
            account_id=account_id,
            currency=currency,
            amount=amount,
            listed_amount=sum_,
            differs_since=None if amount == sum_ else since,
            read_at=now,
        )
        session.merge(row)
    session.flush()


def _sums(session: Session, account_id: str) -> dict[str, int]:
    statement = (
        select(LedgerEntry.currency, func.sum(col(LedgerEntry.net)))
        .where(LedgerEntry.account_id == account_id)
        .group_by(col(LedgerEntry.currency))
    )
    return {currency: int(total) for currency, total in session.exec(statement)}


def entries_of_order(
    session: Session, retailer_id: str, order_id: str
) -> list[LedgerEntry]:
    """Return what the provider's books say of an order, the first entry first."""
    statement = (
        select(LedgerEntry)
        .where(LedgerEntry.retailer_id == retailer_id, LedgerEntry.order_id == order_id)
        .order_by(col(LedgerEntry.happened_at), col(LedgerEntry.transaction_id))
    )
    return list(session.exec(statement))


def entries(
    session: Session,
    retailer_id: str,
    *,
    kind: str = "",
    before: str = "",
    limit: int = 100,
) -> list[LedgerEntry]:
    """Return a retailer's entries, the latest first; after the one with id *before*."""
    when, key = col(LedgerEntry.happened_at), col(LedgerEntry.id)
    statement = select(LedgerEntry).where(LedgerEntry.retailer_id == retailer_id)
    if kind:
        statement = statement.where(LedgerEntry.kind == kind)
    last = session.get(LedgerEntry, before) if before else None
    if last is not None and last.retailer_id == retailer_id:
        at = last.happened_at
        statement = statement.where((when < at) | ((when == at) & (key < last.id)))
    return list(session.exec(statement.order_by(when.desc(), key.desc()).limit(limit)))


def kinds(session: Session, retailer_id: str) -> list[str]:
    """Return the kinds of a retailer's entries."""
    statement = select(LedgerEntry.kind).where(LedgerEntry.retailer_id == retailer_id)
    return sorted(session.exec(statement.distinct()))
