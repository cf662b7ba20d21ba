"""
What spreadsheets of Windows, DOS and the Mac make of one list is read the same.
"""

import pytest

from tests.offers.feed.shelves import feed_of, offers_of, shelves

SHELVES = {
    "F-1": ("1,249.90 EUR", "1,499.00 EUR", 3),
    "F-2": ("12.50 EUR", None, 24),
    "F-3": ("89.00 EUR", "119.00 EUR", 0),
}


@pytest.mark.parametrize(
    ("name", "encoding", "delimiter"),
    [
        ("excel-windows.csv", "cp1252", ";"),
        ("excel-utf8.csv", "utf-8-sig", ";"),
        ("excel-unicode.txt", "utf-16", "\t"),
    ],
)
def test_a_list_is_read_in_its_encoding(
    name: str, encoding: str, delimiter: str
) -> None:
    offers = offers_of(name)

    assert (feed_of(name).encoding, feed_of(name).delimiter) == (encoding, delimiter)
    assert shelves(offers) == SHELVES
    assert offers["F-1"].title == "Fauteuil « Été »"
    assert (offers["F-2"].title, offers["F-2"].brand) == (
        "Crème brûlée, coffret",
        "Nuñez",
    )
    assert {offer.tax for offer in offers.values()} == {"included"}


def test_a_workbook_is_read_as_what_was_typed_into_it() -> None:
    offers = offers_of("excel.xlsx")

    assert shelves(offers) == SHELVES
    assert offers["F-1"].title == "Fauteuil « Été »"


@pytest.mark.parametrize(
    ("name", "encoding"), [("excel-mac.csv", "mac_roman"), ("excel-dos.csv", "cp850")]
)
def test_old_encodings_are_chosen_by_a_person(name: str, encoding: str) -> None:
    guessed = feed_of(name, ask=True)
    offers = offers_of(name, encoding=encoding)

    assert guessed.encoding == "cp1252"
    assert any("garbled" in str(warning) for warning in guessed.warnings)
    assert shelves(offers) == SHELVES
    assert offers["F-2"].title == "Crème brûlée, coffret"
