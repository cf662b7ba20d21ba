"""
A chart shows each sale at its instant, within its frame, under round numbers.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.summary import Sold
from outletbot.web.desk.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Course,
    Pin,
    at_times,
    draw,
    time_ticks,
    unit_ticks,
)
from tests.factories import DAY, HOUR, MINUTE, NOON, SECOND

PARIS = ZoneInfo("Europe/Paris")
WIDTH, HEIGHT = LEFT + 600 + RIGHT, TOP + 100 + BOTTOM


def drawn(course: Course):
    return draw(course, width=WIDTH, height=HEIGHT, zone=UTC, language="en")


def course_of(
    *sold: tuple[timedelta, int], allotment: int = 10, **facts: Any
) -> Course:
    return Course(
        sold=[Sold(NOON + after, units) for after, units in sold],
        start=NOON,
        end=NOON + HOUR,
        allotment=allotment,
        **facts,
    )


class TestLine:
    def test_rises_at_the_instant_of_each_sale(self):
        chart = drawn(course_of((6 * MINUTE, 2), (30 * MINUTE, 5)))

        # 60 units of width are 6 minutes, 10 of height are a unit sold.
        assert chart.line == "M40 134H100V114H340V84H640"

    def test_stays_on_the_floor_when_nothing_is_sold(self):
        chart = drawn(course_of())

        assert chart.line == "M40 134H640"
        assert chart.total == 0

    def test_reaches_the_line_of_the_allotment_when_all_is_sold(self):
        chart = drawn(course_of((MINUTE, 10)))

        assert chart.most == TOP
        assert chart.line == "M40 134H50V34H640"

    def test_leaves_room_for_more_sold_than_is_offered(self):
        """Units can be taken out of a deal after they were sold in it."""
        chart = drawn(course_of((MINUTE, 12)))

        assert chart.most > TOP
        assert "V34" in chart.line

    def test_is_no_longer_for_ten_thousand_sales(self):
        sold = ((number * SECOND / 3, number + 1) for number in range(10_000))

        chart = drawn(course_of(*sold, allotment=10_000))

        assert len(chart.line) < 120_000
        assert chart.line.count("H") <= 6_002

    def test_closes_the_area_below_itself(self):
        chart = drawn(course_of((6 * MINUTE, 2)))

        assert chart.area == chart.line + "V134H40Z"

    @given(
        st.lists(st.integers(-100, 5_000), max_size=30),
        st.integers(1, 1_000),
    )
    def test_never_leaves_the_frame(self, minutes, allotment):
        sold = [(m * MINUTE, n + 1) for n, m in enumerate(sorted(minutes))]

        chart = drawn(course_of(*sold, allotment=allotment))

        across = [float(x) for x in re.findall(r"[MH]([\d.]+)", chart.line)]
        up = [float(y) for y in re.findall(r"(?:V|M[\d.]+ )([\d.]+)", chart.line)]
        assert across == sorted(across)
        assert up == sorted(up, reverse=True)
        assert LEFT <= across[0] <= across[-1] <= WIDTH - RIGHT
        assert TOP <= up[-1] <= up[0] <= HEIGHT - BOTTOM


class TestPins:
    def test_stand_where_the_posts_went_out(self):
        pins = [Pin(NOON, "Outlet page"), Pin(NOON + 30 * MINUTE, "Mastodon")]

        chart = drawn(course_of(pins=pins))

        marks = [(pin.place, pin.label) for pin in chart.pins]
        assert marks == [(40, "Outlet page"), (340, "Mastodon")]

    def test_share_a_label_where_they_would_write_over_each_other(self):
        pins = [Pin(NOON, "Outlet page"), Pin(NOON + SECOND, "Mastodon")] * 2

        chart = drawn(course_of(pins=pins))

        assert [pin.label for pin in chart.pins] == ["Outlet page, Mastodon"]


class TestTimes:
    @pytest.mark.parametrize(
        ("length", "labels"),
        [
            (
                MINUTE,
                [
                    "12:00:00",
                    "12:00:10",
                    "12:00:20",
                    "12:00:30",
                    "12:00:40",
                    "12:00:50",
                    "12:01:00",
                ],
            ),
            (HOUR, ["12:00", "12:10", "12:20", "12:30", "12:40", "12:50", "13:00"]),
            (
                18 * HOUR,
                ["12:00", "15:00", "18:00", "21:00", "3 Mar", "03:00", "06:00"],
            ),
            (5 * DAY, ["3 Mar", "4 Mar", "5 Mar", "6 Mar", "7 Mar"]),
        ],
    )
    def test_are_round_and_as_exact_as_needed(self, length, labels):
        course = Course(sold=[], start=NOON, end=NOON + length, allotment=1)

        assert [mark.label for mark in drawn(course).times] == labels

    def test_are_those_of_the_retailer(self):
        chart = draw(course_of(), width=WIDTH, height=HEIGHT, zone=PARIS, language="en")

        assert chart.times[0].label == "13:00"

    def test_stay_round_when_the_clocks_go_forward(self):
        night = datetime(2026, 3, 28, 22, tzinfo=PARIS).astimezone(UTC)

        ticks = time_ticks(night, night + 12 * HOUR, PARIS, most=6)

        clocks = [at.astimezone(PARIS).strftime("%H:%M") for at, _ in ticks]
        assert clocks == ["22:00", "00:00", "03:00", "04:00", "06:00", "08:00", "10:00"]

    @given(st.integers(1, 40 * 86_400), st.integers(1, 12))
    def test_are_never_too_many_and_within(self, seconds, most):
        end = NOON + timedelta(seconds=seconds)

        ticks = time_ticks(NOON, end, UTC, most=most)

        assert len(ticks) <= most + 1
        assert all(NOON <= at <= end for at, _ in ticks)


class TestUnits:
    @pytest.mark.parametrize(
        ("top", "ticks"),
        [
            (1, [0, 1]),
            (5, [0, 1, 2, 3, 4, 5]),
            (10, [0, 2, 4, 6, 8, 10]),
            (24, [0, 5, 10, 15, 20]),
            (60, [0, 20, 40, 60]),
            (100_000, [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        ],
    )
    def test_are_round(self, top, ticks):
        assert unit_ticks(top) == ticks


class TestTable:
    def test_says_the_same_in_words(self):
        course = course_of((6 * MINUTE, 2), (30 * MINUTE, 5))

        rows = dict(at_times(course, UTC, "en"))

        assert rows["12:05"] == 0
        assert rows["12:10"] == 2
        assert rows["12:25"] == 2
        assert rows["12:30"] == 5
        assert rows["13:00"] == 5
