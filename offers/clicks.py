"""Clicks: shoppers arriving from a post, counted by the minute.

Robots that fetch a link to draw its preview are counted apart: a preview is no click.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from offers.columns import Moment, word


class Visitor(StrEnum):
    PERSON = "person"
    ROBOT = "robot"


class Click(SQLModel, table=True):
    """*count* arrivals by one kind of visitor at one post within *minute*."""

    post_id: str = Field(primary_key=True, foreign_key="post.id")
    minute: datetime = Field(primary_key=True, sa_type=Moment)
    visitor: Visitor = Field(primary_key=True, sa_type=word(Visitor))
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    deal_id: str = Field(foreign_key="deal.id", index=True)
    count: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """Who came, by which post, in which minute."""

    retailer_id: str
    deal_id: str
    post_id: str
    minute: datetime
    visitor: Visitor


def _place(counted: tuple[Arrived, int]) -> tuple[str, datetime, str]:
    """Two processes must write the same rows in the same order, or they deadlock."""
    arrived, _ = counted
    return arrived.post_id, arrived.minute, arrived.visitor


def record_clicks(session: Session, counts: Mapping[Arrived, int]) -> None:
    """Add a batch of arrivals to what was counted."""
    rows = [
        {
            "post_id": arrived.post_id,
            "minute": arrived.minute,
            "visitor": arrived.visitor,
            "retailer_id": arrived.retailer_id,
            "deal_id": arrived.deal_id,
            "count": count,
        }
        for arrived, count in sorted(counts.items(), key=_place)
    ]
    if not rows:
        return
    on_postgres = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(Click) if on_postgres else sqlite.insert(Click)
    statement = insert.values(rows)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["post_id", "minute", "visitor"],
            set_={"count": col(Click.count) + statement.excluded.count},
        )
    )
