"""Posting: how a post gets out, once, and what becomes of it then.

A post is leased before anything is done to it; the lease carries a *fence*, a number
that grows with each lease, so that whoever slept through theirs can no longer act.
``sending`` is written before the network is called: who finds it later does not know
whether the post is out, and looks before it repeats.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from offers.accounts import ChannelAccount
from offers.leases import lease
from offers.posts import Post, PostState
from offers.retailers import Retailer

LEASE = timedelta(minutes=2)
LATE = timedelta(minutes=2)
WAITING = (PostState.SCHEDULED, PostState.SENDING)
OUT = (PostState.PUBLISHED, PostState.RETIRED)


def lease_due_posts(
    session: Session, *, now: datetime, ahead: timedelta, limit: int = 20
) -> list[Post]:
    """Take posts that are due, so that nobody else takes them.

    Those that go out for the first time are taken *ahead* of it, to be made ready.
    Retailers take turns, so that one with many posts does not keep the others waiting.
    Whoever takes one and dies leaves it to the next, once the lease is over.
    """
    due = (
        col(Post.state).in_(WAITING),
        col(Post.due_at) <= now + ahead,
        (col(Post.due_at) <= now) | _opens_within(now, ahead),
        col(Post.account_id).not_in(_resting(now)),
        col(Post.retailer_id).not_in(_paused()),
    )
    turns = _in_turns(session, due, limit)
    chosen = (*due, col(Post.id).in_(turns))
    return _lease(session, chosen, {"due_at": now + LEASE}, limit)


def keep_lease(session: Session, post: Post, *, now: datetime) -> None:
    """Go on with a lease that is ours, as long as it has not ended."""
    session.exec(
        update(Post)
        .where(
            col(Post.id) == post.id,
            col(Post.fence) == post.fence,
            col(Post.state).in_(WAITING),
            col(Post.due_at) > now,
            col(Post.due_at) < now + LEASE,
        )
        .values(due_at=now + LEASE)
    )


def let_go(session: Session, post: Post, *, until: datetime) -> None:
    """Leave a leased post to whoever comes *until* then: we know no better."""
    ours = (col(Post.id) == post.id, col(Post.fence) == post.fence)
    waits = (col(Post.state).in_(WAITING), col(Post.due_at) > until)
    session.exec(update(Post).where(*ours, *waits).values(due_at=until))


def lease_retiring_posts(
    session: Session, *, now: datetime, limit: int = 20
) -> list[Post]:
    """Take published posts whose deal is over, to edit, answer or delete them.

    Those on an account that lets nobody in wait until it is connected again.
    """
    due = (
        col(Post.state) == PostState.PUBLISHED,
        col(Post.retired_at).is_(None),
        col(Post.retire_at) <= now,
        col(Post.account_id).not_in(_closed()),
    )
    return _lease(session, due, {"retire_at": now + LEASE}, limit)


def mark_published(
    session: Session, post: Post, *, remote_id: str, url: str, now: datetime
) -> None:
    """The post is out: a fact, whoever holds the lease now and whatever they said."""
    session.exec(
        update(Post)
        .where(col(Post.id) == post.id, col(Post.state).not_in(OUT))
        .values(
            state=PostState.PUBLISHED,
            remote_id=remote_id,
            url=url,
            published_at=now,
            failure="",
        )
    )


def mark_failed(session: Session, post: Post, reason: str) -> None:
    """The channel will not take it: a person has to mend something."""
    _change(session, post, state=PostState.FAILED, failure=reason, cost_micros=0)


def mark_unconfirmed(session: Session, post: Post, reason: str) -> None:
    """It may be out or not, and we cannot find out: a person has to look."""
    _change(session, post, state=PostState.UNCONFIRMED, failure=reason)


def mark_skipped(session: Session, post: Post, reason: str) -> None:
    """It is not worth posting any more: sold out or ended before it went out."""
    _change(session, post, state=PostState.SKIPPED, failure=reason, cost_micros=0)


def postpone(session: Session, post: Post, *, until: datetime, reason: str) -> None:
    """Nothing was posted; try the same again at *until*."""
    state = PostState.SCHEDULED
    _change(session, post, state=state, due_at=until, failure=reason, cost_micros=0)


def leave_unconfirmed(
    session: Session, post: Post, *, until: datetime, reason: str
) -> None:
    """It may be out or not; look for it at *until* before anything is repeated."""
    state = PostState.SENDING
    _change(session, post, state=state, due_at=until, failure=reason)


def rest(session: Session, account_id: str, *, until: datetime) -> None:
    """Leave an account alone *until* then, because its network says so."""
    session.exec(
        update(ChannelAccount)
        .where(col(ChannelAccount.id) == account_id)
        .where(
            col(ChannelAccount.rest_until).is_(None)
            | (col(ChannelAccount.rest_until) < until)
        )
        .values(rest_until=until)
    )


def let_stand(session: Session, post: Post) -> None:
    """Units came back and the deal goes on, unless it was over again meanwhile."""
    session.exec(
        update(Post)
        .where(
            col(Post.id) == post.id,
            col(Post.fence) == post.fence,
            col(Post.retire_at) == post.retire_at,
        )
        .values(retire_at=None)
    )


def note_whereabouts(session: Session, post: Post, *, remote_id: str, url: str) -> None:
    """A post that a person said is out was found on its network."""
    _change(session, post, remote_id=remote_id, url=url)


def mark_retired(
    session: Session,
    post: Post,
    text: str,
    *,
    now: datetime,
    cost_micros: int = 0,
    note: str = "",
) -> bool:
    """Note that it is done, at *cost_micros*. Return whether that was ours to say."""
    cost = col(Post.cost_micros) + cost_micros
    facts = {"text": text, "retired_at": now, "cost_micros": cost, "failure": note}
    return _change(session, post, state=PostState.RETIRED, **facts)


def put_off_retiring(
    session: Session, post: Post, *, until: datetime, reason: str
) -> None:
    attempts = post.retire_attempts + 1
    _change(session, post, retire_at=until, retire_attempts=attempts, failure=reason)


def rest_retiring(session: Session, post: Post, *, until: datetime) -> None:
    """Retire nothing on a post's account *until* then, because its network says so.

    The post itself is taken up again then, though its lease may last longer.
    """
    _change(session, post, retire_at=until)
    session.exec(
        update(Post)
        .where(
            col(Post.account_id) == post.account_id,
            col(Post.state) == PostState.PUBLISHED,
            col(Post.retired_at).is_(None),
            col(Post.retire_at) < until,
        )
        .values(retire_at=until)
    )


def give_up_retiring(
    session: Session, post: Post, reason: str, *, now: datetime
) -> None:
    _change(session, post, retired_at=now, failure=reason)


def _opens_within(now: datetime, ahead: timedelta) -> ColumnElement[bool]:
    """What was put off is not due before the instant that it was put off to."""
    first = col(Post.due_at) == col(Post.first_due_at)
    return first & (col(Post.due_at) <= now + ahead)


def _resting(now: datetime) -> SelectOfScalar[str]:
    return select(ChannelAccount.id).where(
        col(ChannelAccount.paused) | (col(ChannelAccount.rest_until) > now)
    )


def _closed() -> SelectOfScalar[str]:
    """Accounts that can only be asked again once somebody has connected them."""
    return select(ChannelAccount.id).where(
        (col(ChannelAccount.trouble) != "")
        | col(ChannelAccount.disconnected_at).is_not(None)
    )


def _paused() -> SelectOfScalar[str]:
    return select(Retailer.id).where(col(Retailer.posts_paused))


def _in_turns(
    session: Session, due: Sequence[ColumnElement[bool]], limit: int
) -> list[str]:
    """Return the posts whose turn it is: each retailer's first one first."""
    place = func.row_number().over(
        partition_by=Post.retailer_id,
        order_by=(col(Post.first_due_at), col(Post.id)),
    )
    ranked = (
        select(Post.id, Post.first_due_at, place.label("place")).where(*due).subquery()
    )
    order = (ranked.c.place, ranked.c.first_due_at)
    return list(session.scalars(select(ranked.c.id).order_by(*order).limit(limit)))


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


def _change(session: Session, post: Post, **values: object) -> bool:
    """Only who holds the lease may say what became of a post. Return whether we do."""
    ours = (col(Post.id) == post.id, col(Post.fence) == post.fence)
    return session.exec(update(Post).where(*ours).values(values)).rowcount == 1
