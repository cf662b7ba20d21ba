"""
What a markdown would come to is arithmetic: so many an hour, at prices that fall.
"""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.curves import Course, Demand, if_nothing_sells, simulate
from offers.markdowns import Step
from offers.money import Money
from tests.factories import HOUR, MINUTE


def eur(amount: int) -> Money:
    return Money(amount, "eur")


def course(**facts: Any) -> Course:
    told = {
        "price": eur(5_000),
        "units": 20,
        "sold": 0,
        "since": timedelta(),
        "end": 4 * HOUR,
    }
    return Course(**{**told, **facts})


def step(hours: float, price: int, below: int | None = None) -> Step:
    return Step(after=hours * HOUR, price=eur(price), sold_below=below)


def test_units_go_at_the_pace_that_is_assumed() -> None:
    curve = simulate(course(), [], Demand(2.0))

    assert curve.last.after == 4 * HOUR
    assert curve.last.sold == pytest.approx(8)
    assert curve.last.taken == pytest.approx(8 * 5_000)


def test_what_sells_after_a_step_brings_its_price() -> None:
    curve = simulate(course(), [step(1, 4_000)], Demand(2.0))

    assert curve.last.taken == pytest.approx(2 * 5_000 + 6 * 4_000)
    assert [point.price for point in curve.turns] == [
        eur(5_000),
        eur(4_000),
        eur(4_000),
    ]


def test_a_lower_price_sells_faster_by_as_much_as_is_assumed() -> None:
    curve = simulate(course(), [step(2, 4_500)], Demand(2.0, response=50))

    assert curve.last.sold == pytest.approx(
        2 * 2 + 2 * 3
    )  # a tenth off: half as many more


def test_no_more_is_sold_than_there_is() -> None:
    curve = simulate(course(sold=15), [step(1, 4_000)], Demand(10.0))

    assert curve.last.sold == 20
    assert curve.last.taken == pytest.approx(5 * 5_000)
    assert curve.last.price == eur(5_000)  # nothing was left to lower


@pytest.mark.parametrize(("pace", "price"), [(2.0, 4_000), (5.0, 5_000)])
def test_a_step_may_wait_for_what_sells(pace, price) -> None:
    curve = simulate(course(), [step(2, 4_000, 50)], Demand(pace))

    assert curve.last.price == eur(price)


def test_if_nothing_sells_every_step_is_taken() -> None:
    curve = if_nothing_sells(course(), [step(1, 4_000, 50), step(2, 3_000)])

    assert [point.price.amount for point in curve.turns] == [5_000, 4_000, 3_000, 3_000]
    assert (curve.last.sold, curve.last.taken) == (0, 0)


def test_begins_now_if_the_deal_is_on() -> None:
    curve = simulate(course(since=3 * HOUR, sold=4), [step(1, 4_000)], Demand(2.0))

    assert curve.points[0].after == 3 * HOUR
    assert curve.last.sold == pytest.approx(6)
    assert curve.last.price == eur(5_000)  # that step is past


@given(
    prices=st.lists(st.integers(100, 4_999), max_size=6, unique=True),
    pace=st.floats(0, 100),
    response=st.integers(0, 100),
)
def test_prices_only_fall_and_units_only_grow(prices, pace, response) -> None:
    falling = sorted(prices, reverse=True)
    steps = [step((n + 1) / 2, price, 60) for n, price in enumerate(falling)]

    curve = simulate(course(), steps, Demand(pace, response))

    for before, after in pairwise(curve.points):
        assert before.after < after.after
        assert before.price >= after.price
        assert before.sold <= after.sold <= 20 + 1e-9
        assert before.taken <= after.taken
    assert curve.last.after - 4 * HOUR < MINUTE
