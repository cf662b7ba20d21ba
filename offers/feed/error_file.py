"""The file of bad rows: to be mended in a spreadsheet and sent again.

It has the columns of the file that was sent and one more, which says what is wrong.
It is safe to open: no cell begins like a formula. Both are undone by ``open_feed``.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from offers.feed.aliases import ERROR_COLUMN
from offers.feed.cells import guarded
from offers.feed.rows import RowError


def write_error_file(
    errors: Iterable[RowError],
    header: Sequence[str],
    *,
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
) -> Iterator[bytes]:
    """Yield the bad rows as a file, line by line; *errors* come in the file's order.

    The errors of one row stand together in its last cell. Spreadsheets read
    ``utf-8-sig`` right everywhere, which is why it is the encoding unless told.
    """
    old = [i for i, name in enumerate(header) if name.strip().lower() == ERROR_COLUMN]
    first = True
    for cells in _rows(errors, header):
        kept = [cell for i, cell in enumerate(cells[:-1]) if i not in old]
        line = _line([*map(guarded, kept), guarded(cells[-1])], delimiter)
        # The mark at the beginning of the file must not be repeated on every line.
        yield line.encode(encoding if first else encoding.removesuffix("-sig"))
        first = False


def _rows(errors: Iterable[RowError], header: Sequence[str]) -> Iterator[list[str]]:
    yield [*header, ERROR_COLUMN]
    for _, group in groupby(errors, key=lambda error: error.line):
        row = list(group)
        cells = list(row[0].cells)
        blanks = [""] * (len(header) - len(cells))
        yield [*cells, *blanks, " ".join(_told(error) for error in row)]


def _told(error: RowError) -> str:
    told = f"{error.message} {error.remedy}"
    return f"{error.column}: {told}" if error.column else told


def _line(cells: Sequence[str], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerow(cells)
    return text.getvalue()
