"""Rehearsals: a deal played in a copy, and what came of it.

    waiting → playing → done | failed

A worker plays one at a time. Where it stands is told by its *stage*, a ``Progress`` in
JSON; what came of it is in its *report*.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, Session, SQLModel, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from offers.columns import Moment, word
from offers.deals import Deal
from offers.errors import InvalidField
from offers.ids import new_id
from offers.leases import lease
from offers.scope import get_own
from offers.sentences import Sentence

MOST_SHOPPERS = 20_000
LONGEST = timedelta(minutes=20)
"""How long one may take, its beginning and its end included."""


class RehearsalState(StrEnum):
    WAITING = "waiting"
    PLAYING = "playing"
    DONE = "done"
    FAILED = "failed"


UNDER_WAY = (RehearsalState.WAITING, RehearsalState.PLAYING)


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

    @property
    def under_way(self) -> bool:
        return self.state in UNDER_WAY


class Stage(StrEnum):
    """What is being done, in this order."""

    COPYING = "copying"
    OPENING = "opening"
    SELLING = "selling"
    SETTLING = "settling"
    AUDITING = "auditing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a rehearsal stands. *seconds* are from the deal's opening, or before it."""

    stage: Stage
    seconds: float = 0.0
    units: int = 0
    held: int = 0
    sold: int = 0
    shoppers: int = 0
    gone: int = 0

    @property
    def free(self) -> int:
        return self.units - self.held - self.sold


def dump_progress(progress: Progress) -> str:
    return json.dumps(asdict(progress))


def load_progress(text: str) -> Progress | None:
    """Return what ``dump_progress`` wrote; nothing if that is not what *text* is."""
    try:
        said = json.loads(text)
        return Progress(**{**said, "stage": Stage(said["stage"])})
    except (ValueError, TypeError, KeyError):
        return None


def ask_rehearsal(
    session: Session,
    retailer_id: str,
    deal_id: str,
    *,
    shoppers: int,
    faults: bool,
    asked_by: str = "",
    now: datetime,
) -> Rehearsal:
    """Let a deal be rehearsed soon; whoever asks twice gets the one under way.

    Raises:
        Missing: If the deal is not this retailer's.
        InvalidField: If so many *shoppers* cannot be played.
    """
    get_own(session, Deal, retailer_id, deal_id)
    if not 1 <= shoppers <= MOST_SHOPPERS:
        problem = Sentence("Choose between 1 and {most} shoppers.", most=MOST_SHOPPERS)
        raise InvalidField("shoppers", problem, str(shoppers))
    under_way = col(Rehearsal.state).in_(UNDER_WAY)
    asked = session.exec(_of_deal(retailer_id, deal_id).where(under_way)).first()
    if asked is not None:
        return asked
    rehearsal = Rehearsal(
        id=new_id("rehearsal", now),
        retailer_id=retailer_id,
        deal_id=deal_id,
        shoppers=shoppers,
        faults=faults,
        asked_by=asked_by,
        asked_at=now,
        due_at=now,
    )
    session.add(rehearsal)
    session.flush()
    return rehearsal


def lease_rehearsal(session: Session, *, now: datetime) -> Rehearsal | None:
    """Take the rehearsal that waits longest, unless one is being played.

    One whose player did not come back within ``LONGEST`` is over, and has failed.
    """
    _give_up_lost(session, now)
    playing = select(Rehearsal.id).where(Rehearsal.state == RehearsalState.PLAYING)
    due = (
        col(Rehearsal.state) == RehearsalState.WAITING,
        col(Rehearsal.due_at) <= now,
        ~playing.exists(),
    )
    values = {
        "state": RehearsalState.PLAYING,
        "due_at": now + LONGEST,
        "attempts": col(Rehearsal.attempts) + 1,
        "stage": dump_progress(Progress(stage=Stage.COPYING)),
    }
    leased = lease(session, Rehearsal, due, values, order=Rehearsal.asked_at, limit=1)
    return leased[0] if leased else None


def note_stage(session: Session, rehearsal_id: str, stage: str) -> None:
    """Tell where a rehearsal stands that is being played."""
    _change(session, rehearsal_id, stage=stage)


def finish_rehearsal(
    session: Session, rehearsal_id: str, report: dict[str, Any], *, now: datetime
) -> None:
    done = RehearsalState.DONE
    _change(session, rehearsal_id, state=done, report=report, finished_at=now)


def fail_rehearsal(
    session: Session, rehearsal_id: str, failure: str, *, now: datetime
) -> None:
    """It could not be played to its end; *failure* says why, to people."""
    failed = RehearsalState.FAILED
    _change(session, rehearsal_id, state=failed, failure=failure, finished_at=now)


def put_back_rehearsal(session: Session, rehearsal_id: str, *, now: datetime) -> None:
    """Its player has to go; the next one begins it afresh."""
    waiting = RehearsalState.WAITING
    _change(session, rehearsal_id, state=waiting, due_at=now, stage="")


def rehearsals_of_deal(
    session: Session, retailer_id: str, deal_id: str
) -> list[Rehearsal]:
    """Return a deal's rehearsals, the latest first."""
    latest = col(Rehearsal.asked_at).desc(), col(Rehearsal.id).desc()
    return list(session.exec(_of_deal(retailer_id, deal_id).order_by(*latest)))


def _of_deal(retailer_id: str, deal_id: str) -> SelectOfScalar[Rehearsal]:
    return select(Rehearsal).where(
        Rehearsal.retailer_id == retailer_id, Rehearsal.deal_id == deal_id
    )


def _give_up_lost(session: Session, now: datetime) -> None:
    session.exec(
        update(Rehearsal)
        .where(
            col(Rehearsal.state) == RehearsalState.PLAYING,
            col(Rehearsal.due_at) <= now,
        )
        .values(
            state=RehearsalState.FAILED,
            failure="The worker that played it did not come back.",
            finished_at=now,
        )
    )


def _change(session: Session, rehearsal_id: str, **values: object) -> None:
    """Only what is being played changes: who was given up says no more."""
    session.exec(
        update(Rehearsal)
        .where(
            col(Rehearsal.id) == rehearsal_id,
            col(Rehearsal.state) == RehearsalState.PLAYING,
        )
        .values(**values)
    )
