"""
Each shop's way of writing products down is understood.
"""

from datetime import date

import pytest

from offers.feed import FeedRow, RowError
from offers.feed.dialects import DIALECTS
from offers.feed.fields import FIELDS
from tests.offers.feed.feeds import errors_of, opened, rows_of, skipped_of

SHOPIFY_NEW = (
    "Title,URL handle,Description,Vendor,Product category,Type,Tags,"
    "Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,"
    "Option1 Linked To,Price,Price / International,Compare-at price,Cost per item,"
    "Inventory tracker,Inventory quantity,Continue selling when out of stock,"
    "Weight value (grams),Product image URL,Image position,Variant image URL\n"
    "Parka,parka,<p>Warm.</p>,North,Coats,Coat,,TRUE,active,P-S,4006381333931,Size,S,"
    ",80.00,99.00,120.00,30.00,shopify,4,DENY,900,https://a.example/p.jpg,1,"
    "https://a.example/s.jpg\n"
    ",parka,,,,,,,,P-M,,,M,,85.00,99.00,85.00,30.00,shopify,,DENY,900,,,\n"
    ",parka,,,,,,,,,,,,,,,,,,,,,https://a.example/q.jpg,2,\n"
)


def test_dialects_name_fields_that_exist() -> None:
    for dialect in DIALECTS:
        fields = {f.replace("{n}", "1") for f in dialect.aliases.values()}
        assert fields <= set(FIELDS)
        assert set(dialect.inherited) <= set(FIELDS)
        assert dialect.enough


def test_shopify_new_headers() -> None:
    feed = opened(SHOPIFY_NEW)
    small, medium = [row for row in feed.rows() if isinstance(row, FeedRow)]

    assert feed.dialect == "shopify-new"
    assert (small.sku, medium.sku) == ("P-S", "P-M")
    assert (str(small.price), str(small.list_price)) == ("80.00 EUR", "120.00 EUR")
    assert (str(medium.price), medium.list_price) == ("85.00 EUR", None)
    assert (small.quantity, medium.quantity) == (4, None)
    assert (small.options, medium.options) == ((("Size", "S"),), (("Size", "M"),))
    assert (small.description, medium.title, medium.brand) == (
        "Warm.",
        "Parka",
        "North",
    )
    assert small.gtin == "4006381333931"
    assert small.image_url == "https://a.example/s.jpg"
    assert medium.image_url == "https://a.example/p.jpg"
    assert [skipped.line for skipped in skipped_of(SHOPIFY_NEW)] == [4]


def test_a_bad_variant_can_be_mended_without_its_product() -> None:
    text = SHOPIFY_NEW.replace("85.00,99.00,85.00", "abc,99.00,85.00")

    (error,) = errors_of(text)

    assert error.column == "Price"
    assert error.value == "abc"
    assert error.cells[0] == "Parka"


PRESTASHOP_FR = (
    "ID;Actif (0/1);Nom *;Catégories (x,y,z...);Prix TTC;ID règle de taxes;"
    "Prix d'achat;En soldes (0/1);Montant de la remise;Pourcentage de réduction;"
    "Réduction de (aaaa-mm-jj);Réduction à (aaaa-mm-jj);Référence;"
    "Référence fournisseur;Fabricant;EAN13;UPC;Quantité;Quantité minimale;"
    "URL des images (x,y,z, etc.);État\n"
    "1;1;Lampe;Maison;1 249,90;1;600,00;1;;10;2026-03-01;2026-03-31;L-1;F1;Lumo;"
    ";036000291452;12;1;https://a.example/1.jpg,https://a.example/2.jpg;refurbished\n"
    "2;1;Bol;Maison;8,00;1;;0;2,00;;;;;F2;Lumo;;;3;1;;new\n"
)


def test_french_prestashop() -> None:
    feed = opened(PRESTASHOP_FR.encode("cp1252"))
    lamp, bowl = rows_of(PRESTASHOP_FR)

    assert (feed.dialect, feed.encoding) == ("prestashop", "cp1252")
    assert (str(lamp.price), str(lamp.list_price)) == ("1,124.91 EUR", "1,249.90 EUR")
    assert (str(bowl.price), str(bowl.list_price)) == ("6.00 EUR", "8.00 EUR")
    assert (lamp.sku, bowl.sku) == ("L-1", "id:2")
    assert (lamp.quantity, str(lamp.cost), lamp.tax) == (12, "600.00 EUR", "included")
    assert lamp.gtin == "0036000291452"
    assert (lamp.brand, lamp.condition) == ("Lumo", "refurbished")
    assert lamp.image_url == "https://a.example/1.jpg"


WOOCOMMERCE_FR = (
    "ID,Type,UGS,Nom,Publié,Mis en avant ?,Visibilité dans le catalogue,"
    "Description courte,Description,Date de début de promo,Date de fin de promo,"
    "En stock ?,Stock,Tarif promo,Tarif régulier,Catégories,Images,Parent,"
    "Nom de l'attribut 1,Valeur(s) de l'attribut 1\n"
    "8,variation,T-R,,1,0,visible,,,2026-03-01,2026-03-05,1,,15,20,,,id:7,Couleur,Rouge\n"
    "9,variation,,,1,0,visible,,,,,1,parent,,20,,,T,Couleur,Bleu\n"
    '7,variable,T,Tee-shirt,1,0,visible,,,,,1,,,,Textile,,,Couleur,"Rouge, Bleu"\n'
    "10,simple,S,Sac,1,0,visible,Court,,,,0,,,30,,,,,\n"
    "11,simple,C,Cabas,1,0,visible,,,,,1,5,,40,,,,,\n"
)


def test_french_woocommerce() -> None:
    feed = opened(WOOCOMMERCE_FR)
    red, blue, bag, tote = (r for r in feed.rows() if isinstance(r, FeedRow))

    assert feed.dialect == "woocommerce"
    assert (str(red.price), str(red.list_price)) == ("15.00 EUR", "20.00 EUR")
    assert (red.title, blue.title, blue.category) == (
        "Tee-shirt",
        "Tee-shirt",
        "Textile",
    )
    assert (red.sku, blue.sku, blue.parent_key) == ("T-R", "id:9", "T")
    assert red.options == (("Couleur", "Rouge"),)
    assert (blue.quantity, bag.quantity, tote.quantity) == (None, 0, 5)
    assert bag.description == "Court"


def test_a_sale_that_is_over_is_not_charged() -> None:
    red, *_ = rows_of_good(WOOCOMMERCE_FR, date(2026, 3, 6))

    assert (str(red.price), red.list_price) == ("20.00 EUR", None)


def rows_of_good(text: str, today: date) -> list[FeedRow]:
    return [r for r in opened(text, today=today).rows() if isinstance(r, FeedRow)]


BAGISTO = (
    "sku,parent_sku,locale,attribute_family_code,type,name,price,special_price,"
    "inventories,url_key,configurable_variants\n"
    'A,,en,default,simple,Hat,10,,"default=3,paris=4",hat,\n'
    "A,,fr,default,simple,Chapeau,10,,default=3,hat,\n"
    "B,,en,default,simple,Cap,10,8,default=x,cap,\n"
)


def test_bagisto_adds_its_stores_and_skips_translations() -> None:
    hat, translation, error = opened(BAGISTO).rows()

    assert isinstance(hat, FeedRow)
    assert (hat.sku, hat.quantity) == ("A", 7)
    assert "another language" in str(getattr(translation, "reason", ""))
    assert isinstance(error, RowError)
    assert (error.column, error.value) == ("inventories", "default=x")


def test_a_plain_file_names_its_options_by_its_columns() -> None:
    red, blue = rows_of("sku,title,price,Color,Size\nA,Tee,5,Red,M\nB,Tee,5,Blue,\n")

    assert red.options == (("Color", "Red"), ("Size", "M"))
    assert blue.options == (("Color", "Blue"),)


@pytest.mark.parametrize(
    ("header", "cells", "sku"),
    [
        ("sku,id,title,price", "S,7,Tee,5", "S"),
        ("sku,id,title,price", "-,7,Tee,5", "id:7"),
        ("id,title,price", "7,Tee,5", "7"),
        ("ean,title,price", "4006381333931,Tee,5", "4006381333931"),
        ("handle,title,price", "tee,Tee,5", "tee"),
    ],
)
def test_a_row_is_known_by_the_best_code_it_has(
    header: str, cells: str, sku: str
) -> None:
    (row,) = rows_of(f"{header}\n{cells}\n")

    assert row.sku == sku
