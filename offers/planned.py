"""Planned posts: all that bears on whether they go out, read in a few queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from offers.accounts import ChannelAccount
from offers.allowances import MONTH, SENT
from offers.beats import WorkerBeat, last_beat
from offers.catalog import Offer
from offers.deals import Deal
from offers.posts import Post, PostState
from offers.prices import Reduction, read_ledgers
from offers.retailers import Retailer, get_retailer

PLANNED = (PostState.SCHEDULED, PostState.UNAPPROVED)


@dataclass(frozen=True, slots=True)
class Sending:
    """When a post of an account is or was sent, and what it cost if it was."""

    at: datetime
    post_id: str
    cost_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What we know of a planned post without asking anybody else.

    *stock* is what the retailer has of the offer; None is not known. *sendings* are all
    of its account, of 30 days past and yet to come, in their order. *beat* is the last
    that was heard of any worker.
    """

    post: Post
    deal: Deal
    account: ChannelAccount
    posts_paused: bool = False
    picture_id: str | None = None
    stock: int | None = None
    sendings: Sequence[Sending] = ()
    beat: WorkerBeat | None = None


def due_of(post: Post, now: datetime) -> datetime:
    """Return when a post goes out: what is late goes out now at the earliest."""
    return max(post.first_due_at, now)


def read_plans(session: Session, retailer_id: str, *, now: datetime) -> list[Plan]:
    """Return all of a retailer's posts that are planned, in the order they are due."""
    retailer, beat = get_retailer(session, retailer_id), last_beat(session)
    rows = _planned(session, retailer)
    sendings = _sendings(session, retailer_id, [row[0] for row in rows], now=now)
    return [
        Plan(
            post,
            deal,
            account,
            posts_paused=retailer.posts_paused,
            picture_id=offer.picture_id,
            stock=offer.quantity,
            sendings=sendings[account.id],
            beat=beat,
        )
        for post, deal, account, offer in rows
    ]


def read_reductions(
    session: Session, deals: Iterable[Deal]
) -> dict[str, Reduction | None]:
    """Return what may be announced of each deal as known today, by the deals' ids.

    That is what ``deals.expected_reduction`` says, for many deals in a few queries.
    """
    wanted = {deal.id: deal for deal in deals}
    found = {one.id: one.reduction for one in wanted.values() if one.opened_at}
    by_retailer: dict[str, list[Deal]] = defaultdict(list)
    for deal in wanted.values():
        if deal.opened_at is None:
            by_retailer[deal.retailer_id].append(deal)
    for retailer_id, coming in by_retailer.items():
        offers = {deal.offer_id for deal in coming}
        first = min(deal.opens_at for deal in coming)
        ledgers = read_ledgers(session, retailer_id, offers, around=first)
        for deal in coming:
            found[deal.id] = ledgers.reduction(
                deal.offer_id, deal.price, at=deal.opens_at
            )
    return found


def _planned(
    session: Session, retailer: Retailer
) -> Sequence[tuple[Post, Deal, ChannelAccount, Offer]]:
    statement = (
        select(Post, Deal, ChannelAccount, Offer)
        .join(Deal, col(Deal.id) == col(Post.deal_id))
        .join(ChannelAccount, col(ChannelAccount.id) == col(Post.account_id))
        .join(Offer, col(Offer.id) == col(Deal.offer_id))
        .where(Post.retailer_id == retailer.id, col(Post.state).in_(PLANNED))
        .order_by(col(Post.first_due_at), col(Post.id))
    )
    return session.exec(statement).all()


def _sendings(
    session: Session, retailer_id: str, planned: Iterable[Post], *, now: datetime
) -> dict[str, list[Sending]]:
    """Return what each account has sent in 30 days or is to send, in its order."""
    past = session.exec(
        select(Post.account_id, Post.begun_at, Post.id, Post.cost_micros).where(
            Post.retailer_id == retailer_id,
            col(Post.begun_at) > now - MONTH,
            col(Post.state).in_(SENT),
        )
    )
    found: dict[str, list[Sending]] = defaultdict(list)
    for account_id, at, post_id, cost in past:
        if at is not None:
            found[account_id].append(Sending(at, post_id, cost))
    for post in planned:
        found[post.account_id].append(Sending(due_of(post, now), post.id))
    for sent in found.values():
        sent.sort(key=lambda one: (one.at, one.post_id))
    return found
