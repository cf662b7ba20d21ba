"""Posts: a deal announced on a channel, once, and what is said of it later.

    unapproved → scheduled → sending → published → retired
                               │ ↖ (looked up, then sent again)
                               └→ failed · skipped · unconfirmed

How a post gets from one state to the next is in ``offers.posting``; here are the plans
that people make of it. Who changes a plan raises the post's *fence*, so that a worker
that goes by the old one can no longer act.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, UniqueConstraint, case
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.accounts import ChannelAccount
from offers.columns import Moment, word
from offers.deals import Deal
from offers.errors import Missing
from offers.ids import new_code, new_id


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
    network takes for it, in millionths of a US dollar, since *begun_at*, when it was
    last sent.
    """

    __table_args__ = (
        UniqueConstraint("deal_id", "account_id", "kind"),
        Index("ix_post_due", "state", "due_at"),
        Index("ix_post_retire", "retire_at"),
        Index("ix_post_begun", "account_id", "begun_at"),
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
    begun_at: datetime | None = Field(default=None, sa_type=Moment)
    cost_micros: int = Field(default=0, sa_type=BigInteger)
    alarmed_at: datetime | None = Field(default=None, sa_type=Moment)
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    views: int | None = None
    measured_at: datetime | None = Field(default=None, sa_type=Moment)


def schedule_posts(
    session: Session,
    deal: Deal,
    accounts: Sequence[ChannelAccount],
    *,
    now: datetime,
    planned_by: str = "",
    approval: bool = False,
) -> list[Post]:
    """Announce *deal* on *accounts* at the instant it opens.

    With *approval* nothing goes out before somebody but *planned_by* agrees.
    """
    state = PostState.UNAPPROVED if approval else PostState.SCHEDULED
    posts = [
        Post(
            id=new_id("post", now),
            retailer_id=deal.retailer_id,
            deal_id=deal.id,
            account_id=account.id,
            channel=account.kind,
            code=new_code(),
            state=state,
            due_at=deal.opens_at,
            first_due_at=deal.opens_at,
            planned_by=planned_by,
        )
        for account in accounts
    ]
    session.add_all(posts)
    session.flush()
    return posts


def try_again(
    session: Session, retailer_id: str, post_id: str, *, now: datetime
) -> None:
    """Send a failed post, because somebody mended what was wrong.

    Or one that nobody could look for, because somebody did and it is not there.
    """
    waits = [PostState.FAILED, PostState.UNCONFIRMED]
    session.exec(
        update(Post)
        .where(
            col(Post.id) == post_id,
            col(Post.retailer_id) == retailer_id,
            col(Post.state).in_(waits),
        )
        .values(
            state=PostState.SCHEDULED,
            due_at=case((col(Post.first_due_at) > now, Post.first_due_at), else_=now),
            failure="",
            fence=col(Post.fence) + 1,
            alarmed_at=None,
        )
    )


def adopt(session: Session, retailer_id: str, post_id: str, url: str) -> None:
    """A person looked and the post is out, at *url* if they say where."""
    session.exec(
        update(Post)
        .where(
            col(Post.id) == post_id,
            col(Post.retailer_id) == retailer_id,
            col(Post.state) == PostState.UNCONFIRMED,
        )
        .values(
            state=PostState.PUBLISHED,
            url=url or None,
            published_at=col(Post.first_due_at),
            failure="",
            fence=col(Post.fence) + 1,
        )
    )


def retire_posts(session: Session, deal_id: str, *, now: datetime) -> None:
    """The deal is over: what was posted about it must say so.

    That holds for posts of which we learn only later that they went out.
    """
    session.exec(
        update(Post)
        .where(
            col(Post.deal_id) == deal_id,
            col(Post.kind) != PostKind.OVER,
            col(Post.retired_at).is_(None),
        )
        .values(retire_at=now)
    )


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
