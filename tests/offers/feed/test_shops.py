"""
Files as web shops export them, built from the headers that their makers document.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from offers.feed import Answers, FeedRow, Parent
from offers.money import Money
from tests.offers.feed.feeds import errors_of, opened, rows_of, skipped_of

WOO = {
    "French": (
        "ID,Type,UGS,Nom,Publié,Mis en avant ?,Visibilité dans le catalogue,"
        "Description courte,Description,Date de début de promo,Date de fin de promo,"
        "État de la TVA,Classe de TVA,En stock ?,Stock,Tarif promo,Tarif régulier,"
        "Catégories,Étiquettes,Images,Parent,Nom de l\u2019attribut 1,"
        "Valeur(s) de l\u2019attribut 1"
    ),
    "German": (
        "ID,Typ,Artikelnummer,Name,Veröffentlicht,Ist hervorgehoben?,"
        "Sichtbarkeit im Katalog,Kurzbeschreibung,Beschreibung,"
        '"Datum, an dem Angebotspreis beginnt","Datum, an dem Angebotspreis endet",'
        "Steuerstatus,Steuerklasse,Vorrätig?,Bestand,Angebotspreis,Regulärer Preis,"
        "Kategorien,Schlagwörter,Bilder,Übergeordnetes Produkt,Attribut 1 Name,"
        "Attribut 1 Wert(e)"
    ),
    "Spanish": (
        "ID,Tipo,SKU,Nombre,Publicado,¿Está destacado?,Visibilidad en el catálogo,"
        "Descripción corta,Descripción,Día en que empieza el precio rebajado,"
        "Día en que termina el precio rebajado,Estado del impuesto,Clase de impuesto,"
        "¿En inventario?,Inventario,Precio rebajado,Precio normal,Categorías,"
        "Etiquetas,Imágenes,Superior,Nombre del atributo 1,Valor(es) del atributo 1"
    ),
    "Italian": (
        "ID,Tipo,COD,Nome,Pubblicato,In primo piano?,Visibilità nel catalogo,"
        "Breve descrizione,Descrizione,Data di partenza del prezzo in saldo,"
        "Termine data del prezzo di vendita,Stato delle imposte,Aliquota di imposta,"
        "In stock?,Magazzino,Prezzo in offerta,Prezzo di listino,Categorie,Etichette,"
        "Immagine,Genitore,Attributo 1 nome,Attributo 1 valuta(e)"
    ),
    "Dutch": (
        "ID,Type,Artikelnummer,Naam,Gepubliceerd,Uitgelicht?,"
        "Zichtbaarheid in catalogus,Korte omschrijving,Beschrijving,"
        "Startdatum actieprijs,Einddatum actieprijs,Btw status,Belastingklasse,"
        "Op voorraad?,Voorraad,Actieprijs,Reguliere prijs,Categorieën,Tags,"
        "Afbeeldingen,Hoofd,Naam eigenschap 1,Waarde eigenschap 1"
    ),
}
WOO_ROWS = (
    "7,variable,TEE,Tee,1,0,visible,Soft.,,,,taxable,,1,,,,Clothes,summer,"
    "https://a.example/t.jpg,,Size,S\n"
    "8,variation,TEE-S,Tee - S,1,0,visible,,,2026-03-01,2026-03-31,taxable,,1,4,15,"
    "20,,,,TEE,Size,S\n"
    "9,variation,TEE-M,Tee - M,1,0,visible,,,,,taxable,,0,4,,20,,,,id:7,Size,M\n"
)
WIX = (
    "handleId,fieldType,name,description,productImageUrl,collection,sku,ribbon,price,"
    "surcharge,visible,discountMode,discountValue,inventory,weight,cost,"
    "productOptionName1,productOptionType1,productOptionDescription1,brand\n"
    "p1,Product,Tee,<p>Soft.</p>,a1_b2~mv2.jpg;https://a.example/2.jpg,All,,"
    ",20,,TRUE,PERCENT,25,InStock,,8,Size,DROP_DOWN,S;M,North\n"
    "p1,Variant,,,,,TEE-S,,,0,TRUE,,,4,,,,,S,\n"
    "p1,Variant,,,,,TEE-M,,,2.00,TRUE,,,OutOfStock,,,,,M,\n"
    "p4,Product,Hat,,,Home,HAT,,10,,TRUE,,,3,,,Color,COLOR,#000000:Black,\n"
    "p2,Product,Mug,,,Home,MUG,,10,,TRUE,AMOUNT,2.50,InStock,,,,,,\n"
    "p3,Product,Cup,,,Home,CUP,,10,,TRUE,PERCENT,0,12,,,,,,\n"
)
COMBINATIONS = (
    "Product ID*;Attribute (Name:Type:Position)*;Value (Value:Position)*;"
    "Supplier reference;Reference;EAN13;UPC;Wholesale price;Impact on price;Ecotax;"
    "Quantity;Minimal quantity;Impact on weight;Default (0 = No, 1 = Yes);"
    "Combination available date;Image position;Image URL\n"
    "1;Color:color:0, Disk space:select:1;Blue:0, 16GB:1;;IPOD-B-16;0685387000000;;40;"
    "50;0;12;1;0;0;;1;\n"
    "1;Color:color:0, Disk space:select:1;Pink:1, 8GB:0;;;0685387000000;;40;-10.50;0;"
    "3;1;0;0;;1;\n"
)
MAGENTO = (
    "sku,store_view_code,attribute_set_code,product_type,categories,product_websites,"
    "name,description,product_online,tax_class_name,price,special_price,"
    "special_price_from_date,special_price_to_date,msrp_price,base_image,"
    "additional_images,additional_attributes,qty,out_of_stock_qty,is_in_stock,"
    "configurable_variations\n"
    "TEE-S,,Default,simple,Tees,base,Tee S,Soft,1,Taxable,20,15,2026-03-01,2026-03-31,"
    '30,https://a.example/1.jpg,"https://a.example/2.jpg,https://a.example/3.jpg",'
    '"manufacturer=North,cost=8.00,ean=4006381333931",4.0000,0,1,\n'
    "TEE-S,fr,Default,simple,,,T-shirt S,Doux,,,,,,,,,,,,,,\n"
    "TEE,,Default,configurable,Tees,base,Tee,Soft,1,Taxable,,,,,,,,,,0,1,"
    '"sku=TEE-S,color=Red,size=S|sku=TEE-M,color=Red,size=M"\n'
)
COMMERCETOOLS = (
    "productType,variantId,sku,prices,tax,categories,images,name.en,description.en,"
    "slug.en,creationDate,baseId,designer,size,color\n"
    "main,1,M-1,EUR 18750;EUR 12295 b2b;US-USD 18750;DE-EUR 15000;EUR 19125#vienna,"
    "standard,New>Women;Women>Trousers,https://a.example/1.jpg,Chino,,chino,,72779,"
    "kors,34,brown\n"
    ",2,M-2,DE-EUR 15000;EUR 18750|14000,,,https://a.example/1.jpg,,,,,72779,kors,36,"
    "brown\n"
    ",3,M-3,DE-EUR 15000,,,https://a.example/1.jpg,,,,,72779,kors,38,brown\n"
)


def by_sku(text: str, **how: Any) -> dict[str, FeedRow]:
    return {r.sku: r for r in opened(text, **how).rows() if isinstance(r, FeedRow)}


def reasons(text: str) -> Iterator[tuple[int, str]]:
    return ((row.line, str(row.reason)) for row in skipped_of(text))


@pytest.mark.parametrize("language", WOO)
class TestWooCommerce:
    def test_is_read_in_any_language(self, language: str) -> None:
        feed = opened(f"{WOO[language]}\n{WOO_ROWS}")
        small, medium = [row for row in feed.rows() if isinstance(row, FeedRow)]

        assert feed.dialect == "woocommerce"
        assert (small.sku, small.title, small.parent_key) == ("TEE-S", "Tee - S", "TEE")
        assert (str(small.price), str(small.list_price)) == ("15.00 EUR", "20.00 EUR")
        assert (small.sale_from, small.sale_to) == (date(2026, 3, 1), date(2026, 3, 31))
        assert small.quantity == 4
        assert small.options == (("Size", "S"),)
        assert (small.category, small.tags) == ("Clothes", ("summer",))
        assert small.image_url == "https://a.example/t.jpg"
        assert medium.category == "Clothes"

    def test_what_is_out_of_stock_is_not_for_sale(self, language: str) -> None:
        medium = by_sku(f"{WOO[language]}\n{WOO_ROWS}")["TEE-M"]

        assert (str(medium.price), medium.quantity) == ("20.00 EUR", 0)


class TestWix:
    def test_a_variant_costs_its_product_and_its_surcharge(self) -> None:
        offers = by_sku(WIX)

        assert (str(offers["TEE-S"].price), str(offers["TEE-S"].list_price)) == (
            "15.00 EUR",
            "20.00 EUR",
        )
        assert str(offers["TEE-M"].price) == "16.50 EUR"
        assert str(offers["TEE-M"].cost) == "8.00 EUR"
        assert offers["TEE-M"].options == (("Size", "M"),)
        assert (offers["TEE-M"].title, offers["TEE-M"].brand) == ("Tee", "North")
        assert offers["TEE-S"].image_urls == (
            "https://static.wixstatic.com/media/a1_b2~mv2.jpg",
            "https://a.example/2.jpg",
        )

    @pytest.mark.parametrize("less", ["-20.00", "-27.50"])
    def test_a_difference_that_leaves_nothing_of_the_price_is_refused(
        self, less: str
    ) -> None:
        text = WIX.replace(",,,2.00,TRUE", f",,,{less},TRUE")

        errors = errors_of(text)

        assert [(e.line, e.column, e.value) for e in errors] == [(4, "surcharge", less)]
        assert "nothing is left" in str(errors[0].message)

    def test_the_product_of_variants_is_no_offer(self) -> None:
        ((line, reason),) = reasons(WIX)

        assert (line, reason[:19]) == (2, "The product itself;")

    def test_a_discount_is_an_amount_or_a_percentage(self) -> None:
        offers = by_sku(WIX)

        assert (str(offers["MUG"].price), str(offers["MUG"].list_price)) == (
            "7.50 EUR",
            "10.00 EUR",
        )
        assert (str(offers["CUP"].price), offers["CUP"].list_price) == (
            "10.00 EUR",
            None,
        )

    def test_a_colour_is_told_by_its_name(self) -> None:
        assert by_sku(WIX)["HAT"].options == (("Color", "Black"),)

    def test_a_quantity_may_be_a_word(self) -> None:
        counted = {sku: offer.quantity for sku, offer in by_sku(WIX).items()}

        assert counted == {"TEE-S": 4, "TEE-M": 0, "HAT": 3, "MUG": None, "CUP": 12}


class TestPrestaShopCombinations:
    def test_need_the_price_of_their_product(self) -> None:
        first, second = errors_of(COMBINATIONS)

        assert opened(COMBINATIONS).dialect == "prestashop-combinations"
        assert str(first.message).startswith("The price of product 1 is not known here")
        assert (first.column, second.line) == ("Product ID*", 3)

    def test_cost_it_and_their_difference(self) -> None:
        def find(key: str) -> Parent | None:
            return Parent("iPod Nano", Money(14_900, "eur")) if key == "1" else None

        offers = by_sku(COMBINATIONS, parents=find)

        assert list(offers) == ["IPOD-B-16", "1/Pink/8GB"]
        blue, pink = offers.values()
        assert (blue.title, str(blue.price)) == ("iPod Nano", "199.00 EUR")
        assert (str(pink.price), pink.quantity) == ("138.50 EUR", 3)
        assert blue.options == (("Color", "Blue"), ("Disk space", "16GB"))
        assert (blue.gtin, str(blue.cost), blue.parent_key) == (None, "40.00 EUR", "1")

    def test_a_product_is_known_by_its_id(self) -> None:
        text = (
            "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax included;"
            "Tax rules ID;On sale (0/1);Reference #\n1;1;iPod;Home;149;1;0;IPOD\n"
        )
        (row,) = rows_of(text)

        assert (row.sku, row.parent_key, row.tax) == ("IPOD", "1", "included")

    def test_their_difference_is_grossed_up_with_the_tax(self) -> None:
        def find(key: str) -> Parent | None:
            return Parent(f"iPod {key}", Money(14_900, "eur"))

        answers = Answers(tax="excluded", tax_rate=Decimal(20))
        offers = by_sku(COMBINATIONS, parents=find, answers=answers)

        assert [str(offer.price) for offer in offers.values()] == [
            "209.00 EUR",
            "136.40 EUR",
        ]


class TestMagento:
    def test_a_product_names_the_options_of_its_variants(self) -> None:
        offer = by_sku(MAGENTO)["TEE-S"]

        assert offer.options == (("color", "Red"), ("size", "S"))
        assert (offer.parent_key, offer.title) == ("TEE", "Tee S")
        assert (str(offer.price), str(offer.list_price)) == ("15.00 EUR", "20.00 EUR")
        assert (offer.quantity, len(offer.image_urls)) == (4, 3)

    def test_attributes_in_one_cell_are_read(self) -> None:
        offer = by_sku(MAGENTO)["TEE-S"]

        assert (offer.brand, str(offer.cost)) == ("North", "8.00 EUR")
        assert offer.gtin == "4006381333931"

    def test_translations_and_products_of_variants_are_left_out(self) -> None:
        assert list(reasons(MAGENTO)) == [
            (3, "The same product in another language."),
            (4, "The product itself; its variants have rows of their own."),
        ]

    def test_a_recommended_price_is_not_used(self) -> None:
        refused = {
            m.column: str(m.reason) for m in opened(MAGENTO).columns if not m.field
        }

        assert "recommended" in refused["msrp_price"]
        assert "limit" in refused["out_of_stock_qty"]


class TestCommercetools:
    def test_the_price_for_everybody_is_read_in_minor_units(self) -> None:
        offers = by_sku(COMMERCETOOLS)

        assert opened(COMMERCETOOLS).dialect == "commercetools"
        assert str(offers["M-1"].price) == "187.50 EUR"
        assert str(offers["M-2"].price) == "140.00 EUR"
        assert (offers["M-2"].title, offers["M-2"].parent_key) == ("Chino", "72779")
        assert offers["M-2"].options == (("size", "36"), ("color", "brown"))

    def test_a_cell_without_such_a_price_is_wrong(self) -> None:
        (error,) = errors_of(COMMERCETOOLS)

        assert (error.line, error.column) == (4, "prices")
        assert "for everybody" in str(error.message)

    def test_a_price_beyond_reason_is_wrong(self) -> None:
        text = COMMERCETOOLS.replace("EUR 18750|14000", "EUR 99999999999")

        assert "surely a mistake" in str(errors_of(text)[0].message)

    def test_prices_may_stand_alone(self) -> None:
        text = (
            "key,sku,centAmount,currencyCode,type,fractionDigits,country,customerGroup\n"
            "P1,A,6550,USD,centPrecision,2,,\n"
        )
        (row,) = rows_of(text)

        assert (str(row.price), row.title, row.quantity) == ("65.50 USD", None, None)

    def test_stock_is_told_by_channel(self) -> None:
        text = "sku,quantityOnStock,supplyChannel\nA,3,vienna\nA,2,berlin\n"
        row = by_sku(text)["A"]

        assert (row.quantity, row.quantities) == (5, (("vienna", 3), ("berlin", 2)))


class TestShopify:
    def test_prices_of_markets_are_refused(self) -> None:
        text = (
            "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,"
            "Price / France,Compare At Price / France,Included / France\n"
            "tee,Tee,Size,S,T-S,20,25,30,true\n"
        )
        refused = {m.column: str(m.reason) for m in opened(text).columns if not m.field}

        assert len(refused) == 3
        assert set(refused.values()) == {
            "The price in one market; the shop's own price is read."
        }
        assert [str(row.price) for row in rows_of(text)] == ["20.00 EUR"]


class TestShopware:
    def test_a_variant_inherits_from_its_product(self) -> None:
        text = (
            "id;parent_id;product_number;stock;name;tax_rate;price_net;price_gross;"
            "manufacturer_name;list_price_gross\n"
            "v1;p;TEE-S;4;;;;;;\n"
            "p;;TEE;9;Tee;19;16.806722689076;20;North;25\n"
            "q;;MUG;9;Mug;19;8.4033613445378;10;;5\n"
        )
        offers = by_sku(text)

        assert list(offers) == ["TEE-S", "MUG"]
        assert (offers["TEE-S"].title, offers["TEE-S"].brand) == ("Tee", "North")
        assert str(offers["TEE-S"].price) == "20.00 EUR"
        assert str(offers["TEE-S"].list_price) == "25.00 EUR"
        assert offers["MUG"].list_price is None

    def test_net_prices_alone_are_read_with_the_tax_of_their_row(self) -> None:
        text = (
            "id;parent_id;product_number;stock;name;tax_rate;price_net;purchase_steps\n"
            "p;;TEE;9;Tee;19;16.806722689076;1\n"
        )
        (row,) = rows_of(text)

        assert (str(row.price), row.tax) == ("20.00 EUR", "included")
