"""Befores: what an import changed of an offer, kept so that it can be undone.

Of what it made new nothing is kept here: ``Offer.source`` says which import made it.
"""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class OfferBefore(SQLModel, table=True):
    """*before* and *after* are the columns that differ, as JSON objects.

    Days are ISO 8601; texts that are JSON themselves (options, tags) stay texts.
    """

    __tablename__ = "offer_before"
    __table_args__ = (
        Index("ix_offer_before_import", "retailer_id", "import_id", "offer_id"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    import_id: str
    offer_id: str = Field(foreign_key="offer.id", index=True)
    before: str
    after: str
