"""
Cells give up their text, codes, days and addresses, and nothing that runs.
"""

import re
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offers.feed.cells import (
    clean,
    guarded,
    read_address,
    read_condition,
    read_gtin,
    read_line,
    read_text,
    spoilt_by_spreadsheet,
)
from offers.feed.days import read_day, read_period
from offers.feed.errors import BadCell


def test_takes_off_what_spreadsheets_wrap_around() -> None:
    assert clean('="0012"') == "0012"
    assert clean("'=1+1") == "=1+1"
    assert clean("'tis") == "'tis"
    assert clean("  a ") == "a"


@settings(deadline=None)
@given(st.text())
@example("\r")
def test_a_guarded_cell_is_no_formula_and_reads_as_before(text: str) -> None:
    safe = guarded(text)

    assert safe[:1] not in tuple("=+-@\t\r") or re.fullmatch(r"[+-][0-9.,]+", safe)
    assert clean(safe) in (clean(text), text.strip(), text)


@pytest.mark.parametrize("number", ["-5", "-5.00", "+1.234,50"])
def test_a_number_is_no_formula(number: str) -> None:
    assert guarded(number) == number
    assert guarded(f"{number}+A1") == f"'{number}+A1"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Warm</p><p>and <b>dry</b></p>", "Warm\nand dry"),
        ("a<br/>b", "a\nb"),
        ("Caf&eacute; &amp;amp; bar", "Café & bar"),
        ("&amp;#039;90s", "'90s"),
        ("&amp;amp;amp;", "&amp;"),
        ("x<script>alert(1)</script>y", "x y"),
        ("x<style>p{}</STYLE >y<script>z", "x y"),
        ("5 < 6 > 4", "5 < 6 > 4"),
        ("one\r\n\r\n two", "one\ntwo"),
    ],
)
def test_descriptions_become_text(html: str, text: str) -> None:
    read = read_text(html)

    assert read is not None
    assert read.replace("xy", "x y") == text


def test_an_empty_description_says_nothing() -> None:
    assert read_text("<p> </p>") is None


def test_titles_are_one_line() -> None:
    assert read_line("Nut &amp; <i>bolt</i>\n set") == "Nut & bolt set"


def test_hostile_markup_takes_no_time() -> None:
    assert read_text("<a" * 30_000) is not None
    assert read_text("<script>" * 8_000) is None


@pytest.mark.parametrize(
    ("code", "gtin"),
    [
        ("4006381333931", "4006381333931"),
        ("036000291452", "0036000291452"),
        ("36000291452", "0036000291452"),
        ("400-6381 333931", "4006381333931"),
        ("96385074", "96385074"),
        ("1234567890123", None),
        ("0000000000000", None),
        ("8.80609E+12", None),
        ("²", None),
        ("abc", None),
    ],
)
def test_codes_count_only_with_their_check_digit(code: str, gtin: str | None) -> None:
    assert read_gtin(code) == gtin


def test_knows_a_code_that_a_spreadsheet_has_rounded() -> None:
    assert spoilt_by_spreadsheet("8.80609E+12")
    assert spoilt_by_spreadsheet("0685387000000")
    assert not spoilt_by_spreadsheet("4006381333931")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        ("2026-03-02 10:00:00", date(2026, 3, 2)),
        ("2026-03-02T10:00Z", date(2026, 3, 2)),
        ("31/12/2026", date(2026, 12, 31)),
        ("12/31/2026", date(2026, 12, 31)),
        ("02.03.2026", date(2026, 3, 2)),
        ("04/04/2026", date(2026, 4, 4)),
        ("0000-00-00", None),
    ],
)
def test_reads_days(text: str, day: date | None) -> None:
    assert read_day(text) == day


@pytest.mark.parametrize("text", ["3/4/2026", "soon", "2026-13-01", "31/02/2026"])
def test_refuses_what_is_no_day_or_two(text: str) -> None:
    with pytest.raises(BadCell):
        read_day(text)


def test_reads_the_days_of_a_sale() -> None:
    days = read_period("2016-02-24T13:00-0800 / 2016-02-29T15:30-0800")

    assert days == (date(2016, 2, 24), date(2016, 2, 29))
    with pytest.raises(BadCell):
        read_period("2016-02-24")


def test_takes_the_first_of_several_addresses() -> None:
    assert read_address("https://a.example/1,2.jpg, https://a.example/3.jpg") == (
        "https://a.example/1,2.jpg"
    )
    assert read_address("1.webp,2.webp") is None
    assert read_address("javascript:alert(1)") is None


def test_conditions_are_words_of_the_trade() -> None:
    assert read_condition("Reconditionné") == "refurbished"
    assert read_condition("B-Ware") == "seconds"
    assert read_condition("Ex-display") == "ex-display"
    assert read_condition("1") is None
