"""The catalog: offers, each one product at one retailer, as the last feed told it.

Importing a row twice equals importing it once. What a feed does not say stays as it
was, and an offer that a feed does not mention stays too.
"""

import json
from datetime import date, datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, or_, select

from offers.columns import Moment
from offers.money import Money
from offers.pictures import Picture

PAGE = 50


class Offer(SQLModel, table=True):
    """*price* is what the shop charges now, *list_price* what it says it did before.

    *quantity* is unknown (``None``) until the retailer says it; *counted_at* is the
    moment that their count belongs to. *sale_from* and *sale_to* are the days between
    which the file says that *price* is charged. *first_seen_at* is when a feed first
    brought it, and *source* which import that was. That its retailer is there nobody
    looks up: no retailer goes, and a feed has a million rows.
    """

    __table_args__ = (UniqueConstraint("retailer_id", "sku"),)

    id: str = Field(primary_key=True)
    retailer_id: str
    sku: str
    parent_key: str | None = None
    title: str
    description: str = ""
    brand: str | None = None
    category: str | None = None
    price_amount: int = Field(sa_type=BigInteger)
    list_price_amount: int | None = Field(default=None, sa_type=BigInteger)
    cost_amount: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(max_length=3)
    tax: str = "unknown"
    quantity: int | None = None
    counted_at: datetime | None = Field(default=None, sa_type=Moment)
    gtin: str | None = None
    condition: str | None = None
    image_url: str | None = None
    picture_id: str | None = Field(default=None, foreign_key="picture.id")
    options: str = "[]"  # JSON pairs of name and value
    mpn: str | None = None
    tags: str = "[]"  # JSON texts
    image_urls: str = "[]"  # JSON addresses; the first is image_url
    sale_from: date | None = None
    sale_to: date | None = None
    imported_at: datetime = Field(sa_type=Moment)
    first_seen_at: datetime | None = Field(default=None, sa_type=Moment)
    source: str = ""

    @property
    def price(self) -> Money:
        return Money(self.price_amount, self.currency)

    @property
    def cost(self) -> Money | None:
        if self.cost_amount is None:
            return None
        return Money(self.cost_amount, self.currency)

    @property
    def variant(self) -> str:
        """The option values in a line, such as ``Blue / 42``."""
        return " / ".join(value for _, value in json.loads(self.options))


def offers(
    session: Session, retailer_id: str, *, search: str = "", page: int = 1
) -> list[Offer]:
    """Return a page of a retailer's offers: those with stock first, then by title."""
    statement = select(Offer).where(Offer.retailer_id == retailer_id)
    if search:
        found = [
            column.icontains(search, autoescape=True)
            for column in (col(Offer.title), col(Offer.sku))
        ]
        statement = statement.where(or_(*found))
    statement = statement.order_by(
        col(Offer.quantity).is_(None),
        col(Offer.quantity) <= 0,
        col(Offer.title),
        col(Offer.id),
    )
    return list(session.exec(statement.limit(PAGE).offset((page - 1) * PAGE)))


def find_offer_by_sku(session: Session, retailer_id: str, sku: str) -> Offer | None:
    statement = select(Offer).where(Offer.retailer_id == retailer_id, Offer.sku == sku)
    return session.exec(statement).one_or_none()


def hang_picture(session: Session, offer: Offer, picture: Picture) -> None:
    """Show *picture* wherever *offer* is shown."""
    offer.picture_id = picture.id
    session.add(offer)
