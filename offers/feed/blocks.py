"""Blocks: the rows of a well-ordered file, thousands at a time.

It reads what ``records`` reads, without looking at each line in Python. Wherever that
might not come to the same (a quotation mark that stays open, a line beyond all reason,
a zero byte) it raises ``Disorder``, and the careful reader goes on from there.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import compress, pairwise
from typing import BinaryIO

from offers.feed.encoding import Encoding
from offers.feed.records import LONGEST_CELL, LONGEST_LINE, Record

BLOCK = 1 << 17  # bytes that are read at once

_END = "\x1e"
_UNPLAIN = ('"', "\x00", _END)
_FEWEST = 2  # cells of a row: a blank line has none, and looks as if it had one


class Disorder(Exception):
    """What comes next has to be read with care."""


class RawBlock:
    """Rows, and the line that each begins on; made of its *rows* or its *columns*.

    *last* is the last line of all, *position* how far the file was read, in bytes.
    """

    def __init__(
        self,
        lines: Sequence[int],
        last: int,
        position: int,
        *,
        rows: Sequence[Sequence[str]] | None = None,
        columns: Sequence[Sequence[str]] | None = None,
    ) -> None:
        self.lines, self.last, self.position = lines, last, position
        self._rows, self._columns = rows, columns

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        if self._rows is None:
            self._rows = list(zip(*self._columns or (), strict=True))
        return self._rows

    @property
    def columns(self) -> Sequence[Sequence[str]]:
        """The cells of each column; its rows have to be of one length."""
        if self._columns is None:
            self._columns = list(zip(*self._rows or (), strict=True))
        return self._columns

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def first(self) -> int:
        return self.lines[0] if self.lines else self.last

    def widths(self) -> set[int]:
        """Return how many cells rows have."""
        if self._rows is None:
            return {len(self.columns)}
        return set(map(len, self._rows))

    def record(self, i: int) -> Record:
        """Return one row as the careful reader has it."""
        end = self.lines[i + 1] - 1 if i + 1 < len(self.lines) else self.last
        return Record(self.lines[i], end, list(self.rows[i]))

    def after(self, line: int) -> "RawBlock":
        return self.only([begins > line for begins in self.lines])

    def only(self, fits: Sequence[bool]) -> "RawBlock":
        rows, lines = compress(self.rows, fits), list(compress(self.lines, fits))
        return RawBlock(lines, self.last, self.position, rows=list(rows))


def raw_blocks(
    stream: BinaryIO, encoding: Encoding, delimiter: str, width: int
) -> Iterator[RawBlock]:
    """Yield all rows of *stream*, from its beginning, also those that are empty.

    It is quickest with rows of *width* cells, as most are.

    Raises:
        Disorder: Before anything that the careful reader might read otherwise.
    """
    pieces = _Pieces(stream, encoding)
    for piece in pieces:
        before, position = pieces.number, pieces.position
        columns = _columns(piece.text, delimiter, width)
        if columns is not None:
            lines = range(before + 1, before + 1 + len(columns[0]))
            yield RawBlock(lines, lines[-1], position, columns=columns)
            continue
        rows, ends = pieces.rows(piece, delimiter)
        if rows:
            starts = [before + 1 + end for end in (0, *ends[:-1])]
            yield RawBlock(starts, before + ends[-1], position, rows=rows)


def raw_cells(
    stream: BinaryIO, encoding: Encoding, delimiter: str, column: int
) -> Iterator[list[str]]:
    """Yield the cells of one column alone, of all rows that have so many.

    Raises:
        Disorder: As ``raw_blocks`` does.
    """
    pieces = _Pieces(stream, encoding)
    for piece in pieces:
        if '"' in piece.text:
            rows, _ = pieces.rows(piece, delimiter)
            yield [row[column] for row in rows if len(row) > column]
        else:
            yield _nth_cells(piece.lines, delimiter, column)


def _nth_cells(lines: list[str], delimiter: str, column: int) -> list[str]:
    most = column + 1
    try:
        return [line.split(delimiter, most)[column] for line in lines]
    except IndexError:  # some line is blank, or short
        cells = [line.split(delimiter, most) for line in lines]
        return [each[column] for each in cells if len(each) > column]


class _Piece:
    """Whole lines of a file."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """Its lines.

        Raises:
            Disorder: If one is longer than a cell may be, or there is a zero byte.
        """
        lines = io.StringIO(self.text, newline="").readlines()
        longest = max(map(len, lines), default=0)
        if longest > LONGEST_CELL or "\x00" in self.text:
            raise Disorder
        return lines


class _Pieces:
    """A file, some lines at a time; those given back come again.

    *number* is how many lines were taken before those at hand.
    """

    def __init__(self, stream: BinaryIO, encoding: Encoding) -> None:
        self._texts = _texts(stream, encoding)
        self._rest = ""
        self._at_end = False
        self.number = 0
        self.position = 0

    def __iter__(self) -> Iterator[_Piece]:
        for text, position in self._texts:
            self.position = position
            self._at_end = not text
            whole, self._rest = _whole_lines(self._rest + text, at_end=self._at_end)
            if len(self._rest) > LONGEST_LINE:
                raise Disorder
            self._given_back = 0
            yield _Piece(whole)
            self.number += _count_lines(whole) - self._given_back

    def rows(
        self, piece: _Piece, delimiter: str
    ) -> tuple[list[list[str]], Sequence[int]]:
        """Return the rows of *piece*, and how many lines each has ended by.

        What begins a row that does not end in it comes again with the next piece.
        """
        lines = piece.lines
        if '"' not in piece.text:  # each line is a row
            return _simply(lines, delimiter), range(1, len(lines) + 1)
        rows, ends = _parse(lines, delimiter)
        self._give_back(lines[ends[-1] if ends else 0 :])
        return rows, ends

    def _give_back(self, lines: list[str]) -> None:
        """Take *lines*, the last at hand, for the beginning of what follows."""
        self._given_back = len(lines)
        self._rest = "".join(lines) + self._rest
        if lines and (self._at_end or len(self._rest) > LONGEST_LINE):
            raise Disorder


def _texts(stream: BinaryIO, encoding: Encoding) -> Iterator[tuple[str, int]]:
    """Yield the text piece by piece, and nothing at its end."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding.name)(encoding.errors)
    while piece := stream.read(BLOCK):
        if text := decoder.decode(piece):
            yield text, stream.tell()
    yield decoder.decode(b"", final=True), stream.tell()
    yield "", stream.tell()


def _whole_lines(text: str, *, at_end: bool) -> tuple[str, str]:
    """Return the lines that *text* has to their end, and what comes after them."""
    if at_end:
        return text, ""
    # Of a return at the end nobody knows yet whether a line feed belongs to it.
    end = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
    return text[:end], text[end:]


def _count_lines(text: str) -> int:
    ends = text.count("\n")
    if "\r" in text:
        ends += text.count("\r") - text.count("\r\n")
    open_end = bool(text) and text[-1] not in "\r\n"
    return ends + open_end


def _columns(text: str, delimiter: str, width: int) -> list[list[str]] | None:
    """Return the columns of *text* if each line is plainly a row of *width* cells."""
    if any(sign in text for sign in _UNPLAIN):
        return None
    text = text.replace("\r\n", "\n")
    if not text.endswith("\n"):
        text += "\n"
    if width < _FEWEST or "\r" in text or _has_long_line(text):
        return None
    cells = text.replace("\n", _END + delimiter).split(delimiter)[:-1]
    rows = text.count("\n")
    # Each line's last cell has an end. So if these are they, all rows are of one width.
    last = "".join(cells[width - 1 :: width]).split(_END)[:-1]
    if len(cells) != rows * width or len(last) != rows:
        return None
    return [*(cells[i::width] for i in range(width - 1)), last]


def _has_long_line(text: str) -> bool:
    """Whether a line may be longer than a cell may be: some are not that are half."""
    half = LONGEST_CELL // 2
    return any(text.find("\n", i, i + half) < 0 for i in range(0, len(text), half))


def _simply(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise Disorder from error


def _parse(lines: list[str], delimiter: str) -> tuple[list[list[str]], list[int]]:
    """Return the rows that end within *lines*, and how many lines each has ended by."""
    rows: list[list[str]] = []
    ends: list[int] = []

    def given() -> Iterator[str]:
        yield from lines
        if not ends or ends[-1] < len(lines):
            raise Disorder  # csv.reader would take what there is for a whole row

    reader = csv.reader(given(), delimiter=delimiter)
    try:
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
    except Disorder:
        pass
    except csv.Error as error:
        raise Disorder from error
    _refuse_long_rows(lines, ends)
    return rows, ends


def _refuse_long_rows(lines: list[str], ends: list[int]) -> None:
    """Leave to the careful reader a row of many lines that may have too long a cell."""
    for before, end in pairwise((0, *ends)):
        if end > before + 1 and sum(map(len, lines[before:end])) > LONGEST_CELL:
            raise Disorder
