"""Declarations: what a retailer says it charged before our own log begins.

Who says so, when, of which days and on what basis is kept for good. A declaration is
never changed: one that was wrong is revoked, by another that says so. It counts for the
days before the log only, for the log knows better, and it is marked wherever it counts.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment, word
from offers.money import Money


class Scope(StrEnum):
    """Of what a declaration speaks: one offer, or all of an import."""

    OFFER = "offer"
    FILE = "file"
    REVOCATION = "revocation"


class PriceDeclaration(SQLModel, table=True):
    """*name* is that of the merchant *declared_by*, as it was then."""

    __tablename__ = "price_declaration"
    __table_args__ = (
        UniqueConstraint("revokes_id"),
        Index("ix_price_declaration_retailer", "retailer_id", "declared_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    scope: Scope = Field(sa_type=word(Scope))
    subject_id: str
    from_on: date
    to_on: date
    basis: str
    declared_by: str
    name: str
    declared_at: datetime = Field(sa_type=Moment)
    revokes_id: str | None = Field(default=None, foreign_key="price_declaration.id")


class DeclaredPrice(SQLModel, table=True):
    """What a declaration says of one offer."""

    __tablename__ = "declared_price"
    __table_args__ = (Index("ix_declared_price_offer", "retailer_id", "offer_id"),)

    declaration_id: str = Field(foreign_key="price_declaration.id", primary_key=True)
    offer_id: str = Field(foreign_key="offer.id", primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    price_amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    tax: str = "unknown"

    @property
    def price(self) -> Money:
        return Money(self.price_amount, self.currency)


Declared = tuple[PriceDeclaration, DeclaredPrice]


def declared_prices(
    session: Session, retailer_id: str, offer_ids: Collection[str]
) -> dict[str, list[Declared]]:
    """Return what is declared of offers and was not revoked, by their ids."""
    revoked = select(PriceDeclaration.revokes_id).where(
        PriceDeclaration.retailer_id == retailer_id,
        col(PriceDeclaration.revokes_id).is_not(None),
    )
    statement = (
        select(PriceDeclaration, DeclaredPrice)
        .join(
            DeclaredPrice,
            col(DeclaredPrice.declaration_id) == col(PriceDeclaration.id),
        )
        .where(
            DeclaredPrice.retailer_id == retailer_id,
            col(DeclaredPrice.offer_id).in_(offer_ids),
            col(PriceDeclaration.id).not_in(revoked),
        )
        .order_by(col(PriceDeclaration.from_on), col(PriceDeclaration.id))
    )
    found: dict[str, list[Declared]] = defaultdict(list)
    for declaration, price in session.exec(statement):
        found[price.offer_id].append((declaration, price))
    return found


def declarations(
    session: Session, retailer_id: str, *, subjects: Collection[str] = ()
) -> Sequence[PriceDeclaration]:
    """Return what a retailer declared and revoked, the latest first.

    With *subjects* only what was said of these.
    """
    statement = select(PriceDeclaration).where(
        PriceDeclaration.retailer_id == retailer_id
    )
    if subjects:
        statement = statement.where(col(PriceDeclaration.subject_id).in_(subjects))
    latest = (col(PriceDeclaration.declared_at).desc(), col(PriceDeclaration.id).desc())
    return session.exec(statement.order_by(*latest)).all()
