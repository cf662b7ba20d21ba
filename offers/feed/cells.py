"""Cells: text, codes and addresses out of what a file holds.

Every function takes the text of one cell. What is merely of no use becomes ``None``;
what would change a price or a quantity if it were misread raises ``BadCell``.
"""

import html
import re
from collections.abc import Iterator

from stdnum import ean

from offers.feed.tables import BREAK

LONGEST_TITLE = 500
LONGEST_CODE = 40
LONGEST_URL = 2000
LONGEST_TAG = 100
MOST_TAGS = 50

_BLANK_SKUS = frozenset({"-", "--", "n/a", "na", "none", "null", "#n/a", "."})
_FORMULA_SIGNS = "=+-@\t\r"
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*")
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_BREAK = re.compile(r"(?i)<(?:br|/p|/div|/li|/tr|/h[1-6]|/ul|/ol|/table)\b[^<>]*>")
_PROGRAM = re.compile(r"(?i)<(/?)(script|style)\b[^<>]*>")
_SPACES = re.compile(r"[ \t\u00a0\f\v]+")
_BREAKS = re.compile(r"\s*\n\s*")
_ADDRESSES = re.compile(r"[,;|\s]\s*(?=https?://)")
_TAGS = re.compile(r"[,;|\n]")
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
    text = text.replace(BREAK, "\n")
    if "<" in text or "&" in text:
        text = _plain(text)
    if "\n" not in text and "\r" not in text:
        return " ".join(text.split()) or None
    text = _SPACES.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _BREAKS.sub("\n", text).strip() or None


def read_gtin(text: str) -> str | None:
    """Return the code if its check digit is right, by the rule of GS1.

    A spreadsheet drops leading zeros, so that 7 digits are filled up to 8, and 11 and
    12 to 13.
    """
    digits = re.sub(r"[\s-]", "", text[:LONGEST_CODE])
    if len(digits) > 14 or not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) in (7, 11, 12):
        digits = digits.zfill(8 if len(digits) == 7 else 13)
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
    return next(read_addresses(text), None)


def read_addresses(text: str) -> Iterator[str]:
    """Yield the web addresses of a cell, in their order; what is none is left out."""
    for part in _ADDRESSES.split(text):
        address = part.strip()
        if (
            not address.startswith(("https://", "http://"))
            or len(address) > LONGEST_URL
        ):
            continue
        if len(address.split()) == 1:
            yield address


def read_tags(text: str) -> tuple[str, ...]:
    """Return the tags of a product, each once, whatever stands between them."""
    found = (" ".join(tag.split()) for tag in _TAGS.split(text))
    tags = dict.fromkeys(tag[:LONGEST_TAG] for tag in found if tag)
    return tuple(tags)[:MOST_TAGS]


def read_sources(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and quantity of ``default=100,paris=5``, one a place of storage."""
    for source in text.split(","):
        if source.strip():
            name, _, units = source.rpartition("=")
            yield name.strip(), units.strip()


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
