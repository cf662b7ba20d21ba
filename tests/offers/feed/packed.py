"""Files of any kind for the tests, unpacked without a process of their own."""

import io
from typing import BinaryIO

from offers.feed import FeedRow, RowError, Skipped
from offers.feed.tables import DELIMITER, ENCODING
from offers.feed.unpacking import Kind, Sheet, Unpacked, unpack
from offers.feed.workbooks import write_sheet
from tests.offers.feed.feeds import opened


def unpacked(data: bytes) -> Unpacked:
    return unpack(io.BytesIO(data), make_file=io.BytesIO, read_workbook=_read_here)


def read(data: bytes) -> list[FeedRow | RowError | Skipped]:
    """Return every row of a file of any kind but text."""
    text = unpacked(data).stream.read()
    return list(opened(text, encoding=ENCODING, delimiter=DELIMITER).rows())


def _read_here(stream: BinaryIO, target: BinaryIO, kind: Kind) -> Sheet:
    assert kind is not Kind.TEXT
    return write_sheet(stream, target)
