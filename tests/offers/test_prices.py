"""
The price log is the evidence: without 30 days of it, nothing is struck through.
"""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from offers.money import Money
from offers.prices import (
    PricePoint,
    Reduction,
    find_reduction,
    log_price,
    lowest_price,
    price_log,
)
from tests.factories import DAY, HOUR, NOON, SECOND, make_offer, make_price


def reduction(
    session: Session, log: list[tuple[timedelta, int]], price: int, currency: str = ""
) -> Reduction | None:
    """What *price* is at NOON, after each of *log*: so long ago, that much."""
    offer = make_offer(session)
    for ago, amount in log:
        make_price(session, offer, amount, NOON - ago)
    wanted = Money(price, currency or "eur")
    return find_reduction(session, offer.retailer_id, offer.id, wanted, at=NOON)


class TestFindReduction:
    def test_compares_with_the_price_of_the_last_30_days(
        self, session: Session
    ) -> None:
        found = reduction(session, [(40 * DAY, 9_900)], 4_999)

        assert found == Reduction(Money(9_900, "eur"), Money(4_999, "eur"))

    def test_takes_a_log_of_exactly_30_days(self, session: Session) -> None:
        assert reduction(session, [(30 * DAY, 9_900)], 4_999) is not None

    def test_refuses_a_log_that_is_a_second_short(self, session: Session) -> None:
        assert reduction(session, [(30 * DAY - SECOND, 9_900)], 4_999) is None

    def test_finds_nothing_without_a_log(self, session: Session) -> None:
        assert reduction(session, [], 4_999) is None

    def test_compares_with_the_lowest_price_not_the_last(
        self, session: Session
    ) -> None:
        log = [(40 * DAY, 9_900), (20 * DAY, 6_000), (5 * DAY, 9_900)]

        found = reduction(session, log, 4_999)

        assert found is not None
        assert found.prior == Money(6_000, "eur")

    def test_counts_a_price_that_was_still_charged_30_days_ago(
        self, session: Session
    ) -> None:
        log = [(60 * DAY, 9_900), (31 * DAY, 6_000), (29 * DAY, 9_900)]

        found = reduction(session, log, 4_999)

        assert found is not None
        assert found.prior == Money(6_000, "eur")

    def test_forgets_a_price_that_ended_30_days_ago(self, session: Session) -> None:
        log = [(60 * DAY, 6_000), (30 * DAY, 9_900)]

        found = reduction(session, log, 4_999)

        assert found is not None
        assert found.prior == Money(9_900, "eur")

    def test_leaves_out_a_price_that_starts_with_the_deal(
        self, session: Session
    ) -> None:
        log = [(60 * DAY, 9_900), (timedelta(0), 4_000)]

        found = reduction(session, log, 4_999)

        assert found is not None
        assert found.prior == Money(9_900, "eur")

    @pytest.mark.parametrize("price", [9_900, 9_901, 12_000])
    def test_finds_none_in_a_price_that_is_not_lower(
        self, session: Session, price: int
    ) -> None:
        assert reduction(session, [(40 * DAY, 9_900)], price) is None

    def test_finds_none_in_another_currency(self, session: Session) -> None:
        assert reduction(session, [(40 * DAY, 9_900)], 4_999, "gbp") is None

    def test_finds_none_across_a_change_of_currency(self, session: Session) -> None:
        offer = make_offer(session, currency="gbp")
        make_price(session, offer, 9_900, NOON - 40 * DAY, currency="eur")
        make_price(session, offer, 9_900, NOON - 10 * DAY)

        price = Money(4_999, "gbp")
        found = find_reduction(session, offer.retailer_id, offer.id, price, at=NOON)

        assert found is None

    def test_forgets_a_currency_of_more_than_30_days_ago(
        self, session: Session
    ) -> None:
        offer = make_offer(session, currency="gbp")
        make_price(session, offer, 1_000, NOON - 60 * DAY, currency="eur")
        make_price(session, offer, 9_900, NOON - 30 * DAY)

        price = Money(4_999, "gbp")
        found = find_reduction(session, offer.retailer_id, offer.id, price, at=NOON)

        assert found is not None

    def test_takes_no_evidence_from_another_offer(self, session: Session) -> None:
        other, offer = make_offer(session), make_offer(session)
        make_price(session, other, 9_900, NOON - 40 * DAY)

        price = Money(4_999, "eur")

        assert (
            find_reduction(session, offer.retailer_id, offer.id, price, at=NOON) is None
        )


class TestPercent:
    @pytest.mark.parametrize(
        ("prior", "price", "percent"),
        [(9_900, 4_999, 49), (9_900, 4_950, 50), (3, 2, 33), (1_000, 999, 0)],
    )
    def test_is_rounded_down(self, prior: int, price: int, percent: int) -> None:
        assert Reduction(Money(prior, "eur"), Money(price, "eur")).percent == percent


class TestLogPrice:
    def log(self, session: Session, *prices: tuple[int, datetime]) -> list[int]:
        offer = make_offer(session)
        for amount, now in prices:
            price = Money(amount, "eur")
            log_price(
                session, offer.retailer_id, offer.id, price, source="test", now=now
            )
        log = price_log(session, offer.retailer_id, offer.id)
        return [point.price_amount for point in log]

    def test_keeps_prices_in_their_order(self, session: Session) -> None:
        log = self.log(session, (100, NOON), (90, NOON + HOUR), (100, NOON + 2 * HOUR))

        assert log == [100, 90, 100]

    def test_adds_nothing_for_the_same_price(self, session: Session) -> None:
        assert self.log(session, (100, NOON), (100, NOON + HOUR)) == [100]

    def test_adds_the_same_amount_in_another_currency(self, session: Session) -> None:
        offer = make_offer(session)
        make_price(session, offer, 100, NOON, currency="gbp")

        price, now = Money(100, "eur"), NOON + HOUR
        log_price(session, offer.retailer_id, offer.id, price, source="test", now=now)

        assert len(price_log(session, offer.retailer_id, offer.id)) == 2

    @pytest.mark.parametrize(
        ("tax", "taxes"),
        [
            ("included", ["excluded", "included"]),
            ("excluded", ["excluded"]),
            ("unknown", ["excluded"]),
        ],
    )
    def test_adds_the_same_price_with_another_tax(
        self, session: Session, tax: str, taxes: list[str]
    ) -> None:
        offer = make_offer(session)
        for now, said in ((NOON, "excluded"), (NOON + HOUR, tax)):
            price = Money(100, "eur")
            log_price(
                session,
                offer.retailer_id,
                offer.id,
                price,
                source="",
                now=now,
                tax=said,
            )

        log = price_log(session, offer.retailer_id, offer.id)
        assert [point.tax for point in log] == taxes

    def test_puts_what_is_logged_in_the_same_instant_later(
        self, session: Session
    ) -> None:
        prices = [100, 90, 80, 70, 60, 50]

        assert self.log(session, *((price, NOON) for price in prices)) == prices

    def test_puts_what_is_logged_by_a_slow_clock_later(self, session: Session) -> None:
        assert self.log(session, (100, NOON), (90, NOON - SECOND)) == [100, 90]


@given(
    st.lists(
        st.tuples(st.integers(0, 70 * 24), st.integers(100, 9_999)),
        unique_by=lambda pair: pair[0],
    ),
)
def test_the_lowest_price_is_the_lowest_of_every_hour_of_30_days(
    log: list[tuple[int, int]],
) -> None:
    points = [
        PricePoint(price_amount=amount, currency="eur", applied_at=NOON - hours * HOUR)
        for hours, amount in sorted(log, reverse=True)
    ]

    charged = [
        next((p.price_amount for p in reversed(points) if p.applied_at <= at), None)
        for at in (NOON - hours * HOUR for hours in range(1, 30 * 24 + 1))
    ]

    lowest = lowest_price([p for p in points if p.applied_at < NOON], at=NOON)
    amounts = [amount for amount in charged if amount is not None]
    known = len(amounts) == len(charged)
    assert (lowest and lowest.amount) == (min(amounts) if known else None)
