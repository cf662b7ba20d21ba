"""Accounts: a retailer's channels, each a place where its deals are posted.

The outlet page is the account that everyone has: the retailer's own wall on this
installation.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment, word
from offers.errors import InvalidField
from offers.ids import new_id
from offers.retailers import Retailer
from offers.scope import get_own
from offers.sentences import Sentence

OUTLET = "outlet"


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


class ChannelAccount(SQLModel, table=True):
    """*kind* names the network; *sealed_token* opens the account there.

    The token is good until *expires_at* (None: until it is revoked) and can be renewed
    until *refresh_expires_at*; *refresh_at* is when that is due next. The network wants
    to be left alone until *rest_until*. *budget_cents* is what posts may cost a month,
    in US cents (None: any). *follow_ups* are kinds of posts, with commas between.
    """

    __tablename__ = "channel_account"
    __table_args__ = (UniqueConstraint("retailer_id", "kind", "base_url", "handle"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    kind: str
    handle: str = ""
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

    @property
    def follows_up(self) -> frozenset[str]:
        return frozenset(filter(None, self.follow_ups.split(",")))


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
    now: datetime,
) -> ChannelAccount:
    """Keep an account; one that was connected before goes on with its history.

    Its network has just accepted the token.
    """
    same = select(ChannelAccount).where(
        ChannelAccount.retailer_id == retailer_id,
        ChannelAccount.kind == kind,
        ChannelAccount.base_url == base_url,
        ChannelAccount.handle == handle,
    )
    account = session.exec(same).one_or_none() or ChannelAccount(
        id=new_id("account", now),
        retailer_id=retailer_id,
        kind=kind,
        handle=handle,
        base_url=base_url,
        connected_at=now,
    )
    account.sealed_token, account.trouble, account.paused = sealed_token, "", False
    account.proved_at = now
    session.add(account)
    session.flush()
    return account


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
    account = get_own(session, ChannelAccount, retailer_id, account_id)
    if account.kind == OUTLET:
        raise InvalidField("paused", Sentence("Your outlet page is always there."))
    account.paused = paused
    session.add(account)


def choose_afterwards(
    session: Session, retailer_id: str, account_id: str, choice: Afterwards
) -> None:
    """Settle what becomes of an account's posts whose deal is over.

    Raises:
        Missing: If it is not this retailer's.
    """
    account = get_own(session, ChannelAccount, retailer_id, account_id)
    account.afterwards = choice
    session.add(account)


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
