"""
What was written in one of the many ways is read as what it was, or refused; never as
something else.
"""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from offers.feed import ENCODINGS
from offers.feed.amounts import read_amount, read_money, read_quantity
from offers.feed.encoding import decode_sample, detect
from offers.feed.errors import BadCell
from offers.feed.marks import decide_mark
from offers.feed.records import DELIMITERS, best_delimiter, sample_records
from offers.money import Money, exponent
from tests.offers.feed.feeds import rows_of

# Signs that stand for one currency, before or behind the number.
SIGNS = {
    "eur": ("", "€", "EUR", "eur", "euros"),
    "usd": ("", "$", "USD", "US$"),
    "jpy": ("", "¥", "JPY"),
    "tnd": ("", "DT", "TND"),
    "chf": ("", "CHF", "Fr."),
}
SPACES = ("", " ", "\u00a0", "\u202f", "'", "\u2019")

often = settings(max_examples=200, deadline=None)


@st.composite
def written(draw: st.DrawFn, *, grouped: bool = True) -> tuple[Money, str, str]:
    """Return money, how somebody writes it, and their decimal mark."""
    currency = draw(st.sampled_from(sorted(SIGNS)))
    decimals = exponent(currency)
    money = Money(draw(st.integers(1, 10**9)), currency)
    mark = draw(st.sampled_from(".,"))
    other = "," if mark == "." else "."
    whole, part = divmod(money.amount, 10**decimals)
    between = draw(st.sampled_from((*SPACES, other))) if grouped else ""
    digits = f"{whole:,}".replace(",", between)
    if decimals:
        digits += f"{mark}{part:0{decimals}}"
    sign = draw(st.sampled_from(SIGNS[currency]))
    gap = " " if sign == "Fr." else draw(st.sampled_from(("", " ", "\u00a0")))
    text = f"{sign}{gap}{digits}" if draw(st.booleans()) else f"{digits}{gap}{sign}"
    return money, text, mark


class TestMoney:
    @often
    @given(written())
    def test_is_read_by_the_mark_of_its_column(
        self, told: tuple[Money, str, str]
    ) -> None:
        money, text, mark = told
        assume(money.value <= 10_000_000)

        assert read_money(text, mark=mark, currency=money.currency) == money

    @often
    @given(written())
    def test_without_a_mark_is_read_right_or_refused(
        self, told: tuple[Money, str, str]
    ) -> None:
        money, text, _ = told

        try:
            read = read_amount(text, mark="", currency=money.currency)
        except BadCell:
            return

        assert read == money

    @often
    @given(st.lists(written(), min_size=1, max_size=30), st.sampled_from(".,"))
    def test_a_column_gives_its_mark_away_or_says_nothing(
        self, told: list[tuple[Money, str, str]], mark: str
    ) -> None:
        column = [text for _, text, own in told if own == mark]
        decimals = {exponent(money.currency) for money, _, own in told if own == mark}
        assume(len(decimals) == 1)

        assert decide_mark(column, decimals=decimals.pop()) in (mark, "")

    @often
    @given(written(grouped=False))
    def test_is_read_as_it_is_printed_for_a_person(
        self, told: tuple[Money, str, str]
    ) -> None:
        money, _, _ = told
        assume(money.value <= 10_000_000)

        assert read_money(str(money), mark=".", currency="xof") == money

    @often
    @given(
        st.integers(0, 10**7),
        st.sampled_from(SPACES),
        st.sampled_from(("", ".0", ",00")),
    )
    def test_units_are_read_as_they_were_counted(
        self, units: int, between: str, end: str
    ) -> None:
        text = f"{units:,}".replace(",", between) + end

        assert read_quantity(text, mark=end[:1]) == units


def letters(codec: str) -> st.SearchStrategy[str]:
    """Return texts of the letters of *codec*, without control characters."""
    return st.text(
        st.characters(
            codec=codec.removesuffix("-sig"),
            exclude_categories=("Cc", "Cs", "Cf"),
            # shift_jis writes these and reads others.
            exclude_characters="\u00a5\u203e" if codec == "shift_jis" else "",
        ),
        min_size=1,
        max_size=200,
    )


def read_back(data: bytes, forced: str | None = None) -> tuple[str, str]:
    found = detect(io.BytesIO(data), data, forced)
    return found.name, decode_sample(data, found)


class TestEncodings:
    @often
    @given(st.data(), st.sampled_from(ENCODINGS))
    def test_what_a_person_chooses_is_read(
        self, data: st.DataObject, codec: str
    ) -> None:
        text = data.draw(letters(codec))

        name, read = read_back(text.encode(codec), codec)

        assert (name, read) == (codec, text)

    @often
    @given(st.data(), st.sampled_from(["utf-8-sig", "utf-16"]))
    def test_what_has_a_mark_is_found(self, data: st.DataObject, codec: str) -> None:
        text = data.draw(letters(codec))

        name, read = read_back(text.encode(codec))

        assert (name, read) == (codec, text)

    @often
    @given(letters("utf-8"))
    def test_utf_8_is_found_without_a_mark(self, text: str) -> None:
        assume(not text.startswith("\ufeff"))
        data = f"sku;title\n1;{text}".encode()

        assert read_back(data) == ("utf-8", data.decode())

    @often
    @given(letters("iso-8859-1"), st.sampled_from(["utf-16-le", "utf-16-be"]))
    def test_wide_latin_letters_are_found_without_a_mark(
        self, text: str, codec: str
    ) -> None:
        whole = f"sku;title\n1;{text}"

        assert read_back(whole.encode(codec)) == (codec, whole)

    @often
    @given(letters("cp1252"))
    def test_western_letters_that_are_no_utf_8_are_those_of_windows(
        self, text: str
    ) -> None:
        data = f"réf;titre\n1;{text}".encode("cp1252")

        assert read_back(data) == ("cp1252", data.decode("cp1252"))


CELLS = st.text(
    st.sampled_from(list("abcé 12.\"'-\n")), min_size=1, max_size=12
).filter(lambda text: text == text.strip() and text.strip("\"'"))


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Return a header and rows of cells with quotation marks and line breaks."""
    wide = draw(st.integers(3, 8))
    row = st.lists(CELLS, min_size=wide, max_size=wide)
    return [
        [f"Column {n}" for n in range(wide)],
        *draw(st.lists(row, min_size=2, max_size=12)),
    ]


def text_of(table: Sequence[Sequence[str]], delimiter: str, end: str) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, lineterminator=end).writerows(table)
    return written.getvalue()


class TestDelimiters:
    @often
    @given(tables(), st.sampled_from(DELIMITERS), st.sampled_from(["\n", "\r\n"]))
    def test_rows_are_cut_as_they_were_joined(
        self, table: list[list[str]], delimiter: str, end: str
    ) -> None:
        text = text_of(table, delimiter, end)

        found = best_delimiter(text)
        records = sample_records(text, found)

        assert found == delimiter
        assert [record.cells for record in records] == table

    @often
    @given(tables(), st.sampled_from(DELIMITERS))
    def test_a_row_knows_the_lines_on_which_it_stands(
        self, table: list[list[str]], delimiter: str
    ) -> None:
        text = text_of(table, delimiter, "\n")
        lines = text.split("\n")

        for record in sample_records(text, delimiter):
            own = "\n".join(lines[record.line - 1 : record.last])
            assert (
                next(csv.reader(io.StringIO(own), delimiter=delimiter)) == record.cells
            )

    @pytest.mark.parametrize("delimiter", [";", "\t", "|"])
    @given(
        prices=st.lists(st.integers(1, 10**6), min_size=2, max_size=20),
        columns=st.integers(1, 3),
    )
    @often
    def test_decimal_commas_are_no_delimiters(
        self, delimiter: str, prices: list[int], columns: int
    ) -> None:
        names = ["sku", "titre", "prix", "prix barré", "coût"][: 2 + columns]
        rows = [
            [f"S{n}", f"Objet {n}", *[f"{cents // 100},{cents % 100:02}"] * columns]
            for n, cents in enumerate(prices)
        ]
        text = text_of([names, *rows], delimiter, "\r\n")

        assert best_delimiter(text) == delimiter
        assert [row.price for row in rows_of(text)] == [Money(c, "eur") for c in prices]
