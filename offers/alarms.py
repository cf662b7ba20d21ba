"""Alarms: what does not go out as it should is told to its retailer, once.

An alarm stands as long as its cause does. What is mended and breaks again is another
alarm, and a person who has just sent a post again is given as long as a post has.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, UniqueConstraint, and_, or_, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.accounts import ChannelAccount
from offers.columns import Moment, word
from offers.deals import Deal
from offers.echoes import Echo
from offers.ids import new_id
from offers.posting import LATE, WAITING
from offers.posts import Post, PostState
from offers.retailers import Retailer
from offers.shop_troubles import ShopTrouble, is_in_trouble, shops_in_trouble
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
            *_posts(session, AlarmKind.POST_FAILED, own, now=now),
            *_posts(session, AlarmKind.POST_LATE, own, now=now),
            *_posts(session, AlarmKind.POST_STANDS, own, now=now),
        ),
        accounts=_troubled(session, col(ChannelAccount.retailer_id) == retailer_id),
        feeds=_feeds(session, col(FeedSource.retailer_id) == retailer_id, now=now),
        shops=shops_in_trouble(
            session, col(ShopConnection.retailer_id) == retailer_id, now=now
        ),
    )


def raise_alarms(session: Session, *, now: datetime) -> dict[str, Troubles]:
    """Note what is wrong and was not told yet. Return it by the retailers' ids.

    Each is returned to one caller only. Alarms whose cause is gone end.
    """
    _end_alarms(session, now=now)
    late = _posts(session, AlarmKind.POST_LATE, col(Post.alarmed_at).is_(None), now=now)
    failed, stand = (
        _posts(session, kind, _unsaid_of_post(kind), now=now)
        for kind in (AlarmKind.POST_FAILED, AlarmKind.POST_STANDS)
    )
    wrong = (*failed, *late, *stand)
    posts = [one for one in wrong if _note_post(session, one, now=now)]
    accounts = [
        account
        for account in _troubled(session, _unsaid_of_account())
        if _note(
            session,
            AlarmKind.CHANNEL_TROUBLE,
            account.retailer_id,
            account.id,
            now=now,
        )
    ]
    feeds = [
        one
        for one in _feeds(session, true(), now=now)
        if _note(session, one.kind, one.source.retailer_id, one.source.id, now=now)
    ]
    kind = AlarmKind.SHOP_TROUBLE
    shops = [
        one
        for one in shops_in_trouble(session, true(), now=now)
        if _note(session, kind, one.shop.retailer_id, one.shop.id, now=now)
    ]
    return _by_retailer(posts, accounts, feeds, shops)


def _by_retailer(
    posts: list[PostAlarm],
    accounts: list[ChannelAccount],
    feeds: list[FeedAlarm],
    shops: list[ShopTrouble],
) -> dict[str, Troubles]:
    whose = [*(one.post.retailer_id for one in posts)]
    whose += [account.retailer_id for account in accounts]
    whose += [one.source.retailer_id for one in feeds]
    whose += [one.shop.retailer_id for one in shops]
    return {
        retailer_id: Troubles(
            tuple(one for one in posts if one.post.retailer_id == retailer_id),
            tuple(one for one in accounts if one.retailer_id == retailer_id),
            tuple(one for one in feeds if one.source.retailer_id == retailer_id),
            tuple(one for one in shops if one.shop.retailer_id == retailer_id),
        )
        for retailer_id in dict.fromkeys(whose)
    }


def _posts(
    session: Session, kind: AlarmKind, which: ColumnElement[bool], *, now: datetime
) -> tuple[PostAlarm, ...]:
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


def _troubled(
    session: Session, which: ColumnElement[bool]
) -> tuple[ChannelAccount, ...]:
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


def _feeds(
    session: Session, which: ColumnElement[bool], *, now: datetime
) -> tuple[FeedAlarm, ...]:
    statement = (
        select(FeedSource)
        .where(which, or_(_is_doubted(), _is_failing(now)))
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


def _is_doubted() -> ColumnElement[bool]:
    return col(FeedSource.halt) == Halt.DOUBT


def _is_failing(now: datetime) -> ColumnElement[bool]:
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


def _unsaid_of_post(kind: AlarmKind) -> ColumnElement[bool]:
    standing = select(Alarm.id).where(
        col(Alarm.subject_id) == col(Post.id),
        col(Alarm.kind) == kind,
        col(Alarm.ended_at).is_(None),
    )
    return ~standing.correlate(Post).exists()


def _unsaid_of_account() -> ColumnElement[bool]:
    standing = select(Alarm.id).where(
        col(Alarm.subject_id) == col(ChannelAccount.id),
        col(Alarm.kind) == AlarmKind.CHANNEL_TROUBLE,
        col(Alarm.ended_at).is_(None),
    )
    return ~standing.correlate(ChannelAccount).exists()


def _end_alarms(session: Session, *, now: datetime) -> None:
    waiting = select(Post.id).where(col(Post.state).in_(WAITING))
    broken = select(Post.id).where(col(Post.state).in_(BROKEN))
    troubled = select(ChannelAccount.id).where(col(ChannelAccount.trouble) != "")
    doubted = select(FeedSource.id).where(_is_doubted())
    failing = select(FeedSource.id).where(_is_failing(now))
    untold = select(Echo.shop_id).where(is_in_trouble(now))
    for kind, causes in (
        (AlarmKind.POST_LATE, waiting),
        (AlarmKind.POST_FAILED, broken),
        (AlarmKind.CHANNEL_TROUBLE, troubled),
        (AlarmKind.FEED_PAUSED, doubted),
        (AlarmKind.FEED_FAILING, failing),
        (AlarmKind.SHOP_TROUBLE, untold),
    ):
        session.exec(
            update(Alarm)
            .where(
                col(Alarm.kind) == kind,
                col(Alarm.ended_at).is_(None),
                col(Alarm.subject_id).not_in(causes),
            )
            .values(ended_at=now)
        )


def _note_post(session: Session, alarm: PostAlarm, *, now: datetime) -> bool:
    post = alarm.post
    if alarm.kind is not AlarmKind.POST_LATE:
        return _note(session, alarm.kind, post.retailer_id, post.id, now=now)
    marked = session.exec(
        update(Post)
        .where(col(Post.id) == post.id, col(Post.alarmed_at).is_(None))
        .values(alarmed_at=now)
    )
    if marked.rowcount == 0:
        return False
    _note(session, alarm.kind, post.retailer_id, post.id, now=now)
    return True


def _note(
    session: Session,
    kind: AlarmKind,
    retailer_id: str,
    subject_id: str,
    *,
    now: datetime,
) -> bool:
    """Let an alarm stand. Return whether it did not before."""
    postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if postgres else sqlite.insert
    statement = (
        insert(Alarm)
        .values(
            id=new_id("alarm", now),
            retailer_id=retailer_id,
            kind=kind,
            subject_id=subject_id,
            raised_at=now,
        )
        .on_conflict_do_update(
            index_elements=["kind", "subject_id"],
            set_={"raised_at": now, "ended_at": None},
            where=col(Alarm.ended_at).is_not(None),
        )
        .returning(col(Alarm.id))
    )
    return session.scalars(statement).first() is not None
