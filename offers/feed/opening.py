"""Opening: a file is recognised, and its layout decided from its beginning."""

from collections.abc import Mapping
from datetime import date
from typing import BinaryIO

from offers.feed.encoding import (
    SAMPLE,
    Encoding,
    decode_sample,
    detect,
    is_garbled,
    refuse_other_kinds,
)
from offers.feed.errors import NotAFeed
from offers.feed.feed import Feed
from offers.feed.finding import read_columns
from offers.feed.layout import read_layout
from offers.feed.parents import FindParent, Parents
from offers.feed.questions import Answers
from offers.feed.records import DELIMITERS, LONGEST_LINE
from offers.feed.remarks import remarks_on
from offers.money import is_currency
from offers.sentences import Sentence

NO_ANSWERS = Answers()


def open_feed(  # noqa: PLR0913 — what a person can decide
    stream: BinaryIO,
    *,
    currency: str,
    today: date,
    encoding: str | None = None,
    delimiter: str | None = None,
    mapping: Mapping[str, str] | None = None,
    answers: Answers = NO_ANSWERS,
    ask: bool = False,
    parents: FindParent | None = None,
) -> Feed:
    """Recognise the file in *stream*, which can be sought, and make it ready to read.

    Args:
        stream: The file, from which nothing is kept but its beginning.
        currency: The lower-case code for money of which the file says no currency.
        today: The day on which prices are looked at; sales have first and last days.
        encoding: One of ``ENCODINGS``, instead of what is detected.
        delimiter: One of ``DELIMITERS``, instead of what is detected.
        mapping: The field of a column by its header, or "" to ignore the column; the
            columns of a file without a header are called "Column 1" and so on.
        answers: What a person has said to the questions that ``Feed.questions`` asks.
        ask: Whether to open a file of which nobody knows the columns, to ask for them:
            all its rows are skipped until they are given by *mapping*.
        parents: Finds a product of an earlier import, to which a file of variants
            refers, by its key.

    Raises:
        NotAFeed: If no offers can be read from it; its sentence is for the retailer.
        ValueError: If an argument is none of the values that it may have.
    """
    _check(currency, delimiter)
    found, text = _begin(stream, encoding)
    try:
        layout = read_layout(
            text,
            currency=currency,
            delimiter=delimiter,
            chosen=mapping or {},
            answers=answers,
            ask=ask,
        )
    except NotAFeed as refusal:
        raise _garbled(refusal, found, text) from None
    feed = Feed(stream, found, layout, today, Parents(parents))
    feed.head = text
    feed.ways = {
        "currency": currency,
        "today": today,
        "encoding": encoding,
        "delimiter": delimiter,
        "mapping": mapping,
        "answers": answers,
    }
    feed.warnings = tuple(remarks_on(layout, found, text))
    if not feed.is_plain:
        feed.survey()
    return feed


def header_of(
    stream: BinaryIO, *, encoding: str | None = None, delimiter: str | None = None
) -> tuple[str, ...]:
    """Return the names of the columns of a file, as ``Feed.columns`` has them.

    Raises:
        NotAFeed: If it has no columns.
    """
    _, text = _begin(stream, encoding)
    return read_columns(text, delimiter=delimiter)


def _begin(stream: BinaryIO, encoding: str | None) -> tuple[Encoding, str]:
    """Return how *stream* is written, and its beginning up to a whole line.

    Raises:
        NotAFeed: If it is no text, or has a line beyond all reason.
    """
    stream.seek(0)
    sample = stream.read(SAMPLE)
    refuse_other_kinds(sample)
    refuse_endless_line(sample)
    found = detect(stream, sample, encoding)
    text = decode_sample(sample, found)
    return found, whole_lines(text) if len(sample) == SAMPLE else text


def _garbled(refusal: NotAFeed, encoding: Encoding, text: str) -> NotAFeed:
    """Return the refusal, with what may be its cause if the letters are garbled."""
    sure = encoding.whole and encoding.name.startswith("utf")
    if text.isascii() or (sure and not is_garbled(text)):
        return refusal
    return NotAFeed(
        Sentence(
            "{reason} If letters look wrong here, choose another encoding than "
            "{encoding}.",
            reason=refusal.sentence,
            encoding=encoding.name,
        )
    )


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
