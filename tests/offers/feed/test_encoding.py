"""
A file is read in the alphabet in which it was written.
"""

import pytest

from tests.offers.feed.feeds import opened, refusal_of, rows_of

TEXT = "Référence;Désignation;Prix €\nA1;Crème brûlée à 5 €;12,50\n"


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_finds_the_encoding(codec: str, found: str) -> None:
    data = TEXT.encode(codec)

    feed = opened(data)
    (row,) = rows_of(data)

    assert feed.encoding == found
    assert row.title == "Crème brûlée à 5 €"
    assert str(row.price) == "12.50 EUR"
    assert not any("garbled" in str(warning) for warning in feed.warnings)


def test_a_letter_far_down_the_file_counts_too() -> None:
    rows = "".join(f"S{n};Plain thing number {n};1,00\n" for n in range(20_000))
    data = (TEXT.split("\n", maxsplit=1)[0] + "\n" + rows + "Z;Brûlée;1,00\n").encode(
        "cp1252"
    )

    *_, last = rows_of(b"sku;title;price\n" + data.partition(b"\n")[2])

    assert last.title == "Brûlée"


def test_another_encoding_can_be_chosen() -> None:
    data = TEXT.replace("€", "").encode("cp850")

    (row,) = rows_of(data, encoding="cp850")

    assert row.title == "Crème brûlée à 5"


def test_a_chosen_encoding_must_fit() -> None:
    refusal = refusal_of(TEXT.encode("cp1252"), encoding="utf-8")

    assert "not written in utf-8" in refusal


@pytest.mark.parametrize("encoding", ["rot13", "base64", "utf-7", "no such thing"])
def test_only_encodings_of_feeds_can_be_chosen(encoding: str) -> None:
    with pytest.raises(ValueError, match="not an encoding"):
        opened(TEXT, encoding=encoding)


def test_garbled_letters_are_said() -> None:
    text = "sku;title;price\nA;Crème brûlée;5\n"
    twice = text.encode().decode("cp1252").encode()

    assert any("garbled" in str(warning) for warning in opened(twice).warnings)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"\n\n , ,\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x01" * 99, "PNG"),
        (b"\xff\xd8\xff\xe0" + b"\x00\x01" * 99, "JPEG"),
        (b"PK\x03\x04" + b"\x00\x01" * 99, "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b'{"products": []}', "JSON"),
        (bytes(range(1, 255)) * 40, "not a text file"),
        (b"sku,title,price\n", "no rows"),
        (b"\x00" * 4000, "empty"),
    ],
)
def test_says_what_a_file_is_that_is_no_feed(data: bytes, kind: str) -> None:
    assert kind in refusal_of(data)


@pytest.mark.parametrize("alphabet", ["cp850", "mac_roman"])
def test_says_that_letters_of_other_systems_are_garbled(alphabet: str) -> None:
    text = "Ref;Designation;Prix;Quantité\nA;Théière en grès;12,50;3\n"

    (remark, *_) = opened(text.encode(alphabet)).warnings

    assert str(remark).startswith("Some letters are garbled.")
