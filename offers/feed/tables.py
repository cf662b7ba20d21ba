"""Tables: what any kind of file is turned into before it is read as a feed.

That is delimited text in UTF-8 in which each row is one line, so that the line of an
error is the row of the sheet, or the number of the item and one for the header.
"""

import csv
import io
from collections.abc import Sequence
from typing import BinaryIO

ENCODING = "utf-8"
DELIMITER = ","
BREAK = "\u2028"
"""A line break within a cell; Unicode's own, where no reader of lines cuts."""


class Table:
    """Writes rows to *target*; ``close`` leaves that open, at its beginning."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._text = io.TextIOWrapper(
            target, ENCODING, errors="replace", newline="", write_through=False
        )
        self._writer = csv.writer(self._text, delimiter=DELIMITER)
        self.rows = 0

    def add(self, cells: Sequence[str]) -> None:
        self.rows += 1
        if any(cells):
            self._writer.writerow([one_line(cell) for cell in cells])
        else:
            self._text.write("\r\n")

    def close(self) -> None:
        self._text.detach()  # which flushes
        self._target.seek(0)


def one_line(text: str) -> str:
    """Return *text* without what would end its line."""
    if "\n" in text or "\r" in text:
        lines = text.replace("\r\n", "\n").replace("\r", "\n")
        text = lines.replace("\n", BREAK)
    return text.replace("\x00", "")
