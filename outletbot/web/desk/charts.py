"""A picture of how a deal sold: units over time, reckoned here and drawn as SVG.

What is reckoned is geometry in the picture's own units, so that it can be tested; the
template ``desk/chart.html`` only writes it down. Every sale raises the line at its
instant, which is why the line has steps and never slopes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

from offers.summary import Sold
from outletbot.printing import print_clock, print_date, print_time

LEFT, RIGHT, TOP, BOTTOM = 40.0, 18.0, 34.0, 30.0
CLOSE = 90.0  # pins nearer than this share a label

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
STEPS = (
    *(n * SECOND for n in (5, 10, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7)),
)


@dataclass(frozen=True, slots=True)
class Pin:
    """Something that happened *at* an instant, such as a post."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """*label* at *place* along an axis, which stands for *value*."""

    place: float
    label: str
    value: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is to be drawn: the sales of a deal between two instants."""

    sold: Sequence[Sold]
    start: datetime
    end: datetime
    allotment: int
    pins: Sequence[Pin] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Paths and marks in a picture of *width* by *height*."""

    width: float
    height: float
    line: str
    area: str
    most: float
    end: float
    times: tuple[Mark, ...]
    units: tuple[Mark, ...]
    pins: tuple[Mark, ...]
    total: int

    @property
    def left(self) -> float:
        return LEFT

    @property
    def floor(self) -> float:
        return self.height - BOTTOM

    @property
    def right(self) -> float:
        return self.width - RIGHT


def draw(
    course: Course, *, width: float, height: float, zone: tzinfo, language: str
) -> Chart:
    """Return the picture of *course*, with times as clocks in *zone* show them."""
    scale = Scale(course, width, height)
    points = _steps(scale, course)
    line = _path(points)
    floor = _number(height - BOTTOM)
    ticks = time_ticks(course.start, course.end, zone, most=int(width // 90))
    named = _named(ticks, zone, language)
    return Chart(
        width=width,
        height=height,
        line=line,
        area=f"{line}V{floor}H{_number(points[0][0])}Z",
        most=scale.y(course.allotment),
        end=points[-1][0],
        times=tuple(Mark(scale.x(at), words) for at, words in named),
        units=tuple(Mark(scale.y(n), str(n), n) for n in unit_ticks(scale.top)),
        pins=tuple(_gather(scale, course.pins)),
        total=course.sold[-1].units if course.sold else 0,
    )


class Scale:
    """Where an instant and a number of units are in the picture."""

    def __init__(self, course: Course, width: float, height: float) -> None:
        self.top = max(course.allotment, *(sold.units for sold in course.sold), 1)
        self._course = course
        self._width = width - LEFT - RIGHT
        self._height = height - TOP - BOTTOM
        self._span = max(course.end - course.start, SECOND)

    def x(self, at: datetime) -> float:
        share = (at - self._course.start) / self._span
        return round(LEFT + self._width * min(1.0, max(0.0, share)), 1)

    def y(self, units: float) -> float:
        return round(TOP + self._height * (1 - units / self.top), 1)


def _steps(scale: Scale, course: Course) -> list[tuple[float, float]]:
    """One point at most for each tenth of a unit of width, however many sales."""
    highest = {LEFT: scale.y(0)}
    for sold in course.sold:
        highest[scale.x(sold.at)] = scale.y(sold.units)
    last = list(highest.values())[-1]
    return [*highest.items(), (scale.x(course.end), last)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *_ = points
    begun = f"M{_number(x)} {_number(y)}"
    return begun + "".join(
        f"H{_number(x)}" + (f"V{_number(y)}" if y != before else "")
        for (_, before), (x, y) in pairwise(points)
    )


def _number(value: float) -> str:
    return f"{value:g}"


def time_ticks(
    start: datetime, end: datetime, zone: tzinfo, *, most: int
) -> list[tuple[datetime, timedelta]]:
    """Return round times between *start* and *end*, *most* at the most, and their step.

    They are round on the clock in *zone*: steps are made there, so that a change of the
    clocks shifts none of them.
    """
    wide = (step for step in STEPS if (end - start) / step <= max(most, 1))
    step = next(wide, (end - start) / max(most, 1))
    clock = start.astimezone(zone).replace(tzinfo=None)
    midnight = clock.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + -((midnight - clock) // step) * step
    ticks: list[tuple[datetime, timedelta]] = []
    while (at := first.replace(tzinfo=zone).astimezone(UTC)) <= end:
        ticks.append((at, step))
        first += step
    return ticks


def _named(
    ticks: Iterable[tuple[datetime, timedelta]], zone: tzinfo, language: str
) -> list[tuple[datetime, str]]:
    return [(at, name_time(at, step, zone, language)) for at, step in ticks]


def name_time(at: datetime, step: timedelta, zone: tzinfo, language: str) -> str:
    """Return the time as exactly as *step* needs it; midnight is called by its day."""
    midnight = at.astimezone(zone).strftime("%H%M%S") == "000000"
    if step >= DAY or (midnight and step >= HOUR):
        return print_date(at, zone, language)
    if step < MINUTE:
        return print_clock(at, zone, language)
    return print_time(at, zone, language)


def unit_ticks(top: int) -> list[int]:
    """Return round numbers from 0 to *top*, five at the most beside 0."""
    step = 1
    while top / step > 5:
        # 1, 2, 5, 10, 20, 50 …
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return list(range(0, top + 1, step))


def _gather(scale: Scale, pins: Sequence[Pin]) -> Iterable[Mark]:
    """Pins that would write over each other share a label."""
    marks: list[Mark] = []
    for pin in sorted(pins, key=lambda pin: pin.at):
        place = scale.x(pin.at)
        if marks and place - marks[-1].place < CLOSE:
            first = marks[-1]
            words = first.label.split(", ")
            label = first.label if pin.label in words else f"{first.label}, {pin.label}"
            marks[-1] = Mark(first.place, label)
        else:
            marks.append(Mark(place, pin.label))
    return marks


def at_times(course: Course, zone: tzinfo, language: str) -> list[tuple[str, int]]:
    """Return the same as a table: how many units had been sold at round times."""
    ticks = time_ticks(course.start, course.end, zone, most=12)
    named = _named(ticks, zone, language)
    step = ticks[0][1] if ticks else SECOND
    named.append((course.end, name_time(course.end, min(step, MINUTE), zone, language)))
    return [(name, _units_at(course.sold, at)) for at, name in named]


def _units_at(sold: Sequence[Sold], at: datetime) -> int:
    return max((one.units for one in sold if one.at <= at), default=0)
