"""Alarms: what does not go out as it should is told to its retailer, once.

An alarm stands as long as its cause does. What is mended and breaks again is another
alarm.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from offers.accounts import ChannelAccount
from offers.echoes import Echo
from offers.ids import new_id
from offers.posting import WAITING
from offers.posts import Post
from offers.shop_troubles import ShopTrouble, is_in_trouble, shops_in_trouble
from offers.sources import FeedSource
from offers.troubles import (
    BROKEN,
    Alarm,
    AlarmKind,
    FeedAlarm,
    PostAlarm,
    Troubles,
    accounts_in_trouble,
    feeds_in_trouble,
    is_doubted,
    is_failing,
    posts_in_trouble,
)


def raise_alarms(session: Session, *, now: datetime) -> dict[str, Troubles]:
    """Note what is wrong and was not told yet. Return it by the retailers' ids.

    Each is returned to one caller only. Alarms whose cause is gone end.
    """
    _end_alarms(session, now=now)
    late = posts_in_trouble(
        session, AlarmKind.POST_LATE, col(Post.alarmed_at).is_(None), now=now
    )
    failed, stand = (
        posts_in_trouble(session, kind, _unsaid_of_post(kind), now=now)
        for kind in (AlarmKind.POST_FAILED, AlarmKind.POST_STANDS)
    )
    wrong = (*failed, *late, *stand)
    posts = [one for one in wrong if _note_post(session, one, now=now)]
    accounts = [
        account
        for account in accounts_in_trouble(session, _unsaid_of_account())
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
        for one in feeds_in_trouble(session, true(), now=now)
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
    doubted = select(FeedSource.id).where(is_doubted())
    failing = select(FeedSource.id).where(is_failing(now))
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
