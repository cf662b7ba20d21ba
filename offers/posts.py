"""Posts: a deal announced on a channel, once.

    scheduled → sending → published → retired
                   │ ↖ (looked up, then sent again)
                   └→ failed · skipped

A post is leased before anything is done to it; the lease carries a *fence*, a number
that grows with each lease, so that whoever slept through theirs can no longer act.
``sending`` is written before the network is called: who finds it later does not know
whether the post is out, and looks before it repeats.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, ColumnElement, Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.accounts import Afterwards, ChannelAccount
from offers.columns import Moment, word
from offers.deals import Deal
from offers.errors import Missing
from offers.ids import new_code, new_id
from offers.leases import lease

LEASE = timedelta(minutes=2)
LATE = timedelta(minutes=2)


class PostKind(StrEnum):
    """What a post says of its deal: that it is there, then how it goes, then its end.

    All but the first are follow-ups: at most one of each on an account.
    """

    ANNOUNCEMENT = "announcement"
    HALF_GONE = "half_gone"
    LAST_UNITS = "last_units"
    ENDING = "ending"
    OVER = "over"


class PostState(StrEnum):
    """*unapproved* waits for a second person, *unconfirmed* for somebody to look."""

    UNAPPROVED = "unapproved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    UNCONFIRMED = "unconfirmed"
    PUBLISHED = "published"
    FAILED = "failed"
    SKIPPED = "skipped"
    RETIRED = "retired"


class Post(SQLModel, table=True):
    """*code* is the word at the end of the post's own link; *failure* is for people.

    *answers_id* is the post of ours that this one answers. *cost_micros* is what the
    network takes for it, in millionths of a US dollar.
    """

    __table_args__ = (
        UniqueConstraint("deal_id", "account_id", "kind"),
        Index("ix_post_due", "state", "due_at"),
        Index("ix_post_retire", "retire_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    deal_id: str = Field(foreign_key="deal.id")
    account_id: str = Field(foreign_key="channel_account.id")
    channel: str
    kind: PostKind = Field(default=PostKind.ANNOUNCEMENT, sa_type=word(PostKind))
    answers_id: str | None = None
    code: str = Field(unique=True)
    text: str = ""
    state: PostState = Field(default=PostState.SCHEDULED, sa_type=word(PostState))
    due_at: datetime = Field(sa_type=Moment)
    first_due_at: datetime = Field(sa_type=Moment)
    fence: int = 0
    attempts: int = 0
    remote_id: str | None = None
    url: str | None = None
    failure: str = ""
    published_at: datetime | None = Field(default=None, sa_type=Moment)
    retire_at: datetime | None = Field(default=None, sa_type=Moment)
    retired_at: datetime | None = Field(default=None, sa_type=Moment)
    retire_attempts: int = 0
    planned_by: str = ""
    approved_by: str = ""
    cost_micros: int = Field(default=0, sa_type=BigInteger)
    alarmed_at: datetime | None = Field(default=None, sa_type=Moment)
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    views: int | None = None
    measured_at: datetime | None = Field(default=None, sa_type=Moment)


def schedule_posts(
    session: Session, deal: Deal, accounts: Sequence[ChannelAccount], *, now: datetime
) -> list[Post]:
    """Announce *deal* on *accounts* at the instant it opens."""
    posts = [
        Post(
            id=new_id("post", now),
            retailer_id=deal.retailer_id,
            deal_id=deal.id,
            account_id=account.id,
            channel=account.kind,
            code=new_code(),
            due_at=deal.opens_at,
            first_due_at=deal.opens_at,
        )
        for account in accounts
    ]
    session.add_all(posts)
    session.flush()
    return posts


def lease_due_posts(
    session: Session, *, now: datetime, ahead: timedelta, limit: int = 20
) -> list[Post]:
    """Take posts that are due within *ahead*, so that nobody else takes them.

    Whoever takes one and dies leaves it to the next, once the lease is over.
    """
    waiting = col(Post.state).in_([PostState.SCHEDULED, PostState.SENDING])
    due = (waiting, col(Post.due_at) <= now + ahead)
    return _lease(session, due, {"due_at": now + LEASE}, limit)


def lease_retiring_posts(
    session: Session, *, now: datetime, limit: int = 20
) -> list[Post]:
    """Take published posts whose deal is over, to edit or delete them."""
    due = (
        col(Post.state) == PostState.PUBLISHED,
        col(Post.retired_at).is_(None),
        col(Post.retire_at) <= now,
    )
    return _lease(session, due, {"retire_at": now + LEASE}, limit)


def _lease(
    session: Session,
    due: Sequence[ColumnElement[bool]],
    values: Mapping[str, datetime],
    limit: int,
) -> list[Post]:
    fenced = {"fence": col(Post.fence) + 1, **values}
    order = Post.first_due_at
    leased = lease(session, Post, due, fenced, order=order, limit=limit)
    return sorted(leased, key=lambda post: post.first_due_at)


def begin_sending(
    session: Session, post_id: str, fence: int, text: str, *, now: datetime
) -> bool:
    """Write down that the post is about to go out. Return whether the lease is ours."""
    begun = session.exec(
        update(Post)
        .where(col(Post.id) == post_id, col(Post.fence) == fence)
        .values(
            state=PostState.SENDING,
            text=text,
            attempts=col(Post.attempts) + 1,
            due_at=now + LEASE,
        )
    )
    return begun.rowcount == 1


def mark_published(
    session: Session, post: Post, *, remote_id: str, url: str, now: datetime
) -> None:
    """The post is out: a fact, whoever holds the lease now and whatever they said."""
    out = (PostState.PUBLISHED, PostState.RETIRED)
    session.exec(
        update(Post)
        .where(col(Post.id) == post.id, col(Post.state).not_in(out))
        .values(
            state=PostState.PUBLISHED,
            remote_id=remote_id,
            url=url,
            published_at=now,
            failure="",
        )
    )


def mark_failed(session: Session, post: Post, reason: str) -> None:
    """The channel will not take it: a person has to look."""
    _change(session, post, state=PostState.FAILED, failure=reason)


def mark_skipped(session: Session, post: Post, reason: str) -> None:
    """It is not worth posting any more: sold out or ended before it went out."""
    _change(session, post, state=PostState.SKIPPED, failure=reason)


def postpone(session: Session, post: Post, *, until: datetime, reason: str) -> None:
    """Nothing was posted; try the same again at *until*."""
    state = PostState.SCHEDULED
    _change(session, post, state=state, due_at=until, failure=reason)


def leave_unconfirmed(
    session: Session, post: Post, *, until: datetime, reason: str
) -> None:
    """It may be out or not; look for it at *until* before anything is repeated."""
    state = PostState.SENDING
    _change(session, post, state=state, due_at=until, failure=reason)


def try_again(
    session: Session, retailer_id: str, post_id: str, *, now: datetime
) -> None:
    """Send a failed post once more, because somebody mended what was wrong."""
    session.exec(
        update(Post)
        .where(
            col(Post.id) == post_id,
            col(Post.retailer_id) == retailer_id,
            col(Post.state) == PostState.FAILED,
        )
        .values(state=PostState.SENDING, due_at=now, failure="")
    )


def retire_posts(session: Session, deal_id: str, *, now: datetime) -> None:
    """The deal is over: what was posted about it must say so.

    That holds for posts of which we learn only later that they went out.
    """
    session.exec(
        update(Post)
        .where(col(Post.deal_id) == deal_id, col(Post.retired_at).is_(None))
        .values(retire_at=now)
    )


def mark_retired(session: Session, post: Post, text: str, *, now: datetime) -> None:
    _change(session, post, state=PostState.RETIRED, text=text, retired_at=now)


def put_off_retiring(
    session: Session, post: Post, *, until: datetime, reason: str
) -> None:
    attempts = post.retire_attempts + 1
    _change(session, post, retire_at=until, retire_attempts=attempts, failure=reason)


def give_up_retiring(
    session: Session, post: Post, reason: str, *, now: datetime
) -> None:
    _change(session, post, retired_at=now, failure=reason)


def get_post_by_code(session: Session, code: str) -> Post:
    """Return the post whose link ends in *code*.

    Raises:
        Missing: If there is none.
    """
    post = session.exec(select(Post).where(Post.code == code)).one_or_none()
    if post is None:
        raise Missing(code, "deal")
    return post


def posts_of_deal(session: Session, retailer_id: str, deal_id: str) -> list[Post]:
    statement = (
        select(Post)
        .where(Post.retailer_id == retailer_id, Post.deal_id == deal_id)
        .order_by(col(Post.channel), col(Post.id))
    )
    return list(session.exec(statement))


def afterwards(session: Session, post: Post) -> Afterwards:
    """Return what its channel wants done with a post whose deal is over."""
    return session.get_one(ChannelAccount, post.account_id).afterwards


def _change(session: Session, post: Post, **values: object) -> None:
    """Only who holds the lease may say what became of a post."""
    ours = (col(Post.id) == post.id, col(Post.fence) == post.fence)
    session.exec(update(Post).where(*ours).values(values))
