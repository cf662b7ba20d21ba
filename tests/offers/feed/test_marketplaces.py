"""
The files of marketplaces and catalogues are read: Amazon, eBay, Google, Meta.
"""

from datetime import date

import pytest

from offers.feed import FeedRow, NotAFeed
from tests.offers.feed.building import text
from tests.offers.feed.feeds import opened, rows_of
from tests.offers.feed.shelves import (
    feed_of,
    fields_of,
    offers_of,
    reason_of,
    said,
    shelves,
    skipped_of,
)


class TestAmazon:
    def test_report_of_listings(self) -> None:
        offers = offers_of("amazon-report.txt", currency="usd")

        assert feed_of("amazon-report.txt").dialect == "amazon-report"
        assert shelves(offers) == {
            "KET-1": ("34.99 USD", None, 12),
            "TOA-1": ("24.50 USD", None, None),
            "MIX-1": ("59.00 USD", None, 2),
        }
        assert offers["KET-1"].title == 'Kettle 1.7 l, 7" tall'
        assert (offers["KET-1"].gtin, offers["TOA-1"].gtin) == (None, "4006381333931")
        assert (offers["KET-1"].condition, offers["MIX-1"].condition) == ("new", "used")
        assert reason_of("amazon-report.txt", "pending-quantity")

    def test_inactive_listings_are_left_out(self) -> None:
        assert skipped_of("amazon-report.txt") == {5: "The listing is not active."}

    def test_report_in_german(self) -> None:
        offers = offers_of("amazon-german.txt")

        assert feed_of("amazon-german.txt").dialect == "amazon-report"
        assert feed_of("amazon-german.txt").encoding == "cp1252"
        assert shelves(offers) == {"KET-1": ("34.99 EUR", None, 12)}
        assert offers["KET-1"].title == "Wasserkocher für Tee"
        assert reason_of("amazon-german.txt", "Anzahl Bestellungen")

    def test_report_in_japanese(self) -> None:
        lines = (
            "商品名\t出品ID\t出品者SKU\t価格\t数量\tコンディション\n"
            "鍋\tL\tS-1\t500\t2\t11\n"
        )

        (pot,) = rows_of(
            lines.encode("shift_jis"), encoding="shift_jis", currency="jpy"
        )

        assert (pot.sku, pot.title, said(pot.price)) == ("S-1", "鍋", "500 JPY")
        assert (pot.quantity, pot.condition) == (2, "new")

    def test_report_without_titles_is_stock_alone(self) -> None:
        lines = "sku\tasin\tprice\tquantity\nKET-1\tB01\t34.99\t3\nTOA-1\tB02\t24.5\t\n"
        kettle, toaster = rows_of(lines, currency="usd")

        assert (kettle.title, said(kettle.price), kettle.quantity) == (
            None,
            "34.99 USD",
            3,
        )
        assert toaster.quantity is None

    def test_template_is_read_by_its_third_line(self) -> None:
        offers = offers_of("amazon-flat.txt")
        red = offers["HAT-R"]

        assert feed_of("amazon-flat.txt").dialect == "amazon-template"
        assert fields_of("amazon-flat.txt")["item_sku"] == "sku"
        assert shelves(offers) == {
            "HAT-R": ("14.90 EUR", "19.90 EUR", 8),
            "HAT-B": ("19.90 EUR", None, None),
        }
        assert (red.parent_key, red.brand, red.category) == ("HAT", "Nord", "hat")
        assert red.options == (("Color", "Rot"), ("Size", "S"))
        assert red.image_urls == (
            "https://a.example/r.jpg",
            "https://a.example/r2.jpg",
        )
        assert (red.condition, offers["HAT-B"].condition) == ("new", "used")
        assert (red.sale_from, red.sale_to) == (date(2026, 3, 1), date(2026, 3, 31))
        assert list(skipped_of("amazon-flat.txt")) == [4, 7]

    def test_the_example_in_a_new_template_is_no_offer(self) -> None:
        offers = offers_of("amazon-unified.txt", currency="gbp")

        assert feed_of("amazon-unified.txt").dialect == "amazon-template"
        assert shelves(offers) == {"CAP-1": ("15.00 GBP", "18.00 GBP", 6)}
        assert offers["CAP-1"].tax == "included"
        assert offers["CAP-1"].options == (("Color", "Green"),)
        assert offers["CAP-1"].image_url == "https://a.example/c.jpg"


class TestEbay:
    def test_file_exchange(self) -> None:
        offers = offers_of("ebay-exchange.csv")

        assert feed_of("ebay-exchange.csv").dialect == "ebay"
        assert shelves(offers) == {
            "9780140328721": ("7.50 USD", None, 1),
            "SHIRT-RS": ("21.00 USD", None, 5),
            "SHIRT-BM": ("22.00 USD", None, 0),
        }

    def test_a_variation_has_what_its_product_says(self) -> None:
        offers = offers_of("ebay-exchange.csv")
        shirt = offers["SHIRT-BM"]

        assert (shirt.title, shirt.brand, shirt.condition) == ("Shirt", "Acme", "new")
        assert shirt.options == (("Color", "Blue"), ("Size", "M"))
        assert shirt.image_url == "https://a.example/s.jpg"
        assert offers["SHIRT-RS"].gtin == "0036000291452"

    def test_a_product_on_its_own(self) -> None:
        fox = offers_of("ebay-exchange.csv")["9780140328721"]

        assert (fox.title, fox.condition, fox.description) == (
            "Fantastic Mr. Fox",
            "used",
            "Clean.",
        )
        assert fox.image_urls == (
            "https://a.example/f.jpg",
            "https://a.example/g.jpg",
        )

    def test_auctions_and_lines_of_help_are_left_out(self) -> None:
        skipped = skipped_of("ebay-exchange.csv")

        assert "auction" in skipped[8]
        assert 5 in skipped

    def test_report_of_listings(self) -> None:
        offers = offers_of("ebay-active.csv", currency="eur")

        assert feed_of("ebay-active.csv").dialect == "ebay"
        assert shelves(offers) == {"DRV-1": ("119.00 USD", None, 3)}
        assert offers["DRV-1"].category == "Power tools"
        assert offers["DRV-1"].condition == "used"
        assert reason_of("ebay-active.csv", "Sold quantity")


class TestGoogle:
    @pytest.mark.parametrize("name", ["google.tsv", "google.csv"])
    def test_products(self, name: str) -> None:
        offers = offers_of(name, currency="usd")
        sneaker = offers["G-1"]

        assert feed_of(name).dialect == "google"
        assert shelves(offers) == {
            "G-1": ("59.00 EUR", "89.00 EUR", 7),
            "G-2": ("89.00 EUR", None, 0),
            "G-3": ("4.00 EUR", None, None),
        }
        assert sneaker.title == "Sneaker & laces"
        assert (sneaker.parent_key, sneaker.category) == ("G", "Shoes > Sneakers")
        assert sneaker.options == (("color", "red"), ("size", "38"))
        assert (said(sneaker.cost), sneaker.mpn) == ("31.50 EUR", "N-1")
        assert len(sneaker.image_urls) == 3
        assert (sneaker.sale_from, sneaker.sale_to) == (
            date(2026, 2, 24),
            date(2026, 3, 29),
        )
        assert offers["G-3"].condition == "used"

    @pytest.mark.parametrize("counted", ["quantity", "colour"])
    @pytest.mark.parametrize("word", ["preorder", "backorder", "available for order"])
    def test_what_can_be_ordered_ahead_is_not_there(
        self, word: str, counted: str
    ) -> None:
        (bowl,) = rows_of(
            f"id,title,price,availability,image_link,link,{counted}\n"
            f"1,Bowl,5.00 EUR,{word},https://a.example/1.jpg,https://a.example,4\n"
        )

        assert bowl.quantity == 0

    def test_a_category_that_is_a_number_says_nothing(self) -> None:
        (bowl,) = rows_of(
            "id,title,price,availability,image_link,google_product_category\n"
            "1,Bowl,5.00 EUR,in stock,https://a.example/1.jpg,187\n"
        )

        assert bowl.category is None

    def test_local_inventory_is_stock_by_store(self) -> None:
        offers = offers_of("google-local.txt")

        assert feed_of("google-local.txt").dialect == "google-local"
        assert {sku: offer.quantities for sku, offer in offers.items()} == {
            "G-1": (("LYON", 4), ("PARIS", 2)),
            "G-2": (("LYON", 0),),
        }
        assert (offers["G-1"].quantity, offers["G-2"].quantity) == (6, 0)
        assert offers["G-1"].title is None

    @pytest.mark.parametrize("name", ["google-rss.xml", "google-atom.xml"])
    def test_xml(self, name: str) -> None:
        offers = offers_of(name)

        assert feed_of(name).dialect == "google"
        assert shelves(offers) == {
            "X-1": ("12.50 EUR", None, 3),
            "X-2": ("12.50 EUR", None, 3),
        }
        assert offers["X-1"].title == "Bowl & spoon"
        assert offers["X-1"].image_urls == (
            "https://a.example/X-1.jpg",
            "https://a.example/X-1-2.jpg",
        )


class TestMeta:
    def test_the_line_of_help_is_passed_over(self) -> None:
        offers = offers_of("meta.csv", currency="eur")

        assert feed_of("meta.csv").dialect == "meta"
        assert shelves(offers) == {
            "M-1": ("99.000 TND", "149.000 TND", 5),
            "M-2": ("149.000 TND", None, 0),
        }
        assert offers["M-1"].category == "clothing"
        assert offers["M-1"].options == (("color", "bleu"), ("size", "38"))

    def test_a_file_of_help_alone_is_refused(self) -> None:
        lines = text([["# Required | An ID.", "# Required | A title."]])

        with pytest.raises(NotAFeed):
            opened(lines)


def test_a_list_with_a_few_usual_names_is_no_catalogue() -> None:
    feed = opened(
        "id,sku,title,price,quantity,brand,gtin,mpn,condition,link\n"
        "7,S-1,Bowl,5.00,3,Acme,,B-1,new,https://a.example/1\n"
    )
    (bowl,) = [row for row in feed.rows() if isinstance(row, FeedRow)]

    assert feed.dialect == "plain"
    assert (bowl.sku, bowl.quantity, bowl.mpn) == ("S-1", 3, "B-1")
