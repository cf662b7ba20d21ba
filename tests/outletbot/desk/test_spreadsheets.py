"""
What is taken away opens in a spreadsheet, and does nothing there.
"""

from zoneinfo import ZoneInfo

import pytest

from offers.money import Money
from outletbot.web.desk.spreadsheets import write_csv
from tests.factories import NOON

PARIS = ZoneInfo("Europe/Paris")


def written(cell) -> str:
    return (
        write_csv(["cell"], [[cell]], zone=PARIS).decode("utf-8-sig").split("\r\n")[1]
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1"])
def test_disarms_what_begins_like_a_formula(text):
    assert written(text) == f"'{text}"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Money(-1_250, "eur"), "-12.50"),
        (Money(1_250, "jpy"), "1250"),
        (Money(1_250, "tnd"), "1.250"),
        (NOON, "2026-03-02T13:00:00+01:00"),
        (1 / 3, "0.3333"),
        (7, "7"),
        (None, '""'),
        ("a, b", '"a, b"'),
        ("Léa", "Léa"),
    ],
)
def test_writes_values_that_machines_read(cell, text):
    assert written(cell) == text
