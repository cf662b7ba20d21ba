"""Accounts: a retailer's channels, each a place where its deals are posted.

The outlet page is the account that everyone has: the retailer's own wall on this
installation.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment, word
from offers.errors import InvalidField, WrongState
from offers.ids import new_id
from offers.retailers import Retailer, take_turns
from offers.scope import get_own
from offers.sentences import Sentence

OUTLET = "outlet"

WARN = timedelta(days=14)
"""So long before a token ends that nobody but its owner can renew, they are told."""

WARN_RENEWED = timedelta(days=7)
"""The same for one that we renew, which is done earlier than that."""

LONGEST_HANDLE = 300

CHECK_EVERY = timedelta(days=1)


class Afterwards(StrEnum):
    """What becomes of a post when its deal is sold out or has ended."""

    EDIT = "edit"
    ANSWER = "answer"
    DELETE = "delete"
    LEAVE = "leave"


class Show(StrEnum):
    """What a post shows beside its text."""

    PICTURE = "picture"
    CARD = "card"
    NOTHING = "nothing"


class Standing(StrEnum):
    """How an account is, as its people should know."""

    HEALTHY = "healthy"
    EXPIRING = "expiring"
    BROKEN = "broken"
    PAUSED = "paused"
    DISCONNECTED = "disconnected"


class ChannelAccount(SQLModel, table=True):
    """*kind* names the network; *sealed_token* opens the account there.

    *remote_id* is the network's own name of the account, which stays when its handle
    changes; empty where the handle is all there is.

    The token is good until *expires_at* (None: until it is revoked) and can be renewed
    until *refresh_expires_at*; *refresh_at* is when that is due next. The network wants
    to be left alone until *rest_until*. *budget_cents* is what posts may cost a month,
    in US cents (None: any). *follow_ups* are kinds of posts, with commas between.

    Who refreshes the token or looks at the account does so until *kept_until*; that is
    looked at next at *check_at*.
    """

    __tablename__ = "channel_account"
    __table_args__ = (UniqueConstraint("retailer_id", "kind", "base_url", "handle"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    kind: str
    handle: str = ""
    remote_id: str = ""
    base_url: str = ""
    sealed_token: str = Field(default="", repr=False)
    afterwards: Afterwards = Field(default=Afterwards.EDIT, sa_type=word(Afterwards))
    paused: bool = False
    connected_at: datetime = Field(sa_type=Moment)
    proved_at: datetime | None = Field(default=None, sa_type=Moment)
    trouble: str = ""
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    refresh_expires_at: datetime | None = Field(default=None, sa_type=Moment)
    refresh_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
    refresh_attempts: int = 0
    rest_until: datetime | None = Field(default=None, sa_type=Moment)
    budget_cents: int | None = None
    show: Show = Field(default=Show.PICTURE, sa_type=word(Show))
    follow_ups: str = ""
    measured_at: datetime | None = Field(default=None, sa_type=Moment)
    kept_until: datetime | None = Field(default=None, sa_type=Moment)
    check_at: datetime | None = Field(default=None, sa_type=Moment)
    disconnected_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def follows_up(self) -> frozenset[str]:
        return frozenset(filter(None, self.follow_ups.split(",")))

    @property
    def ends_at(self) -> datetime | None:
        """When its owner has to sign in again at the latest; None if never, as known.

        What is renewed without them ends with what renews it.
        """
        return self.refresh_expires_at if self.refresh_at else self.expires_at

    def standing(self, *, now: datetime) -> Standing:
        ends_at = self.ends_at
        if self.disconnected_at is not None:
            return Standing.DISCONNECTED
        if self.trouble or (ends_at is not None and ends_at <= now):
            return Standing.BROKEN
        if self.paused:
            return Standing.PAUSED
        warn = WARN_RENEWED if self.refresh_at else WARN
        soon = ends_at is not None and ends_at <= now + warn
        return Standing.EXPIRING if soon else Standing.HEALTHY


def open_outlet(session: Session, retailer: Retailer, *, now: datetime) -> None:
    """Give *retailer* the channel that needs nobody else's network."""
    account = ChannelAccount(
        id=new_id("account", now),
        retailer_id=retailer.id,
        kind=OUTLET,
        handle=retailer.slug,
        connected_at=now,
        proved_at=now,
    )
    session.add(account)
    session.flush()


def accounts(session: Session, retailer_id: str) -> list[ChannelAccount]:
    """Return a retailer's channels, the outlet page first."""
    statement = (
        select(ChannelAccount)
        .where(ChannelAccount.retailer_id == retailer_id)
        .order_by(col(ChannelAccount.kind) != OUTLET, col(ChannelAccount.connected_at))
    )
    return list(session.exec(statement))


def connected_accounts(session: Session) -> list[tuple[Retailer, ChannelAccount]]:
    """Return every account of this installation on a network, with whose it is."""
    statement = (
        select(Retailer, ChannelAccount)
        .where(ChannelAccount.retailer_id == Retailer.id)
        .where(ChannelAccount.kind != OUTLET)
        .where(col(ChannelAccount.disconnected_at).is_(None))
    )
    return list(session.exec(statement))


def connect_account(
    session: Session,
    retailer_id: str,
    kind: str,
    *,
    base_url: str,
    handle: str,
    sealed_token: str,
    remote_id: str = "",
    now: datetime,
) -> ChannelAccount:
    """Keep an account; one that was connected before goes on with its history.

    Its network has just accepted the token. When that ends is for
    ``offers.keeping.keep_key`` to say.
    """
    handle = handle[:LONGEST_HANDLE]
    take_turns(session, retailer_id)
    own = [one for one in accounts(session, retailer_id) if one.kind == kind]
    account = _find_same(own, base_url, handle, remote_id) or ChannelAccount(
        id=new_id("account", now),
        retailer_id=retailer_id,
        kind=kind,
        connected_at=now,
    )
    account.base_url, account.remote_id = base_url, remote_id or account.remote_id
    rename_account(session, account, handle)
    account.sealed_token, account.trouble, account.paused = sealed_token, "", False
    account.expires_at = account.refresh_expires_at = account.refresh_at = None
    account.disconnected_at = account.rest_until = account.kept_until = None
    account.refresh_attempts = 0
    account.proved_at, account.check_at = now, now + CHECK_EVERY
    session.add(account)
    session.flush()
    return account


def _find_same(
    own: Sequence[ChannelAccount], base_url: str, handle: str, remote_id: str
) -> ChannelAccount | None:
    """Return the account by the network's own name of it, or else by its handle.

    A handle that somebody gave up may be another account's now.
    """
    for account in own:
        if remote_id and account.remote_id == remote_id:
            return account
    for account in own:
        unsure = not (remote_id and account.remote_id)
        if unsure and (account.base_url, account.handle) == (base_url, handle):
            return account
    return None


def rename_account(session: Session, account: ChannelAccount, handle: str) -> None:
    """Note an account's handle; whichever had the same before has another by now.

    Of what no network would call anybody, the beginning is kept.
    """
    handle = handle[:LONGEST_HANDLE]
    same = (
        col(ChannelAccount.retailer_id) == account.retailer_id,
        col(ChannelAccount.kind) == account.kind,
        col(ChannelAccount.base_url) == account.base_url,
        col(ChannelAccount.handle) == handle,
        col(ChannelAccount.id) != account.id,
    )
    with session.no_autoflush:
        session.exec(
            update(ChannelAccount)
            .where(*same)
            .values(handle=f"{handle} (" + col(ChannelAccount.remote_id) + ")")
            .execution_options(synchronize_session="fetch")
        )
    account.handle = handle


def note_trouble(
    session: Session,
    retailer_id: str,
    account_id: str,
    trouble: str,
    *,
    now: datetime,
) -> None:
    """Note what is wrong with an account; nothing is, if *trouble* is empty.

    Raises:
        Missing: If it is not this retailer's.
    """
    account = get_own(session, ChannelAccount, retailer_id, account_id)
    account.trouble = trouble
    if not trouble:
        account.proved_at = now
    session.add(account)


def pause_account(
    session: Session, retailer_id: str, account_id: str, *, paused: bool
) -> None:
    """Post nothing on an account while it is *paused*.

    Raises:
        Missing: If it is not this retailer's.
        InvalidField: If it is the outlet page.
    """
    account = get_away(session, retailer_id, account_id)
    if account.disconnected_at is not None:
        raise WrongState(Sentence("This channel is disconnected. Connect it again."))
    account.paused = paused
    session.add(account)


def get_away(session: Session, retailer_id: str, account_id: str) -> ChannelAccount:
    """Return an account of this retailer's on somebody else's network.

    Raises:
        Missing: If it is not this retailer's.
        InvalidField: If it is the outlet page.
    """
    account = get_own(session, ChannelAccount, retailer_id, account_id)
    if account.kind == OUTLET:
        raise InvalidField("paused", Sentence("Your outlet page is always there."))
    return account


def move_accounts(session: Session, retailer_id: str, kind: str, base_url: str) -> None:
    """A network's server has another address: a retailer's accounts there go along."""
    session.exec(
        update(ChannelAccount)
        .where(
            col(ChannelAccount.retailer_id) == retailer_id,
            col(ChannelAccount.kind) == kind,
        )
        .values(base_url=base_url)
    )
