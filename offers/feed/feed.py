"""Feed: a retailer's file, recognised and ready to be read row by row.

Opening reads the file once from end to end and keeps next to nothing: afterwards it is
known that every row can be read, and which skus are there twice. ``Feed.rows`` then
streams, as often as wanted.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import BinaryIO, TextIO

from offers.feed.assembly import Assembler
from offers.feed.encoding import (
    SAMPLE,
    Encoding,
    decode_sample,
    detect,
    refuse_other_kinds,
)
from offers.feed.errors import BadCell, NotAFeed
from offers.feed.layout import Layout, read_layout
from offers.feed.reading import Draft, error_of
from offers.feed.records import DELIMITERS, LONGEST_LINE, Record, read_records
from offers.feed.remarks import remarks_on
from offers.feed.repeats import Repeat, Repeats
from offers.feed.rows import ColumnMapping, FeedRow, RowError, Skipped
from offers.money import is_currency
from offers.sentences import Sentence

PREVIEWED = 20


class Feed:
    """A file that can be read as offers; made by ``open_feed``.

    It does not own its stream: whoever opened that closes it, after the reading.
    """

    def __init__(
        self, stream: BinaryIO, encoding: Encoding, layout: Layout, today: date
    ) -> None:
        self._stream = stream
        self._encoding = encoding
        self._layout = layout
        self._assembler = Assembler(layout, today)
        self._repeats = Repeats()
        self._size = max(stream.seek(0, io.SEEK_END), 1)
        self._turn = 0
        self._position = 0
        self.warnings: Sequence[Sentence] = ()

    @property
    def dialect(self) -> str:
        return self._layout.dialect.slug

    @property
    def encoding(self) -> str:
        return self._encoding.name

    @property
    def delimiter(self) -> str:
        return self._layout.delimiter

    @property
    def columns(self) -> Sequence[ColumnMapping]:
        """What each column of the file is taken for, in the file's order."""
        return self._layout.mappings

    @property
    def preview(self) -> Sequence[tuple[str, ...]]:
        """The first rows after the header, as they stand."""
        return self._layout.sample[:PREVIEWED]

    @property
    def progress(self) -> float:
        """How much of the file the present reading has read, from 0 to 1."""
        return min(self._position / self._size, 1.0)

    def rows(self) -> Iterator[FeedRow | RowError | Skipped]:
        """Read the file from its beginning, one row at a time.

        Only one reading goes on at a time, since there is one stream.

        Raises:
            RuntimeError: If another reading was begun before this one ended.
        """
        self._assembler.begin()
        for record in self._records():
            drafted = self._assembler.draft(record)
            if not isinstance(drafted, Draft):
                yield drafted
            elif repeat := self._repeats.find(drafted.sku):
                yield from self._judge(drafted, repeat)
            else:
                yield from self._assembler.finish(drafted)
        self._position = self._size

    def survey(self) -> None:
        """Read every row in passing, and note which skus are repeated.

        Raises:
            NotAFeed: If the file cannot be read to its end.
        """
        self._assembler.begin()
        for record in self._records():
            drafted = self._assembler.draft(record)
            if isinstance(drafted, Draft):
                content = self._assembler.content(drafted)
                self._repeats.add(drafted.sku, content, drafted.line)
        self._repeats.close()
        self._position = 0

    def _judge(
        self, draft: Draft, repeat: Repeat
    ) -> Iterator[FeedRow | RowError | Skipped]:
        if repeat.differ:
            remedy = Sentence("Keep one of these rows, or give each its own sku.")
            bad = BadCell(repeat.sentence(), remedy)
            yield error_of(draft, self._layout, "sku", bad)
            others = self._assembler.finish(draft)
            yield from (other for other in others if isinstance(other, RowError))
        elif draft.line != repeat.first:
            yield Skipped(
                draft.line, Sentence("The same as line {line}.", line=repeat.first)
            )
        else:
            yield from self._assembler.finish(draft)

    def _records(self) -> Iterator[Record]:
        """Yield the rows after the header, and keep account of the progress."""
        self._turn += 1
        turn = self._turn
        with _as_text(self._stream, self._encoding) as text:
            for record in read_records(text, self._layout.delimiter):
                if turn != self._turn:
                    msg = "another reading of this feed has begun"
                    raise RuntimeError(msg)
                self._position = self._stream.tell()
                if record.line > self._layout.header_line:
                    yield record


def open_feed(
    stream: BinaryIO,
    *,
    currency: str,
    today: date,
    encoding: str | None = None,
    delimiter: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Feed:
    """Recognise the file in *stream*, which can be sought, and make it ready to read.

    Args:
        stream: The file, from which nothing is kept but its beginning.
        currency: The lower-case code for money of which the file says no currency.
        today: The day on which prices are looked at; sales have first and last days.
        encoding: One of ``ENCODINGS``, instead of what is detected.
        delimiter: One of ``DELIMITERS``, instead of what is detected.
        mapping: The field of a column by its header, or "" to ignore the column.

    Raises:
        NotAFeed: If no offers can be read from it; its sentence is for the retailer.
        ValueError: If an argument is none of the values that it may have.
    """
    _check(currency, delimiter)
    stream.seek(0)
    sample = stream.read(SAMPLE)
    refuse_other_kinds(sample)
    refuse_endless_line(sample)
    found = detect(stream, sample, encoding)
    text = decode_sample(sample, found)
    if len(sample) == SAMPLE:
        text = whole_lines(text)
    layout = read_layout(
        text, currency=currency, delimiter=delimiter, chosen=mapping or {}
    )
    feed = Feed(stream, found, layout, today)
    feed.warnings = tuple(remarks_on(layout, found, text))
    feed.survey()
    return feed


def refuse_endless_line(sample: bytes) -> None:
    """Refuse a file whose first line is no line of a feed, before reading more of it.

    Raises:
        NotAFeed: If a full sample holds no line break.
    """
    if len(sample) == SAMPLE and b"\n" not in sample and b"\r" not in sample:
        raise NotAFeed(
            Sentence(
                "The first line is longer than {most} characters. "
                "This is not a CSV file of products.",
                most=LONGEST_LINE,
            )
        )


def whole_lines(text: str) -> str:
    """Return *text* up to its last line break, unless that leaves a header alone.

    Then the line behind it is beyond all reason, and that is what is to be said.
    """
    end = max(text.rfind("\n"), text.rfind("\r")) + 1
    return text[:end] if len(text[:end].splitlines()) > 1 else text


def _check(currency: str, delimiter: str | None) -> None:
    if not is_currency(currency):
        msg = f"not a lower-case currency code: {currency}"
        raise ValueError(msg)
    if delimiter is not None and delimiter not in DELIMITERS:
        msg = f"not a delimiter that a feed may have: {delimiter!r}"
        raise ValueError(msg)


@contextmanager
def _as_text(stream: BinaryIO, encoding: Encoding) -> Iterator[TextIO]:
    """Read *stream* as text from its beginning, and leave it open afterwards."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding.name, encoding.errors, newline="")
    try:
        yield text
    finally:
        text.detach()
