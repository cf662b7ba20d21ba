"""
The words that the goods are made of: money, ids, moments, sentences.
"""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError
from sqlmodel import Session

from offers.errors import SoldOut, TooManyAttempts
from offers.ids import ALPHABET, new_code, new_dated_code, new_id
from offers.money import Money, exponent, is_currency
from offers.sentences import Sentence
from tests.factories import MINUTE, NOON, make_retailer

MILLISECOND = timedelta(milliseconds=1)


class TestMoney:
    @pytest.mark.parametrize(
        ("value", "currency", "amount"),
        [("12.50", "eur", 1250), ("1250", "jpy", 1250), ("1.234", "tnd", 1234)],
    )
    def test_is_minor_units(self, value: str, currency: str, amount: int) -> None:
        money = Money.of(Decimal(value), currency)

        assert money == Money(amount, currency)
        assert money.value == Decimal(value)

    @pytest.mark.parametrize(("value", "currency"), [("0.001", "eur"), ("0.5", "jpy")])
    def test_is_no_finer_than_its_smallest_unit(
        self, value: str, currency: str
    ) -> None:
        with pytest.raises(ValueError, match="finer"):
            Money.of(Decimal(value), currency)

    @given(st.integers(-(10**15), 10**15), st.sampled_from(["eur", "jpy", "tnd"]))
    def test_is_the_same_there_and_back(self, amount: int, currency: str) -> None:
        money = Money(amount, currency)

        assert Money.of(money.value, currency) == money

    def test_is_reckoned_in_one_currency(self) -> None:
        assert Money(5, "eur") + Money(7, "eur") - Money(2, "eur") == Money(10, "eur")
        assert Money(5, "eur") * 3 == Money(15, "eur")
        with pytest.raises(ValueError, match="cannot reckon"):
            Money(5, "eur") + Money(5, "gbp")
        with pytest.raises(ValueError, match="cannot reckon"):
            Money(5, "eur") - Money(5, "gbp")

    def test_reads_well(self) -> None:
        assert str(Money(123_456, "eur")) == "1,234.56 EUR"
        assert str(Money(1_250, "jpy")) == "1,250 JPY"

    def test_knows_currencies(self) -> None:
        assert is_currency("eur")
        assert not is_currency("EUR")
        assert not is_currency("xyz1")
        assert [exponent(one) for one in ("jpy", "eur", "tnd")] == [0, 2, 3]


class TestIds:
    def test_say_what_they_name(self) -> None:
        assert re.fullmatch(f"hold_[{ALPHABET}]{{26}}", new_id("hold", NOON))

    def test_sort_by_when_they_were_made(self) -> None:
        ids = [new_id("hold", NOON + n * MILLISECOND) for n in range(100)]

        assert ids == sorted(ids)

    def test_are_each_another(self) -> None:
        assert len({new_id("hold", NOON) for _ in range(1_000)}) == 1_000
        assert len({new_code() for _ in range(1_000)}) == 1_000

    def test_dated_codes_sort_by_time_and_cannot_be_guessed(self) -> None:
        codes = [new_dated_code(NOON + n * MILLISECOND) for n in range(100)]

        assert codes == sorted(codes)
        assert len({code[8:] for code in codes}) == 100
        assert all(re.fullmatch(f"[{ALPHABET}]{{34}}", code) for code in codes)

    def test_are_version_7(self) -> None:
        digits = new_id("hold", NOON).partition("_")[2]
        number = 0
        for digit in digits:
            number = number * 32 + ALPHABET.index(digit)

        assert number >> 80 == int(NOON.timestamp() * 1000)
        assert (number >> 76 & 15, number >> 62 & 3) == (7, 2)


class TestMoments:
    def test_are_the_same_instant_in_utc(self, session: Session) -> None:
        there = NOON.astimezone(timezone(timedelta(hours=5)))
        made = make_retailer(session, created_at=there)

        session.refresh(made)

        assert made.created_at == NOON
        assert made.created_at.utcoffset() == timedelta(0)

    def test_want_a_time_zone(self, session: Session) -> None:
        naive = datetime(2026, 3, 2, 12)  # noqa: DTZ001  (that is what is tried)

        with pytest.raises(StatementError, match="time zone"):
            make_retailer(session, created_at=naive)
        session.rollback()


class TestSentences:
    def test_are_english_as_they_stand(self) -> None:
        assert str(Sentence("Only {left} left.", left=3)) == "Only 3 left."
        assert repr(Sentence("Sold out.")) == "Sentence('Sold out.')"

    def test_are_equal_if_they_say_the_same(self) -> None:
        one, same = (Sentence("Only {left} left.", left=3) for _ in range(2))
        other = Sentence("Only {left} left.", left=4)

        assert one == same
        assert hash(one) == hash(same)
        assert one not in {other, "Only 3 left."}

    def test_are_what_an_error_says(self) -> None:
        assert str(SoldOut("deal_1", wanted=2, left=1)) == "Only 1 left."
        assert str(SoldOut("deal_1", wanted=2, left=0)) == "Sold out."
        assert "15 min" in str(TooManyAttempts(after=15 * MINUTE))
