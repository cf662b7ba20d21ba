"""Excel files: which sheet is read, what its cells say, and what is refused."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import xlsxwriter
import xlwt

from offers.feed import FeedRow, NotAFeed, RowError
from offers.feed.unpacking import Kind
from offers.feed.workbooks import as_text, is_noisy
from tests.offers.feed.feeds import opened, shared_feeds
from tests.offers.feed.packed import read, unpacked

HEADER = ("sku", "title", "price", "quantity")
PARKA = ("A-1", "Parka", 99.0, 3)


def xlsx(*rows: Any, name: str = "Stock", others: Any = ()) -> bytes:
    """Make a workbook of *rows*, and before them the sheets that *others* name."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        for other, content in others:
            _fill(book.add_worksheet(other), content)
        _fill(book.add_worksheet(name), rows)
    return made.getvalue()


def xls(*rows: Any) -> bytes:
    book, made = xlwt.Workbook(), io.BytesIO()
    _fill(book.add_sheet("Stock"), rows)
    book.save(made)
    return made.getvalue()


def _fill(sheet: Any, rows: Any) -> None:
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            sheet.write(y, x, cell)


def locked_envelope() -> bytes:
    """An XLSX file with a password is an old container with a stream so called."""
    data = bytearray(xls(HEADER))
    at = data.index("Workbook".encode("utf-16-le"))
    name = "EncryptedPackage".encode("utf-16-le")
    data[at : at + len(name)] = name
    data[at + 64] = len(name) + 2
    return bytes(data)


def locked_xls() -> bytes:
    """An XLS file with a password says so in a record of its beginning."""
    data = bytearray(xls(HEADER))
    at = data.index(b"\xe1\x00\x02\x00")  # a record of the same length, of no use
    data[at : at + 6] = b"\x2f\x00\x02\x00\x01\x00"
    return bytes(data)


def table(data: bytes) -> list[list[str]]:
    text = unpacked(data).stream.read().decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def notes(data: bytes) -> list[str]:
    return [str(note) for note in unpacked(data).notes]


def refusal(data: bytes) -> str:
    with pytest.raises(NotAFeed) as refused:
        read(data)
    return str(refused.value)


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "text"),
        [
            ("00012", "00012"),
            (3_600_541_255_432.0, "3600541255432"),
            (12.0, "12"),
            (-3.0, "-3"),
            (12.5, "12.5"),
            (0.1 + 0.2, "0.3"),
            (25.17199993133545, "25.172"),
            (1 / 3, repr(1 / 3)),
            (8_806_090_000_000.0, "8806090000000"),
            (2.0**53, "9.00719925474099E+15"),
            (1e22, "1.00000000000000E+22"),
            (True, "1"),
            (False, "0"),
            (7, "7"),
            (date(2026, 3, 2), "2026-03-02"),
            (datetime(2026, 3, 2, tzinfo=UTC).replace(tzinfo=None), "2026-03-02"),
            (
                datetime(2026, 3, 2, 14, 30, tzinfo=UTC).replace(tzinfo=None),
                "2026-03-02 14:30:00",
            ),
            (time(14, 30), "14:30:00"),
            (timedelta(hours=30), "1 day, 6:00:00"),
        ],
    )
    def test_are_what_a_person_would_type(self, cell, text) -> None:
        assert as_text(cell) == text

    def test_of_32_bits_show_their_noise(self) -> None:
        assert is_noisy(25.17199993133545)
        assert not is_noisy(0.1 + 0.2)
        assert not is_noisy(1 / 3)

    @pytest.mark.parametrize("make", [xlsx, xls])
    def test_are_read_as_they_are_on_their_lines(self, make) -> None:
        rows = read(make(HEADER, PARKA, (), ("A-2", "Warm\nscarf", 12.5, 0)))

        assert [(r.line, r.sku, str(r.price), r.quantity) for r in rows] == [
            (2, "A-1", "99.00 EUR", 3),
            (4, "A-2", "12.50 EUR", 0),
        ]
        assert rows[1].title == "Warm scarf"

    def test_with_noise_are_rounded_and_that_is_said(self) -> None:
        data = xlsx(HEADER, ("A-1", "Parka", 25.14999961853027, 3))

        (row,) = read(data)

        assert str(row.price) == "25.15 EUR"
        assert "25.14999961853027" in notes(data)[0]

    def test_with_more_digits_than_a_float_are_damaged(self) -> None:
        """Of what is written in scientific notation nobody knows the last digits."""
        data = xlsx((*HEADER, "ean"), (*PARKA, 1.234567890123456e18))

        assert table(data)[1][-1] == "1.23456789012346E+18"

    def test_are_found_wherever_the_table_begins(self) -> None:
        data = xlsx((), ("", "Our stock"), (), ("", *HEADER), ("", *PARKA))

        (row,) = read(data)

        assert (row.line, row.sku) == (5, "A-1")


class TestSheets:
    def test_with_a_header_is_read_and_the_others_named(self) -> None:
        notice = ("Notes", [("Ask Ana before you send this",)])
        data = xlsx(HEADER, PARKA, others=[("Empty", []), notice])

        assert [r.sku for r in read(data)] == ["A-1"]
        assert unpacked(data).sheet == "Stock"
        assert notes(data) == ["The sheet “Stock” is read. Not read: Notes."]

    def test_alone_is_not_worth_a_word(self) -> None:
        assert notes(xlsx(HEADER, PARKA)) == []

    def test_without_anything_is_refused(self) -> None:
        assert refusal(xlsx()) == "The workbook is empty."
        assert refusal(xls()) == "The workbook is empty."

    def test_of_a_header_alone_is_refused(self) -> None:
        assert "no rows after it" in refusal(xlsx(HEADER))


class TestFormulas:
    def test_are_read_by_their_values(self) -> None:
        made = io.BytesIO()
        with xlsxwriter.Workbook(made) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, HEADER)
            sheet.write_row(1, 0, PARKA)
            sheet.write_formula(1, 2, "=100-1", None, 99)

        (row,) = read(made.getvalue())

        assert str(row.price) == "99.00 EUR"

    def test_without_values_are_said(self) -> None:
        made = io.BytesIO()
        with xlsxwriter.Workbook(made) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, HEADER)
            for line in range(1, 9):
                sheet.write_row(line, 0, PARKA)
                sheet.write_formula(line, 2, "=100-1", None, "")
        data = made.getvalue()

        assert notes(data)[0].startswith("8 cells are formulas without a value.")
        assert isinstance(read(data)[0], RowError)

    def test_alone_are_refused(self) -> None:
        made = io.BytesIO()
        with xlsxwriter.Workbook(made) as book:
            book.add_worksheet().write_formula(0, 0, "=A2", None, "")

        assert "formulas without a value" in refusal(made.getvalue())


class TestRefusals:
    def test_of_passwords(self) -> None:
        assert refusal(locked_envelope()).startswith("The workbook is protected")
        assert refusal(locked_xls()).startswith("The workbook is protected")

    def test_of_what_is_damaged(self) -> None:
        assert "damaged" in refusal(b"\xd0\xcf\x11\xe0" + bytes(600))
        assert "damaged" in refusal(xlsx(HEADER, PARKA)[:-100])

    def test_of_ten_thousand_columns(self) -> None:
        wide = [f"c{number}" for number in range(10_000)]

        assert "more than 500 columns" in refusal(xlsx(wide, wide))


class TestRealFiles:
    def test_in_excel_and_in_text_are_the_same(self) -> None:
        folder = shared_feeds() / "bagisto"
        book, text = (folder / f"products.{kind}" for kind in ("xlsx", "csv"))

        in_book = read(book.read_bytes())
        in_text = read_text_file(text.read_bytes())

        assert [_facts(row) for row in in_book] == [_facts(row) for row in in_text]
        assert sum(isinstance(row, FeedRow) for row in in_book) == 8

    def test_may_have_any_letter_in_the_name_of_a_sheet(self) -> None:
        data = (
            shared_feeds() / "messytables-horror/unicode_sheet_name.xls"
        ).read_bytes()

        assert unpacked(data).kind is Kind.XLS
        assert unpacked(data).sheet == "mês"
        assert "columns are missing" in refusal(data)


def read_text_file(data: bytes) -> list[Any]:
    return list(opened(data).rows())


def _facts(row: Any) -> Any:
    """What a row says; its line differs where a cell of the text has several."""
    if isinstance(row, FeedRow):
        return (row.sku, row.title, row.description, row.price, row.cost, row.quantity)
    return str(getattr(row, "reason", "") or row.message)
