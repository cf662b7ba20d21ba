"""Days: when a sale price counts, as shops and spreadsheets write it.

3/4/2026 is two days. Which of its numbers is the month is decided once for a column,
from all its cells, or by a person.
"""

import re
from collections.abc import Iterable
from datetime import date

from offers.feed.errors import BadCell
from offers.sentences import Sentence

DAY_FIRST = "day"
MONTH_FIRST = "month"

_ISO = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[T ].*)?")
_LOCAL = re.compile(
    r"([0-9]{1,2})([./-])([0-9]{1,2})[./-]([0-9]{4}|[0-9]{2})(?:,? .*)?"
)
_AMERICAN = re.compile(r"\b[AP]M$", re.IGNORECASE)


def decide_order(cells: Iterable[str]) -> str:
    """Return whether the day or the month comes first, or nothing if no cell tells."""
    told = {_order_of(cell) for cell in cells} - {""}
    return told.pop() if len(told) == 1 else ""


def is_two_days(text: str) -> bool:
    """Whether *text* could be two different days."""
    found = _LOCAL.fullmatch(text)
    return found is not None and not _order_of(text) and found[1] != found[3]


def read_day(text: str, order: str = "") -> date | None:
    """Return the day that *text* says; the zero day that databases write is none.

    *order* is what comes first in its column, where that is known.

    Raises:
        BadCell: If it is no day, or could be two different ones (3/4/2026).
    """
    if text.startswith("0000"):
        return None
    try:
        return _read_iso(text) or _read_local(text, order)
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


def _read_iso(text: str) -> date | None:
    found = _ISO.fullmatch(text)
    return date(*(int(part) for part in found.groups())) if found else None


def _read_local(text: str, order: str) -> date:
    found = _LOCAL.fullmatch(text)
    if found is None:
        raise _no_day()
    first, second = int(found[1]), int(found[3])
    order = _order_of(text) or order
    if not order and first != second:
        raise BadCell(
            Sentence("This could be two different days."),
            Sentence("Write the day as 2026-12-31."),
        )
    day, month = (second, first) if order == MONTH_FIRST else (first, second)
    year = int(found[4])
    return date(year if year > 99 else 2000 + year, month, day)


def _order_of(text: str) -> str:
    """Return what comes first in a day that tells it, or nothing."""
    found = _LOCAL.fullmatch(text)
    if found is None:
        return ""
    first, second = int(found[1]), int(found[3])
    if second > 12 >= first or _AMERICAN.search(text):
        return MONTH_FIRST
    return DAY_FIRST if first > 12 or found[2] != "/" else ""


def _no_day() -> BadCell:
    return BadCell(
        Sentence("This is not a day."), Sentence("Write the day as 2026-12-31.")
    )
