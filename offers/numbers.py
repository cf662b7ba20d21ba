"""Numbers: how published posts do, as their networks tell, read back now and then.

A post is asked about more and more seldom as it gets older: what matters is how it
begins. Where a network charges for reading, it is asked about once a day.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from offers.accounts import ChannelAccount
from offers.leases import lease
from offers.posts import Post, PostKind, PostState

PACE = timedelta(minutes=1)
"""An account is asked about its posts at most so often."""

DAILY = tuple(timedelta(days=day) for day in range(1, 8))
AGES = (
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    *DAILY,
)
"""How old a post is when its numbers are read."""

LATEST = DAILY[-1] + timedelta(days=1)
"""A post that is older is not asked about any more."""

OUT = (PostState.PUBLISHED, PostState.RETIRED)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a network told of a post; None is not told.

    *cost_micros* is what asking cost, in millionths of a US dollar.
    """

    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    views: int | None = None
    cost_micros: int = 0


@dataclass(frozen=True, slots=True)
class PostNumbers:
    """A post's numbers as they were at *measured_at*."""

    post_id: str
    account_id: str
    channel: str
    kind: PostKind
    url: str | None
    likes: int | None
    reposts: int | None
    replies: int | None
    views: int | None
    measured_at: datetime | None


def lease_measuring(
    session: Session, kinds: Collection[str], *, now: datetime, limit: int = 10
) -> list[ChannelAccount]:
    """Take accounts on networks of *kinds* with posts to ask about.

    Nobody else takes them for a minute.
    """
    account = ChannelAccount
    due = (
        col(account.kind).in_(kinds),
        col(account.disconnected_at).is_(None),
        col(account.trouble) == "",
        or_(col(account.measured_at).is_(None), col(account.measured_at) <= now - PACE),
        or_(col(account.rest_until).is_(None), col(account.rest_until) <= now),
        _asked_about(now).correlate(account).exists(),
    )
    taken = {"measured_at": now}
    order = account.measured_at
    return lease(session, account, due, taken, order=order, limit=limit)


def posts_to_measure(
    session: Session,
    account_id: str,
    *,
    now: datetime,
    ages: Sequence[timedelta] = AGES,
) -> list[Post]:
    """Return an account's posts that have reached another of *ages*, newest first."""
    statement = (
        select(Post)
        .where(
            col(Post.account_id) == account_id,
            col(Post.state).in_(OUT),
            col(Post.remote_id).is_not(None),
            col(Post.published_at) > now - LATEST,
        )
        .order_by(col(Post.published_at).desc())
    )
    found = session.exec(statement)
    return [post for post in found if _is_due(post, ages, now)]


def record_reading(
    session: Session, post_id: str, reading: Reading, *, now: datetime
) -> None:
    """Keep what was told of a post; what was not told stays as it was."""
    told = {
        name: value
        for name in ("likes", "reposts", "replies", "views")
        if (value := getattr(reading, name)) is not None
    }
    cost = col(Post.cost_micros) + reading.cost_micros
    session.exec(
        update(Post)
        .where(col(Post.id) == post_id)
        .values(measured_at=now, cost_micros=cost, **told)
    )


def numbers_of_deal(
    session: Session, retailer_id: str, deal_id: str
) -> list[PostNumbers]:
    """Return how the posts about a deal do, in the order in which they went out."""
    statement = (
        select(Post)
        .where(
            Post.retailer_id == retailer_id,
            Post.deal_id == deal_id,
            col(Post.state).in_(OUT),
        )
        .order_by(col(Post.published_at), col(Post.id))
    )
    return [
        PostNumbers(
            post.id,
            post.account_id,
            post.channel,
            post.kind,
            post.url,
            post.likes,
            post.reposts,
            post.replies,
            post.views,
            post.measured_at,
        )
        for post in session.exec(statement)
    ]


def _asked_about(now: datetime) -> SelectOfScalar[str]:
    """Select posts that may have reached another age since they were asked about."""
    measured_at = col(Post.measured_at)
    return select(Post.id).where(
        col(Post.account_id) == col(ChannelAccount.id),
        col(Post.state).in_(OUT),
        col(Post.remote_id).is_not(None),
        col(Post.published_at) > now - LATEST,
        col(Post.published_at) <= now - AGES[0],
        or_(measured_at.is_(None), measured_at <= now - (AGES[1] - AGES[0])),
    )


def _is_due(post: Post, ages: Sequence[timedelta], now: datetime) -> bool:
    """Whether *post* has reached an age that it had not when it was asked about."""
    published_at = post.published_at or now
    reached = [age for age in ages if published_at + age <= now]
    if not reached:
        return False
    return post.measured_at is None or post.measured_at < published_at + reached[-1]
