"""Connecting: which account takes a retailer's money from now on.

Holds that were asked of an earlier account stay there until they are over.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select, update

from offers.deals import Deal
from offers.errors import Unavailable
from offers.holds import ACTIVE, Hold
from offers.ids import new_id
from offers.payment_accounts import (
    PaymentAccount,
    PaymentAccountKind,
    find_payment_account,
    get_payment_account,
    in_trouble,
    may_sell,
    payment_accounts,
)
from offers.retailers import Retailer
from offers.sentences import Sentence, dump_sentence

KEEP_SECRET = timedelta(days=1)

DEAUTHORISED = Sentence(
    "This account no longer lets us act for it. Nothing is sold until you connect an "
    "account again, or choose the account of this service."
)
NOT_ENABLED = Sentence(
    "Stripe does not let this account take payments. See in Stripe's dashboard what it "
    "still asks for."
)


class HoldsOpen(Unavailable):
    """Shoppers are paying there just now."""

    code = "holds_open"

    def __init__(self, count: int) -> None:
        super().__init__(
            Sentence(
                "{count} shoppers are paying to this account. Wait until they are "
                "done, or confirm that it is to end now.",
                count=count,
            )
        )
        self.count = count


def connect_own_key(
    session: Session,
    retailer_id: str,
    provider_id: str,
    *,
    name: str,
    sealed_key: str,
    livemode: bool,
    now: datetime,
) -> PaymentAccount:
    """Take money by a key of the retailer's own, which was proved just now.

    A new key for the account that a retailer had replaces the old one.
    """
    own_key = PaymentAccountKind.OWN_KEY
    _lock(session, retailer_id)
    account = _find_same(session, retailer_id, provider_id, own_key, livemode)
    if account is None:
        account = _new(retailer_id, provider_id, own_key, livemode=livemode, now=now)
    account.name, account.sealed_key = name, sealed_key
    return _take_over(session, account, now)


def begin_connecting(
    session: Session,
    retailer_id: str,
    provider_id: str,
    *,
    fee_bps: int,
    livemode: bool,
    now: datetime,
) -> PaymentAccount:
    """Keep an account made for a retailer; it is used once it is proved."""
    _lock(session, retailer_id)
    begun = find_unproved(session, retailer_id)
    if begun is not None and begun.provider_id == provider_id:
        return begun
    connected = PaymentAccountKind.CONNECTED
    account = _new(retailer_id, provider_id, connected, livemode=livemode, now=now)
    account.fee_bps = fee_bps
    session.add(account)
    session.flush()
    return account


def find_unproved(session: Session, retailer_id: str) -> PaymentAccount | None:
    """Return the account whose owner has not finished at the provider yet."""
    unproved = (
        account
        for account in payment_accounts(session, retailer_id)
        if account.proved_at is None and account.ended_at is None
    )
    return next(unproved, None)


def note_standing(
    session: Session, account_id: str, *, enabled: bool, name: str = "", now: datetime
) -> bool:
    """Note whether the provider lets an account take payments.

    The first time it does, the account takes the retailer's money from then on. Return
    whether it is in use.
    """
    account = session.get_one(PaymentAccount, account_id)
    _lock(session, account.retailer_id)
    session.refresh(account)
    if account.ended_at is not None:
        return False
    account.name = name or account.name
    if enabled:
        return _take_over(session, account, now).is_in_use
    if account.proved_at is not None:
        account.trouble = dump_sentence(NOT_ENABLED)
    session.add(account)
    return account.is_in_use


def note_barred(session: Session, account_id: str, said: str) -> bool:
    """Note that the provider does not listen to us. Return whether it ended before."""
    account = find_payment_account(session, account_id)
    if account is None:
        return False
    if account.ended_at is None:
        problem = Sentence("Stripe does not let us act for it: {said}", said=said)
        account.trouble = dump_sentence(problem)
        session.add(account)
    return account.ended_at is not None


def keep_webhook_secret(
    session: Session, retailer_id: str, account_id: str, sealed: str, *, now: datetime
) -> None:
    """Take messages signed with a new secret, and for a day those with the old one.

    Raises:
        Missing: If there is no such account.
    """
    account = get_payment_account(session, retailer_id, account_id)
    if account.sealed_webhook_secret:
        account.sealed_previous_secret = account.sealed_webhook_secret
        account.previous_until = now + KEEP_SECRET
    account.sealed_webhook_secret = sealed
    session.add(account)


def disconnect_account(
    session: Session,
    retailer_id: str,
    account_id: str,
    *,
    sure: bool = False,
    now: datetime,
) -> PaymentAccount:
    """Sell nothing more through an account. What it took it also gives back.

    Raises:
        Missing: If there is no such account.
        HoldsOpen: If shoppers are paying there, and nobody is *sure*.
    """
    _lock(session, retailer_id)
    account = get_payment_account(session, retailer_id, account_id)
    count = holds_open(session, account_id)
    if count and not sure:
        raise HoldsOpen(count)
    account.ended_at, account.trouble = account.ended_at or now, ""
    session.add(account)
    _tell_deals(session, retailer_id)
    return account


def deauthorise(session: Session, account_id: str, *, now: datetime) -> bool:
    """Its owner ended an account at the provider. Return whether that is news.

    Its retailer's deals are sold no more until a person says to whom they are paid.
    """
    account = find_payment_account(session, account_id)
    if account is None:
        return False
    _lock(session, account.retailer_id)
    session.refresh(account)
    if account.ended_at is not None:
        return False
    account.ended_at, account.trouble = now, dump_sentence(DEAUTHORISED)
    session.add(account)
    _tell_deals(session, account.retailer_id)
    return True


def choose_the_house(session: Session, retailer_id: str) -> None:
    """Let the house's account take a retailer's money from now on: they said so."""
    _lock(session, retailer_id)
    session.exec(
        update(PaymentAccount)
        .where(col(PaymentAccount.retailer_id) == retailer_id, *in_trouble())
        .values(trouble="")
    )
    _tell_deals(session, retailer_id)


def tell_deal(session: Session, deal: Deal) -> None:
    """Let a new deal know whether there is an account to pay to."""
    deal.payable = may_sell(session, deal.retailer_id)
    session.add(deal)


def holds_open(session: Session, account_id: str) -> int:
    """Return how many holds an account has business with."""
    statement = select(func.count(col(Hold.id))).where(
        Hold.account_id == account_id,
        Hold.request != "",
        col(Hold.state).in_(ACTIVE),
    )
    return session.exec(statement).one()


def _lock(session: Session, retailer_id: str) -> None:
    """Change one thing at a time in what a retailer is paid by."""
    session.get_one(Retailer, retailer_id, with_for_update={"key_share": True})


def _tell_deals(session: Session, retailer_id: str) -> None:
    """Let those who claim units know by the deal alone."""
    session.flush()
    session.exec(
        update(Deal)
        .where(col(Deal.retailer_id) == retailer_id, col(Deal.closed_at).is_(None))
        .values(payable=may_sell(session, retailer_id))
    )


def _new(
    retailer_id: str,
    provider_id: str,
    kind: PaymentAccountKind,
    *,
    livemode: bool,
    now: datetime,
) -> PaymentAccount:
    return PaymentAccount(
        id=new_id("payacc", now),
        retailer_id=retailer_id,
        kind=kind,
        provider_id=provider_id,
        livemode=livemode,
        connected_at=now,
    )


def _find_same(
    session: Session,
    retailer_id: str,
    provider_id: str,
    kind: PaymentAccountKind,
    livemode: bool,  # noqa: FBT001  (a fact like the others)
) -> PaymentAccount | None:
    same = (
        account
        for account in payment_accounts(session, retailer_id)
        if (account.provider_id, account.kind) == (provider_id, kind)
        and account.livemode == livemode
    )
    return next(same, None)


def _take_over(
    session: Session, account: PaymentAccount, now: datetime
) -> PaymentAccount:
    """Let *account* be the one in use; what was before has ended."""
    for other in payment_accounts(session, account.retailer_id):
        if other.id != account.id and (other.is_in_use or other.trouble):
            other.ended_at, other.trouble = other.ended_at or now, ""
            session.add(other)
    account.proved_at, account.ended_at, account.trouble = now, None, ""
    session.add(account)
    _tell_deals(session, account.retailer_id)
    return account
