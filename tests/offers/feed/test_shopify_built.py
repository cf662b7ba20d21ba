"""
Shopify's files that could not be found real: its stock, in three layouts, and its
products by the headers of 2025.
"""

import pytest

from tests.offers.feed.shelves import feed_of, offers_of, reason_of, shelves, skipped_of


@pytest.mark.parametrize("name", ["shopify-wide", "shopify-long", "shopify-now"])
def test_stock_alone_is_read_by_place(name: str) -> None:
    offers = offers_of(f"{name}.csv")

    assert feed_of(f"{name}.csv").dialect == "shopify-inventory"
    assert offers["TEE-S"].quantities == (("Lyon", 4), ("Paris 11e", 2))
    assert offers["TEE-S"].quantity == 6
    assert offers["TEE-S"].price is None
    assert offers["TEE-S"].options == (("Size", "S"),)


def test_what_is_not_stocked_somewhere_is_none_there() -> None:
    assert offers_of("shopify-wide.csv")["CAP"].quantity == 5
    assert offers_of("shopify-long.csv")["CAP"].quantity == 0
    assert offers_of("shopify-now.csv")["CAP"].quantity == 0


@pytest.mark.parametrize(
    ("name", "quantity"), [("shopify-wide.csv", 3), ("shopify-long.csv", 0)]
)
def test_without_a_sku_it_is_known_as_in_the_file_of_products(
    name: str, quantity: int
) -> None:
    assert offers_of(name)["tee/M"].quantity == quantity


def test_oversold_units_are_said_once() -> None:
    warnings = [str(warning) for warning in feed_of("shopify-long.csv").warnings]

    assert sum("below zero" in warning for warning in warnings) == 1


@pytest.mark.parametrize(
    "column",
    [
        "Incoming (not editable)",
        "Unavailable (not editable)",
        "Committed (not editable)",
        "On hand (current)",
        "On hand (new)",
    ],
)
def test_only_what_is_available_can_be_sold(column: str) -> None:
    assert reason_of("shopify-now.csv", column)


def test_products_by_new_headers() -> None:
    offers = offers_of("shopify-products.csv")
    small, medium = offers["P-S"], offers["P-M"]

    assert feed_of("shopify-products.csv").dialect == "shopify-new"
    assert shelves(offers) == {
        "P-S": ("80.00 EUR", "120.00 EUR", 4),
        "P-M": ("85.00 EUR", None, 0),
    }
    assert (medium.title, medium.brand, medium.category) == ("Parka", "North", "Coats")
    assert small.description == "Warm & dry."
    assert small.tags == ("winter", "new")
    assert medium.options == (("Size", "M"),)
    assert list(skipped_of("shopify-products.csv")) == [4]
