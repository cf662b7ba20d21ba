"""Records: the rows of a delimited file, each with the line it begins on.

A line or a row beyond all reason is refused before it is kept in memory. A quotation
mark that is never closed would swallow the rest of the file: it costs its own line
only, and reading goes on behind it.
"""

import csv
import io
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

from offers.feed.errors import BadCell, NotAFeed
from offers.sentences import Sentence

DELIMITERS = (",", ";", "\t", "|")
LONGEST_LINE = 250_000
LONGEST_CELL = 64 * 1024
MOST_UNCLOSED = 30
SCORED_ROWS = 60


class Endless(Exception):
    """A quotation mark is not closed; csv.reader would read on for ever."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row, from *line* to *last*; *fault* says why its cells cannot be trusted."""

    line: int
    last: int
    cells: list[str]
    fault: BadCell | None = None


class _Lines:
    """The lines of a file, for csv.reader, and those of the row it is reading.

    csv.reader asks for another line of the same row only within quotation marks.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.number = 0
        self.row: list[str] = []
        self.size = 0
        self.zero = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.size > LONGEST_LINE:
            raise Endless
        line = self._again.popleft() if self._again else self._read()
        if not line:
            if self.row:
                raise Endless
            raise StopIteration
        self.number += 1
        self.row.append(line)
        self.size += len(line)
        self.zero = self.zero or "\x00" in line
        return line

    def begin(self) -> None:
        self.row.clear()
        self.size = 0
        self.zero = False

    def give_back(self, kept: int) -> None:
        """Let all but the first *kept* lines of this row be read again."""
        rest = self.row[kept:]
        self._again.extendleft(reversed(rest))
        self.number -= len(rest)

    def _read(self) -> str:
        line = self._text.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise NotAFeed(
                Sentence(
                    "Line {line} is longer than {most} characters. "
                    "This is not a CSV file of products.",
                    line=self.number + 1,
                    most=LONGEST_LINE,
                )
            )
        return line


def read_records(text: TextIO, delimiter: str) -> Iterator[Record]:
    """Yield the rows of *text* that hold anything.

    Raises:
        NotAFeed: If a line is too long, or quotation marks are in disorder.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    unclosed = 0
    while True:
        lines.begin()
        line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (Endless, csv.Error):
            unclosed += 1
            _refuse_disorder(unclosed, line)
            yield _recover(lines, line, delimiter)
            continue
        if any(cells):
            doubtful = lines.zero or lines.size > LONGEST_CELL
            fault = _fault(cells) if doubtful else None
            yield Record(line, lines.number, cells, fault)


def best_delimiter(sample: str) -> str:
    """Return the delimiter that cuts the rows of *sample* into most equal parts.

    Over all the sample files that we have this is right where csv.Sniffer is not.
    """
    return max(DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def sample_records(sample: str, delimiter: str) -> list[Record]:
    """Return the whole rows of *sample*, which may be cut off at its end."""
    return list(read_records(io.StringIO(sample, newline=""), delimiter))


def _evenness(sample: str, delimiter: str) -> float:
    widths: Counter[int] = Counter()
    rows = read_records(io.StringIO(sample, newline=""), delimiter)
    for record in islice(rows, SCORED_ROWS):
        # A wrong delimiter makes quotation marks look open, and each costs a sample.
        if record.fault is not None:
            break
        widths[len(record.cells)] += 1
    if not widths:
        return 0.0
    width, rows_of_it = max(widths.items(), key=lambda item: item[0] * item[1] ** 2)
    share = rows_of_it / widths.total()
    return share * share * width if width > 1 else 0.0


def _refuse_disorder(unclosed: int, line: int) -> None:
    if unclosed > MOST_UNCLOSED:
        raise NotAFeed(
            Sentence(
                "The quotation marks of this file do not match, up to line {line}. "
                "Export it again.",
                line=line,
            )
        )


def _recover(lines: _Lines, line: int, delimiter: str) -> Record:
    """Keep what comes before the next line as a faulty row; the rest is read again."""
    opened = _opened(lines.row)
    lines.give_back(opened + 1)
    kept = "".join(lines.row[: opened + 1]).rstrip("\r\n")[: LONGEST_CELL * 2]
    try:
        cells = next(_reader(kept, delimiter), [kept])
    except csv.Error:
        cells = [kept[:LONGEST_CELL]]
    if len(lines.row) == 1 and lines.size > LONGEST_CELL:
        return Record(line, line, cells, _too_long())
    fault = BadCell(
        Sentence(
            "A quotation mark opens on line {line} and is never closed.",
            line=line + opened,
        ),
        Sentence("Close it, or write it twice if it belongs to the text."),
    )
    return Record(line, line + opened, cells, fault)


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _opened(row: list[str]) -> int:
    """Return the index of the line whose quotation mark stays open to the end."""
    opened, inside = 0, False
    for index, line in enumerate(row):
        if line.count('"') % 2:
            inside = not inside
            if inside:
                opened = index
    return opened


def _fault(cells: list[str]) -> BadCell | None:
    if any("\x00" in cell for cell in cells):
        return BadCell(
            Sentence("The row has a zero byte in it."),
            Sentence("Export the file again as text."),
        )
    return _too_long() if any(len(cell) > LONGEST_CELL for cell in cells) else None


def _too_long() -> BadCell:
    return BadCell(
        Sentence("A cell is longer than {most} characters.", most=LONGEST_CELL),
        Sentence("Shorten it; a quotation mark may be missing, too."),
    )
