"""
An amount is read as it was meant, or refused; it is never guessed.
"""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.feed.amounts import (
    read_amount,
    read_money,
    read_percent,
    read_quantity,
)
from offers.feed.errors import BadCell
from offers.feed.marks import decide_mark
from offers.money import Money


def why_not(text: str, *, mark: str = ".", currency: str = "eur") -> str:
    with pytest.raises(BadCell) as refusal:
        read_money(text, mark=mark, currency=currency)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("text", "mark", "cents"),
    [
        ("12.50", ".", 1250),
        ("12,50", ",", 1250),
        ("12,5", ",", 1250),
        ("1,234.50", ".", 123450),
        ("1.234,50", ",", 123450),
        ("1 234,50", ",", 123450),
        ("1\u202f234,50", ",", 123450),
        ("1\u00a0234,50 €", ",", 123450),
        ("1'234.50", ".", 123450),
        ("€12.50", ".", 1250),
        ("12.50 EUR", ".", 1250),
        ("eur 12.50", ".", 1250),
        ("19.99 EUR", ",", 1999),
        ("1.250 EUR", ",", 125000),
        ("12,-", ",", 1200),
        ("12.-- €", ".", 1200),
        (".50", ".", 50),
        ("12", "", 1200),
        ("12.5", "", 1250),
        ("1.234,5", "", 123450),
        ("12.500000", ".", 1250),
        ("19.989999771118164", ".", 1999),
        ("19.990000000000002", ".", 1999),
        ("10000000", ".", 1_000_000_000),
    ],
)
def test_reads_prices_as_shops_write_them(text: str, mark: str, cents: int) -> None:
    assert read_money(text, mark=mark, currency="eur") == Money(cents, "eur")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-5.00", "less than nothing"),
        ("\u22125.00", "less than nothing"),
        ("(5.00)", "less than nothing"),
        ("5.00-", "less than nothing"),
        ("€ -5.00", "less than nothing"),
        ("1e3", "spreadsheet"),
        ("4.6347E+11", "spreadsheet"),
        ("12.50 - 15.00", "range"),
        ("12 à 15", "range"),
        ("12/15", "range"),
        ("20%", "percentage"),
        ("free", "not a number"),
        ("0", "zero"),
        ("0.00", "zero"),
        ("12.345", "finer"),
        ("12.3401", "finer"),
        ("12,50", "decimal mark"),
        ("1,23,456.00", "decimal mark"),
        ("12 50", "decimal mark"),
        ("12.50 pieces", "no currency"),
        ("10000000.01", "mistake"),
        ("9" * 50, "not a number"),
        ("²", "not a number"),
    ],
)
def test_refuses_what_is_not_one_price(text: str, why: str) -> None:
    assert why in why_not(text)


def test_refuses_a_number_that_could_be_two() -> None:
    assert "two different numbers" in why_not("1.234", mark="")


def test_a_cell_may_name_another_currency() -> None:
    assert read_money("$5.00", mark=".", currency="eur") == Money(500, "usd")
    assert read_money("$5.00", mark=".", currency="cad") == Money(500, "cad")
    assert read_money("49,000 DT", mark=",", currency="eur") == Money(49000, "tnd")
    assert read_money("1500", mark=".", currency="jpy") == Money(1500, "jpy")
    assert read_money("Fr.12.50", mark=".", currency="eur") == Money(1250, "chf")


def test_yen_have_no_parts() -> None:
    assert "finer" in why_not("12.50", currency="jpy")
    assert read_money("12.00", mark=".", currency="jpy") == Money(12, "jpy")


@pytest.mark.parametrize(
    ("cells", "decimals", "mark"),
    [
        (["12,50", "3,99"], 2, ","),
        (["1.234", "12.50"], 2, "."),
        (["1.234,00"], 2, ","),
        (["1.234.567"], 2, ","),
        (["1.234", "5.678"], 2, ""),
        (["49.000"], 3, "."),
        (["12", "", "abc"], 2, ""),
        (["12.5", "12,5"], 2, ""),
        (["0.500"], 2, "."),
        (["1234.567"], 2, "."),
    ],
)
def test_the_cells_of_a_column_decide_its_mark(
    cells: list[str], decimals: int, mark: str
) -> None:
    assert decide_mark(cells, decimals=decimals) == mark


@pytest.mark.parametrize(
    ("text", "mark", "quantity"),
    [
        ("24", "", 24),
        ("24.0", "", 24),
        ("24,00", ",", 24),
        ("1 000", "", 1000),
        ("1,000", ".", 1000),
        ("1.000", ".", 1),
        ("0", "", 0),
    ],
)
def test_reads_whole_quantities(text: str, mark: str, quantity: int) -> None:
    assert read_quantity(text, mark=mark) == quantity


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-1", "less than nothing"),
        ("ten", "not a number"),
        ("2.5", "no parts"),
        ("12 pcs", "not a whole number"),
        ("99999999", "More units"),
        ("1E+2", "spreadsheet"),
    ],
)
def test_refuses_what_is_no_quantity(text: str, why: str) -> None:
    with pytest.raises(BadCell, match=why) as refusal:
        read_quantity(text, mark=".")

    assert str(refusal.value.remedy)


def test_reads_percentages() -> None:
    assert read_percent("5,5 %", mark=",") == Decimal("5.5")
    with pytest.raises(BadCell, match="percentage"):
        read_percent("101", mark=".")


SPACED = st.sampled_from([" ", "\u00a0", "\u202f", "'", "\u2019"])


@settings(deadline=None)
@given(
    cents=st.integers(1, 10**9),
    notation=st.sampled_from([(".", ","), (",", ".")]),
    space=st.none() | SPACED,
    pattern=st.sampled_from(["{}", "{} €", "€{}", "EUR {}", "{}EUR"]),
)
def test_every_notation_of_an_amount_reads_back(
    cents: int, notation: tuple[str, str], space: str | None, pattern: str
) -> None:
    mark, thousands = notation
    whole = f"{cents // 100:,}".replace(",", space or thousands)
    text = pattern.format(f"{whole}{mark}{cents % 100:02}")

    read = read_amount(text, mark=mark, currency="eur")

    assert read == Money(cents, "eur")
    assert read_amount(text, mark=decide_mark([text]), currency="eur") == read


@settings(deadline=None)
@given(text=st.text(max_size=60), mark=st.sampled_from(["", ".", ","]))
def test_any_text_is_an_amount_or_a_bad_cell(text: str, mark: str) -> None:
    for read in (
        lambda: read_money(text, mark=mark, currency="tnd").amount,
        lambda: read_quantity(text, mark=mark),
        lambda: int(read_percent(text, mark=mark)),
    ):
        with contextlib.suppress(BadCell):
            assert read() >= 0
