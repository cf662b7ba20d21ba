"""Texts and moments as the Graph API has them."""

import re
from datetime import UTC, datetime


def holds(text: str, link: str) -> bool:
    """Return whether *link* is in *text*, and not just the beginning of another."""
    return re.search(rf"{re.escape(link)}(?![\w/-])", text) is not None


def moment(text: str) -> datetime:
    """Read a moment as the Graph API writes it: ``2026-03-02T12:00:00+0000``.

    Raises:
        ValueError: If it is none.
    """
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def utf16_length(text: str) -> int:
    """Return the longest that "characters" may mean: emoji count for two, or more.

    Meta does not say what it counts.
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
