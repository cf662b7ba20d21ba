"""
A bad row of any shop's file can be mended and sent again by itself.
"""

import csv
import io
from dataclasses import replace

import pytest

from offers.feed import Feed, FeedRow, RowError, write_error_file
from tests.offers.feed.building import FILES, built, text
from tests.offers.feed.feeds import opened
from tests.offers.feed.shelves import feed_of

OLD = {"excel-mac.csv": "mac_roman", "excel-dos.csv": "cp850"}
TEXTS = [name for name in FILES if name.endswith((".csv", ".txt", ".tsv"))]
STOCK = {"shopify-wide.csv", "shopify-long.csv", "shopify-now.csv"}
SPOILT = "abc"


def spoil(name: str, feed: Feed, line: int, column: str) -> tuple[bytes, str]:
    """Return the file with a price that is none on *line*, and the price."""
    decoded = built(name).decode(feed.encoding)
    rows = list(csv.reader(io.StringIO(decoded, newline=""), delimiter=feed.delimiter))
    at = [c.column for c in feed.columns].index(column)
    price, rows[line - 1][at] = rows[line - 1][at], SPOILT
    return text(rows, feed.delimiter).encode(), price


def mend(sent: bytes, price: str, delimiter: str) -> bytes:
    lines = io.StringIO(sent.decode("utf-8-sig"), newline="")
    rows = list(csv.reader(lines, delimiter=delimiter))
    cells = [[price if cell == SPOILT else cell for cell in row] for row in rows]
    return text(cells, delimiter).encode()


@pytest.mark.parametrize("name", [name for name in TEXTS if name not in STOCK])
def test_a_row_with_a_bad_price_comes_back_as_it_was(name: str) -> None:
    feed = feed_of(name, encoding=OLD.get(name))
    good = [row for row in feed.rows() if isinstance(row, FeedRow)][-1]
    column = next(c.column for c in feed.columns if c.field == "price")
    spoilt, price = spoil(name, feed, good.line, column)

    bad = opened(spoilt, delimiter=feed.delimiter)
    errors = [row for row in bad.rows() if isinstance(row, RowError)]
    header = [c.column for c in bad.columns]
    sent = b"".join(write_error_file(errors, header, delimiter=feed.delimiter))
    (again,) = opened(mend(sent, price, feed.delimiter)).rows()

    assert {error.column for error in errors} == {column}
    assert isinstance(again, FeedRow)
    # To which product an eBay variation belongs, its place in the file alone says.
    key = good.parent_key if feed.dialect == "ebay" else again.parent_key
    assert replace(again, line=good.line, parent_key=key) == good
