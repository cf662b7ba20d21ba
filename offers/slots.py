"""Slots: the openings of a week, and which deal gets which.

Times are those on the retailer's clocks, whatever those do that week. Deals are shared
out so that each day has about the same worth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAYS = 7
LEAST_APART = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """*number* openings on each of *days*, from *first* to *last*, each for *run*."""

    days: tuple[date, ...]
    number: int
    first: time
    last: time
    run: timedelta


def coming_days(now: datetime, zone: tzinfo) -> list[date]:
    """Return the seven days after today, on the clocks in *zone*."""
    today = now.astimezone(zone).date()
    return [today + timedelta(days=n) for n in range(1, DAYS + 1)]


def times_of(pattern: Pattern) -> list[time]:
    """Return the times of day, evenly apart in steps of five minutes."""
    if pattern.number == 1:
        return [pattern.first]
    first, last = _minutes(pattern.first), _minutes(pattern.last)
    gap = (last - first) / (pattern.number - 1)
    minutes = [round((first + n * gap) / 5) * 5 for n in range(pattern.number)]
    return [time(m // 60, m % 60) for m in dict.fromkeys(minutes)]


def are_apart(pattern: Pattern) -> bool:
    """Whether there is time between one opening and the next."""
    if pattern.number == 1:
        return True
    between = timedelta(minutes=_minutes(pattern.last) - _minutes(pattern.first))
    return between / (pattern.number - 1) >= LEAST_APART


def openings(pattern: Pattern, zone: tzinfo) -> dict[date, list[datetime]]:
    """Return the instants of each day; a time that the clocks skip is an hour later."""
    times = times_of(pattern)
    return {
        day: sorted({_at(day, clock, zone) for clock in times}) for day in pattern.days
    }


def share_out(
    worths: Sequence[int], free: Mapping[date, Sequence[datetime]]
) -> list[datetime | None]:
    """Return a slot for each of *worths*, the greatest first, as long as any is free.

    The next one goes to the day with the least worth so far.
    """
    left = {day: list(slots) for day, slots in free.items()}
    sums = dict.fromkeys(left, 0)
    given: list[datetime | None] = []
    for worth in worths:
        days = [day for day, slots in left.items() if slots]
        if not days:
            given.append(None)
            continue
        day = min(days, key=lambda one: (sums[one], one))
        sums[day] += worth
        given.append(left[day].pop(0))
    return given


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _at(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
