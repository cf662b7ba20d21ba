"""The wall: what shoppers see of a retailer's deals, each by the link of a post.

Reads only. A retailer's own wall here is the channel ``OUTLET``; shoppers who came by
another channel are led on by that one's links, so that each post's clicks stay its own.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from offers.accounts import OUTLET, Afterwards, ChannelAccount
from offers.catalog import Offer
from offers.deals import Deal, next_deals
from offers.posts import Post, PostKind, PostState
from offers.scope import get_own

SHOWN = (
    PostState.PUBLISHED,
    PostState.RETIRED,
    PostState.SCHEDULED,
    PostState.SENDING,
)


@dataclass(frozen=True, slots=True)
class Posted:
    """A deal, the post that leads to it, and what it looks like."""

    post: Post
    deal: Deal
    picture_id: str | None


def get_posted(
    session: Session, retailer_id: str, deal_id: str, post_id: str
) -> Posted:
    """Return a deal as shoppers came to it.

    Raises:
        Missing: If it or the post is not this retailer's.
    """
    deal = get_own(session, Deal, retailer_id, deal_id)
    post = get_own(session, Post, retailer_id, post_id)
    offer = get_own(session, Offer, retailer_id, deal.offer_id)
    return Posted(post, deal, offer.picture_id)


def posted_on_wall(
    session: Session, retailer_id: str, *, since: datetime, limit: int
) -> list[Posted]:
    """Return what is or will be on a retailer's wall, the latest opening first.

    A deal that closed before *since* is on it no more, nor is one that is over if the
    retailer wants such posts deleted.
    """
    statement = (
        select(Post, Deal, Offer.picture_id, ChannelAccount.afterwards)
        .join(Deal, col(Deal.id) == col(Post.deal_id))
        .join(Offer, col(Offer.id) == col(Deal.offer_id))
        .join(ChannelAccount, col(ChannelAccount.id) == col(Post.account_id))
        .where(
            Post.retailer_id == retailer_id,
            Post.channel == OUTLET,
            col(Post.state).in_(SHOWN),
            col(Deal.closes_at) > since,
        )
        .order_by(col(Deal.opens_at).desc(), col(Post.id).desc())
        .limit(limit)
    )
    return [
        Posted(post, deal, picture_id)
        for post, deal, picture_id, afterwards in session.exec(statement)
        if not (post.state is PostState.RETIRED and afterwards is Afterwards.DELETE)
    ]


def next_posted(
    session: Session, deal: Deal, channel: str, *, now: datetime, limit: int
) -> list[Posted]:
    """Return what else the deal's retailer has, open first, to go on to from *channel*.

    Each by its post there if it has one, else by its post on the wall; a deal that is
    on neither is left out.
    """
    coming = next_deals(session, deal.retailer_id, now=now, limit=limit + 1)
    others = [other.id for other in coming if other.id != deal.id][:limit]
    statement = (
        select(Post, Deal, Offer.picture_id)
        .join(Deal, col(Deal.id) == col(Post.deal_id))
        .join(Offer, col(Offer.id) == col(Deal.offer_id))
        .where(
            Post.retailer_id == deal.retailer_id,
            col(Post.deal_id).in_(others),
            col(Post.kind) == PostKind.ANNOUNCEMENT,
            col(Post.channel).in_([channel, OUTLET]),
        )
        .order_by(col(Post.channel) == channel)
    )
    posted = [Posted(*found) for found in session.exec(statement)]
    best = {one.deal.id: one for one in posted}
    return [best[other] for other in others if other in best]
