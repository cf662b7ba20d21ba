"""A retailer's shops as its people see them: who was heard, and what is not known."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from offers.holds import Hold
from offers.losing import lost_holds
from offers.retailers import Retailer, get_retailer
from offers.scope import get_own
from offers.shop_items import Unknown, unknown_of, waiting_counts
from offers.shop_keeping import Place, places
from offers.shops import (
    BY_FILE,
    BY_MESSAGE,
    ShopConnection,
    ShopKind,
    WaitingCount,
    shops,
)

NOTHING = Unknown(0, 0)

OURS = (ShopKind.WOOCOMMERCE, ShopKind.GENERIC)
"""The kinds whose secret is made here; the others' is made there."""

TELLABLE = (ShopKind.SHOPIFY, ShopKind.WOOCOMMERCE)
"""The kinds that we can tell what was sold here."""


@dataclass(frozen=True, slots=True)
class ShopCard:
    """A shop, and how much it said of what we do not know."""

    shop: ShopConnection
    unknown: Unknown

    @property
    def state(self) -> str:
        if self.shop.paused:
            return "paused"
        return "heard" if self.shop.last_heard_at else "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopsView:
    retailer: Retailer
    cards: list[ShopCard]
    places: list[Place]
    names: dict[str, str]
    lost: list[Hold]
    own: Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopView:
    card: ShopCard
    waiting: list[WaitingCount]
    now: datetime

    @property
    def shop(self) -> ShopConnection:
        return self.card.shop

    @property
    def old_secret_until(self) -> datetime | None:
        until = self.shop.old_secret_until
        return until if until is not None and until > self.now else None


def read_shops(session: Session, retailer_id: str) -> ShopsView:
    """Return all shops of a retailer, and the places of its stock."""
    mine, unknown = shops(session, retailer_id), unknown_of(session, retailer_id)
    return ShopsView(
        retailer=get_retailer(session, retailer_id),
        cards=[ShopCard(shop, unknown.get(shop.id, NOTHING)) for shop in mine],
        places=places(session, retailer_id),
        names={shop.id: shop.name for shop in mine} | {BY_FILE: "", BY_MESSAGE: ""},
        lost=lost_holds(session, retailer_id),
        own=unknown.get(BY_MESSAGE, NOTHING),
    )


def read_shop(
    session: Session, retailer_id: str, shop_id: str, *, now: datetime
) -> ShopView:
    """Return one shop.

    Raises:
        Missing: If it is not this retailer's.
    """
    shop = get_own(session, ShopConnection, retailer_id, shop_id)
    unknown = unknown_of(session, retailer_id).get(shop_id, NOTHING)
    return ShopView(
        card=ShopCard(shop, unknown),
        waiting=waiting_counts(session, retailer_id, shop_id),
        now=now,
    )
