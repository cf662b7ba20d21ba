"""Shops: the shops and tills that tell us their stock, and what is known of them.

A shop says how many of an *item* it has at a *place*. An item goes by the shop's own
key, which is learned to be a SKU; only counts of places that the retailer lets count
are added up (``offers.levels``). Secrets are sealed: only the service can open them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment, word

BY_FILE = ""
"""The shop of places that a feed's file names."""

BY_MESSAGE = "stock"
"""The shop of places named by messages to the retailer's own address for its stock."""


class ShopKind(StrEnum):
    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    SQUARE = "square"
    GENERIC = "generic"


class ShopConnection(SQLModel, table=True):
    """*address* is where the shop itself is, such as ``https://x.myshopify.com``.

    Messages are signed with the secret; the old one is good until *old_secret_until*.
    The token is what we may act with there: Shopify's Admin API token, WooCommerce's
    ``key:secret``. *notification_url* is our own address as Square was told it, which
    its signatures are about. With *tells_back* the shop is told what was sold here.
    """

    __tablename__ = "shop_connection"

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    kind: ShopKind = Field(sa_type=word(ShopKind))
    name: str
    address: str = ""
    sealed_secret: str = Field(default="", repr=False)
    sealed_old_secret: str = Field(default="", repr=False)
    old_secret_until: datetime | None = Field(default=None, sa_type=Moment)
    sealed_token: str = Field(default="", repr=False)
    notification_url: str = ""
    tells_back: bool = False
    paused: bool = False
    last_heard_at: datetime | None = Field(default=None, sa_type=Moment)
    last_message: str = ""
    created_at: datetime = Field(sa_type=Moment)


class ShopItem(SQLModel, table=True):
    """What a shop's key stands for; *as_of* is the shop's time of its last word on it.

    *item_key* is Shopify's inventory item, WooCommerce's product or variation, Square's
    catalogue object. *place_key* is where it is kept if the shop has a place for it.
    """

    __tablename__ = "shop_item"
    __table_args__ = (
        UniqueConstraint("shop_id", "item_key"),
        Index("ix_shop_item_sku", "retailer_id", "sku"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    shop_id: str
    item_key: str
    parent_key: str = ""
    sku: str
    place_key: str = ""
    learned_at: datetime = Field(sa_type=Moment)
    as_of: datetime | None = Field(default=None, sa_type=Moment)


class StockPlace(SQLModel, table=True):
    """Where stock is kept; what is there is for sale here only if it *counts*."""

    __tablename__ = "stock_place"
    __table_args__ = (UniqueConstraint("retailer_id", "shop_id", "place_key"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    shop_id: str = BY_FILE
    place_key: str
    name: str
    counts: bool = True


class StockLevel(SQLModel, table=True):
    """How many there are at a place; a shop may say less than none.

    *counted_at* is the shop's moment of the count; *told_at*, where the shop says it,
    when it sent the message: it decides between two counts of one second.
    """

    __tablename__ = "stock_level"
    __table_args__ = (
        UniqueConstraint("offer_id", "place_id"),
        Index("ix_stock_level_place", "place_id"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    offer_id: str = Field(foreign_key="offer.id")
    place_id: str = Field(foreign_key="stock_place.id")
    quantity: int
    counted_at: datetime = Field(sa_type=Moment)
    told_at: datetime | None = Field(default=None, sa_type=Moment)


class WaitingCount(SQLModel, table=True):
    """The last count of a thing that we do not know, or from a shop that is paused.

    It is taken over once the thing is known; *times* is how often it was told.
    """

    __tablename__ = "waiting_count"
    __table_args__ = (
        UniqueConstraint("shop_id", "item_key", "place_key"),
        Index("ix_waiting_count_retailer", "retailer_id", "shop_id"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    shop_id: str
    item_key: str
    sku: str = ""
    place_key: str = ""
    quantity: int | None = None
    counted_at: datetime = Field(sa_type=Moment)
    told_at: datetime | None = Field(default=None, sa_type=Moment)
    source_id: str = ""
    times: int = 1
    last_heard_at: datetime = Field(sa_type=Moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemWord:
    """A shop's word on one of its items, as of a moment of its own.

    *price* and *list_price* are amounts in the major unit, without a currency.
    """

    item_key: str
    sku: str
    as_of: datetime
    parent_key: str = ""
    price: Decimal | None = None
    list_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountWord:
    """A shop's word on how many of an item there are, as of a moment of its own.

    Without a *place_key* it is all there are. A *quantity* of ``None`` says that
    nobody counts the item there.
    """

    item_key: str
    quantity: int | None
    counted_at: datetime
    sku: str = ""
    place_key: str | None = ""
    told_at: datetime | None = None

    def is_before(self, counted_at: datetime, told_at: datetime | None) -> bool:
        """Whether it is older than what was counted and told then.

        Of the same moment none is, unless it is known when both were told.
        """
        if self.counted_at != counted_at or self.told_at is None or told_at is None:
            return self.counted_at < counted_at
        return self.told_at < told_at


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that one message of a shop says of its goods."""

    items: tuple[ItemWord, ...] = ()
    counts: tuple[CountWord, ...] = ()
    whole: tuple[tuple[str, datetime], ...] = ()
    """Products of which the items are all there are at a moment; or it has none."""


def shops(session: Session, retailer_id: str) -> list[ShopConnection]:
    """Return the shops that a retailer has connected, the first one first."""
    mine = select(ShopConnection).where(ShopConnection.retailer_id == retailer_id)
    return list(session.exec(mine.order_by(col(ShopConnection.id))))


def find_shop(session: Session, shop_id: str) -> ShopConnection | None:
    """Return a shop by the address that it sends to, whosever it is."""
    return session.get(ShopConnection, shop_id)


def note_heard(session: Session, shop_id: str, message: str, *, now: datetime) -> bool:
    """Note that a message of the shop came whose signature was right.

    From then on the shop is ours until we are done. Return whether there is one.
    """
    heard = session.exec(
        update(ShopConnection)
        .where(col(ShopConnection.id) == shop_id)
        .values(last_heard_at=now, last_message=message)
    )
    return heard.rowcount == 1
