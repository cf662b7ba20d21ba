"""A feed of any kind is opened; what breaks its reader leaves us standing."""

import io
import zipfile
from datetime import date

import pytest
import xlsxwriter

from offers.feed import FeedRow, NotAFeed, open_feed
from offers.sentences import Sentence
from outletbot.importing.apart import noted, unpacked
from tests.offers.feed.test_workbooks import HEADER, PARKA, locked_xls, xls, xlsx

TODAY = date(2026, 3, 2)
CSV = b"sku,title,price,quantity\nA-1,Parka,99.00,3\n"


def read(data: bytes) -> list[FeedRow]:
    with unpacked(io.BytesIO(data)) as source:
        feed = open_feed(source.stream, currency="eur", today=TODAY, **source.ways)
        return [row for row in feed.rows() if isinstance(row, FeedRow)]


@pytest.mark.parametrize("make", [xlsx, xls])
def test_workbooks_are_read_by_a_process_of_their_own(make) -> None:
    (row,) = read(make(HEADER, PARKA))

    assert (row.line, row.sku, str(row.price)) == (2, "A-1", "99.00 EUR")


def test_a_file_on_disk_is_read_too_and_stays_where_it_was(tmp_path) -> None:
    path = tmp_path / "stock.xlsx"
    path.write_bytes(xlsx(HEADER, PARKA))

    with path.open("rb") as stream:
        stream.read(10)
        with unpacked(stream) as source:
            assert source.stream.read().count(b"\n") == 2
        stream.seek(0)
        assert stream.read() == path.read_bytes()


def test_text_is_not_copied() -> None:
    stream = io.BytesIO(CSV)

    with unpacked(stream) as source:
        assert source.stream is stream
        assert source.ways == {}


def test_a_feed_says_what_it_was_unpacked_from() -> None:
    book = xlsx(HEADER, PARKA, others=[("Notes", [("Ask Ana",)])])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("march.xlsx", book)

    with unpacked(packed) as source:
        feed = open_feed(source.stream, currency="eur", today=TODAY, **source.ways)
        feed = noted(feed, source)

    assert (feed.kind, feed.sheet) == ("xlsx", "Stock")
    assert feed.warnings[:2] == (
        Sentence("Taken out of the archive: {name}.", name="march.xlsx"),
        Sentence(
            "The sheet “{sheet}” is read. Not read: {others}.",
            sheet="Stock",
            others="Notes",
        ),
    )


def test_a_refusal_comes_through() -> None:
    with pytest.raises(NotAFeed, match="protected by a password"):
        read(locked_xls())


def test_a_sheet_that_claims_to_be_endless_kills_its_reader_only() -> None:
    """Two cells in opposite corners are 17 thousand million cells to the reader."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "sku")
        sheet.write(1_048_575, 16_383, "x")

    with pytest.raises(NotAFeed, match="too large to be read"):
        read(made.getvalue())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "The file is empty"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b'{"products": []}', "a JSON file"),
        (b'[\n {"sku": "A"}]', "a JSON file"),
        (b"<html><p>Sign in</p></html>", "a web page"),
        (b"PK\x05\x06" + bytes(18), "holds no feed"),
        (b"sku,title,price\n", "no rows after it"),
        (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n1,2", "500 columns"),
        (b"sku,title,price\nA,Parka," + b"9" * 64 * 1024**2, "longer than 250000"),
    ],
)
def test_what_is_no_feed_is_told_as_what_it_is(data, told) -> None:
    with pytest.raises(NotAFeed, match=told):
        read(data)


def test_mixed_line_ends_are_line_ends() -> None:
    rows = read(
        b"sku,title,price,quantity\rA-1,Parka,9.00,1\r\nA-2,Scarf,5.00,2\n"
        b"A-3,Hat,4.00,3\r"
    )

    assert [(row.line, row.sku) for row in rows] == [(2, "A-1"), (3, "A-2"), (4, "A-3")]


def test_of_two_headers_of_one_name_the_first_is_read_and_that_is_said() -> None:
    data = b"sku,title,price,price\nA-1,Parka,9.00,1.00\n"

    with unpacked(io.BytesIO(data)) as source:
        feed = open_feed(source.stream, currency="eur", today=TODAY, **source.ways)
        (row,) = feed.rows()

    assert str(row.price) == "9.00 EUR"
    assert any("Several columns are called “price”" in str(w) for w in feed.warnings)
