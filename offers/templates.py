"""Templates: how a retailer words its posts, by language, kind and network."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from offers.columns import Moment


class PostTemplate(SQLModel, table=True):
    """*body* is text with fields in braces; an empty *network* is for all of them.

    Where a retailer has none, the sentences that outletbot comes with are used.
    """

    __tablename__ = "post_template"
    __table_args__ = (UniqueConstraint("retailer_id", "language", "kind", "network"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    language: str = Field(max_length=2)
    kind: str
    network: str = ""
    body: str
    changed_at: datetime = Field(sa_type=Moment)
