"""
Files that real shops exported are read with the numbers that stand in them.

The expected numbers were read from the files by eye.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date

import pytest

from offers.feed import FeedRow, NotAFeed, RowError, Skipped, open_feed
from tests.offers.feed.feeds import shared_feeds

LATER = date(2026, 3, 2)


@dataclass(frozen=True)
class Known:
    path: str
    dialect: str
    delimiter: str
    good: int
    skipped: int = 0
    errors: int = 0
    today: date = LATER


FILES = [
    Known("shopify-partners/apparel.csv", "shopify", ",", 22),
    Known("shopify-partners/home-and-garden.csv", "shopify", ",", 21),
    Known("shopify-partners/jewelery.csv", "shopify", ",", 23, skipped=18),
    # One handle is there twice, with one colour without a sku in both.
    Known("shopify-gatsby-demo/products.csv", "shopify", ",", 298, errors=2),
    Known("shopify-import-gen/product_template.csv", "shopify", ",", 3),
    Known("woocommerce-classic/sample_products.csv", "woocommerce", ",", 20, 4),
    Known("bagisto/products.csv", "bagisto", ",", 8, 18),
    Known("prestashop/products_import.csv", "prestashop", ";", 7),
    Known("prestashop/csv_import__products_import.csv", "prestashop", ";", 2),
]

# sku: price, list price, quantity, options
Offer = tuple[str, str | None, int | None, dict[str, str]]
OFFERS: list[tuple[str, date, dict[str, Offer]]] = [
    (
        "shopify-partners/apparel.csv",
        LATER,
        {
            "ocean-blue-shirt": ("50.00", None, 1, {}),
            "classic-varsity-top/Medium": ("60.00", None, 1, {"Size": "Medium"}),
            "led-high-tops": ("80.00", None, 1, {}),
        },
    ),
    (
        "shopify-partners/home-and-garden.csv",
        LATER,
        {
            "clay-plant-pot/Large": ("15.99", None, 3, {"Size": "Large"}),
            "cream-sofa": ("500.00", "750.00", 4, {}),
            "pink-armchair": ("750.00", None, 0, {}),
            "bedside-table": ("69.99", "85.00", 1, {}),
        },
    ),
    (
        "shopify-partners/jewelery.csv",
        LATER,
        {
            "chain-bracelet/Black": ("42.99", "44.99", 0, {"Color": "Black"}),
            "leather-anchor/Gold": ("69.99", "85.00", 1, {"Color": "Gold"}),
            "leather-anchor/Silver": ("55.00", "85.00", 0, {"Color": "Silver"}),
            "gemstone/Purple": ("27.99", "29.99", 0, {"Colour": "Purple"}),
            "gold-bird-necklace": ("79.99", None, 1, {}),
        },
    ),
    (
        "shopify-gatsby-demo/products.csv",
        LATER,
        {
            "fantastic-bronze-lamp/jade": ("20.03", None, 24, {"Color": "jade"}),
            "fantastic-bronze-lamp-plum": ("20.03", None, 45, {"Color": "plum"}),
            "fantastic-steel-lamp/carmine": ("87.60", None, 18, {"Color": "carmine"}),
            "practical-silk-keyboard-emerald": (
                "3.88",
                None,
                42,
                {"Color": "emerald"},
            ),
        },
    ),
    (
        "shopify-import-gen/product_template.csv",
        LATER,
        {
            'example-t-shirt/Lithograph - Height: 9" x Width: 12"': (
                "25.00",
                None,
                None,
                {"Title": 'Lithograph - Height: 9" x Width: 12"'},
            ),
            "example-shirt-s": ("19.99", "24.99", None, {"Title": "Small"}),
        },
    ),
    (
        "woocommerce-classic/sample_products.csv",
        LATER,
        {
            "cc-hoodie-with-logo": ("45.00", None, None, {}),
            "cc-beanie": ("18.00", "20.00", None, {}),
            "cc-single": ("2.00", "3.00", None, {}),
            "cc-hoodie-red": ("42.00", "45.00", None, {"Color": "Red", "Logo": "No"}),
            "cc-t-shirt-blue": ("25.00", None, None, {"Color": "Blue"}),
        },
    ),
    (
        "bagisto/products.csv",
        LATER,
        {
            "SP-001": ("14.00", None, 100, {}),
            "SP-003": ("21.00", None, 100, {}),
            "SP-005": ("14.00", None, 100, {"color": "Yellow", "size": "M"}),
            "SP-008": ("21.00", None, 100, {"color": "Green", "size": "L"}),
        },
    ),
    (
        "bagisto/products.csv",
        date(2024, 2, 15),
        {
            "SP-002": ("17.00", None, 100, {}),
            "SP-003": ("17.00", "21.00", 100, {}),
            "SP-007": ("17.00", "21.00", 100, {"color": "Green", "size": "M"}),
        },
    ),
    (
        "prestashop/products_import.csv",
        date(2016, 1, 1),
        {
            "RP-demo_1": ("94.50", "100.00", 160, {}),
            "RP-demo_2": ("60.00", None, 120, {}),
            "RP-demo_3": ("1400.00", "1500.00", 400, {}),
            "RP-demo_7": ("125.00", None, 15, {}),
        },
    ),
    (
        "prestashop/products_import.csv",
        date(2019, 1, 1),
        {
            "RP-demo_1": ("100.00", None, 160, {}),
            "RP-demo_3": ("1500.00", None, 400, {}),
        },
    ),
    (
        "prestashop/csv_import__products_import.csv",
        LATER,
        {
            "92458844": ("49.00", None, 800, {}),
            "92458845": ("66.05", None, 500, {}),
        },
    ),
]


def all_of(path: str, today: date = LATER) -> list[FeedRow | RowError | Skipped]:
    with (shared_feeds() / path).open("rb") as stream:
        return list(open_feed(stream, currency="eur", today=today).rows())


def offers_of(path: str, today: date = LATER) -> dict[str, FeedRow]:
    return {r.sku: r for r in all_of(path, today) if isinstance(r, FeedRow)}


@pytest.mark.parametrize("known", FILES, ids=lambda known: known.path)
class TestRealFiles:
    def test_are_recognised(self, known: Known) -> None:
        with (shared_feeds() / known.path).open("rb") as stream:
            feed = open_feed(stream, currency="eur", today=known.today)

        assert feed.dialect == known.dialect
        assert feed.encoding == "utf-8"
        assert feed.delimiter == known.delimiter

    def test_yield_every_row_once(self, known: Known) -> None:
        counts = Counter(type(row) for row in all_of(known.path))

        assert counts[FeedRow] == known.good
        assert counts[Skipped] == known.skipped
        assert counts[RowError] == known.errors


@pytest.mark.parametrize(("path", "today", "known"), OFFERS)
def test_prices_and_quantities_are_those_of_the_file(
    path: str, today: date, known: dict[str, Offer]
) -> None:
    offers = offers_of(path, today)

    for sku, (price, before, quantity, options) in known.items():
        offer = offers[sku]
        assert f"{offer.price.value:.2f}" == price
        assert offer.price.currency == "eur"
        assert (offer.list_price and f"{offer.list_price.value:.2f}") == before
        assert offer.quantity == quantity
        assert dict(offer.options) == options


def test_rows_of_a_shopify_product_share_what_the_first_says() -> None:
    silver = offers_of("shopify-partners/jewelery.csv")["leather-anchor/Silver"]

    assert silver.title == "Anchor Bracelet Mens"
    assert silver.brand == "Company 123"
    assert silver.category == "Bracelet"
    assert silver.parent_key == "leather-anchor"


def test_prestashop_tells_cost_condition_and_tax() -> None:
    older = offers_of("prestashop/csv_import__products_import.csv")
    newer = offers_of("prestashop/products_import.csv")

    assert older["92458844"].cost is None
    assert str(older["92458845"].cost) == "79.00 EUR"
    assert older["92458844"].tax == "excluded"
    assert newer["RP-demo_6"].condition == "refurbished"
    assert newer["RP-demo_1"].gtin is None
    assert newer["RP-demo_1"].tax == "unknown"


def test_a_woocommerce_variant_takes_the_category_of_its_parent() -> None:
    hoodie = offers_of("woocommerce-classic/sample_products.csv")["cc-hoodie-red"]

    assert hoodie.title == "Hoodie - Red, No"
    assert hoodie.category == "Clothing > Hoodies"
    assert hoodie.parent_key == "cc-hoodie"


def test_the_skipped_rows_of_jewellery_are_its_pictures() -> None:
    skipped = [
        row.line
        for row in all_of("shopify-partners/jewelery.csv")
        if isinstance(row, Skipped)
    ]

    assert skipped[0] == 6
    assert skipped[-1] == 54


def test_a_report_of_orders_is_refused_with_the_reason() -> None:
    with (
        (shared_feeds() / "superstore/Sample_-_Superstore.csv").open("rb") as stream,
        pytest.raises(NotAFeed) as refusal,
    ):
        open_feed(stream, currency="usd", today=LATER)

    assert str(refusal.value).startswith("This looks like a report of past orders")
    assert "Ship Mode" in str(refusal.value)


def test_the_same_file_is_read_the_same_twice() -> None:
    with (shared_feeds() / "bagisto/products.csv").open("rb") as stream:
        feed = open_feed(stream, currency="eur", today=LATER)

        assert list(feed.rows()) == list(feed.rows())
