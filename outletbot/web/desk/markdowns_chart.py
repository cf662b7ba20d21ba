"""A picture of a markdown: how the price falls and the units go, before it is armed.

As in ``charts``, what is reckoned is geometry that can be tested; the template only
writes it down. Prices are read at the left, units at the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from offers.curves import Curve, Point
from offers.money import Money
from outletbot.web.desk.charts import name_time, time_ticks, unit_ticks

LEFT, RIGHT, TOP, BOTTOM = 64.0, 40.0, 24.0, 30.0


@dataclass(frozen=True, slots=True)
class Tick:
    place: float
    label: str


@dataclass(frozen=True, slots=True)
class PriceTick:
    place: float
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkdownChart:
    """Paths and marks in a picture of *width* by *height*.

    *price* and *sold* are there only if something is assumed; *worst* is the price if
    nothing sells.
    """

    width: float
    height: float
    price: str
    sold: str
    worst: str
    least: float
    times: tuple[Tick, ...]
    prices: tuple[PriceTick, ...]
    units: tuple[tuple[float, int], ...]

    @property
    def left(self) -> float:
        return LEFT

    @property
    def right(self) -> float:
        return self.width - RIGHT

    @property
    def bottom(self) -> float:
        return self.height - BOTTOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is drawn: two curves from *start* on, the *floor*, and all the *units*."""

    expected: Curve | None
    worst: Curve
    floor: Money
    units: int
    opens_at: datetime

    @property
    def start(self) -> datetime:
        return self.opens_at + self.worst.points[0].after

    @property
    def end(self) -> datetime:
        return self.opens_at + self.worst.last.after

    @property
    def first(self) -> Money:
        return self.worst.points[0].price


def draw(
    subject: Subject, *, width: float, height: float, zone: tzinfo, language: str
) -> MarkdownChart:
    scale = _Scale(subject, width, height)
    ticks = time_ticks(subject.start, subject.end, zone, most=int(width // 110))
    expected = subject.expected.points if subject.expected else ()
    top, currency = subject.first.amount, subject.first.currency
    return MarkdownChart(
        width=width,
        height=height,
        price=_steps(scale, expected),
        sold=_slopes(scale, expected),
        worst=_steps(scale, subject.worst.points),
        least=scale.price(subject.floor.amount),
        times=tuple(
            Tick(scale.x(at), name_time(at, step, zone, language)) for at, step in ticks
        ),
        prices=tuple(
            PriceTick(scale.price(n), Money(n, currency)) for n in unit_ticks(top)
        ),
        units=tuple((scale.units(n), n) for n in unit_ticks(subject.units)),
    )


class _Scale:
    def __init__(self, subject: Subject, width: float, height: float) -> None:
        self._subject = subject
        self._width = width - LEFT - RIGHT
        self._height = height - TOP - BOTTOM
        self._span = subject.end - subject.start

    def x(self, at: datetime) -> float:
        share = (at - self._subject.start) / self._span if self._span else 0.0
        return round(LEFT + self._width * min(1.0, max(0.0, share)), 1)

    def of(self, point: Point) -> float:
        return self.x(self._subject.opens_at + point.after)

    def price(self, amount: float) -> float:
        return self._y(amount / max(1, self._subject.first.amount))

    def units(self, number: float) -> float:
        return self._y(number / max(1, self._subject.units))

    def _y(self, share: float) -> float:
        return round(TOP + self._height * (1 - share), 1)


def _steps(scale: _Scale, points: Sequence[Point]) -> str:
    """A price holds until the next step."""
    if not points:
        return ""
    last = scale.price(points[0].price.amount)
    path = f"M{scale.of(points[0]):g} {last:g}"
    for point in points[1:]:
        height = scale.price(point.price.amount)
        if height != last or point is points[-1]:
            path += f"H{scale.of(point):g}"
        if height != last:
            path, last = path + f"V{height:g}", height
    return path


def _slopes(scale: _Scale, points: Sequence[Point]) -> str:
    """Units go one after the other, which is nearly a slope."""
    places = [f"{scale.of(p):g} {scale.units(p.sold):g}" for p in points]
    return "M" + "L".join(places) if places else ""
