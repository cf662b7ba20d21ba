"""Troubles: what does not go out, or come in, as it should just now.

A person who has just sent a post again is given as long as a post has.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, UniqueConstraint, and_, or_
from sqlmodel import Field, Session, SQLModel, col, select

from offers.accounts import ChannelAccount
from offers.columns import Moment, word
from offers.deals import Deal
from offers.posting import LATE, WAITING
from offers.posts import Post, PostState
from offers.retailers import Retailer
from offers.shop_troubles import ShopTrouble, shops_in_trouble
from offers.shops import ShopConnection
from offers.sources import FeedSource, Halt

BROKEN = (PostState.FAILED, PostState.UNCONFIRMED)
FAILING = timedelta(days=1)
RECENT = timedelta(days=1)
"""So long after its time a failed post is worth an alarm even if its deal is over."""


class AlarmKind(StrEnum):
    """A post that *stands* still says that its deal is on, which is over."""

    POST_LATE = "post_late"
    POST_FAILED = "post_failed"
    POST_STANDS = "post_stands"
    CHANNEL_TROUBLE = "channel_trouble"
    FEED_PAUSED = "feed_paused"
    FEED_FAILING = "feed_failing"
    SHOP_TROUBLE = "shop_trouble"


class Alarm(SQLModel, table=True):
    """*subject_id* is the post, channel, source or shop that the alarm is about."""

    __table_args__ = (UniqueConstraint("kind", "subject_id"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    kind: AlarmKind = Field(sa_type=word(AlarmKind))
    subject_id: str
    raised_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


@dataclass(frozen=True, slots=True)
class PostAlarm:
    """A post that does not go out, or say that its deal is over, as it should."""

    kind: AlarmKind
    post: Post
    deal: Deal
    account: ChannelAccount


@dataclass(frozen=True, slots=True)
class FeedAlarm:
    """A source of feeds that halted over a doubt, or brings nothing for a day."""

    kind: AlarmKind
    source: FeedSource


@dataclass(frozen=True, slots=True)
class Troubles:
    """All that is wrong just now with posts, channels, feeds and shops."""

    posts: tuple[PostAlarm, ...] = ()
    accounts: tuple[ChannelAccount, ...] = ()
    feeds: tuple[FeedAlarm, ...] = ()
    shops: tuple[ShopTrouble, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.posts or self.accounts or self.feeds or self.shops)


def find_troubles(session: Session, retailer_id: str, *, now: datetime) -> Troubles:
    """Return what a retailer's people have to look at, whether told before or not."""
    own = col(Post.retailer_id) == retailer_id
    return Troubles(
        posts=(
            *posts_in_trouble(session, AlarmKind.POST_FAILED, own, now=now),
            *posts_in_trouble(session, AlarmKind.POST_LATE, own, now=now),
            *posts_in_trouble(session, AlarmKind.POST_STANDS, own, now=now),
        ),
        accounts=accounts_in_trouble(
            session, col(ChannelAccount.retailer_id) == retailer_id
        ),
        feeds=feeds_in_trouble(
            session, col(FeedSource.retailer_id) == retailer_id, now=now
        ),
        shops=shops_in_trouble(
            session, col(ShopConnection.retailer_id) == retailer_id, now=now
        ),
    )


def posts_in_trouble(
    session: Session, kind: AlarmKind, which: ColumnElement[bool], *, now: datetime
) -> tuple[PostAlarm, ...]:
    """Return *which* posts, joined with their deals and accounts, are so."""
    statement = (
        select(Post, Deal, ChannelAccount)
        .join(Deal, col(Deal.id) == col(Post.deal_id))
        .join(ChannelAccount, col(ChannelAccount.id) == col(Post.account_id))
        .join(Retailer, col(Retailer.id) == col(Post.retailer_id))
        .where(which, _WRONG[kind](now))
        .order_by(col(Post.first_due_at), col(Post.id))
    )
    return tuple(PostAlarm(kind, *row) for row in session.exec(statement))


def _late(now: datetime) -> ColumnElement[bool]:
    return and_(
        col(Post.state).in_(WAITING),
        col(Post.first_due_at) <= now - LATE,
        ~col(ChannelAccount.paused),
        ~col(Retailer.posts_paused),
        col(Deal.sold_out_at).is_(None),
        col(Deal.closes_at) > now,
        ~_sent_again(now),
    )


def _failed(now: datetime) -> ColumnElement[bool]:
    """A failed post of a deal that was over long ago is nobody's worry any more."""
    return and_(
        col(Post.state).in_(BROKEN),
        or_(col(Deal.closes_at) > now, col(Post.first_due_at) > now - RECENT),
    )


def _stands(now: datetime) -> ColumnElement[bool]:
    """Whether we have given up on a post whose deal is over, within a day."""
    return and_(
        col(Post.state) == PostState.PUBLISHED,
        col(Post.retired_at) > now - RECENT,
        col(Post.failure) != "",
    )


_WRONG = {
    AlarmKind.POST_LATE: _late,
    AlarmKind.POST_FAILED: _failed,
    AlarmKind.POST_STANDS: _stands,
}


def accounts_in_trouble(
    session: Session, which: ColumnElement[bool]
) -> tuple[ChannelAccount, ...]:
    """Return *which* accounts are in trouble, and connected."""
    statement = (
        select(ChannelAccount)
        .where(
            which,
            col(ChannelAccount.trouble) != "",
            col(ChannelAccount.disconnected_at).is_(None),
        )
        .order_by(col(ChannelAccount.id))
    )
    return tuple(session.exec(statement))


def feeds_in_trouble(
    session: Session, which: ColumnElement[bool], *, now: datetime
) -> tuple[FeedAlarm, ...]:
    """Return *which* sources halted over a doubt, or fail."""
    statement = (
        select(FeedSource)
        .where(which, or_(is_doubted(), is_failing(now)))
        .order_by(col(FeedSource.id))
    )
    return tuple(
        FeedAlarm(
            AlarmKind.FEED_PAUSED
            if source.halt is Halt.DOUBT
            else AlarmKind.FEED_FAILING,
            source,
        )
        for source in session.exec(statement)
    )


def is_doubted() -> ColumnElement[bool]:
    """Whether a source waits for a person to look at its file."""
    return col(FeedSource.halt) == Halt.DOUBT


def is_failing(now: datetime) -> ColumnElement[bool]:
    """Whether a source has brought nothing of use for a day, and nobody paused it."""
    return and_(
        col(FeedSource.halt) == Halt.NONE,
        col(FeedSource.failing_since) <= now - FAILING,
    )


def _sent_again(now: datetime) -> ColumnElement[bool]:
    """Whether a person has sent a failed post again within the last moments."""
    return (
        select(Alarm.id)
        .where(
            col(Alarm.subject_id) == col(Post.id),
            col(Alarm.kind) == AlarmKind.POST_FAILED,
            or_(col(Alarm.ended_at).is_(None), col(Alarm.ended_at) > now - LATE),
        )
        .correlate(Post)
        .exists()
    )
