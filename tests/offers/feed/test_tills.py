# ruff: noqa: RUF001 — a letter of Turkish
"""
The files of tills are read: Square, Lightspeed, Loyverse, ikas and the French ones.
"""

from decimal import Decimal

import pytest

from offers.feed import Answers
from tests.offers.feed.feeds import rows_of
from tests.offers.feed.shelves import (
    feed_of,
    fields_of,
    offers_of,
    reason_of,
    said,
    shelves,
    skipped_of,
)


class TestSquare:
    @pytest.mark.parametrize("name", ["square.csv", "square.xlsx"])
    def test_counts_units_at_every_place(self, name: str) -> None:
        offers = offers_of(name, currency="usd")

        assert feed_of(name).dialect == "square"
        assert shelves(offers) == {
            "TEE-S": ("19.50 USD", "25.00 USD", 15),
            "TEE-L": ("25.00 USD", None, 4),
            "id:TOK3": ("4,250.00 USD", None, 1),
            "TEA-1": ("6.00 USD", None, 7),
        }
        assert offers["TEE-S"].quantities == (("Main Street", 12), ("Market Hall", 3))

    def test_takes_what_is_oversold_for_none(self) -> None:
        offers = offers_of("square.csv", currency="usd")

        assert offers["TEE-L"].quantities == (("Main Street", 0), ("Market Hall", 4))

    def test_tells_variants_apart(self) -> None:
        offers = offers_of("square.csv", currency="usd")

        assert offers["TEE-S"].options == (("Size", "Small"),)
        assert offers["TEA-1"].options == (("Variation", "100 g"),)
        assert offers["id:TOK3"].options == ()
        assert (offers["TEE-S"].parent_key, offers["TEE-L"].parent_key) == (
            "#tee",
            "#tee",
        )

    def test_reads_cost_and_codes(self) -> None:
        tee = offers_of("square.csv", currency="usd")["TEE-S"]

        assert (said(tee.cost), tee.gtin) == ("9.10 USD", "4006381333931")
        assert (tee.title, tee.category, tee.mpn) == ("Tee", "Clothes", "A-1")

    def test_leaves_out_what_cannot_be_sold(self) -> None:
        skipped = skipped_of("square.csv")

        assert "typed in at the till" in skipped[6]
        assert list(skipped) == [6, 7, 8]

    @pytest.mark.parametrize(
        "column",
        [
            "New Quantity Main Street",
            "Stock Alert Enabled Main Street",
            "Stock Alert Count Market Hall",
            "Price Main Street",
            "Tax - VAT (20%)",
        ],
    )
    def test_does_not_read_what_only_looks_like_it(self, column: str) -> None:
        assert reason_of("square.csv", column)


class TestLightspeed:
    def test_r_series(self) -> None:
        offers = offers_of("lightspeed-r.csv", currency="usd")
        lamp = offers["LAMP-1"]

        assert feed_of("lightspeed-r.csv").dialect == "lightspeed-r"
        assert shelves(offers) == {
            "LAMP-1": ("39.99 USD", None, 6),
            "id:210000000002": ("4.50 USD", None, 0),
        }
        assert (lamp.gtin, said(lamp.cost), lamp.brand, lamp.mpn) == (
            "0036000291452",
            "17.50 USD",
            "Lumo",
            "M-100",
        )
        assert offers["id:210000000002"].gtin == "4006381333931"

    def test_a_recommended_price_is_not_what_was_charged(self) -> None:
        assert "nobody was charged it" in reason_of("lightspeed-r.csv", "MSRP")

    def test_x_series(self) -> None:
        offers = offers_of("lightspeed-x.csv", currency="gbp")
        boot = offers["BOOT-36"]

        assert feed_of("lightspeed-x.csv").dialect == "lightspeed-x"
        assert shelves(offers) == {
            "BOOT-36": ("89.95 GBP", None, 5),
            "BOOT-37": ("89.95 GBP", None, 0),
            "GIFT": ("2.00 GBP", None, None),
            "SET-1": ("12.00 GBP", None, 2),
        }
        assert boot.quantities == (("Main_Outlet", 4), ("Pop_Up", 1))
        assert boot.options == (("Size", "36"), ("Colour", "Black"))
        assert (boot.parent_key, said(boot.cost), boot.tags) == (
            "boot",
            "30.00 GBP",
            ("winter", "leather"),
        )

    def test_x_series_leaves_out_the_inactive_and_parts_of_bundles(self) -> None:
        skipped = skipped_of("lightspeed-x.csv")

        assert list(skipped) == [5, 7]
        assert "not active" in skipped[5]
        assert "part of the bundle" in skipped[7]

    def test_c_series(self) -> None:
        answers = Answers(tax_rate=Decimal(20))
        (parka,) = offers_of("lightspeed-c.csv", answers=answers).values()

        assert feed_of("lightspeed-c.csv").dialect == "lightspeed-c"
        assert (parka.sku, parka.title, parka.quantity) == ("PAR-S", "Parka", 5)
        assert (said(parka.price), said(parka.list_price)) == (
            "80.00 EUR",
            "120.00 EUR",
        )
        assert parka.tax == "included"


class TestLoyverse:
    def test_one_store(self) -> None:
        offers = offers_of("loyverse.csv", currency="eur")

        assert feed_of("loyverse.csv").dialect == "loyverse"
        assert shelves(offers) == {
            "10001": ("1.40 EUR", None, 24),
            "10004": ("2.00 EUR", None, 0),
        }
        assert said(offers["10001"].cost) == "0.80 EUR"
        assert offers["10001"].gtin == "5449000000996"

    def test_leaves_out_what_is_weighed_or_priced_at_the_till(self) -> None:
        skipped = skipped_of("loyverse.csv")

        assert "by weight" in skipped[3]
        assert "typed in at the till" in skipped[4]

    def test_several_stores(self) -> None:
        offers = offers_of("loyverse-stores.csv")

        assert shelves(offers) == {
            "20001": ("12.00 EUR", None, 8),
            "20002": ("12.00 EUR", None, 1),
            "20003": ("1.00 EUR", None, None),
            "20004": ("15.00 EUR", None, None),
        }
        assert offers["20001"].quantities == (("Harbour", 5), ("Old Town", 3))
        assert (offers["20002"].title, offers["20002"].options) == (
            "Tee",
            (("Size", "M"),),
        )

    def test_the_parts_of_a_bundle_are_no_offers(self) -> None:
        skipped = skipped_of("loyverse-stores.csv")

        assert list(skipped) == [6]
        assert "part of the bundle" in skipped[6]


class TestIkas:
    @pytest.mark.parametrize("name", ["ikas.csv", "ikas.xlsx"])
    def test_variants_that_share_a_sku_are_told_apart(self, name: str) -> None:
        offers = offers_of(name, currency="try")

        assert feed_of(name).dialect == "ikas"
        assert shelves(offers) == {
            "KZK/Kırmızı/M": ("349.90 TRY", "499.90 TRY", 5),
            "KZK/Mavi/M": ("349.90 TRY", "499.90 TRY", 1),
            "SPK-1": ("120.00 TRY", None, 7),
        }

    def test_reads_the_rest(self) -> None:
        red = offers_of("ikas.csv", currency="try")["KZK/Kırmızı/M"]

        assert red.quantities == (("Ana Depo", 3), ("Adana Şube", 2))
        assert red.options == (("Renk", "Kırmızı"), ("Beden", "M"))
        assert (red.title, red.brand, red.parent_key) == ("Kazak", "Kuzey", "g1")
        assert (said(red.cost), red.gtin) == ("150.00 TRY", "8690000000012")
        assert red.image_urls == (
            "https://a.example/1.jpg",
            "https://a.example/2.jpg",
        )
        assert red.tags == ("kış", "yün")

    def test_without_options_they_are_told_apart_by_their_ids(self) -> None:
        rows = rows_of(
            "Ürün Grup ID,Varyant ID,İsim,Satış Fiyatı,SKU,Stok:Ana Depo\n"
            "g1,v1,İp,10,IP,5\ng1,v2,İp,10,IP,6\ng2,v3,Bez,10,BZ,7\n",
            currency="try",
        )

        assert [row.sku for row in rows] == ["IP/v1", "IP/v2", "BZ"]

    def test_what_was_deleted_is_left_out(self) -> None:
        assert list(skipped_of("ikas.csv")) == [5]


class TestFrenchTills:
    def test_fastmag(self) -> None:
        offers = offers_of("fastmag.txt")
        small = offers["TSH001/Marine/M"]

        assert (feed_of("fastmag.txt").dialect, feed_of("fastmag.txt").encoding) == (
            "fastmag",
            "cp1252",
        )
        assert feed_of("fastmag.txt").delimiter == "\t"
        assert shelves(offers) == {
            "TSH001/Marine/M": ("29.90 EUR", None, 4),
            "TSH001/Marine/L": ("29.90 EUR", None, 0),
            "JEA204/Brut/40": ("79.00 EUR", None, 2),
        }
        assert (small.gtin, said(small.cost)) == ("3600541255432", "12.50 EUR")
        assert small.options == (("Coloris", "Marine"), ("Taille", "M"))
        assert small.parent_key == "TSH001"
        assert (
            reason_of("fastmag.txt", "Stock resa") == "Units that are not free to sell."
        )

    def test_clictill(self) -> None:
        offers = offers_of("clictill.csv")

        assert feed_of("clictill.csv").dialect == "clictill"
        assert shelves(offers) == {
            "CT-123": ("12.90 EUR", None, 7),
            "CT-456": ("1,022.50 EUR", None, 0),
        }
        assert offers["CT-123"].tax == "included"
        assert offers["CT-123"].title == "Crème mains karité"
        assert reason_of("clictill.csv", "Valeur stock")
        assert reason_of("clictill.csv", "Stock mini")

    def test_of_two_prices_that_with_tax_is_read(self) -> None:
        offers = offers_of("till.csv")

        assert feed_of("till.csv").dialect == "french-till"
        assert fields_of("till.csv")["Prix de vente TTC"] == "price"
        assert shelves(offers) == {
            "B-1": ("12.00 EUR", None, 14),
            "B-2": ("30.00 EUR", None, 2),
        }
        assert (offers["B-1"].tax, said(offers["B-1"].cost)) == ("included", "4.10 EUR")
        assert reason_of("till.csv", "Quantité d'Alerte")
        assert offers["B-1"].brand is None

    def test_of_one_price_without_tax_the_rate_of_its_row_makes_one_with_it(
        self,
    ) -> None:
        offers = offers_of("till-without-tax.csv")

        assert shelves(offers) == {
            "B-1": ("12.00 EUR", None, 14),
            "L-1": ("10.00 EUR", None, 3),
        }
