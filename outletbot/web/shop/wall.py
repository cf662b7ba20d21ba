"""The wall: a retailer's deals on this installation, as their own channel shows them.

A deal is on it if its post there is out; what is scheduled there is coming; what is
over stays for a while, unless the retailer wants such posts deleted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from offers.accounts import OUTLET, Afterwards, ChannelAccount
from offers.catalog import Offer
from offers.deals import Deal, Phase
from offers.posts import Post, PostState
from offers.retailers import Retailer, get_retailer_by_slug
from outletbot.web.shop.cards import Card, card_of
from outletbot.web.shop.deal_view import Seller, seller_of

MOST = 60
MOST_OVER = 12
REMEMBERED = timedelta(days=30)

OUT = frozenset({PostState.PUBLISHED, PostState.RETIRED})
SHOWN = [*OUT, PostState.SCHEDULED, PostState.SENDING]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A deal that was announced on the wall, as a feed tells it."""

    post_id: str
    card: Card
    pitch: str
    published_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    seller: Seller
    about: str
    open: tuple[Card, ...]
    coming: tuple[Card, ...]
    over: tuple[Card, ...]
    entries: tuple[Entry, ...]
    changes_at: datetime | None

    @property
    def updated_at(self) -> datetime | None:
        return max((entry.updated_at for entry in self.entries), default=None)


@dataclass(frozen=True, slots=True)
class _Posted:
    post: Post
    deal: Deal
    card: Card


def read_wall(session: Session, slug: str, *, now: datetime) -> Wall:
    """Return the wall of the retailer with this *slug*.

    Raises:
        Missing: If there is none.
    """
    retailer = get_retailer_by_slug(session, slug)
    posted = _posted(session, retailer, now)
    out = [one for one in posted if one.post.state in OUT]
    waiting = [one for one in posted if one.post.state not in OUT]
    return Wall(
        seller=seller_of(retailer),
        about=retailer.about,
        open=_soonest_first(one for one in out if not one.card.is_over),
        coming=_soonest_first(
            one for one in waiting if one.card.phase is Phase.SCHEDULED
        ),
        over=tuple(one.card for one in out if one.card.is_over)[:MOST_OVER],
        entries=tuple(_entry(one) for one in out),
        changes_at=_next_change(posted, now),
    )


def _posted(session: Session, retailer: Retailer, now: datetime) -> list[_Posted]:
    """The latest first."""
    statement = (
        select(Post, Deal, Offer.picture_id, ChannelAccount.afterwards)
        .join(Deal, col(Deal.id) == col(Post.deal_id))
        .join(Offer, col(Offer.id) == col(Deal.offer_id))
        .join(ChannelAccount, col(ChannelAccount.id) == col(Post.account_id))
        .where(
            Post.retailer_id == retailer.id,
            Post.channel == OUTLET,
            col(Post.state).in_(SHOWN),
            col(Deal.closes_at) > now - REMEMBERED,
        )
        .order_by(col(Deal.opens_at).desc(), col(Post.id).desc())
        .limit(MOST)
    )
    return [
        _Posted(post, deal, card_of(deal, post.code, picture_id, now=now))
        for post, deal, picture_id, afterwards in session.exec(statement)
        if not (post.state is PostState.RETIRED and afterwards is Afterwards.DELETE)
    ]


def _soonest_first(posted: Iterable[_Posted]) -> tuple[Card, ...]:
    cards = [one.card for one in posted]
    return tuple(sorted(cards, key=lambda card: (card.opens_at, card.closes_at)))


def _entry(one: _Posted) -> Entry:
    published_at = one.post.published_at or one.deal.opens_at
    return Entry(
        post_id=one.post.id,
        card=one.card,
        pitch=one.deal.pitch,
        published_at=published_at,
        updated_at=max(published_at, _over_since(one) or published_at),
    )


def _over_since(one: _Posted) -> datetime | None:
    if one.card.phase is Phase.SOLD_OUT:
        return one.deal.sold_out_at
    return one.deal.closes_at if one.card.is_over else None


def _next_change(posted: list[_Posted], now: datetime) -> datetime | None:
    instants = (at for p in posted for at in (p.card.opens_at, p.card.closes_at))
    return min((at for at in instants if at > now), default=None)
