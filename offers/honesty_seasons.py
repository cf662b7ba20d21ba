"""Seasons: the two periods in which a French retailer may say "soldes".

Each lasts four weeks and begins at eight in the morning: in winter on the second
Wednesday of January, or the first if the second is after the 12th; in summer on the
last Wednesday of June, or the one before if the last is after the 28th (Code de
commerce, L310-3; arrêté of 27 May 2019). Some departments have other days, and some
years had: so a retailer can set its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment, word
from offers.errors import InvalidField
from offers.honesty import law_of
from offers.ids import new_id
from offers.retailers import Retailer, take_turns
from offers.sentences import Sentence

OPENS = time(8)
LASTS = timedelta(weeks=4)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
SHORTEST, LONGEST = timedelta(weeks=3), timedelta(weeks=6)
WEDNESDAY = 2


class Part(StrEnum):
    WINTER = "winter"
    SUMMER = "summer"


class SaleSeason(SQLModel, table=True):
    """The days of a season that a retailer set itself, the last one included."""

    __tablename__ = "sale_season"
    __table_args__ = (UniqueConstraint("retailer_id", "year", "part"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    year: int
    part: Part = Field(sa_type=word(Part))
    begins_on: date
    ends_on: date
    set_by: str
    set_at: datetime = Field(sa_type=Moment)


@dataclass(frozen=True, slots=True)
class Season:
    """From eight o'clock on the first day to the end of the last."""

    year: int
    part: Part
    begins_on: date
    ends_on: date
    own: bool = False

    def opens_at(self, zone: tzinfo) -> datetime:
        return datetime.combine(self.begins_on, OPENS, zone).astimezone(UTC)

    def closes_at(self, zone: tzinfo) -> datetime:
        return datetime.combine(self.ends_on + DAY, time(), zone).astimezone(UTC)


def legal_season(year: int, part: Part) -> Season:
    """Return the days that the law sets."""
    if part is Part.WINTER:
        second = _wednesday(date(year, 1, 1)) + WEEK
        begins_on = second - WEEK if second.day > 12 else second
    else:
        last = _wednesday(date(year, 6, 24))
        begins_on = last - WEEK if last.day > 28 else last
    return Season(year, part, begins_on, begins_on + LASTS - DAY)


def seasons(session: Session, retailer: Retailer, *, around: date) -> list[Season]:
    """Return a retailer's seasons from last year to the one after next, in their order.

    There are none where the law knows of none.
    """
    if not law_of(retailer.country).seasons:
        return []
    years = range(around.year - 1, around.year + 3)
    own = {(one.year, one.part): one for one in _own(session, retailer, years)}
    return sorted(_seasons(years, own), key=lambda season: season.begins_on)


def set_season(
    session: Session,
    retailer: Retailer,
    season: Season,
    *,
    set_by: str,
    now: datetime,
) -> None:
    """Keep the days of a season as the retailer sets them.

    Raises:
        InvalidField: If they are not those of a season: three to six weeks of its year,
            as the law has it.
    """
    field = f"{season.part}_{season.year}"
    _check(season, field)
    take_turns(session, retailer.id)
    kept = _find(session, retailer, season) or SaleSeason(
        id=new_id("season", now),
        retailer_id=retailer.id,
        year=season.year,
        part=season.part,
        begins_on=season.begins_on,
        ends_on=season.ends_on,
        set_by=set_by,
        set_at=now,
    )
    kept.begins_on, kept.ends_on = season.begins_on, season.ends_on
    kept.set_by, kept.set_at = set_by, now
    session.add(kept)
    session.flush()


def unset_season(session: Session, retailer: Retailer, year: int, part: Part) -> None:
    """Go back to the days of the law; nothing set is fine."""
    kept = _find(session, retailer, legal_season(year, part))
    if kept is not None:
        session.delete(kept)
        session.flush()


def _wednesday(first: date) -> date:
    """Return the first Wednesday from *first* on."""
    return first + timedelta(days=(WEDNESDAY - first.weekday()) % 7)


def _seasons(years: range, own: dict[tuple[int, Part], SaleSeason]) -> Iterator[Season]:
    for year in years:
        for part in Part:
            kept = own.get((year, part))
            if kept is None:
                yield legal_season(year, part)
            else:
                yield Season(year, part, kept.begins_on, kept.ends_on, own=True)


def _own(session: Session, retailer: Retailer, years: range) -> list[SaleSeason]:
    statement = select(SaleSeason).where(
        SaleSeason.retailer_id == retailer.id, col(SaleSeason.year).in_(list(years))
    )
    return list(session.exec(statement))


def _find(session: Session, retailer: Retailer, season: Season) -> SaleSeason | None:
    statement = select(SaleSeason).where(
        SaleSeason.retailer_id == retailer.id,
        SaleSeason.year == season.year,
        SaleSeason.part == season.part,
    )
    return session.exec(statement).one_or_none()


def _check(season: Season, field: str) -> None:
    days = season.ends_on - season.begins_on + DAY
    if season.begins_on.year != season.year:
        problem = Sentence("Choose a first day in {year}.", year=str(season.year))
    elif not SHORTEST <= days <= LONGEST:
        problem = Sentence("This period lasts from three to six weeks by law.")
    else:
        return
    raise InvalidField(field, problem, season.begins_on.isoformat())
