"""The form of a stepped markdown: its floor, its steps as rows, and what is assumed.

A step's time is typed as the clock shows it and kept as how long after the opening that
is. Rows without a time and a price are no steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from offers.curves import Demand
from offers.deals import Deal
from offers.errors import InvalidField
from offers.markdowns import MOST_STEPS, Markdown, MarkdownStep, Step
from offers.money import Money
from offers.proposed_prices import Terms, fall
from offers.sell_through import Pace
from offers.sentences import Sentence
from outletbot.web.forms import Form, read_amount, read_int, read_moment, read_text

T = TypeVar("T")

SPARE = 2
"""So many empty rows are shown below the steps."""

USUAL_STEPS = 3
FASTEST = 100_000
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class MarkdownForm:
    """*values* are as typed, *rows* of them by number; *steps* is what could be read.

    *numbers* are those of the rows that the steps come from.
    """

    values: Mapping[str, str]
    rows: int
    problems: Mapping[str, Sentence]
    floor: Money | None
    steps: Sequence[Step]
    numbers: Sequence[int]
    demand: Demand | None

    def with_problems(self, found: Sequence[InvalidField]) -> "MarkdownForm":
        """Return the same with what is wrong with its steps, told by their rows."""
        problems = dict(self.problems)
        for one in found:
            field, _, number = one.field.partition("-")
            name = f"{field}-{self.numbers[int(number)]}" if number else field
            problems.setdefault(name, one.sentence)
        return MarkdownForm(
            self.values,
            self.rows,
            problems,
            self.floor,
            self.steps,
            self.numbers,
            self.demand,
        )


def first_form(
    deal: Deal,
    known: Markdown | None,
    floor: Money,
    pace: Pace | None,
    terms: Terms,
    zone: ZoneInfo,
    *,
    now: datetime,
) -> Form:
    """Return the form for what is planned, or for a proposal."""
    assumed = {
        "per_hour": "" if pace is None else _printed(pace.per_hour),
        "response": "0",
    }
    if known is not None:
        waiting = _typed_steps(deal, known.waiting, zone)
        return {"floor": str(known.plan.floor.value), **waiting, **assumed}
    steps = proposed(deal, floor, USUAL_STEPS, terms, zone, now=now)
    return {**steps, **assumed}


def _printed(per_hour: float) -> str:
    """Return a pace as it is typed; one that is slow is not made none."""
    return f"{per_hour:.1f}" if per_hour >= 1 else f"{per_hour:.4f}"


def proposed(
    deal: Deal,
    floor: Money,
    count: int,
    terms: Terms,
    zone: ZoneInfo,
    *,
    now: datetime,
) -> dict[str, str]:
    """Return *count* steps, evenly apart, down to the floor."""
    start = max(now, deal.opens_at)
    prices = fall(deal.price, floor, count, terms) if floor < deal.price else []
    gap = (deal.closes_at - start) / (len(prices) + 1)
    values = {"floor": str(floor.value)}
    for number, price in enumerate(prices):
        at = _whole(start + (number + 1) * gap)
        values[f"at-{number}"] = _local(at, zone)
        values[f"price-{number}"] = str(price.value)
    return values


def read_markdown(form: Form, deal: Deal, zone: ZoneInfo) -> MarkdownForm:
    """Read the form as far as it can be."""
    problems: dict[str, Sentence] = {}
    floor = _try(
        problems, "floor", lambda: read_amount(form, "floor", deal.currency), None
    )
    steps, numbers = [], []
    for number in range(MOST_STEPS + SPARE):
        if not (form.get(f"at-{number}") or form.get(f"price-{number}")):
            continue
        step = _read_step(form, deal, number, zone, problems)
        if step is not None:
            steps.append(step)
            numbers.append(number)
    demand = _read_demand(form, problems)
    values = {name: value for name, value in form.items() if isinstance(value, str)}
    rows = min(MOST_STEPS, max(numbers, default=0) + 1 + SPARE)
    return MarkdownForm(values, rows, problems, floor, steps, numbers, demand)


def _read_step(
    form: Form,
    deal: Deal,
    number: int,
    zone: ZoneInfo,
    problems: dict[str, Sentence],
) -> Step | None:
    at, price, below = f"at-{number}", f"price-{number}", f"below-{number}"
    moment = _try(problems, at, lambda: _moment(form, at, zone), None)
    amount = _try(
        problems, price, lambda: read_amount(form, price, deal.currency), None
    )
    share = None
    if form.get(below):
        share = _try(
            problems, below, lambda: read_int(form, below, minimum=1, maximum=100), None
        )
    if moment is None or amount is None or below in problems:
        return None
    after = -(-(moment - deal.opens_at) // MINUTE) * MINUTE
    return Step(after=after, price=amount, sold_below=share)


def _moment(form: Form, field: str, zone: ZoneInfo) -> datetime:
    try:
        return read_moment(form, field, zone)
    except OverflowError as error:  # the years 1 and 9999 end at their zone's edge
        problem = Sentence("Choose a time between the opening and the end.")
        raise InvalidField(field, problem) from error


def _read_demand(form: Form, problems: dict[str, Sentence]) -> Demand | None:
    """Return what is assumed; nothing is, if the field is empty."""
    response = _try(
        problems,
        "response",
        lambda: read_int({"response": "0", **form}, "response", minimum=0, maximum=500),
        0,
    )
    per_hour = _try(problems, "per_hour", lambda: _pace(form), None)
    return None if per_hour is None else Demand(per_hour, response)


def _pace(form: Form) -> float | None:
    text = read_text(form, "per_hour", longest=20).replace(",", ".")
    if not text:
        return None
    problem = Sentence("Enter a number such as 2.5, or leave it empty.")
    whole, _, part = text.partition(".")
    if not (whole + part).isdecimal() or not (whole + part).isascii():
        raise InvalidField("per_hour", problem, text)
    if (number := float(text)) > FASTEST:
        raise InvalidField("per_hour", problem, text)
    return number


def _typed_steps(
    deal: Deal, steps: Sequence[MarkdownStep], zone: ZoneInfo
) -> dict[str, str]:
    values = {}
    for number, step in enumerate(steps):
        values[f"at-{number}"] = _local(deal.opens_at + step.after, zone)
        values[f"price-{number}"] = str(Money(step.price_amount, deal.currency).value)
        values[f"below-{number}"] = (
            "" if step.sold_below is None else str(step.sold_below)
        )
    return values


def _try(
    problems: dict[str, Sentence], field: str, read: Callable[[], T], otherwise: T
) -> T:
    try:
        return read()
    except InvalidField as problem:
        problems[field] = problem.sentence
        return otherwise


def _whole(moment: datetime) -> datetime:
    """Return the next five minutes."""
    past = timedelta(
        minutes=moment.minute % 5,
        seconds=moment.second,
        microseconds=moment.microsecond,
    )
    return moment if not past else moment - past + 5 * MINUTE


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
