"""
A column is what its exact name says; prices and quantities are never guessed.
"""

import pytest

from tests.offers.feed.feeds import opened, refusal_of, rows_of


def fields_of(header: str, **how: object) -> dict[str, str | None]:
    width = header.count(";") + 1
    row = ";".join(["1"] * width)
    return {m.column: m.field for m in opened(f"{header}\n{row}\n", **how).columns}


@pytest.mark.parametrize(
    "header",
    [
        "SKU;Title;Price;Quantity",
        "sku;name;selling price;qty",
        "Référence;Désignation;Prix TTC;Qté",
        "Code article;Libellé;Prix de vente TTC (€);Quantité en stock",
        "Artikelnummer;Bezeichnung;Verkaufspreis;Bestand",
        "Artikel-Nr.;Titel;Preis (EUR);Lagerbestand",
        "REF;NOM;PRIX €;STOCK",
    ],
)
def test_knows_the_usual_names(header: str) -> None:
    assert list(fields_of(header).values()) == ["sku", "title", "price", "quantity"]


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("Was price", "list_price"),
        ("Prix barré", "list_price"),
        ("Streichpreis", "list_price"),
        ("Prix d'achat HT", "cost"),
        ("EK netto", "cost"),
        ("Code-barres", "gtin"),
        ("EAN 13", "gtin"),
        ("Marque", "brand"),
        ("URL de l'image", "image_url"),
        ("Prix promo", "sale_price"),
        ("Farbe", "option"),
    ],
)
def test_knows_what_else_a_file_may_say(column: str, field: str) -> None:
    assert fields_of(f"sku;title;price;{column}")[column] == field


@pytest.mark.parametrize(
    "column",
    [
        "Stock mini",
        "Stock resa",
        "Valeur stock",
        "Quantité d'alerte",
        "Reorder point",
        "Low stock amount",
        "Committed",
        "New quantity",
        "Qté vendue",
        "Minimal quantity",
        "MSRP",
        "PVC conseillé",
        "UVP",
        "Prix au kg",
        "Unit price",
        "Impact on price",
        "Remise %",
        "Shipping price",
        "Ecotax",
        "Tva",
    ],
)
def test_denies_what_only_looks_like_a_price_or_stock(column: str) -> None:
    mapping = opened(f"sku;title;price;{column}\nA;B;1;2\n").columns[3]

    assert mapping.field is None
    assert mapping.proposed is None
    assert str(mapping.reason)


def test_proposes_a_similar_name_but_does_not_take_it() -> None:
    mapping = opened("sku;title;price;Descriptoin\nA;B;1;2\n").columns[3]

    assert mapping.field is None
    assert mapping.proposed == "description"
    assert 0.85 <= mapping.confidence < 1


@pytest.mark.parametrize("column", ["Quantitys", "Prrice", "Quantiti"])
def test_does_not_even_propose_a_price_or_a_quantity(column: str) -> None:
    mapping = opened(f"sku;title;price;{column}\nA;B;1;2\n").columns[3]

    assert mapping.field is None
    assert mapping.proposed is None


def test_a_person_may_choose_and_ignore() -> None:
    text = "sku;title;price;Tarif pro;stock\nA;B;1;2;3\n"

    (row,) = rows_of(text, mapping={"Tarif pro": "price", "stock": ""})

    assert row.price.amount == 200
    assert row.quantity is None


def test_refuses_a_choice_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no such fields"):
        opened("sku;title;price\nA;B;1\n", mapping={"price": "prize"})


def test_the_price_with_tax_is_taken_before_the_one_without() -> None:
    (row,) = rows_of("ref;nom;Prix HT;Prix TTC\nA;B;10;12\n")

    assert (row.price.amount, row.tax) == (1200, "included")


def test_a_price_without_tax_is_said_to_be_so() -> None:
    feed = opened("ref;nom;Prix HT\nA;B;10\n")

    assert [row.tax for row in feed.rows()] == ["excluded"]  # type: ignore[union-attr]
    assert "without tax" in str(feed.warnings[0])


def test_a_header_may_say_the_currency() -> None:
    (row,) = rows_of("sku;title;Price (USD);Cost £\nA;B;10;4\n")

    assert (row.price.currency, str(row.cost)) == ("usd", "4.00 GBP")


def test_a_column_may_say_the_currency() -> None:
    (row,) = rows_of("sku;title;price;currency\nA;B;10;CHF\n")

    assert row.price.currency == "chf"


def test_columns_of_one_name_are_said_and_the_first_is_read() -> None:
    feed = opened("sku;title;price;price\nA;B;10;20\n")

    assert [row.price.amount for row in feed.rows()] == [1000]  # type: ignore[union-attr]
    assert feed.columns[3].field is None
    assert any("“price”" in str(warning) for warning in feed.warnings)


def test_says_what_is_missing_and_what_is_there() -> None:
    refusal = refusal_of("colour,weight,shelf\nred,2,A\n")

    assert "sku, title, price" in refusal
    assert "colour, weight, shelf" in refusal


def test_a_name_with_a_currency_in_it_is_no_price_by_that() -> None:
    assert fields_of("sku;title;price;Taille EUR")["Taille EUR"] is None
