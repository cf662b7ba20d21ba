"""Unpacking: whatever a feed comes in, it leaves as one stream of delimited text.

gzip, zip  → the one feed in it
XML        → a row for each product        (markup)
XLSX, XLS  → the rows of one sheet         (workbooks)
text       → as it is
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import BinaryIO

from offers.feed.archives import check_workbook, gunzip, open_zip, unzip
from offers.feed.errors import NotAFeed
from offers.feed.markup import write_items
from offers.feed.tables import DELIMITER, ENCODING
from offers.feed.tags import looks_like_xml
from offers.sentences import Sentence

SAMPLE = 4_096


class Kind(StrEnum):
    TEXT = "text"
    XML = "xml"
    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    ZIP = "zip"
    GZIP = "gzip"


WORKBOOKS = (Kind.XLSX, Kind.XLS, Kind.ODS)
ARCHIVES = (Kind.ZIP, Kind.GZIP)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet of a workbook that was read, and what is to be said of it."""

    name: str
    notes: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Unpacked:
    """*stream* is text; *kind* says what it was, and so what its lines are.

    Of a workbook the lines are the rows of its *sheet*; of XML the products, after one
    line for the header.
    """

    stream: BinaryIO
    kind: Kind = Kind.TEXT
    sheet: str = ""
    notes: tuple[Sentence, ...] = ()

    @property
    def ways(self) -> dict[str, str]:
        """How the text is to be read; only what came as text has ways of its own."""
        if self.kind is Kind.TEXT:
            return {}
        return {"encoding": ENCODING, "delimiter": DELIMITER}


ReadWorkbook = Callable[[BinaryIO, BinaryIO, Kind], Sheet]


def unpack(
    stream: BinaryIO,
    *,
    make_file: Callable[[], BinaryIO],
    read_workbook: ReadWorkbook,
) -> Unpacked:
    """Return the text of the feed in *stream*.

    Args:
        stream: The file as it came, which can be sought.
        make_file: Returns an empty file, which its maker closes.
        read_workbook: Writes the sheet of a workbook to a file.

    Raises:
        NotAFeed: If nothing in it can be read; it says why.
    """
    notes: tuple[Sentence, ...] = ()
    kind = kind_of(stream)
    if kind in ARCHIVES:
        stream, notes = _take_out(stream, kind, make_file())
        kind = kind_of(stream)
    if kind in ARCHIVES:
        raise NotAFeed(
            Sentence(
                "There is another archive within this archive. Send the feed itself, "
                "or an archive of it alone."
            )
        )
    unpacked = _flatten(stream, kind, make_file, read_workbook)
    return replace(unpacked, notes=(*notes, *unpacked.notes))


def kind_of(stream: BinaryIO) -> Kind:
    """Return what *stream* is, by what it holds and not by any name.

    Raises:
        NotAFeed: If it is a zip file that cannot be opened.
    """
    stream.seek(0)
    sample = stream.read(SAMPLE)
    stream.seek(0)
    if sample.startswith(b"\x1f\x8b"):
        return Kind.GZIP
    if sample.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(stream)
    if sample.startswith(b"\xd0\xcf\x11\xe0"):
        return Kind.XLS
    return Kind.XML if looks_like_xml(sample) else Kind.TEXT


def _kind_of_zip(stream: BinaryIO) -> Kind:
    with open_zip(stream) as archive:
        names = set(archive.namelist())
    if any(name.startswith("xl/") for name in names):
        return Kind.XLSX
    return Kind.ODS if {"content.xml", "mimetype"} <= names else Kind.ZIP


def _take_out(
    stream: BinaryIO, kind: Kind, target: BinaryIO
) -> tuple[BinaryIO, tuple[Sentence, ...]]:
    if kind is Kind.GZIP:
        gunzip(stream, target)
        return target, ()
    name = unzip(stream, target)
    return target, (Sentence("Taken out of the archive: {name}.", name=name),)


def _flatten(
    stream: BinaryIO,
    kind: Kind,
    make_file: Callable[[], BinaryIO],
    read_workbook: ReadWorkbook,
) -> Unpacked:
    if kind is Kind.TEXT:
        return Unpacked(stream)
    target = make_file()
    if kind is Kind.XML:
        write_items(stream, target)
        return Unpacked(target, kind)
    if kind is not Kind.XLS:
        check_workbook(stream)
    sheet = read_workbook(stream, target, kind)
    return Unpacked(target, kind, sheet.name, sheet.notes)
