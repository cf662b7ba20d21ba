"""Encoding: what kind of file this is, and in which alphabet its text is written.

The ladder: a byte order mark, then strict UTF-8, then UTF-16 by its zero bytes, then
cp1252, which is what French and German spreadsheets write. Detectors that guess by
letter statistics read French as Polish without an error, so none is used; a person
can choose another of ``ENCODINGS`` while looking at a preview.
"""

import codecs
import re
from dataclasses import dataclass
from typing import BinaryIO

from offers.feed.errors import NotAFeed
from offers.sentences import Sentence

SAMPLE = 256 * 1024

ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "cp1252",
    "iso-8859-1",
    "iso-8859-15",
    "cp850",
    "mac_roman",
    "cp1250",
    "cp1251",
    "cp1254",
    "shift_jis",
)

_KINDS: tuple[tuple[bytes, Sentence], ...] = (
    (b"\x89PNG", Sentence("a PNG picture")),
    (b"\xff\xd8\xff", Sentence("a JPEG picture")),
    (b"GIF8", Sentence("a GIF picture")),
    (b"BM", Sentence("a BMP picture")),
    (b"%PDF", Sentence("a PDF document")),
    (b"PK\x03\x04", Sentence("a ZIP archive or an Excel workbook (.xlsx)")),
    (b"PK\x05\x06", Sentence("an empty ZIP archive")),
    (b"\x1f\x8b", Sentence("a gzip archive")),
    (b"Rar!", Sentence("a RAR archive")),
    (b"7z\xbc\xaf", Sentence("a 7z archive")),
    (b"\xd0\xcf\x11\xe0", Sentence("an old Excel workbook (.xls)")),
    (b"SQLite format 3", Sentence("a database")),
    (b"{\\rtf", Sentence("an RTF document")),
    (b"<!doctype", Sentence("a web page")),
    (b"<html", Sentence("a web page")),
    (b"<?xml", Sentence("an XML file")),
    (b"<rss", Sentence("an XML file")),
    (b"{", Sentence("a JSON file")),
    (b"[{", Sentence("a JSON file")),
    (b"[ ", Sentence("a JSON file")),
    (b"[\n", Sentence("a JSON file")),
    (b"[\r", Sentence("a JSON file")),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# How letters of UTF-8 look to somebody who reads them as cp1252.
_GARBLED = tuple(
    letter.encode().decode("cp1252") for letter in "éèàüöäôêç€\u2019\u00a0"
)
# "é" of DOS or of an old Mac, read as cp1252, where nothing like it is within a word.
_OTHER_ALPHABETS = re.compile("[a-z][\u201a\u0192\u02c6\u2021\u017d]")
_CONTROLS = {*range(9), 11, *range(14, 27), *range(28, 32)}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec's *name*; if not *whole*, some bytes of the file mean nothing in it."""

    name: str
    whole: bool

    @property
    def errors(self) -> str:
        return "strict" if self.whole else "replace"


def refuse_other_kinds(sample: bytes) -> None:
    """Refuse a file that is not text, saying what it seems to be.

    Raises:
        NotAFeed: If *sample*, the file's beginning, is empty, a picture, an archive …
    """
    if not sample.strip(b"\x00\r\n\t ,;|\xef\xbb\xbf"):
        raise NotAFeed(Sentence("The file is empty."))
    head = sample[:64].lstrip()
    for start, kind in _KINDS:
        if head[: len(start)].lower() == start.lower() and _is_really(start, sample):
            raise NotAFeed(
                Sentence(
                    "This is {kind}, not a list of products, whatever its name says. "
                    "Send a CSV, Excel or XML file.",
                    kind=kind,
                )
            )


def detect(stream: BinaryIO, sample: bytes, forced: str | None) -> Encoding:
    """Return the encoding of the whole of *stream*, which is read once for it.

    Raises:
        NotAFeed: If the file cannot be read in the *forced* encoding, or is not text.
        ValueError: If *forced* is none of ``ENCODINGS``.
    """
    if forced is not None:
        return _forced(stream, forced)
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return Encoding(name, _decodes(stream, name))
    if wide := _wide(sample):
        return Encoding(wide, _decodes(stream, wide))
    _refuse_binary(sample)
    if _decodes(stream, "utf-8"):
        return Encoding("utf-8", whole=True)
    return Encoding("cp1252", _decodes(stream, "cp1252"))


def decode_sample(sample: bytes, encoding: Encoding) -> str:
    """Return the text of *sample*, which may end in the middle of a letter."""
    decoder = codecs.getincrementaldecoder(encoding.name)(errors="replace")
    return decoder.decode(sample)


def is_garbled(text: str) -> bool:
    """Whether *text* was written in one encoding and read in another."""
    if any(sign in text for sign in _GARBLED) or _OTHER_ALPHABETS.search(text):
        return True
    return any("\x80" <= c <= "\x9f" or c == "\ufffd" for c in set(text))


def _forced(stream: BinaryIO, name: str) -> Encoding:
    if name not in ENCODINGS:
        msg = f"not an encoding that a feed may have: {name}"
        raise ValueError(msg)
    if _decodes(stream, name):
        return Encoding(name, whole=True)
    raise NotAFeed(
        Sentence(
            "The file is not written in {encoding}. Choose another encoding.",
            encoding=name,
        )
    )


def _is_really(start: bytes, sample: bytes) -> bool:
    """Whether short signs that a header line could begin with are meant as such."""
    if start == b"BM":
        return b"\x00" in sample[:16]
    return True


def _wide(sample: bytes) -> str:
    """Return the kind of UTF-16 that the zero bytes of Latin letters give away."""
    pairs = len(sample) // 2
    if not pairs or sample.count(0) * 3 < pairs:
        return ""
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    if second * 3 >= pairs and first * 10 < second:
        return "utf-16-le"
    if first * 3 >= pairs and second * 10 < first:
        return "utf-16-be"
    return ""


def _refuse_binary(sample: bytes) -> None:
    controls = sum(sample.count(code) for code in _CONTROLS)
    if controls * 50 > len(sample):
        raise NotAFeed(
            Sentence("This is not a text file. Export your products as CSV.")
        )


def _decodes(stream: BinaryIO, name: str) -> bool:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(name)()
    try:
        while block := stream.read(SAMPLE):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True
