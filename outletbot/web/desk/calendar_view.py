"""The calendar as it is drawn: days of their own length, bars in lanes, pins below.

A day is as long as it is in the retailer's zone: 23 or 25 hours when the clocks change.
Places are shares of a day, which ``calendar_style`` writes down.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from aiohttp import web
from sqlmodel import Session

from offers.accounts import OUTLET
from offers.calendar import Clash, Entry, Pin, clashes_of, entries
from offers.moving import Approval, approvals
from offers.posts import PostState
from offers.retailers import Retailer
from outletbot.keys import CLOCK, DATABASE, LANGUAGE, RETAILER
from outletbot.printing import print_weekday

DAY, WEEK = "day", "week"
LENGTHS = {DAY: 1, WEEK: 7}
YEARS = range(2000, 2200)
EVERY = 3
HALF_HOUR = timedelta(minutes=30)
LETTER = 0.72  # share of a day's row, in percent, that a letter takes on a screen
WIDEST = 60.0


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are shown, in *zone*, from *first* on."""

    view: str
    first: date
    zone: tzinfo

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(n) for n in range(LENGTHS[self.view])]

    @property
    def start(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return midnight(self.days[-1] + timedelta(1), self.zone)

    @property
    def before(self) -> date:
        return self.first - timedelta(LENGTHS[self.view])

    @property
    def after(self) -> date:
        return self.first + timedelta(LENGTHS[self.view])


@dataclass(frozen=True, slots=True)
class Note:
    """Posts of a deal in one state at one minute: *channels* are their kinds."""

    at: datetime
    state: PostState
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A deal on one day: its bar, if it runs then, and its posts of that day.

    *left* and *width* are shares of the day in percent, *bar* and *marks* of the block.
    """

    name: str
    entry: Entry
    notes: tuple[Note, ...]
    left: float
    width: float
    bar: tuple[float, float] | None
    marks: tuple[float, ...]
    lane: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A deal in the list of its day, with all there is to say and to do."""

    entry: Entry
    clashes: Sequence[Clash]
    approval: Approval | None


@dataclass(frozen=True, slots=True)
class Day:
    """*hours* is how long it is; *ticks* are places with their time of day."""

    on: date
    name: str
    start: datetime
    end: datetime
    ticks: Sequence[tuple[float, str]]
    blocks: Sequence[Block]
    lines: Sequence[Line]
    now: float | None

    @property
    def hours(self) -> float:
        return (self.end - self.start) / timedelta(hours=1)

    @property
    def lanes(self) -> int:
        return 1 + max((block.lane for block in self.blocks), default=0)


@dataclass(frozen=True, slots=True)
class Calendar:
    span: Span
    days: Sequence[Day]
    today: date

    @property
    def is_empty(self) -> bool:
        return not any(day.lines for day in self.days)


def read_span(query: Mapping[str, str], zone: tzinfo, *, now: datetime) -> Span:
    """Return the days that an address asks for: a week from its Monday, or a day."""
    view = DAY if query.get("view") == DAY else WEEK
    day = _read_day(query.get("day", "")) or now.astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    return Span(view, day if view == DAY else monday, zone)


async def read_calendar(request: web.Request, span: Span) -> Calendar:
    """Return the retailer's deals and posts on the days of *span*."""
    now, language = request.app[CLOCK](), request[LANGUAGE]
    lines = await request.app[DATABASE].read(_lines, request[RETAILER], span, now=now)
    return arrange(lines, span, language, now=now)


def arrange(
    lines: Sequence[Line], span: Span, language: str, *, now: datetime
) -> Calendar:
    """Return *lines* on their days: listed once, drawn on each day they are seen."""
    listed: dict[date, list[Line]] = {day: [] for day in span.days}
    for line in lines:
        listed[_first_day(line.entry, span)].append(line)
    seen = [line.entry for line in lines]
    days = [
        _day(day, span.zone, seen, listed[day], language, now=now) for day in span.days
    ]
    return Calendar(span, days, now.astimezone(span.zone).date())


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the instant at which *day* begins in *zone*."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _lines(
    session: Session, retailer: Retailer, span: Span, *, now: datetime
) -> list[Line]:
    seen = entries(session, retailer.id, span.start, span.end, now=now)
    planned = [entry for entry in seen if entry.movable]
    found = clashes_of(session, retailer.id, planned, retailer.zone, now=now)
    clashes = {e.deal_id: c for e, c in zip(planned, found, strict=True)}
    waiting = approvals(session, retailer.id)
    return [
        Line(e, clashes.get(e.deal_id, ()), waiting.get(e.deal_id) if e.is_on else None)
        for e in seen
    ]


def _read_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _first_day(entry: Entry, span: Span) -> date:
    """Return on which of the days a deal is listed: the first on which it is seen."""
    moments = [entry.opens_at, *(pin.at for pin in entry.pins)]
    within = [m for m in moments if span.start <= m < span.end]
    first = min(within, default=span.start)
    if entry.opens_at < span.start < entry.closes_at:
        first = span.start
    return first.astimezone(span.zone).date()


def _day(
    on: date,
    zone: tzinfo,
    seen: Sequence[Entry],
    lines: Sequence[Line],
    language: str,
    *,
    now: datetime,
) -> Day:
    start, end = midnight(on, zone), midnight(on + timedelta(1), zone)
    blocks = [_block(f"{on:b%m%d}-{n}", e, start, end) for n, e in enumerate(seen)]
    return Day(
        on=on,
        name=print_weekday(on, language),
        start=start,
        end=end,
        ticks=_ticks(start, end, zone),
        blocks=_in_lanes(block for block in blocks if block is not None),
        lines=lines,
        now=_share(now, start, end) if start <= now < end else None,
    )


def _ticks(start: datetime, end: datetime, zone: tzinfo) -> list[tuple[float, str]]:
    """Return every third hour of the day, with its place."""
    steps = range((end - start) // HALF_HOUR)
    moments = [(start + n * HALF_HOUR).astimezone(zone) for n in steps]
    return [
        (_share(moment, start, end), f"{moment:%H:%M}")
        for moment in moments
        if moment.minute == 0 and moment.hour % EVERY == 0 and not moment.fold
    ]


def _block(name: str, entry: Entry, start: datetime, end: datetime) -> Block | None:
    pins = [pin for pin in entry.pins if start <= pin.at < end]
    runs = entry.opens_at < end and entry.closes_at > start
    if not runs and not pins:
        return None
    marks = [_share(pin.at, start, end) for pin in pins]
    bar = [_share(m, start, end) for m in (entry.opens_at, entry.closes_at)]
    places = [*marks, *(bar if runs else [])]
    notes = _notes(pins)
    words = max(len(entry.title), _length(notes)) * LETTER
    width = max(max(places) - min(places), min(words, WIDEST))
    left = min(*places, 100 - width)

    def within(place: float) -> float:
        return (place - left) / width * 100

    drawn = (within(bar[0]), within(bar[1]) - within(bar[0])) if runs else None
    own = tuple(dict.fromkeys(within(mark) for mark in marks))
    return Block(name, entry, notes, left, width, drawn, own)


def _notes(pins: Iterable[Pin]) -> tuple[Note, ...]:
    """Return posts that have the same to say together."""
    found: dict[tuple[datetime, PostState], list[str]] = {}
    for pin in pins:
        minute = pin.at.replace(second=0, microsecond=0)
        found.setdefault((minute, pin.state), []).append(pin.channel)
    return tuple(
        Note(at, state, tuple(dict.fromkeys(kinds)))
        for (at, state), kinds in found.items()
    )


def _length(notes: Sequence[Note]) -> int:
    """Return about how many letters notes take."""
    names = [("Outlet page" if c == OUTLET else c) for n in notes for c in n.channels]
    return sum(len(name) + 2 for name in names) + 20 * len(notes)


def _in_lanes(blocks: Iterable[Block]) -> list[Block]:
    """Put each block into the first lane in which it covers nothing."""
    ends: list[float] = []
    placed = []
    for block in sorted(blocks, key=lambda one: one.left):
        free = [n for n, end in enumerate(ends) if end <= block.left]
        lane = free[0] if free else len(ends)
        ends[lane : lane + 1] = [block.left + block.width]
        placed.append(replace(block, lane=lane))
    return placed


def _share(moment: datetime, start: datetime, end: datetime) -> float:
    """Return where *moment* is in a day, from 0 to 100, and no further."""
    return min(100.0, max(0.0, (moment - start) / (end - start) * 100))
