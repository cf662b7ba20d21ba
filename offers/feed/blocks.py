"""Blocks: the rows of a well-ordered file, thousands at a time.

It reads what ``records`` reads, without looking at each line in Python. Wherever that
might not come to the same (a quotation mark that stays open, a line beyond all reason,
a zero byte) it raises ``Disorder``, and the careful reader goes on from there.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import BinaryIO

from offers.feed.encoding import Encoding
from offers.feed.records import LONGEST_CELL, LONGEST_LINE, Record

BLOCK = 1 << 18  # bytes that are read at once


class Disorder(Exception):
    """What comes next has to be read with care."""


@dataclass(slots=True)
class RawBlock:
    """Rows, and the line that each begins on.

    *last* is the last line of all, *position* how far the file was read, in bytes.
    """

    rows: list[list[str]]
    lines: Sequence[int]
    last: int
    position: int

    @property
    def first(self) -> int:
        return self.lines[0] if self.lines else self.last

    def record(self, i: int) -> Record:
        """Return one row as the careful reader has it."""
        end = self.lines[i + 1] - 1 if i + 1 < len(self.lines) else self.last
        return Record(self.lines[i], end, self.rows[i])

    def after(self, line: int) -> "RawBlock":
        return self.only([begins > line for begins in self.lines])

    def only(self, fits: Sequence[bool]) -> "RawBlock":
        rows, lines = compress(self.rows, fits), compress(self.lines, fits)
        return RawBlock(list(rows), list(lines), self.last, self.position)


def raw_blocks(
    stream: BinaryIO, encoding: Encoding, delimiter: str
) -> Iterator[RawBlock]:
    """Yield all rows of *stream*, from its beginning, also those that are empty.

    Raises:
        Disorder: Before anything that the careful reader might read otherwise.
    """
    pieces = _Pieces(stream, encoding)
    ends: Sequence[int]
    for lines, text in pieces:
        if '"' in text:
            rows, ends = _parse(lines, delimiter)
            pieces.give_back(lines[ends[-1] if ends else 0 :])
        else:  # each line is a row
            rows, ends = _simply(lines, delimiter), range(1, len(lines) + 1)
        if rows:
            number = pieces.number
            starts = [number + 1 + end for end in (0, *ends[:-1])]
            yield RawBlock(rows, starts, number + ends[-1], pieces.position)


def raw_cells(
    stream: BinaryIO, encoding: Encoding, delimiter: str, column: int
) -> Iterator[list[str]]:
    """Yield the cells of one column alone, of all rows that have so many.

    Raises:
        Disorder: As ``raw_blocks`` does.
    """
    pieces = _Pieces(stream, encoding)
    for lines, text in pieces:
        if '"' in text:
            rows, ends = _parse(lines, delimiter)
            pieces.give_back(lines[ends[-1] if ends else 0 :])
            yield [row[column] for row in rows if len(row) > column]
        else:
            yield _nth_cells(lines, delimiter, column)


def _nth_cells(lines: list[str], delimiter: str, column: int) -> list[str]:
    most = column + 1
    try:
        return [line.split(delimiter, most)[column] for line in lines]
    except IndexError:  # some line is blank, or short
        cells = [line.split(delimiter, most) for line in lines]
        return [each[column] for each in cells if len(each) > column]


class _Pieces:
    """The lines of a file, some at a time; those given back come again.

    *number* is how many lines were taken before those at hand.
    """

    def __init__(self, stream: BinaryIO, encoding: Encoding) -> None:
        self._texts = _texts(stream, encoding)
        self._rest = ""
        self._at_end = False
        self.number = 0
        self.position = 0

    def __iter__(self) -> Iterator[tuple[list[str], str]]:
        for text, position in self._texts:
            self.position = position
            self._at_end = not text
            whole, self._rest = _whole_lines(self._rest + text, at_end=self._at_end)
            lines = io.StringIO(whole, newline="").readlines()
            if len(self._rest) > LONGEST_LINE or _is_unreasonable(lines, whole):
                raise Disorder
            self._given = len(lines)
            yield lines, whole
            self.number += self._given

    def give_back(self, lines: list[str]) -> None:
        """Take *lines*, the last at hand, for the beginning of what follows."""
        self._given -= len(lines)
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


def _is_unreasonable(lines: list[str], text: str) -> bool:
    longest = max(map(len, lines), default=0)
    return longest > LONGEST_CELL or "\x00" in text


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
    return rows, ends
