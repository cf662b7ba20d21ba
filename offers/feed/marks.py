"""Marks: which of a point and a comma divides decimals, and which thousands.

That is decided once for a column, from all its cells, because one cell may not tell.
"""

import re
from collections import Counter
from collections.abc import Iterable

LONGEST = 40

DIGITS = re.compile(r"(?:(?<![A-Za-z])[.,])?[0-9][0-9.,\s'\u2019]*")
SPACES = re.compile(r"[\s'\u2019]")


def decide_mark(cells: Iterable[str], *, decimals: int = 2) -> str:
    """Return the decimal mark of a column, or nothing if its cells do not tell.

    *decimals* is the number of decimals of its currency: three digits after a mark
    are thousands in euros and may be millimes in dinars.
    """
    votes = Counter(mark_of(cell, decimals) for cell in cells)
    points, commas = votes["."], votes[","]
    if points == commas:
        return ""
    return "." if points > commas else ","


def mark_of(text: str, decimals: int) -> str:
    """Return the decimal mark that one cell gives away, or nothing."""
    core = DIGITS.search(text)
    if core is None:
        return ""
    digits = SPACES.sub("", core[0])
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return ""
    mark, other = (".", ",") if digits[last] == "." else (",", ".")
    if other in digits:
        return mark
    if digits.count(mark) > 1:
        return other
    before, after = last, len(digits) - last - 1
    thousands_like = after == 3 and 1 <= before <= 3 and digits[0] != "0"
    return "" if thousands_like and decimals != 3 else mark


def is_ambiguous(text: str) -> bool:
    """Whether the mark in *text* may divide thousands or decimals: "1.234"."""
    found = DIGITS.search(text)
    digits = found[0].strip() if found else ""
    return bool(digits) and ("." in digits or "," in digits) and not mark_of(digits, 2)


def looks_like_amount(text: str) -> bool:
    """Whether *text* is a number with nothing but a currency around it."""
    if len(text) > LONGEST or not DIGITS.search(text):
        return False
    around = DIGITS.sub("", text, count=1).strip(
        " -\u2212+%*\u2013\u2014()\u00a0\u202f"
    )
    return len(around) < 4 and DIGITS.search(around) is None
