"""Accounts: a retailer's channels, each a place where its deals are posted.

The outlet page is the account that everyone has: the retailer's own wall on this
installation.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment, word
from offers.ids import new_id
from offers.retailers import Retailer

OUTLET = "outlet"


class Afterwards(StrEnum):
    """What becomes of a post when its deal is sold out or has ended."""

    EDIT = "edit"
    DELETE = "delete"
    LEAVE = "leave"


class ChannelAccount(SQLModel, table=True):
    """*kind* names the network; *sealed_token* opens the account there."""

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
