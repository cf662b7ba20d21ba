"""
A proposed price ends as the retailer's prices do, is never under its floor, and always
under what the shop charges.
"""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.money import Money
from offers.proposed_prices import (
    ENDINGS,
    PLAIN,
    Terms,
    cost_of,
    fall,
    floor_of,
    propose,
)


def eur(amount: int) -> Money:
    return Money(amount, "eur")


class TestFloor:
    @pytest.mark.parametrize(
        ("cost", "margin", "tax", "floor"),
        [
            (2_500, 10, 0, 2_750),
            (2_500, 0, 0, 2_500),
            (2_500, 10, 2_000, 3_300),  # 25.00 and a tenth, and a fifth of tax on that
            (1_000, 0, 550, 1_055),
            (333, 10, 0, 367),  # 366.3 is not enough
            (1, 0, 0, 1),
        ],
    )
    def test_is_cost_and_margin_and_tax(self, cost, margin, tax, floor) -> None:
        terms = Terms(margin_percent=margin, tax_points=tax)

        assert floor_of(eur(cost), terms) == eur(floor)

    def test_of_what_cost_nothing_is_the_smallest_coin(self) -> None:
        assert floor_of(eur(0), Terms()) == eur(1)

    @pytest.mark.parametrize("told", [None, eur(0)])
    def test_without_a_cost_a_share_of_the_price_is_taken(self, told) -> None:
        assert cost_of(told, eur(9_901), Terms(cost_share_percent=50)) == eur(4_951)

    def test_a_cost_that_is_told_is_taken(self) -> None:
        assert cost_of(eur(7), eur(9_900), Terms()) == eur(7)


class TestProposal:
    @pytest.mark.parametrize(
        ("price", "floor", "ending", "proposed"),
        [
            (9_900, 2_750, "90", 6_890),  # 69.30, down
            (9_900, 2_750, "00", 6_900),
            (9_900, 2_750, "95", 6_895),
            (9_900, 2_750, PLAIN, 6_930),
            (9_900, 7_000, "90", 7_090),  # the floor is above 30 % off: up
            (9_900, 9_350, "90", 9_390),
            (9_900, 9_395, "90", 9_395),  # no .90 is left between them
            (9_900, 9_850, "90", None),  # that is hardly a deal
            (80, 10, "90", 56),  # none at all under 0.90
            (9_900, 9_900, "90", None),
            (9_900, 12_000, "90", None),
        ],
    )
    def test_is_the_next_lower_that_ends_right(
        self, price, floor, ending, proposed
    ) -> None:
        found = propose(eur(price), eur(floor), Terms(ending=ending))

        assert found == (None if proposed is None else eur(proposed))

    @pytest.mark.parametrize(
        ("currency", "price", "ending", "proposed"),
        [
            ("jpy", 4_980, "90", 3_390),  # 3486: no smaller unit, so tens
            ("tnd", 99_000, "90", 68_900),  # three decimals: 68.900
            ("tnd", 99_000, "95", 68_950),
        ],
    )
    def test_ends_right_in_any_currency(
        self, currency, price, ending, proposed
    ) -> None:
        terms = Terms(ending=ending)

        found = propose(Money(price, currency), Money(1, currency), terms)

        assert found == Money(proposed, currency)

    @given(
        price=st.integers(1, 1_000_000),
        floor=st.integers(1, 1_000_000),
        percent=st.integers(1, 95),
        ending=st.sampled_from([*ENDINGS, PLAIN]),
        currency=st.sampled_from(["eur", "jpy", "tnd"]),
    )
    def test_is_never_under_its_floor_nor_as_dear_as_the_shop(
        self, price, floor, percent, ending, currency
    ) -> None:
        terms = Terms(markdown_percent=percent, ending=ending)

        found = propose(Money(price, currency), Money(floor, currency), terms)

        least = min(percent, 5)
        if floor < price and floor <= price * (100 - least) // 100 < price:
            assert found is not None
            assert floor <= found.amount < price
            assert (price - found.amount) * 100 >= least * price
        else:
            assert found is None


class TestFall:
    def test_goes_down_in_equal_steps_to_the_floor(self) -> None:
        steps = fall(eur(4_990), eur(2_750), 3, Terms())

        assert steps == [eur(4_190), eur(3_490), eur(2_750)]

    @given(
        price=st.integers(2, 100_000),
        floor=st.integers(1, 100_000),
        count=st.integers(1, 12),
        ending=st.sampled_from([*ENDINGS, PLAIN]),
    )
    def test_always_falls_and_never_below_the_floor(
        self, price, floor, count, ending
    ) -> None:
        if floor >= price:
            return
        terms = Terms(ending=ending)

        steps = [one.amount for one in fall(eur(price), eur(floor), count, terms)]

        assert steps == sorted(set(steps), reverse=True)
        assert all(floor <= one < price for one in steps)
        before = [price, *steps]
        assert all((a - b) * 50 >= price - 50 for a, b in pairwise(before))

    def test_has_no_steps_that_nobody_would_notice(self) -> None:
        assert fall(eur(9_690), eur(9_680), 3, Terms()) == []
