"""Feed: a retailer's file, recognised and ready to be read row by row.

A file is read once from end to end before its rows are told, and next to nothing of it
is kept: afterwards it is known that every row can be read, and which skus are there
twice. ``Feed.rows`` and ``Feed.blocks`` then stream, as often as wanted.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, BinaryIO, TextIO

from offers.feed.asking import questions_on
from offers.feed.assembly import Assembler, with_options
from offers.feed.blocks import Disorder
from offers.feed.bulk import Block, PlainFile, in_blocks
from offers.feed.columnar import is_plain
from offers.feed.drafts import Draft, error_of
from offers.feed.encoding import (
    Encoding,
)
from offers.feed.errors import BadCell
from offers.feed.gathering import Gathered, Gathering
from offers.feed.layout import Layout
from offers.feed.parents import Parents
from offers.feed.questions import Question
from offers.feed.records import Record, read_records
from offers.feed.repeats import Repeat, Repeats
from offers.feed.rows import ColumnMapping, FeedRow, RowError, Skipped
from offers.sentences import Sentence

_UNREAD = Sentence("Not read, because nobody has said what its columns are.")

PREVIEWED = 20


class Feed:
    """A file that can be read as offers; made by ``open_feed``.

    It does not own its stream: whoever opened that closes it, after the reading.
    """

    def __init__(
        self,
        stream: BinaryIO,
        encoding: Encoding,
        layout: Layout,
        today: date,
        parents: Parents,
    ) -> None:
        self.stream = stream
        self._encoding = encoding
        self._layout = layout
        self._assembler = Assembler(layout, today, parents)
        self._repeats = Repeats()
        self._variants = Repeats() if layout.dialect.shared_skus else None
        self._gathering = Gathering() if "place" in layout.index else None
        plain = is_plain(layout)
        self._plain = PlainFile(stream, encoding, layout) if plain else None
        self._size = max(stream.seek(0, io.SEEK_END), 1)
        self._turn = 0
        self._position = 0
        self._surveyed = layout.unmapped
        self.warnings: Sequence[Sentence] = ()
        self.ways: Mapping[str, Any] = {}  # what it was opened with
        self.head = ""  # the beginning from which all this was decided
        self.kind = "text"  # what it was unpacked from
        self.sheet = ""

    @property
    def dialect(self) -> str:
        return self._layout.dialect.slug

    @property
    def is_plain(self) -> bool:
        """Whether its rows have nothing to do with each other, and are read quickly."""
        return self._plain is not None

    @property
    def size(self) -> int:
        """How many bytes it has, as text."""
        return self._size

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
    def questions(self) -> Sequence[Question]:
        """What only a person can say of this file, with what was said already."""
        if self._gathering is None:
            return questions_on(self._layout, ())
        self.survey()
        return questions_on(self._layout, self._gathering.names)

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
            NotAFeed: If it cannot be read to its end.
            RuntimeError: If another reading was begun before this one ended.
        """
        self.survey()
        self._assembler.begin()
        for record in self._records():
            yield from self._read(record)
        self._position = self._size

    def blocks(self) -> Iterator[Block]:
        """Read the file as ``rows`` does, but thousands of rows at a time.

        Raises:
            NotAFeed: If it cannot be read to its end.
            RuntimeError: If another reading was begun before this one ended.
        """
        self.survey()
        self._assembler.begin()
        after = 0
        if self._plain is not None:
            try:
                yield from self._plain.blocks(self._repeats, self._read, self._size)
            except Disorder:
                after = self._plain.done
            else:
                return
        rest = (record for record in self._records() if record.line > after)
        outcomes = (outcome for record in rest for outcome in self._read(record))
        yield from in_blocks(outcomes, lambda: self.progress)

    def read_again(
        self, records: Iterable[tuple[int, Sequence[str]]]
    ) -> Iterator[FeedRow | RowError | Skipped]:
        """Read single rows that were mended: the line of each, and its cells.

        The cells are as in ``RowError.cells``. Whether a sku is repeated is not judged.
        """
        for line, cells in records:
            self._assembler.begin()
            drafted = self._assembler.draft(Record(line, line, list(cells)))
            if isinstance(drafted, Draft):
                yield from self._assembler.finish(drafted)
            else:
                yield drafted

    def survey(self) -> None:
        """Read every row in passing, and note which skus are repeated; once is enough.

        Raises:
            NotAFeed: If the file cannot be read to its end.
        """
        if self._surveyed or self._layout.unmapped:
            return
        self._surveyed = True
        self._assembler.begin()
        if not self._is_surveyed_plainly():
            for record in self._records():
                self._note_record(record)
        self._repeats.close()
        if self._variants is not None:
            self._variants.close()
        if self._gathering is not None:
            self._gathering.close()
        self._assembler.end_survey()
        self._position = 0

    @property
    def is_unique(self) -> bool:
        """Whether no sku of a plain file is there twice, as its survey has shown."""
        return self.is_plain and self._surveyed and not self._repeats

    def skip_survey(self) -> None:
        """Take it from somebody else that no sku is there twice."""
        self._surveyed = True

    def _is_surveyed_plainly(self) -> bool:
        if self._plain is None:
            return False
        try:
            self._plain.survey(self._note_record)
        except Disorder:
            self._repeats = Repeats()
            return False
        return True

    def _note_record(self, record: Record) -> None:
        drafted = self._assembler.draft(record)
        if isinstance(drafted, Draft):
            self._note(drafted)

    def _note(self, draft: Draft) -> None:
        content = self._assembler.content(draft)
        if self._gathering is None:
            self._repeats.add(draft.sku, content, draft.line)
            if self._variants is not None:
                self._variants.add(with_options(draft), content, draft.line)
        else:
            units = self._assembler.units(draft)
            place = draft.values["place"]
            self._gathering.add(draft.sku, content, draft.line, place, units)

    def _read(self, record: Record) -> Iterator[FeedRow | RowError | Skipped]:
        if self._layout.unmapped:
            yield Skipped(record.line, _UNREAD)
            return
        drafted = self._assembler.draft(record)
        if not isinstance(drafted, Draft):
            yield drafted
            return
        found = (self._gathering or self._repeats).find(drafted.sku)
        if self._variants is not None and isinstance(found, Repeat) and found.differ:
            drafted.sku = with_options(drafted)
            found = self._variants.find(drafted.sku)
        if found is None:
            yield from self._assembler.finish(drafted)
        elif isinstance(found, Repeat):
            yield from self._judge(drafted, found)
        else:
            yield from self._gather(drafted, found)

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

    def _gather(
        self, draft: Draft, found: Gathered
    ) -> Iterator[FeedRow | RowError | Skipped]:
        """Make one offer of the rows of one sku, at the first of them."""
        if found.faulty and draft.line != found.faulty:
            yield error_of(draft, self._layout, "place", _not_whole(found.faulty))
        elif found.faulty or draft.line == found.first:
            draft.stocks = None if found.faulty else (found.stocks or None)
            yield from self._assembler.finish(draft)
        else:
            counted = Sentence("Its units count with line {line}.", line=found.first)
            yield Skipped(draft.line, counted)

    def _records(self) -> Iterator[Record]:
        """Yield the rows after the header, and keep account of the progress."""
        self._turn += 1
        turn = self._turn
        with _as_text(self.stream, self._encoding) as text:
            for record in read_records(text, self._layout.delimiter):
                if turn != self._turn:
                    msg = "another reading of this feed has begun"
                    raise RuntimeError(msg)
                self._position = self.stream.tell()
                if record.line > self._layout.header_line:
                    yield record


def _not_whole(line: int) -> BadCell:
    return BadCell(
        Sentence("Line {line} of the same sku has an error.", line=line),
        Sentence("Correct that line; the units of all places count together."),
    )


@contextmanager
def _as_text(stream: BinaryIO, encoding: Encoding) -> Iterator[TextIO]:
    """Read *stream* as text from its beginning, and leave it open afterwards."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding.name, encoding.errors, newline="")
    try:
        yield text
    finally:
        text.detach()
