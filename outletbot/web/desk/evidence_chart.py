"""A picture of what was charged over some days: a line that steps at each price."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from offers.evidence import Charged, Evidence
from offers.money import Money
from outletbot.printing import print_money
from outletbot.web.desk.charts import Mark, name_time, time_ticks

LEFT, RIGHT, TOP, BOTTOM = 76.0, 18.0, 26.0, 30.0
SIZES = {"wide": (1120.0, 260.0), "slim": (380.0, 230.0)}
APART = 90  # a mark of time needs so much room


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChart:
    """*prior* is where the price before is, and *declared* what a merchant said."""

    name: str
    width: float
    height: float
    line: str
    declared: str
    prices: tuple[Mark, ...]
    times: tuple[Mark, ...]
    prior: Mark | None

    @property
    def left(self) -> float:
        return LEFT

    @property
    def right(self) -> float:
        return self.width - RIGHT

    @property
    def floor(self) -> float:
        return self.height - BOTTOM


def price_charts(evidence: Evidence, zone: tzinfo, language: str) -> list[PriceChart]:
    """Return the picture in the sizes of a screen and of a phone; none of nothing."""
    if not evidence.charged:
        return []
    return [_draw(evidence, name, zone, language) for name in SIZES]


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    end: datetime
    top: int
    width: float
    height: float

    def x(self, at: datetime) -> float:
        share = (at - self.start) / max(self.end - self.start, (at - at).resolution)
        inner = self.width - LEFT - RIGHT
        return round(LEFT + inner * min(1.0, max(0.0, share)), 1)

    def y(self, amount: int) -> float:
        inner = self.height - TOP - BOTTOM
        return round(TOP + inner * (1 - amount / self.top), 1)


def _draw(evidence: Evidence, name: str, zone: tzinfo, language: str) -> PriceChart:
    width, height = SIZES[name]
    charged = evidence.charged
    top = max(1, *(one.price.amount for one in charged))
    scale = _Scale(evidence.start, evidence.end, top, width, height)
    ticks = time_ticks(evidence.start, evidence.end, zone, most=int(width // APART))
    return PriceChart(
        name=name,
        width=width,
        height=height,
        line=_line(scale, charged, declared=False),
        declared=_line(scale, charged, declared=True),
        prices=_price_marks(scale, charged, language),
        times=tuple(
            Mark(scale.x(at), name_time(at, step, zone, language)) for at, step in ticks
        ),
        prior=_prior(scale, evidence.lowest, language),
    )


def _line(scale: _Scale, charged: Sequence[Charged], *, declared: bool) -> str:
    """Return the steps that are, or are not, what a merchant declared."""
    ends = [*(one.since for one in charged[1:]), scale.end]
    parts = [
        f"M{scale.x(one.since):g} {scale.y(one.price.amount):g}H{scale.x(end):g}"
        for one, end in zip(charged, ends, strict=True)
        if one.declared is declared
    ]
    return "".join(parts)


def _price_marks(
    scale: _Scale, charged: Sequence[Charged], language: str
) -> tuple[Mark, ...]:
    """Return each price that was charged once, but none where another is written."""
    prices = sorted({one.price for one in charged}, reverse=True)
    marks: list[Mark] = []
    for price in prices:
        place = scale.y(price.amount)
        if not marks or place - marks[-1].place >= 16:
            marks.append(Mark(place, print_money(price, language)))
    return tuple(marks)


def _prior(scale: _Scale, prior: Money | None, language: str) -> Mark | None:
    if prior is None:
        return None
    return Mark(scale.y(prior.amount), print_money(prior, language))
