"""Cells: text, codes, dates and addresses out of what a file holds.

Every function takes the text of one cell. What is merely of no use becomes ``None``;
what would change a price or a quantity if it were misread raises ``BadCell``.
"""

import html
import re
from collections.abc import Iterator
from datetime import date

from stdnum import ean

from offers.feed.errors import BadCell
from offers.sentences import Sentence

LONGEST_TITLE = 500

_BLANK_SKUS = frozenset({"-", "--", "n/a", "na", "none", "null", "#n/a", "."})
_FORMULA_SIGNS = "=+-@\t\r"
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*")
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_BREAK = re.compile(r"(?i)<(?:br|/p|/div|/li|/tr|/h[1-6]|/ul|/ol|/table)\b[^<>]*>")
_PROGRAM = re.compile(r"(?i)<(/?)(script|style)\b[^<>]*>")
_SPACES = re.compile(r"[ \t\u00a0\f\v]+")
_BREAKS = re.compile(r"\s*\n\s*")
_ADDRESSES = re.compile(r"[,;|\s]\s*(?=https?://)")
_ISO = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[T ].*)?")
_LOCAL = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})[./-]([0-9]{4})(?: .*)?")
_SCIENTIFIC = re.compile(r"[0-9.,]+[eE]\+?[0-9]+")

_CONDITIONS = {
    name: condition
    for condition, names in {
        "new": "new|neuf|neuve|neu|nouveau|brand new",
        "used": "used|occasion|d'occasion|gebraucht|second hand|second-hand|pre-owned",
        "refurbished": "refurbished|reconditionné|reconditionne|generalüberholt"
        "|remis à neuf|renewed|aufbereitet",
        "open box": "open box|open-box|déballé|déballée|ouvert|geöffnet|ovp geöffnet",
        "seconds": "seconds|second choice|2nd choice|second choix|2e choix|b-ware"
        "|b ware|imperfect|zweite wahl|ii. wahl",
    }.items()
    for name in names.split("|")
}


def clean(cell: str) -> str:
    """Return *cell* without what spreadsheets and exports wrap around a value.

    That is: outer spaces, the apostrophe that keeps a formula from being reckoned,
    and the ``="…"`` that keeps a number text.
    """
    cell = cell.strip()
    if not cell or cell[0] not in "'=":
        return cell
    if cell[0] == "'" and cell[1:2] and cell[1] in _FORMULA_SIGNS:
        cell = cell[1:]
    if cell[:2] == '="' and cell[-1:] == '"' and len(cell) > 2:
        cell = cell[2:-1]
    return cell


def guarded(cell: str) -> str:
    """Return *cell* so that no spreadsheet takes it for a formula; see ``clean``.

    A number is none and stays as it is: who mends it has no mark to take off.
    """
    if not cell.strip():
        return ""
    risky = cell[0] in _FORMULA_SIGNS and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if risky else cell


def read_sku(text: str) -> str:
    """Return the code, or nothing where the cell only says that there is none."""
    return "" if text.lower() in _BLANK_SKUS else text


def read_line(text: str) -> str:
    """Return *text* as one line of plain text."""
    if "<" in text or "&" in text:
        text = _plain(text)
    return " ".join(text.split())[:LONGEST_TITLE]


def read_text(text: str) -> str | None:
    """Return *text* without markup, its paragraphs on lines of their own."""
    if "<" in text or "&" in text:
        text = _plain(text)
    if "\n" not in text and "\r" not in text:
        return " ".join(text.split()) or None
    text = _SPACES.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _BREAKS.sub("\n", text).strip() or None


def read_gtin(text: str) -> str | None:
    """Return the code if its check digit is right, by the rule of GS1.

    A spreadsheet drops leading zeros, so that 11 and 12 digits are filled up to 13.
    """
    digits = re.sub(r"[\s-]", "", text)
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) in (11, 12):
        digits = digits.zfill(13)
    return digits if int(digits) and ean.is_valid(digits) else None


def spoilt_by_spreadsheet(text: str) -> bool:
    """Whether a code was rounded: 8.80609E+12, or 0685387000000."""
    if _SCIENTIFIC.fullmatch(text):
        return True
    return len(text) > 7 and text.endswith("00000") and read_gtin(text) is None


def read_condition(text: str) -> str | None:
    """Return the usual word for a condition; unusual words are kept, numbers not."""
    word = " ".join(text.lower().split())
    if word in _CONDITIONS:
        return _CONDITIONS[word]
    return word[:40] if any(c.isalpha() for c in word) else None


def read_address(text: str) -> str | None:
    """Return the first web address of a cell that may hold several."""
    first = _ADDRESSES.split(text, maxsplit=1)[0].strip()
    if not first.startswith(("https://", "http://")) or len(first) > 2000:
        return None
    return first if len(first.split()) == 1 else None


def read_day(text: str) -> date | None:
    """Return the day that *text* says; the zero day that databases write is none.

    Raises:
        BadCell: If it is no day, or could be two different ones (3/4/2026).
    """
    if text.startswith("0000"):
        return None
    try:
        return _read_iso(text) or _read_local(text)
    except ValueError:
        raise _no_day() from None


def read_period(text: str) -> tuple[date | None, date | None]:
    """Return the first and the last day of ``2026-02-24T13:00-0800/2026-02-29``.

    This is Google Merchant Center's way to write when a sale price counts; its hours
    are left out, so that a sale counts on the whole of its days.

    Raises:
        BadCell: If it is not two days with a slash between them.
    """
    first, slash, last = text.partition("/")
    if not slash or not _ISO.fullmatch(first.strip()):
        raise BadCell(
            Sentence("These are not two days."),
            Sentence("Write the days as 2026-11-27/2026-11-30."),
        )
    return read_day(first.strip()), read_day(last.strip())


def read_sources(text: str) -> Iterator[str]:
    """Yield the quantities of ``default=100,paris=5``, one a place of storage."""
    for source in text.split(","):
        if source.strip():
            yield source.rpartition("=")[2].strip()


def read_variants(text: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the options by sku of ``sku=A-1,color=Red,size=M|sku=A-2,…``."""
    variants = {}
    for variant in text.split("|"):
        pairs = [pair.partition("=") for pair in variant.split(",")]
        said = {name.strip(): value.strip() for name, _, value in pairs}
        sku = said.pop("sku", "")
        variants[sku] = tuple((n, v) for n, v in said.items() if n and v)
    return variants


def _plain(text: str) -> str:
    """Return *text* without markup; some shops escape twice, none three times."""
    for _ in range(2):
        text = _TAG.sub(" ", _BREAK.sub("\n", _without_programs(text)))
        text = html.unescape(text)
    return text.replace("\x00", "")


def _without_programs(text: str) -> str:
    """Return *text* without scripts and styles, which have no end tag inside them."""
    kept, start, inside = [], 0, ""
    for tag in _PROGRAM.finditer(text):
        closing, name = tag[1], tag[2].lower()
        if not inside and not closing:
            kept.append(text[start : tag.start()])
            inside = name
        elif closing and name == inside:
            start, inside = tag.end(), ""
    if not inside:
        kept.append(text[start:])
    return "".join(kept)


def _read_iso(text: str) -> date | None:
    found = _ISO.fullmatch(text)
    return date(*(int(part) for part in found.groups())) if found else None


def _read_local(text: str) -> date:
    found = _LOCAL.fullmatch(text)
    if found is None:
        raise _no_day()
    first, mark, second, year = found.groups()
    day, month = int(first), int(second)
    if month > 12 >= day:
        day, month = month, day
    elif mark == "/" and day <= 12 and day != month:
        raise BadCell(
            Sentence("This could be two different days."),
            Sentence("Write the day as 2026-12-31."),
        )
    return date(int(year), month, day)


def _no_day() -> BadCell:
    return BadCell(
        Sentence("This is not a day."), Sentence("Write the day as 2026-12-31.")
    )
