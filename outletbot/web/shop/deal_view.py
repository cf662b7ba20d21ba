"""A deal as its page shows it: everything on it, and nothing that changes by request.

Equal views make equal pages, so a page is rendered once for each view.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from offers.catalog import Offer
from offers.deals import Deal, Phase
from offers.pictures import find_picture_size
from offers.posts import get_post_by_code
from offers.retailers import Retailer, get_retailer
from offers.wall import Posted
from outletbot.web.shop.cards import Card, card_of, next_cards


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells, and where their clocks stand."""

    name: str
    slug: str
    identity: str
    shop_url: str
    language: str
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def place(self) -> str:
        """Whose time it is: ``Paris`` for Europe/Paris."""
        return self.time_zone.rpartition("/")[2].replace("_", " ")


@dataclass(frozen=True, slots=True)
class Photo:
    id: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DealView:
    deal_id: str
    post_id: str
    retailer_id: str
    card: Card
    pitch: str
    description: str
    brand: str
    variant: str
    condition: str
    gtin: str
    limit: int
    hold_for: timedelta
    pay_online: bool
    reserve_until: datetime | None
    seller: Seller
    photo: Photo | None
    next: tuple[Card, ...]
    changes_at: datetime | None

    @property
    def code(self) -> str:
        return self.card.code

    @property
    def phase(self) -> Phase:
        return self.card.phase

    @property
    def is_over(self) -> bool:
        return self.card.is_over


@dataclass(frozen=True, slots=True)
class Refused:
    """A deal as it is shown to who got no unit of it, and why."""

    view: DealView
    reason: str


def read_deal(session: Session, code: str, *, now: datetime) -> DealView:
    """Return the deal behind the link that ends in *code*.

    Raises:
        Missing: If there is none.
    """
    post = get_post_by_code(session, code)
    deal = session.get_one(Deal, post.deal_id)
    offer = session.get_one(Offer, deal.offer_id)
    return DealView(
        deal_id=deal.id,
        post_id=post.id,
        retailer_id=deal.retailer_id,
        card=card_of(Posted(post, deal, offer.picture_id), now=now),
        pitch=deal.pitch,
        description=offer.description,
        brand=offer.brand or "",
        variant=offer.variant,
        condition=offer.condition or "",
        gtin=offer.gtin or "",
        limit=deal.limit_per_shopper,
        hold_for=deal.hold_for,
        pay_online=deal.pay_online,
        reserve_until=deal.reserve_until,
        seller=seller_of(get_retailer(session, deal.retailer_id)),
        photo=_photo(session, offer),
        next=next_cards(session, deal, post.channel, now=now),
        changes_at=_next_change(deal, now),
    )


def seller_of(retailer: Retailer) -> Seller:
    return Seller(
        name=retailer.name,
        slug=retailer.slug,
        identity=retailer.seller,
        shop_url=retailer.shop_url,
        language=retailer.language,
        time_zone=retailer.time_zone,
    )


def _photo(session: Session, offer: Offer) -> Photo | None:
    picture_id = offer.picture_id
    if picture_id is None:
        return None
    size = find_picture_size(session, offer.retailer_id, picture_id)
    return None if size is None else Photo(picture_id, *size)


def _next_change(deal: Deal, now: datetime) -> datetime | None:
    coming = [at for at in (deal.opens_at, deal.closes_at) if at > now]
    return min(coming, default=None)
