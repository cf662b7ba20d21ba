"""
Files that real shops exported are read with the numbers that stand in them.

The expected numbers were read from the files by eye.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from offers.feed import (
    Answers,
    Feed,
    FeedRow,
    NotAFeed,
    RowError,
    Skipped,
    open_feed,
)
from offers.feed.unpacking import Kind
from tests.offers.feed.feeds import shared_feeds
from tests.offers.feed.packed import unpacked

LATER = date(2026, 3, 2)


@dataclass(frozen=True)
class Known:
    """*variants* are rows with options, *units* the sum of all quantities."""

    path: str
    dialect: str
    good: int
    skipped: int = 0
    errors: int = 0
    variants: int = 0
    units: int | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    currency: str = "eur"
    kind: Kind = Kind.TEXT
    asked: tuple[str, ...] = ("currency", "tax")


FILES = [
    Known("shopify-partners/apparel.csv", "shopify", 22, variants=3, units=22),
    Known("shopify-partners/home-and-garden.csv", "shopify", 21, variants=2, units=65),
    Known("shopify-partners/jewelery.csv", "shopify", 23, 18, variants=6, units=20),
    # One handle is there twice, with one colour without a sku in both.
    Known("shopify-gatsby-demo/products.csv", "shopify", 298, 0, 2, 298, 7_495),
    Known(
        "shopify-import-gen/product_template.csv",
        "shopify",
        3,
        variants=3,
        asked=("currency", "tax", "units"),
    ),
    Known(
        "woocommerce-classic/sample_products.csv",
        "woocommerce",
        20,
        4,
        variants=9,
        asked=("currency", "tax", "units"),
    ),
    Known("bagisto/products.csv", "bagisto", 8, 18, variants=4, units=800),
    Known(
        "bagisto/products.xlsx", "bagisto", 8, 18, variants=4, units=800, kind=Kind.XLSX
    ),
    Known("prestashop/products_import.csv", "prestashop", 7, units=915, delimiter=";"),
    Known(
        "prestashop/csv_import__products_import.csv",
        "prestashop",
        2,
        units=1_300,
        delimiter=";",
        asked=("currency", "tax_rate"),
    ),
    # 37 rows of products, and one more for each variant with its price in euros.
    Known(
        "spree/products.csv",
        "spree",
        87,
        124,
        variants=87,
        units=435_000,
        currency="usd",
        asked=("tax",),
    ),
    # The first product has a variant, which is the last row.
    Known(
        "shopware/products.csv", "shopware", 59, 1, units=1_338, delimiter=";", asked=()
    ),
    Known(
        "shopware/products_with_list_price.csv",
        "shopware",
        2,
        units=200,
        delimiter=";",
        asked=("currency",),
    ),
    # Both rows name options of variants that have no rows.
    Known(
        "shopware/products_with_variants.csv",
        "shopware",
        0,
        2,
        delimiter=";",
        asked=(),
    ),
    Known(
        "medusa/exported-products-comma.csv",
        "medusa",
        3,
        variants=3,
        asked=("tax", "units"),
    ),
    Known(
        "medusa/exported-products-semicolon.csv",
        "medusa",
        3,
        variants=3,
        delimiter=";",
        asked=("tax", "units"),
    ),
    Known(
        "magento-inventory/configurable_product_import.csv",
        "magento",
        2,
        1,
        asked=("currency", "tax", "units"),
    ),
    Known(
        "magento-inventory/stock_sources.csv",
        "magento-sources",
        4,
        units=45,
        asked=("places",),
    ),
    Known(
        "commercetools/inventory.csv",
        "commercetools-stock",
        26_137,
        units=4_106_948,
        asked=(),
    ),
    Known(
        "thelia/products.csv",
        "thelia",
        30,
        delimiter=";",
        asked=("currency", "tax", "units"),
    ),
    Known(
        "sap-cap/sap.capire.bookshop-Books.csv",
        "sap-cap",
        5,
        units=933,
        asked=("tax",),
    ),
    Known(
        "meta-feed-template-fr/catalog_productsV3.csv",
        "meta",
        3,
        variants=2,
        units=50,
        encoding="utf-8-sig",
        asked=("tax",),
    ),
    Known("meta-sdk/feed-dpa.xml", "google", 6, kind=Kind.XML, asked=("tax", "units")),
    Known(
        "google-feed-bg/google_merchant_feed.xml",
        "google",
        2,
        kind=Kind.XML,
        asked=("tax", "units"),
    ),
]

NO_FEEDS = {
    "superstore/Sample_-_Superstore.csv": "This looks like a report of past orders",
    "django-oscar/books.hacking.csv": "The file has no header line.",
    "fr-plush/produits.csv": "The file has no header line.",
    "messytables-horror/mixedGLB.csv": "These columns are missing: sku, title, price",
    "messytables-horror/spanish_chars.csv": "These columns are missing: sku",
    "messytables-horror/utf-16le_encoded.csv": "These columns are missing: sku",
    "messytables-horror/weird_head_padding.csv": "These columns are missing: sku",
    "messytables-horror/unicode_sheet_name.xls": "",
}

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
    (
        "bagisto/products.xlsx",
        LATER,
        {
            "SP-002": ("17.00", None, 100, {}),
            "SP-008": ("21.00", None, 100, {"color": "Green", "size": "L"}),
        },
    ),
    (
        # Read in euros, its offers have the prices of the rows for euros.
        "spree/products.csv",
        LATER,
        {
            "AUTOMATIC-ESPRESSO-MACHINE-SILVER": (
                "819.99",
                None,
                5000,
                {"Color": "Silver"},
            ),
            "BAGLESS-UPRIGHT-VACUUM-BLACK-AND-RED": (
                "140.00",
                "189.99",
                5000,
                {"Color": "Black and Red"},
            ),
        },
    ),
    (
        "shopware/products.csv",
        LATER,
        {
            "0a600a2648b3486fbfdbc60993050103": ("375.00", None, 13, {}),
            "60856fe4f5874d7d9740821f64c1fa3b": ("117.00", None, 8, {}),
        },
    ),
    (
        "shopware/products_with_list_price.csv",
        LATER,
        {
            "SW10000": ("100.00", "5000.00", 100, {}),
            "SW10001": ("100.00", None, 100, {}),
        },
    ),
    (
        "medusa/exported-products-semicolon.csv",
        LATER,
        {
            "base-product/small/green": (
                "65.00",
                None,
                None,
                {"size": "small", "color": "green"},
            ),
        },
    ),
    (
        "magento-inventory/configurable_product_import.csv",
        LATER,
        {"simple_10": ("100.00", None, None, {})},
    ),
    (
        "thelia/products.csv",
        LATER,
        {
            "PROD001": ("199.00", "223.00", None, {}),
            "PROD005": ("395.00", None, None, {}),
        },
    ),
    (
        "sap-cap/sap.capire.bookshop-Books.csv",
        LATER,
        {"207": ("12.34", None, 11, {}), "271": ("150.00", None, 22, {})},
    ),
    (
        "meta-feed-template-fr/catalog_productsV3.csv",
        date(2025, 8, 2),
        {
            "0": ("49.00", None, None, {"color": "black"}),
            "SKU12345": (
                "14.99",
                "19.99",
                50,
                {
                    "color": "Bleu marine",
                    "size": "L",
                    "material": "Coton biologique",
                    "pattern": "Uni",
                },
            ),
        },
    ),
    ("meta-sdk/feed-dpa.xml", LATER, {"ID_1": ("9.99", None, None, {})}),
    (
        "google-feed-bg/google_merchant_feed.xml",
        LATER,
        {"MINOX-5": ("47.00", None, None, {})},
    ),
]

CURRENCIES = {
    ("spree/products.csv", "eur"): {"eur": 87},
    ("spree/products.csv", "usd"): {"usd": 87},
    ("sap-cap/sap.capire.bookshop-Books.csv", "eur"): {"gbp": 2, "usd": 2, "jpy": 1},
    ("medusa/exported-products-comma.csv", "usd"): {"usd": 3},
    ("medusa/exported-products-comma.csv", "dkk"): {"dkk": 3},
    ("meta-feed-template-fr/catalog_productsV3.csv", "eur"): {"tnd": 2, "eur": 1},
    ("meta-sdk/feed-dpa.xml", "eur"): {"brl": 6},
    ("google-feed-bg/google_merchant_feed.xml", "eur"): {"bgn": 2},
    ("thelia/products.csv", "eur"): {"eur": 30},
}


@contextmanager
def feed_of(path: str, today: date = LATER, **how: Any) -> Iterator[Feed]:
    file = unpacked((shared_feeds() / path).read_bytes())
    how = {"currency": "eur", **file.ways, **how}
    yield open_feed(file.stream, today=today, **how)


def all_of(
    path: str, today: date = LATER, **how: Any
) -> list[FeedRow | RowError | Skipped]:
    with feed_of(path, today, **how) as feed:
        return list(feed.rows())


def offers_of(path: str, today: date = LATER, **how: Any) -> dict[str, FeedRow]:
    return {r.sku: r for r in all_of(path, today, **how) if isinstance(r, FeedRow)}


def test_every_file_is_known() -> None:
    files = {
        str(path.relative_to(shared_feeds()))
        for path in shared_feeds().rglob("*")
        if path.is_file() and path.suffix != ".md"
    }

    assert files == {known.path for known in FILES} | NO_FEEDS.keys()
    assert len(files) == 32


@pytest.mark.parametrize("known", FILES, ids=lambda known: known.path)
class TestRealFiles:
    def test_are_recognised(self, known: Known) -> None:
        file = unpacked((shared_feeds() / known.path).read_bytes())
        with feed_of(known.path, currency=known.currency) as feed:
            assert file.kind is known.kind
            assert feed.dialect == known.dialect
            assert feed.encoding == known.encoding
            assert feed.delimiter == known.delimiter

    def test_yield_every_row_once(self, known: Known) -> None:
        rows = all_of(known.path, currency=known.currency)
        counts = Counter(type(row) for row in rows)
        offers = [row for row in rows if isinstance(row, FeedRow)]
        counted = [row.quantity for row in offers if row.quantity is not None]

        assert counts[FeedRow] == known.good
        assert counts[Skipped] == known.skipped
        assert counts[RowError] == known.errors
        assert sum(bool(row.options) for row in offers) == known.variants
        assert (sum(counted) if counted else None) == known.units

    def test_leave_open_what_they_do_not_say(self, known: Known) -> None:
        with feed_of(known.path, currency=known.currency) as feed:
            assert tuple(question.kind for question in feed.questions) == known.asked


@pytest.mark.parametrize(("path", "why"), NO_FEEDS.items())
def test_what_is_no_feed_is_refused_with_the_reason(path: str, why: str) -> None:
    with pytest.raises(NotAFeed) as refusal, feed_of(path):
        pass

    assert str(refusal.value).startswith(why)


@pytest.mark.parametrize(("path", "today", "known"), OFFERS)
def test_prices_and_quantities_are_those_of_the_file(
    path: str, today: date, known: dict[str, Offer]
) -> None:
    offers = offers_of(path, today)

    for sku, (price, before, quantity, options) in known.items():
        offer = offers[sku]
        assert offer.price is not None
        assert f"{offer.price.value:.2f}" == price
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


def test_the_same_file_is_read_the_same_twice() -> None:
    with feed_of("bagisto/products.csv") as feed:
        assert list(feed.rows()) == list(feed.rows())


@pytest.mark.parametrize(("path", "currency"), CURRENCIES)
def test_currencies_are_those_of_the_file(path: str, currency: str) -> None:
    offers = offers_of(path, currency=currency).values()

    found = Counter(offer.price.currency for offer in offers if offer.price)
    assert found == CURRENCIES[path, currency]


def test_stock_of_magento_and_commercetools_is_stock_alone() -> None:
    sources = offers_of("magento-inventory/stock_sources.csv")
    channels = offers_of("commercetools/inventory.csv")

    assert sources["sku1"].quantities == (("default", 10),)
    assert sources["sku4"].quantities == (("source-2", 15),)
    assert (sources["sku1"].title, sources["sku1"].price) == (None, None)
    assert channels["M0E20000000FHAQ"].quantity == 46


def test_parts_of_units_are_said() -> None:
    with feed_of("magento-inventory/stock_sources.csv") as feed:
        assert "decimals (10.10)" in str(feed.warnings[0])


def test_only_the_places_that_count_are_counted() -> None:
    answers = Answers(places=("source-1",))
    sources = offers_of("magento-inventory/stock_sources.csv", answers=answers)

    assert [offer.quantity for offer in sources.values()] == [0, 0, 10, 0]


def test_prices_without_tax_are_grossed_up_by_the_rate() -> None:
    path = "prestashop/csv_import__products_import.csv"
    offers = offers_of(path, answers=Answers(tax_rate=Decimal(20)))

    assert str(offers["92458844"].price) == "58.80 EUR"
    assert str(offers["92458845"].price) == "79.26 EUR"
    assert str(offers["92458845"].cost) == "79.00 EUR"
    assert offers["92458845"].tax == "included"


def test_the_days_of_a_sale_are_those_of_the_file() -> None:
    offer = offers_of("prestashop/products_import.csv")["RP-demo_1"]

    assert (offer.sale_from, offer.sale_to) == (date(2013, 6, 1), date(2018, 12, 31))
    assert offer.tags == ("apple", "ipod", "nano")


def test_a_damaged_code_is_said_and_left_out() -> None:
    with feed_of("meta-feed-template-fr/catalog_productsV3.csv") as feed:
        said = " ".join(map(str, feed.warnings))

    assert "A spreadsheet has damaged the codes in “gtin” (4.00638E+12)" in said


BOOKS = {
    "Column 2": "category",
    "Column 3": "gtin",
    "Column 4": "title",
    "Column 5": "description",
    "Column 7": "sku",
    "Column 8": "price",
    "Column 9": "quantity",
}
PLUSH = {
    "Column 1": "sku",
    "Column 2": "title",
    "Column 3": "description",
    "Column 4": "price",
    "Column 7": "quantity",
}


@pytest.mark.parametrize(
    ("path", "mapping"),
    [("django-oscar/books.hacking.csv", BOOKS), ("fr-plush/produits.csv", PLUSH)],
)
def test_a_file_without_a_header_is_asked_for_its_columns(
    path: str, mapping: dict[str, str]
) -> None:
    with feed_of(path, ask=True) as feed:
        (question,) = feed.questions
        proposed = {m.column: m.proposed for m in feed.columns if m.proposed}
        rows = list(feed.rows())

    assert (question.kind, question.needed) == ("mapping", True)
    assert proposed == mapping
    assert all(mapped.field is None for mapped in feed.columns)
    assert {type(row) for row in rows} == {Skipped}


def test_a_mapping_given_by_hand_reads_a_file_without_a_header() -> None:
    books = offers_of("django-oscar/books.hacking.csv", mapping=BOOKS)
    plush = offers_of("fr-plush/produits.csv", mapping=PLUSH)

    assert len(books) == 33
    egg = books["9781416507789"]
    assert (egg.title, str(egg.price), egg.quantity, egg.gtin) == (
        "The Cuckoo's Egg",
        "9.99 EUR",
        14,
        "9781416507789",
    )
    assert len(plush) == 32
    assert str(plush["aut-nou-3"].price) == "26.40 EUR"
    assert plush["aut-nou-3"].quantity == 90


def test_a_report_of_orders_stays_refused_where_columns_can_be_asked_for() -> None:
    with (
        pytest.raises(NotAFeed) as refusal,
        feed_of("superstore/Sample_-_Superstore.csv", ask=True),
    ):
        pass

    assert "Ship Mode" in str(refusal.value)
