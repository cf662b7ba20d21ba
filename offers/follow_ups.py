"""Follow-ups: what is said of a deal while it runs, each once and never falsely."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from offers.accounts import ChannelAccount
from offers.deals import Deal, Phase
from offers.ids import new_code, new_id
from offers.posts import Post, PostKind, PostState

LAST_UNITS = 5
ENDING = timedelta(hours=1)
OVER = frozenset({Phase.SOLD_OUT, Phase.ENDED})
FOLLOW_UPS = (PostKind.HALF_GONE, PostKind.LAST_UNITS, PostKind.ENDING)
"""What a retailer can switch on for an account; the end is the account's choice."""


def unsold(deal: Deal) -> int:
    """Return how many units nobody has paid for: what is held may come back."""
    return deal.allotment - deal.withheld - deal.sold


def is_worth_saying(kind: PostKind, deal: Deal, *, now: datetime) -> bool:
    """Whether a post of this *kind* is true of *deal* now, and of use to anybody."""
    if kind is PostKind.ANNOUNCEMENT:
        return deal.phase(now) not in OVER
    if kind is PostKind.OVER:
        return deal.phase(now) in OVER
    if deal.phase(now) is not Phase.OPEN:
        return False
    if kind is PostKind.HALF_GONE:
        return deal.sold >= unsold(deal) > LAST_UNITS
    if kind is PostKind.LAST_UNITS:
        return unsold(deal) <= LAST_UNITS < deal.allotment - deal.withheld
    return _is_ending(deal, now)


def _is_ending(deal: Deal, now: datetime) -> bool:
    """A deal of less than two hours ends soon from the beginning."""
    long = deal.closes_at - deal.opens_at >= 2 * ENDING
    return long and now >= deal.closes_at - ENDING


def follow_up(session: Session, *, now: datetime) -> list[Post]:
    """Plan what is to be said now of the deals that are open, on the accounts that may.

    What is planned is due at once and answers the announcement. What was passed over,
    since it was not true in the moment that counted, is planned again.
    """
    posts = []
    for announcement, deal, account in _announced(session):
        for kind in FOLLOW_UPS:
            if kind not in account.follows_up or not is_worth_saying(
                kind, deal, now=now
            ):
                continue
            said = _find(session, announcement, kind)
            if said is None:
                posts.append(say(session, announcement, kind, now=now))
            elif said.state is PostState.SKIPPED and not said.attempts:
                posts.append(_plan_again(said, now=now))
    session.flush()
    return posts


def say(session: Session, announcement: Post, kind: PostKind, *, now: datetime) -> Post:
    """Plan a post that answers *announcement*, due at once."""
    post = Post(
        id=new_id("post", now),
        retailer_id=announcement.retailer_id,
        deal_id=announcement.deal_id,
        account_id=announcement.account_id,
        channel=announcement.channel,
        kind=kind,
        answers_id=announcement.id,
        code=new_code(),
        due_at=now,
        first_due_at=now,
    )
    session.add(post)
    return post


def is_said(session: Session, announcement: Post, kind: PostKind) -> bool:
    """Whether the account has a post of this *kind* about the deal, out or planned."""
    return _find(session, announcement, kind) is not None


def _find(session: Session, announcement: Post, kind: PostKind) -> Post | None:
    same = (
        col(Post.deal_id) == announcement.deal_id,
        col(Post.account_id) == announcement.account_id,
        col(Post.kind) == kind,
    )
    return session.exec(select(Post).where(*same)).first()


def _plan_again(post: Post, *, now: datetime) -> Post:
    post.state, post.failure = PostState.SCHEDULED, ""
    post.due_at = post.first_due_at = now
    post.fence += 1
    return post


def _announced(session: Session) -> list[tuple[Post, Deal, ChannelAccount]]:
    statement = (
        select(Post, Deal, ChannelAccount)
        .join(Deal, col(Deal.id) == col(Post.deal_id))
        .join(ChannelAccount, col(ChannelAccount.id) == col(Post.account_id))
        .where(
            col(Deal.opened_at).is_not(None),
            col(Deal.closed_at).is_(None),
            col(Deal.sold_out_at).is_(None),
            col(ChannelAccount.follow_ups) != "",
            col(ChannelAccount.disconnected_at).is_(None),
            col(Post.kind) == PostKind.ANNOUNCEMENT,
            col(Post.state) == PostState.PUBLISHED,
        )
        .with_for_update(of=Post, skip_locked=True)
    )
    return list(session.exec(statement))
