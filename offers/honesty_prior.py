"""The price before: what a reduction is reckoned from, by each of the rules.

Pure: what was charged, from when until when, goes in, and a price comes out or the
reason why there is none. No rule here can claim more than was charged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from offers.honesty import Rule
from offers.money import Money

WINDOW = timedelta(days=30)
RECENT = timedelta(days=90)
WITHOUT_TAX = "excluded"


class Ground(StrEnum):
    """Why a reduction may be announced or not."""

    PROVEN = "proven"
    NOT_LOWER = "not_lower"
    LOG_TOO_SHORT = "log_too_short"
    CURRENCY_CHANGED = "currency_changed"
    TAX_CHANGED = "tax_changed"
    WITHOUT_TAX = "without_tax"
    NOT_USUAL = "not_usual"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """*price* was charged from *since* until *until*; ``None`` is until now.

    *key* is the id of what says so, and *source* its origin. *cut* is a reduction that
    was announced: a deal of ours, or a lower price in a season of sales, of which it is
    one until the season ends, at *cut_until*.
    """

    since: datetime
    until: datetime | None
    price: Money
    key: str = ""
    source: str = ""
    tax: str = "unknown"
    declared: bool = False
    cut: bool = False
    cut_until: datetime | None = None

    def is_cut(self, at: datetime) -> bool:
        return self.cut and (self.cut_until is None or at < self.cut_until)

    def ended_by(self, moment: datetime) -> bool:
        return self.until is not None and self.until <= moment


@dataclass(frozen=True, slots=True)
class Terms:
    """By which *rule* a retailer's reductions are reckoned, and with what."""

    rule: Rule = Rule.LOWEST
    usual_for: timedelta = timedelta(days=28)
    with_tax: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """*price* is the price before at *until*, if there is one.

    *applied* is what it rests on: all that was charged from *since* until *until*. It
    is *proven* unless *ground* says otherwise; whether a price is lower is not told.
    """

    ground: Ground
    rule: Rule
    since: datetime
    until: datetime
    price: Money | None = None
    applied: tuple[Applied, ...] = ()

    @property
    def declared(self) -> bool:
        return any(one.declared for one in self.applied)


def find_prior(
    history: Sequence[Applied], price: Money | None, *, at: datetime, terms: Terms
) -> Prior:
    """Return the price before *price*, if that is charged from *at* on.

    *history* is in order of time.
    """
    past = [one for one in history if one.since < at]
    match terms.rule:
        case Rule.USUAL:
            return _usual(past, at, terms)
        case Rule.FIRST_CUT:
            first = _first_cut(past, price, at)
            # What is no further cut has the lowest price of the 30 days, and says so.
            by = terms if first < at else replace(terms, rule=Rule.LOWEST)
            return _lowest(past, first, by)
        case Rule.NEVER:
            found = _lowest(past, at, terms)
            return _none(Ground.NEVER, found.applied, at, terms)
        case Rule.LOWEST:
            return _lowest(past, at, terms)


def _lowest(past: Sequence[Applied], at: datetime, terms: Terms) -> Prior:
    """The lowest price of the 30 days before *at*, each moment of which is known."""
    start = at - WINDOW
    applied = [one for one in past if one.since < at and not one.ended_by(start)]
    ground = _objection(applied, start, at, terms)
    if ground is not None:
        return _none(ground, applied, at, terms)
    return Prior(
        ground=Ground.PROVEN,
        rule=terms.rule,
        since=start,
        until=at,
        price=min(one.price for one in applied),
        applied=tuple(applied),
    )


def _usual(past: Sequence[Applied], at: datetime, terms: Terms) -> Prior:
    """What the shop charged last, if it did for long enough within 90 days.

    What our deals charged meanwhile is not the usual price, nor is it held against it.
    """
    start = at - RECENT
    applied = [one for one in past if not one.ended_by(start)]
    regular = [one for one in applied if not one.cut]
    if not regular:
        return _none(Ground.LOG_TOO_SHORT, applied, at, terms)
    last = regular[-1].price
    ground = _objection([one for one in regular if one.price == last], at, at, terms)
    same = [one for one in regular if one.price == last]
    if ground is None and _charged(same, start, at) < terms.usual_for:
        ground = Ground.NOT_USUAL
    if ground is not None:
        return _none(ground, applied, at, terms)
    return Prior(
        ground=Ground.PROVEN,
        rule=terms.rule,
        since=start,
        until=at,
        price=last,
        applied=tuple(same),
    )


def _charged(same: Sequence[Applied], start: datetime, at: datetime) -> timedelta:
    """Return how long these prices were charged, no moment counted twice."""
    total, reach = timedelta(), start
    for one in same:
        begins, ends = max(one.since, reach), min(one.until or at, at)
        if ends > begins:
            total, reach = total + (ends - begins), ends
    return total


def _first_cut(past: Sequence[Applied], price: Money | None, at: datetime) -> datetime:
    """Return when the cuts began that lead to *price* without a break, or *at*.

    A price that rises ends them, and so does one that was no announced reduction.
    """
    first, lower = at, price
    reach = at
    for one in reversed(past):
        falls = lower is None or (
            one.price.currency == lower.currency and one.price >= lower
        )
        if not (one.is_cut(at) and falls and (one.until or at) >= reach):
            break
        first = reach = one.since
        lower = one.price
    return first


def _objection(
    applied: Sequence[Applied], start: datetime, at: datetime, terms: Terms
) -> Ground | None:
    """Return what speaks against a price before made of these, if anything does."""
    if not applied or _has_gap(applied, start, at):
        return Ground.LOG_TOO_SHORT
    if len({one.price.currency for one in applied}) > 1:
        return Ground.CURRENCY_CHANGED
    taxes = {one.tax for one in applied} - {"unknown"}
    if len(taxes) > 1:
        return Ground.TAX_CHANGED
    if terms.with_tax and WITHOUT_TAX in taxes:
        return Ground.WITHOUT_TAX
    return None


def _has_gap(applied: Sequence[Applied], start: datetime, at: datetime) -> bool:
    reach = start
    for one in applied:
        if one.since > reach:
            return True
        reach = max(reach, one.until or at)
    return reach < at


def _none(
    ground: Ground, applied: Sequence[Applied], at: datetime, terms: Terms
) -> Prior:
    return Prior(
        ground=ground,
        rule=terms.rule,
        since=at - WINDOW,
        until=at,
        applied=tuple(applied),
    )
