"""
A name is believed as long as the cells keep what it promises.
"""

import io

import pytest

from offers.feed import NotAFeed, header_of
from tests.offers.feed.feeds import errors_of, opened, refusal_of, rows_of


def lines(header: str, *rows: str) -> str:
    return "\n".join((header, *rows)) + "\n"


def test_a_price_that_is_none_is_refused_with_an_example() -> None:
    rows = [f"{i};Box;10,0{i};Standard" for i in range(5)]
    text = lines("sku;title;sale price;price", *rows)
    mapping = opened(text).columns[3]

    assert mapping.field is None
    assert str(mapping.reason) == "Most of its cells are no prices, such as “Standard”."
    assert str(rows_of(text)[0].price) == "10.00 EUR"


def test_a_file_whose_only_price_is_none_is_no_feed() -> None:
    text = lines("sku;title;price", *(f"{i};Box;Standard" for i in range(5)))

    assert "missing: price" in refusal_of(text)


def test_a_quantity_of_words_is_refused() -> None:
    text = lines("sku;title;price;stock", *(f"{i};Box;1;shelf {i}a" for i in range(5)))
    mapping = opened(text).columns[3]

    assert mapping.field is None
    assert "no numbers" in str(mapping.reason)


def test_some_wrong_cells_are_errors_of_their_rows() -> None:
    rows = [*(f"{i};Box;10" for i in range(5)), "8;Box;dear", "9;Box;dear"]

    assert [error.value for error in errors_of(lines("sku;title;price", *rows))] == [
        "dear",
        "dear",
    ]


def test_words_that_stand_for_quantities_are_believed() -> None:
    rows = [f"{i};Box;10;InStock" for i in range(5)]

    assert opened(lines("sku;title;price;stock", *rows)).columns[3].field == "quantity"


def test_what_a_person_chose_is_kept() -> None:
    text = lines("sku;title;price;pv", *(f"{i};Box;10;dear" for i in range(5)))

    assert len(errors_of(text, mapping={"pv": "price"})) == 5


@pytest.mark.parametrize(
    "column",
    [
        "Coût moyen pondéré",
        "Marge",
        "Seuil de réappro",
        "Qté en commande",
        "Stock réservé",
        "Download limit",
        "Prix au kg",
        "Stock de sécurité",
        "Nb ventes",
        "Incoming",
        "Supply price incl",
        "CA",
    ],
)
def test_denies_more_of_what_only_looks_like_it(column: str) -> None:
    mapping = opened(f"sku;title;price;{column}\nA;B;1;2\n").columns[3]

    assert (mapping.field, mapping.proposed) == (None, None)
    assert mapping.confidence == 1


def test_zeros_that_a_spreadsheet_took_are_said_and_put_back() -> None:
    text = "sku;title;price;upc\nA;Box;1;12345678905\n"
    feed = opened(text)

    assert [row.gtin for row in feed.rows()] == ["0012345678905"]  # type: ignore[union-attr]
    assert any("lost a zero" in str(warning) for warning in feed.warnings)


def test_a_header_below_other_lines_is_found() -> None:
    text = (
        "Export of 1 March;;;\n\nShop;Main Street;;\n"
        "Référence;Désignation;Prix TTC;Stock\nA;Box;10,00;3\n"
    )
    (row,) = rows_of(text)

    assert (row.line, row.sku, row.quantity) == (5, "A", 3)


def test_names_that_may_be_garbled_are_said_to_be() -> None:
    old = "Réf.;Désignation;Prix TTC\nA;Box;10\n".encode("cp850")

    assert "another encoding than cp1252" in refusal_of(old)
    assert "another encoding" in refusal_of("RÃ©f;DÃ©s;Prix TTC\nA;Box;10\n")
    assert "another encoding" not in refusal_of("Kode;Beløb\nA;10\n")


def test_everything_that_a_file_says_is_read() -> None:
    text = (
        "sku;title;price;sale price;sale from;sale to;mpn;tags;images;condition\n"
        "A;Box;20;15;2026-03-01;2026-03-31;M-1;garden, wood;"
        "https://a.example/1.jpg, https://a.example/2.jpg;neuf\n"
    )
    (row,) = rows_of(text)

    assert (str(row.price), str(row.list_price)) == ("15.00 EUR", "20.00 EUR")
    assert (str(row.sale_from), str(row.sale_to)) == ("2026-03-01", "2026-03-31")
    assert (row.mpn, row.tags, row.condition) == ("M-1", ("garden", "wood"), "new")
    assert row.image_urls == ("https://a.example/1.jpg", "https://a.example/2.jpg")
    assert row.image_url == row.image_urls[0]


@pytest.mark.parametrize(
    "header",
    [
        "Row ID,Ship Mode,Product ID,Product Name,Sales,Quantity,Discount,Profit",
        "Order ID,SKU,Quantity,Buyer Name",
        "Sale Date,Item Name,Buyer,Quantity,Price,Order ID,SKU",
        "Ticket,Réf.,Désignation,Qté vendue,CA TTC",
    ],
)
def test_a_report_of_what_was_sold_is_refused(header: str) -> None:
    text = f"{header}\n{','.join('1' for _ in header.split(','))}\n"

    assert refusal_of(text).startswith("This looks like a report of past orders")
    with pytest.raises(NotAFeed):
        opened(text, ask=True)


def test_a_list_of_stock_may_say_what_was_sold_too() -> None:
    text = "Réf.;Désignation;PV TTC;Stock;Qté vendue;CA TTC;CA HT\nA;Box;10;3;9;90;75\n"

    assert [row.quantity for row in rows_of(text)] == [3]


def test_a_mapping_by_hand_is_believed_whatever_the_names() -> None:
    text = "Order ID,SKU,Buyer,Item Name,Item Price,Invoice No\n1,A,x,Box,10,7\n"

    assert "past orders" in refusal_of(text)
    assert len(rows_of(text, mapping={"Item Price": "price"})) == 1


def test_codes_that_are_no_gtins_are_not_called_wrong() -> None:
    feed = opened("sku;title;price;ean\nA;Box;1;B00ABC1234\nB;Bag;1;4006381333932\n")

    assert [str(w) for w in feed.warnings if "check digit" in str(w)] == [
        "1 of the first 2 codes in “ean” have a wrong check digit and are left out."
    ]


def test_the_columns_are_known_before_the_file_is_opened() -> None:
    data = "Report;;\nRéf.;Désignation;Prix\nA;Box;10\n".encode()

    assert header_of(io.BytesIO(data)) == ("Réf.", "Désignation", "Prix")


def test_less_than_nothing_is_nothing_and_said() -> None:
    feed = opened("sku;title;price;stock\nA;Box;1;-3\nB;Bag;1;4\n")

    assert [row.quantity for row in feed.rows()] == [0, 4]  # type: ignore[union-attr]
    assert "below zero" in " ".join(map(str, feed.warnings))
