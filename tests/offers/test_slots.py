"""
Openings are at the times on the retailer's clocks, and days are worth about
the same.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.slots import (
    Pattern,
    are_apart,
    coming_days,
    openings,
    share_out,
    times_of,
)
from tests.factories import HOUR

PARIS = ZoneInfo("Europe/Paris")
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def pattern(*days: date, number: int = 3, **facts: object) -> Pattern:
    told = {"first": time(9), "last": time(20), "run": 3 * HOUR, **facts}
    return Pattern(days=days or (MONDAY,), number=number, **told)


def test_the_days_are_those_after_today_on_the_retailers_clocks() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # half past midnight in Paris

    days = coming_days(late, PARIS)

    assert days[0] == TUESDAY
    assert len(days) == 7
    assert all(b - a == timedelta(days=1) for a, b in pairwise(days))


@pytest.mark.parametrize(
    ("number", "times"),
    [
        (1, [time(9)]),
        (2, [time(9), time(20)]),
        (3, [time(9), time(14, 30), time(20)]),
        (4, [time(9), time(12, 40), time(16, 20), time(20)]),
    ],
)
def test_times_are_evenly_apart(number, times) -> None:
    assert times_of(pattern(number=number)) == times


@pytest.mark.parametrize(
    ("number", "last", "apart"),
    [(2, time(9, 15), True), (2, time(9, 14), False), (1, time(9), True)],
)
def test_openings_too_near_each_other_are_noticed(number, last, apart) -> None:
    assert are_apart(pattern(number=number, last=last)) is apart


def test_openings_keep_their_time_when_the_clocks_change() -> None:
    before, after = date(2026, 3, 28), date(2026, 3, 29)

    found = openings(pattern(before, after, number=1, first=time(18)), PARIS)

    assert found == {
        before: [datetime(2026, 3, 28, 17, tzinfo=UTC)],
        after: [datetime(2026, 3, 29, 16, tzinfo=UTC)],
    }


def test_a_time_that_the_clocks_skip_is_an_hour_later() -> None:
    skipped = date(2026, 3, 29)

    found = openings(pattern(skipped, number=1, first=time(2, 30)), PARIS)

    [at] = found[skipped]
    assert at.astimezone(PARIS).time() == time(3, 30)


def test_a_time_that_comes_twice_is_taken_once() -> None:
    twice = date(2026, 10, 25)

    found = openings(pattern(twice, number=1, first=time(2, 30)), PARIS)

    assert len(found[twice]) == 1


class TestSharing:
    def free(self, *numbers: int) -> dict[date, list[datetime]]:
        start = datetime(2026, 3, 2, 9, tzinfo=UTC)
        return {
            MONDAY + timedelta(days=n): [
                start + timedelta(days=n, hours=hour) for hour in range(number)
            ]
            for n, number in enumerate(numbers)
        }

    def test_the_next_goes_to_the_day_with_the_least(self) -> None:
        given = share_out([900, 500, 400, 100], self.free(4, 4))

        days = [at.day for at in given if at is not None]
        assert days == [2, 3, 3, 2]

    def test_what_finds_no_slot_gets_none(self) -> None:
        assert share_out([3, 2, 1], self.free(1, 1))[2] is None

    @given(
        worths=st.lists(st.integers(0, 10_000), max_size=30),
        numbers=st.lists(st.integers(0, 6), max_size=7),
    )
    def test_no_slot_is_given_twice_and_none_is_left_while_wanted(
        self, worths, numbers
    ) -> None:
        found = share_out(sorted(worths, reverse=True), self.free(*numbers))

        taken = [at for at in found if at is not None]
        assert len(taken) == len(set(taken)) == min(len(worths), sum(numbers))
