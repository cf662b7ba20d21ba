"""
The price is what the shop charges today; the higher one before is only a claim.
"""

from datetime import date
from decimal import Decimal

import pytest

from offers.feed.errors import BadCell
from offers.feed.prices import Prices, price_on
from offers.money import Money

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 10)


def euros(cents: int) -> Money:
    return Money(cents, "eur")


@pytest.mark.parametrize(
    ("day", "now", "before"),
    [
        (date(2026, 2, 28), 100, None),
        (FIRST, 80, 100),
        (LAST, 80, 100),
        (date(2026, 3, 11), 100, None),
    ],
)
def test_a_sale_counts_from_its_first_to_its_last_day(
    day: date, now: int, before: int | None
) -> None:
    prices = Prices(price=euros(100), sale=euros(80), sale_from=FIRST, sale_to=LAST)

    assert price_on(prices, day) == (euros(now), before and euros(before))


def test_a_listed_price_counts_only_if_it_is_higher() -> None:
    assert price_on(Prices(price=euros(80), listed=euros(100)), FIRST) == (
        euros(80),
        euros(100),
    )
    assert price_on(Prices(price=euros(80), listed=euros(80)), FIRST)[1] is None
    assert price_on(Prices(price=euros(80), listed=euros(50)), FIRST)[1] is None


def test_the_regular_price_is_charged_without_a_sale() -> None:
    assert price_on(Prices(regular=euros(45)), FIRST) == (euros(45), None)
    assert price_on(Prices(regular=euros(45), sale=euros(42)), FIRST) == (
        euros(42),
        euros(45),
    )


def test_a_discount_is_an_amount_or_else_a_percentage() -> None:
    percent = Prices(price=euros(4999), discount_percent=Decimal("5.5"))
    both = Prices(price=euros(5000), discount=euros(1000), discount_percent=Decimal(50))

    assert price_on(percent, FIRST) == (euros(4724), euros(4999))
    assert price_on(both, FIRST) == (euros(4000), euros(5000))


@pytest.mark.parametrize(
    "prices",
    [
        Prices(),
        Prices(sale=euros(5), sale_to=date(2026, 1, 1)),
        Prices(price=euros(100), sale=euros(101)),
        Prices(price=euros(100), discount=euros(100)),
        Prices(price=euros(100), discount_percent=Decimal(100)),
        Prices(price=euros(100), listed=Money(200, "usd")),
        Prices(price=euros(100), discount=Money(10, "usd")),
    ],
)
def test_refuses_prices_that_contradict_each_other(prices: Prices) -> None:
    with pytest.raises(BadCell):
        price_on(prices, FIRST)
