"""
What people send is read, or refused in words that they can act on.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.errors import InvalidField
from offers.money import Money
from outletbot.web.forms import read_amount, read_int, read_moment, read_text

PARIS = ZoneInfo("Europe/Paris")


class TestText:
    def test_is_without_the_space_around_it(self) -> None:
        assert read_text({"name": "  Ana \n"}, "name", longest=10) == "Ana"

    def test_is_without_what_no_database_keeps(self) -> None:
        assert read_text({"name": "\0 A\0na"}, "name", longest=10) == "Ana"

    def test_that_is_missing_is_empty(self) -> None:
        assert read_text({}, "name", longest=10) == ""

    def test_that_is_needed_is_asked_for(self) -> None:
        for form in ({}, {"name": "  "}, {"name": b"a file"}):
            with pytest.raises(InvalidField, match="Fill this in") as refusal:
                read_text(form, "name", longest=10, needed=True)

            assert refusal.value.field == "name"

    def test_may_be_as_long_as_it_may(self) -> None:
        assert len(read_text({"name": "é" * 10}, "name", longest=10)) == 10

        with pytest.raises(InvalidField, match="10 characters at most") as refusal:
            read_text({"name": "é" * 11}, "name", longest=10)
        assert refusal.value.value == "é" * 11


class TestAmount:
    @pytest.mark.parametrize(
        ("text", "currency", "amount"),
        [
            ("12.50", "eur", 1_250),
            (" 12,5 ", "eur", 1_250),
            ("12", "jpy", 12),
            ("1.255", "kwd", 1_255),
            ("0", "eur", 0),
        ],
    )
    def test_is_money_of_the_currency(self, text, currency, amount) -> None:
        read = read_amount({"amount": text}, "amount", currency)

        assert read == Money(amount, currency)

    @pytest.mark.parametrize(
        ("text", "currency"),
        [
            ("1.255", "eur"),
            ("1.5", "jpy"),
            ("-1", "eur"),
            ("1e3", "eur"),
            ("1.000,00", "eur"),
            ("€5", "eur"),
            ("\u0661", "eur"),
            ("1" * 10, "eur"),
        ],
    )
    def test_is_nothing_finer_or_stranger(self, text, currency) -> None:
        with pytest.raises(InvalidField, match=r"such as 12\.50") as refusal:
            read_amount({"amount": text}, "amount", currency)

        assert (refusal.value.field, refusal.value.value) == ("amount", text)

    def test_is_asked_for(self) -> None:
        with pytest.raises(InvalidField, match="Fill this in"):
            read_amount({}, "amount", "eur")


class TestInt:
    @pytest.mark.parametrize(("text", "number"), [("1", 1), (" 7 ", 7), ("010", 10)])
    def test_is_a_whole_number(self, text, number) -> None:
        assert read_int({"units": text}, "units", minimum=1, maximum=10) == number

    @pytest.mark.parametrize(
        "text", ["", "-1", "+1", "1.0", "1e3", "²", "\u0661", "one", "0x1", "9" * 30]
    )
    def test_is_nothing_else(self, text) -> None:
        with pytest.raises(InvalidField) as refusal:
            read_int({"units": text}, "units", minimum=1, maximum=10)

        assert refusal.value.field == "units"

    @pytest.mark.parametrize("text", ["0", "11"])
    def test_is_within_its_bounds(self, text) -> None:
        with pytest.raises(InvalidField, match="between 1 and 10"):
            read_int({"units": text}, "units", minimum=1, maximum=10)

    @given(st.text(max_size=40))
    def test_is_read_or_refused(self, text) -> None:
        try:
            number = read_int({"units": text}, "units", minimum=0, maximum=99)
        except InvalidField:
            return
        assert 0 <= number <= 99


class TestMoment:
    def read(self, text: str) -> datetime:
        return read_moment({"opens": text}, "opens", PARIS)

    def test_is_the_retailers_own_time(self) -> None:
        assert self.read("2026-03-02T18:00") == datetime(2026, 3, 2, 17, tzinfo=UTC)
        assert self.read("2026-07-02T18:00") == datetime(2026, 7, 2, 16, tzinfo=UTC)

    def test_is_none_that_the_clocks_skip(self) -> None:
        with pytest.raises(InvalidField, match="clocks go forward"):
            self.read("2026-03-29T02:30")

    def test_is_the_first_of_two_when_the_clocks_go_back(self) -> None:
        assert self.read("2026-10-25T02:30") == datetime(
            2026, 10, 25, 0, 30, tzinfo=UTC
        )

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "soon",
            "25:00",
            "2026-02-30T10:00",
            "2026-13-01T10:00",
            "0001-01-01T00:00",
            "2026-03-02T18:00+05:00",
            "2026-03-02T18:00Z",
        ],
    )
    def test_is_asked_for_again_if_it_is_none(self, text) -> None:
        with pytest.raises(InvalidField, match="2026-12-01T18:00"):
            self.read(text)

    def test_is_asked_for_again_at_the_end_of_time(self) -> None:
        with pytest.raises(InvalidField, match="2026-12-01T18:00"):
            read_moment({"opens": "9999-12-31T23:59"}, "opens", ZoneInfo("US/Hawaii"))
