"""Small files for the tests, and the folder of real ones."""

import io
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from offers.feed import Feed, FeedRow, NotAFeed, RowError, Skipped, open_feed

TODAY = date(2026, 3, 2)


def shared_feeds() -> Path:
    beside = Path(__file__).parents[3] / "../shared"
    folder = Path(os.environ.get("OUTLETBOT_SHARED", beside)) / "feeds"  # noqa: TID251 — tests read where the shared folder is
    if not folder.is_dir():
        pytest.skip("the folder of real sample feeds is not beside this repository")
    return folder


def opened(text: str | bytes, *, today: date = TODAY, **how: Any) -> Feed:
    data = text.encode() if isinstance(text, str) else text
    how = {"currency": "eur", **how}
    return open_feed(io.BytesIO(data), today=today, **how)


def rows_of(text: str | bytes, **how: Any) -> list[FeedRow]:
    """Read a file in which every row is good."""
    rows = list(opened(text, **how).rows())
    assert [row for row in rows if not isinstance(row, FeedRow)] == []
    return [row for row in rows if isinstance(row, FeedRow)]


def errors_of(text: str | bytes, **how: Any) -> list[RowError]:
    return [r for r in opened(text, **how).rows() if isinstance(r, RowError)]


def skipped_of(text: str | bytes, **how: Any) -> list[Skipped]:
    return [r for r in opened(text, **how).rows() if isinstance(r, Skipped)]


def refusal_of(data: str | bytes, **how: Any) -> str:
    with pytest.raises(NotAFeed) as refusal:
        opened(data, **how).survey()
    return str(refusal.value)
