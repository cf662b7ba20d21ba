"""The wall: a retailer's deals on this installation, as their own channel shows them.

A deal is on it if its post there is out; what is scheduled there is coming; what is
over stays for a while, unless the retailer wants such posts deleted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from offers.deals import Phase
from offers.posts import PostState
from offers.retailers import get_retailer_by_slug
from offers.wall import Posted, posted_on_wall
from outletbot.web.shop.cards import Card, card_of
from outletbot.web.shop.deal_view import Seller, seller_of

MOST = 60
MOST_OVER = 12
REMEMBERED = timedelta(days=30)

OUT = frozenset({PostState.PUBLISHED, PostState.RETIRED})


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
class _Shown:
    posted: Posted
    card: Card

    @property
    def is_out(self) -> bool:
        return self.posted.post.state in OUT


def read_wall(session: Session, slug: str, *, now: datetime) -> Wall:
    """Return the wall of the retailer with this *slug*.

    Raises:
        Missing: If there is none.
    """
    retailer = get_retailer_by_slug(session, slug)
    posted = posted_on_wall(session, retailer.id, since=now - REMEMBERED, limit=MOST)
    shown = [_Shown(one, card_of(one, now=now)) for one in posted]
    out = [one for one in shown if one.is_out]
    waiting = [one for one in shown if not one.is_out]
    return Wall(
        seller=seller_of(retailer),
        about=retailer.about,
        open=_soonest_first(one for one in out if not one.card.is_over),
        coming=_soonest_first(
            one for one in waiting if one.card.phase is Phase.SCHEDULED
        ),
        over=tuple(one.card for one in out if one.card.is_over)[:MOST_OVER],
        entries=tuple(_entry(one) for one in out),
        changes_at=_next_change(shown, now),
    )


def _soonest_first(shown: Iterable[_Shown]) -> tuple[Card, ...]:
    cards = [one.card for one in shown]
    return tuple(sorted(cards, key=lambda card: (card.opens_at, card.closes_at)))


def _entry(one: _Shown) -> Entry:
    post, deal = one.posted.post, one.posted.deal
    published_at = post.published_at or deal.opens_at
    return Entry(
        post_id=post.id,
        card=one.card,
        pitch=deal.pitch,
        published_at=published_at,
        updated_at=max(published_at, _over_since(one) or published_at),
    )


def _over_since(one: _Shown) -> datetime | None:
    if one.card.phase is Phase.SOLD_OUT:
        return one.posted.deal.sold_out_at
    return one.posted.deal.closes_at if one.card.is_over else None


def _next_change(shown: list[_Shown], now: datetime) -> datetime | None:
    cards = [one.card for one in shown]
    instants = (at for card in cards for at in (card.opens_at, card.closes_at))
    return min((at for at in instants if at > now), default=None)
