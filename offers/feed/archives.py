"""Archives: the one feed in a gzip or zip file, taken out within limits.

What claims to be small and is not, is refused before it has filled a disk: sizes are
looked at before anything is taken out, and counted while it is.
"""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol

from offers.feed.errors import NotAFeed
from offers.sentences import Sentence

MEGABYTE = 1024 * 1024
MOST_EXPANDED = 200 * MEGABYTE
MOST_RATIO = 100
HARMLESS = MEGABYTE
"""What stays smaller than this may be packed as tightly as it likes."""

MOST_ENTRIES = 1_000
MOST_DIRECTORY = MEGABYTE  # bytes of the list of what is in a zip file
TABLES = frozenset({".csv", ".tsv", ".xlsx", ".xls", ".ods", ".xml"})
TEXTS = frozenset({".txt"})

_BLOCK = 256 * 1024
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_LOCKED = 0x1
_END = struct.Struct("<4s4H2LH")  # the end of central directory record

_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    OSError,
    RuntimeError,  # also NotImplementedError: of what zip files can be and never are
)
_BOMB = Sentence(
    "The archive unpacks to more than {most} MB, or is packed suspiciously tightly. "
    "Send the file in it by itself.",
    most=MOST_EXPANDED // MEGABYTE,
)
_CUT_OFF = Sentence("The archive breaks off before its end. Send it again.")
_BROKEN = Sentence("The archive is damaged and cannot be unpacked. Make it anew.")
_LOCKED_UP = Sentence(
    "The archive is protected by a password. Send it without, or send the file in it."
)


class SupportsRead(Protocol):
    def read(self, size: int, /) -> bytes: ...


def gunzip(stream: BinaryIO, target: BinaryIO) -> None:
    """Write what is in the gzip file *stream* to *target*.

    Raises:
        NotAFeed: If it is damaged, breaks off, or unpacks to too much.
    """
    packed = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    try:
        with gzip.GzipFile(fileobj=stream, mode="rb") as content:
            _pour(content, target, packed)
    except EOFError:
        raise NotAFeed(_CUT_OFF) from None
    except (gzip.BadGzipFile, zlib.error):
        raise NotAFeed(_BROKEN) from None


def unzip(stream: BinaryIO, target: BinaryIO) -> str:
    """Write the one feed of the zip file *stream* to *target*. Return its name.

    Raises:
        NotAFeed: If there is none, or are several, or it cannot be taken out.
    """
    with open_zip(stream) as archive:
        entry = _choose(archive.infolist())
        if entry.flag_bits & _LOCKED:
            raise NotAFeed(_LOCKED_UP)
        _refuse_unusual(entry)
        refuse_bomb(entry.file_size, entry.compress_size)
        try:
            with archive.open(entry) as content:
                _pour(content, target, entry.compress_size)
        except EOFError:
            raise NotAFeed(_CUT_OFF) from None
        except _FAULTS:
            raise NotAFeed(_BROKEN) from None
    return entry.filename


def open_zip(stream: BinaryIO) -> zipfile.ZipFile:
    """Open *stream* as a zip file whose list is not too long to be read.

    Raises:
        NotAFeed: If it is damaged, or too much is in it.
    """
    _refuse_long_list(stream)
    try:
        archive = zipfile.ZipFile(stream)
    except _FAULTS:
        raise NotAFeed(_BROKEN) from None
    if len(archive.infolist()) > MOST_ENTRIES:
        raise NotAFeed(_too_many())
    return archive


def check_workbook(stream: BinaryIO) -> None:
    """Refuse a workbook, which is a zip file, that would be too large unpacked.

    Raises:
        NotAFeed: If it is damaged, or too much is in it.
    """
    with open_zip(stream) as archive:
        entries = archive.infolist()
        if any(entry.flag_bits & _LOCKED for entry in entries):
            raise NotAFeed(_LOCKED_UP)
        for entry in entries:
            refuse_bomb(entry.file_size, entry.compress_size)
        refuse_bomb(
            sum(entry.file_size for entry in entries),
            sum(entry.compress_size for entry in entries),
        )


def refuse_bomb(expanded: int, packed: int) -> None:
    """Refuse what is *expanded* from as little as *packed* bytes.

    Raises:
        NotAFeed: If that is too much altogether, or too much for so little.
    """
    tight = expanded > HARMLESS and expanded > MOST_RATIO * max(packed, 1)
    if expanded > MOST_EXPANDED or tight:
        raise NotAFeed(_BOMB)


def _pour(content: SupportsRead, target: BinaryIO, packed: int) -> None:
    expanded = 0
    while block := content.read(_BLOCK):
        expanded += len(block)
        refuse_bomb(expanded, packed)
        target.write(block)
    target.seek(0)


def _choose(entries: Sequence[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """Return the only entry, or the only one whose name is a feed's."""
    files = [entry for entry in entries if not _is_litter(entry)]
    if len(files) == 1:
        return files[0]
    for kinds in (TABLES, TEXTS):
        feeds = [entry for entry in files if _suffix(entry) in kinds]
        if len(feeds) == 1:
            return feeds[0]
        if feeds:
            raise NotAFeed(
                Sentence(
                    "The archive holds several feeds: {names}. Send them one by one.",
                    names=_names(feeds),
                )
            )
    raise NotAFeed(
        Sentence(
            "The archive holds no feed: {names}. A feed is a CSV, XLSX or XML file.",
            names=_names(files) or "-",
        )
    )


def _is_litter(entry: zipfile.ZipInfo) -> bool:
    """Whether a Mac or a file manager put it there, and no person."""
    path = PurePosixPath(entry.filename)
    folder = entry.filename.endswith("/")
    hidden = not path.name or path.name.startswith(".")
    return folder or hidden or path.parts[:1] == ("__MACOSX",)


def _suffix(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename).suffix.lower()


def _names(entries: Sequence[zipfile.ZipInfo]) -> str:
    names = [entry.filename[-60:] for entry in entries[:6]]
    return ", ".join(names) + (", …" if len(entries) > 6 else "")


def _refuse_unusual(entry: zipfile.ZipInfo) -> None:
    if entry.compress_type not in _PLAIN:
        raise NotAFeed(
            Sentence(
                "The archive is packed in an unusual way. Make an ordinary ZIP file, "
                "or send the file in it."
            )
        )


def _refuse_long_list(stream: BinaryIO) -> None:
    """The list of a zip file is read whole, whatever its length: look at that first."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _END.size - 65_535))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    stream.seek(0)
    if at < 0 or len(tail) < at + _END.size:
        raise NotAFeed(_BROKEN)
    _, _, _, _, entries, length, _, _ = _END.unpack_from(tail, at)
    if entries > MOST_ENTRIES or length > MOST_DIRECTORY:
        raise NotAFeed(_too_many())


def _too_many() -> Sentence:
    return Sentence(
        "There are more than {most} files in the archive. Send the feed by itself.",
        most=MOST_ENTRIES,
    )
