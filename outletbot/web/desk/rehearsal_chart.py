"""A picture of where the units were during a rehearsal: sold, held and free."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from offers.reports import Report
from offers.summary import Sold
from outletbot.printing import print_duration
from outletbot.web.desk.charts import Chart, Course, Mark, Scale, draw, time_ticks

WIDE, SLIM = (1120.0, 320.0), (380.0, 260.0)
# A picture needs a day to begin on; what is shown is how much later it was.
OPENING = datetime(2000, 1, 1, tzinfo=UTC)
SHORTEST = timedelta(seconds=10)
ROWS = 12  # of the table that says the same


@dataclass(frozen=True, slots=True)
class Picture:
    """*sold* under *taken*, which is what was sold or held: between them is held."""

    sold: Chart
    taken: Chart


def draw_units(report: Report, width: float, height: float, language: str) -> Picture:
    """Return the picture of *report*, with times as how long ago the opening was."""
    end = OPENING + max(timedelta(seconds=_end(report)), SHORTEST)
    sold, taken = (
        Course(sold=steps, start=OPENING, end=end, allotment=report.units)
        for steps in _steps(report)
    )
    times = _times(sold, width, height, language)
    charts = [
        draw(course, width=width, height=height, zone=UTC, language=language)
        for course in (sold, taken)
    ]
    return Picture(*(_with_times(chart, times) for chart in charts))


def at_times(report: Report) -> list[tuple[timedelta, int, int, int]]:
    """Return the same as a table: after how long how many were held, sold, free."""
    every = max(1, len(report.more.series) // ROWS)
    rows = [*report.more.series[::every], *report.more.series[-1:]]
    said = {
        timedelta(seconds=max(0, round(row[0]))): tuple(int(n) for n in row[1:])
        for row in rows
    }
    return [(after, held, sold, free) for after, (held, sold, free) in said.items()]


def _steps(report: Report) -> tuple[list[Sold], list[Sold]]:
    sold, taken = [], []
    for seconds, held, bought, _ in report.more.series:
        at = OPENING + timedelta(seconds=max(0.0, seconds))
        sold.append(Sold(at, int(bought)))
        taken.append(Sold(at, int(bought + held)))
    return sold, taken


def _end(report: Report) -> float:
    last = report.more.series[-1][0] if report.more.series else 0.0
    return max(last, report.seconds_to_settled or 0.0)


def _times(
    course: Course, width: float, height: float, language: str
) -> tuple[Mark, ...]:
    scale = Scale(course, width, height)
    ticks = time_ticks(course.start, course.end, UTC, most=int(width // 90))
    return tuple(
        Mark(scale.x(at), print_duration(at - course.start, language))
        for at, _ in ticks
    )


def _with_times(chart: Chart, times: Sequence[Mark]) -> Chart:
    return replace(chart, times=tuple(times))
