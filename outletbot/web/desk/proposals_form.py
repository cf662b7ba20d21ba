"""The form of a week: its pattern, and the table of deals that anybody can change.

A row is numbered; its fields are ``price-0``, ``units-0`` and so on. Every wrong cell
is told at once, beside what was typed, and a row that is not ticked is not read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from offers.calendar import Clash
from offers.catalog import Offer
from offers.errors import InvalidField
from offers.moving import FARTHEST
from offers.planning import MAX_ALLOTMENT, DealPlan
from offers.sentences import Sentence
from offers.slots import DAYS, Pattern, are_apart, coming_days
from offers.weeks import MOST_ROWS
from outletbot.stripe_money import why_not_charged
from outletbot.web.forms import Form, read_amount, read_int, read_moment, read_text

T = TypeVar("T")

CELLS = ("price", "units", "limit", "opens", "closes", "title")
CELL_OF = {
    "limit_per_shopper": "limit",
    "opens_at": "opens",
    "closes_at": "closes",
    "under_cost": "price",
}
MOST_A_DAY = 24
USUAL_TIMES = ("10:00", "19:00")
USUAL_HOURS = 3
LONGEST_TITLE = 150
LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was typed, what is wrong with it, and what clashes with its time."""

    offer: Offer
    values: Mapping[str, str]
    plan: DealPlan | None
    kept: bool = True
    problems: Mapping[str, Sentence] | None = None
    clashes: Sequence[Clash] = ()

    @property
    def wrong(self) -> Mapping[str, Sentence]:
        return self.problems or {}


@dataclass(frozen=True, slots=True)
class PatternForm:
    """The pattern as it was typed; *pattern* is there if it could be read."""

    values: Mapping[str, str]
    days: Sequence[date]
    problems: Mapping[str, Sentence]
    pattern: Pattern | None


def usual_pattern(number: int, now: datetime, zone: ZoneInfo) -> Form:
    """Return what is proposed for *number* deals: every day, as often as that needs."""
    first, last = USUAL_TIMES
    a_day = min(MOST_A_DAY, max(1, -(-number // DAYS)))
    return {
        "number": str(a_day),
        "first": first,
        "last": last,
        "hours": str(USUAL_HOURS),
        "days": [day.isoformat() for day in coming_days(now, zone)],
    }


def read_pattern(
    form: Form, days: Sequence[object], now: datetime, zone: ZoneInfo
) -> PatternForm:
    """Read when deals may open; *days* are those that are ticked."""
    chosen = tuple(day for day in coming_days(now, zone) if day.isoformat() in days)
    problems: dict[str, Sentence] = {}
    pattern = Pattern(
        days=chosen,
        number=_try(problems, "number", lambda: _int(form, "number", 1, MOST_A_DAY), 1),
        first=_try(problems, "first", lambda: _clock(form, "first"), time()),
        last=_try(problems, "last", lambda: _clock(form, "last"), time(23)),
        run=timedelta(
            hours=_try(problems, "hours", lambda: _int(form, "hours", 1, 720), 1)
        ),
    )
    if not chosen:
        problems["days"] = Sentence("Choose one day at least.")
    if not problems and not are_apart(pattern):
        problems["last"] = Sentence(
            "Leave 15 minutes between one opening and the next."
        )
    names = ("number", "first", "last", "hours")
    values = {name: str(form.get(name, "")) for name in names}
    return PatternForm(values, chosen, problems, None if problems else pattern)


def row_of(offer: Offer, plan: DealPlan, zone: ZoneInfo) -> Row:
    """Return a row that nobody has changed yet."""
    values = {
        "price": str(plan.price.value),
        "units": str(plan.units),
        "limit": str(plan.limit_per_shopper),
        "opens": _local(plan.opens_at, zone),
        "closes": _local(plan.closes_at, zone),
        "title": plan.title,
    }
    return Row(offer, values, plan)


def offers_of(form: Form) -> dict[int, str]:
    """Return the ids of the offers in the table, by the number of their row."""
    count = _int(form, "rows", 0, MOST_ROWS) if form.get("rows") else 0
    ids = {n: key_of(form.get(f"offer-{n}")) for n in range(count)}
    return {n: key for n, key in ids.items() if key}


def key_of(value: object) -> str:
    """Return what may be an id, or nothing."""
    return value.replace("\0", "")[:LONGEST_KEY] if isinstance(value, str) else ""


def read_row(
    form: Form, number: int, offer: Offer, zone: ZoneInfo, *, now: datetime
) -> Row:
    """Read a row as far as it can be."""
    values = {cell: str(form.get(f"{cell}-{number}", "")) for cell in CELLS}
    if form.get(f"keep-{number}") != "yes":
        return Row(offer, values, None, kept=False)
    problems: dict[str, Sentence] = {}
    plan = _read_plan(values, offer, zone, now, problems)
    if "price" not in problems and (problem := why_not_charged(plan.price)):
        problems["price"] = problem
    return Row(offer, values, None if problems else plan, problems=problems)


def with_problems(row: Row, found: Sequence[InvalidField]) -> Row:
    problems = dict(row.wrong)
    for one in found:
        problems.setdefault(CELL_OF.get(one.field, one.field), one.sentence)
    return Row(row.offer, row.values, row.plan, row.kept, problems, row.clashes)


def _read_plan(
    values: Mapping[str, str],
    offer: Offer,
    zone: ZoneInfo,
    now: datetime,
    problems: dict[str, Sentence],
) -> DealPlan:
    """Return the plan; what cannot be read is replaced by something that could be."""
    return DealPlan(
        offer_id=offer.id,
        price=_try(
            problems,
            "price",
            lambda: read_amount(values, "price", offer.currency),
            offer.price,
        ),
        units=_try(
            problems, "units", lambda: _int(values, "units", 1, MAX_ALLOTMENT), 1
        ),
        limit_per_shopper=_try(
            problems, "limit", lambda: _int(values, "limit", 1, 10), 1
        ),
        opens_at=_try(
            problems, "opens", lambda: _moment(values, "opens", zone, now), now
        ),
        closes_at=_try(
            problems, "closes", lambda: _moment(values, "closes", zone, now), now
        ),
        title=_try(
            problems,
            "title",
            lambda: read_text(values, "title", longest=LONGEST_TITLE),
            "",
        ),
    )


def _try(
    problems: dict[str, Sentence], field: str, read: Callable[[], T], otherwise: T
) -> T:
    try:
        return read()
    except InvalidField as problem:
        problems[field] = problem.sentence
        return otherwise


def _int(form: Form, field: str, least: int, most: int) -> int:
    return read_int(form, field, minimum=least, maximum=most)


def _clock(form: Form, field: str) -> time:
    text = read_text(form, field, longest=8)
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        problem = Sentence("Enter a time such as 18:00.")
        raise InvalidField(field, problem, text) from None


def _moment(form: Form, field: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return an instant that is not so far away that nobody can mean it."""
    problem = Sentence("Choose a time within two years.")
    try:
        moment = read_moment(form, field, zone)
    except OverflowError as error:  # the years 1 and 9999 end at their zone's edge
        raise InvalidField(field, problem) from error
    if abs(moment - now) > FARTHEST:
        raise InvalidField(field, problem)
    return moment


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
