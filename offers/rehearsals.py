"""Rehearsals: a deal played in a copy, and what came of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from offers.columns import Moment, word


class RehearsalState(StrEnum):
    WAITING = "waiting"
    PLAYING = "playing"
    DONE = "done"
    FAILED = "failed"


class Rehearsal(SQLModel, table=True):
    """*report* is what ``outletbot rehearse --json`` prints, once it is done."""

    __table_args__ = (Index("ix_rehearsal_deal", "retailer_id", "deal_id"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    deal_id: str = Field(foreign_key="deal.id")
    shoppers: int
    faults: bool = True
    state: RehearsalState = Field(
        default=RehearsalState.WAITING, sa_type=word(RehearsalState)
    )
    stage: str = ""
    report: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    failure: str = ""
    asked_by: str = ""
    asked_at: datetime = Field(sa_type=Moment)
    due_at: datetime = Field(sa_type=Moment, index=True)
    attempts: int = 0
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
