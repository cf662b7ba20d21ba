"""Curves: what a stepped markdown would come to, before it is armed.

Nobody knows how much will be bought. What is assumed is an argument: so many units an
hour at the first price, and so many more of them for every tenth that it falls. The
rest is arithmetic, and so is the other end of it: the prices if nothing sells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from offers.markdowns import Step
from offers.money import Money

HOUR = timedelta(hours=1)
FINE = 48
"""Into so many parts the time is cut, beside the instants at which prices fall."""


@dataclass(frozen=True, slots=True)
class Demand:
    """*per_hour* at the first price; *response* percent more for every tenth off it."""

    per_hour: float
    response: int = 0

    def at(self, price: Money, first: Money) -> float:
        tenths = 10 * (first.amount - price.amount) / first.amount
        return self.per_hour * float((1 + self.response / 100) ** tenths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A deal from now on: its *units*, *sold* ones among them, its price, and its end.

    Times count from the opening; it is *since* then that is reckoned.
    """

    price: Money
    units: int
    sold: int
    since: timedelta
    end: timedelta


@dataclass(frozen=True, slots=True)
class Point:
    """From *after* on it costs *price*.

    Until then *sold* units were sold in all, which brought *taken* since now.
    """

    after: timedelta
    price: Money
    sold: float
    taken: float


@dataclass(frozen=True, slots=True)
class Curve:
    """*points* in their order, and the end of them."""

    points: tuple[Point, ...]
    turns: tuple[Point, ...]

    @property
    def last(self) -> Point:
        return self.points[-1]


def simulate(course: Course, steps: Sequence[Step], demand: Demand) -> Curve:
    """Return how the price falls and the units go, if *demand* is what comes."""
    coming = sorted(steps, key=lambda step: step.after)
    price, sold, taken, at = course.price, float(course.sold), 0.0, course.since
    points = [Point(at, price, sold, taken)]
    turns = list(points)
    for after in _instants(course, coming):
        more = demand.at(price, course.price) * ((after - at) / HOUR)
        more = min(more, course.units - sold)
        sold, taken, at = sold + more, taken + more * price.amount, after
        step = next((one for one in coming if one.after == after), None)
        if step is not None and _falls(step, sold, course.units, price):
            price = step.price
        points.append(Point(at, price, sold, taken))
        if step is not None or after == course.end:
            turns.append(points[-1])
    return Curve(tuple(points), tuple(turns))


def if_nothing_sells(course: Course, steps: Sequence[Step]) -> Curve:
    return simulate(course, steps, Demand(0.0))


def _instants(course: Course, steps: Sequence[Step]) -> list[timedelta]:
    part = (course.end - course.since) / FINE
    fine = {course.since + n * part for n in range(1, FINE)}
    at_steps = {step.after for step in steps}
    wanted = fine | at_steps | {course.end}
    return sorted(at for at in wanted if course.since < at <= course.end)


def _falls(step: Step, sold: float, units: int, price: Money) -> bool:
    """Whether a step is taken: not if enough is sold, or nothing is left."""
    if sold >= units or step.price >= price:
        return False
    return step.sold_below is None or sold * 100 < step.sold_below * units
