"""
A snapshot is read once for all who ask, and again when it is no longer fresh.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlmodel import Session

from offers.errors import Missing
from outletbot.db import Database
from outletbot.web.shop.snapshots import AT_ONCE, OUTLASTS, REFRESH, STALE, Snapshots
from tests.factories import NOON, SECOND

EVERY = REFRESH.total_seconds()
AWAY = NoConnectionFree()


@dataclass(frozen=True)
class View:
    words: str
    changes_at: datetime | None = None


class Shelf:
    """What is read, and how often it was."""

    def __init__(self) -> None:
        self.views = {"kettle": View("nine left")}
        self.readings = 0
        self.seconds = 0.0
        self.now = NOON
        self.trouble: Exception | None = None

    def read(self, _session: Session, key: str, *, now: datetime) -> View:
        self.readings += 1
        if self.trouble is not None:
            raise self.trouble
        if key not in self.views:
            raise Missing(key, "deal")
        view = self.views[key]
        return View(view.words, view.changes_at)  # equal, and never the same


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def snapshots(shelf: Shelf, database: Database) -> Snapshots[View]:
    return Snapshots(
        database, lambda: shelf.now, shelf.read, ticks=lambda: shelf.seconds
    )


async def test_one_that_was_never_read_cannot_be_peeked_at(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    assert snapshots.peek("kettle") is None
    assert shelf.readings == 0


async def test_a_fresh_one_is_not_read_again(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    first = await snapshots.get("kettle")
    shelf.seconds = EVERY * 0.9

    assert await snapshots.get("kettle") is first
    assert snapshots.peek("kettle") is first
    assert shelf.readings == 1


async def test_who_must_know_waits_for_a_new_reading(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    await snapshots.get("kettle")
    shelf.views["kettle"] = View("eight left")
    shelf.seconds = EVERY

    assert (await snapshots.get("kettle")).words == "eight left"


async def test_who_peeks_sees_what_was_while_it_is_read_again(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    await snapshots.get("kettle")
    shelf.views["kettle"] = View("eight left")
    shelf.seconds = EVERY

    peeked = [snapshots.peek("kettle") for _ in range(3)]
    read = await snapshots.get("kettle")

    assert {view.words for view in peeked if view} == {"nine left"}
    assert read.words == "eight left"
    assert snapshots.peek("kettle") is read
    assert shelf.readings == 2


async def test_nobody_sees_what_was_long_ago(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    await snapshots.get("kettle")
    shelf.seconds = EVERY * STALE

    assert snapshots.peek("kettle") is None


@pytest.mark.parametrize("early", [SECOND, timedelta(microseconds=1)], ids=str)
async def test_the_instant_of_a_change_ends_it(
    snapshots: Snapshots[View], shelf: Shelf, early: timedelta
) -> None:
    shelf.views["kettle"] = View("opens at noon", changes_at=NOON)
    shelf.now = NOON - early
    await snapshots.get("kettle")
    before = snapshots.peek("kettle")

    shelf.now = NOON
    shelf.views["kettle"] = View("nine left")

    assert before is not None
    assert snapshots.peek("kettle") is None
    assert (await snapshots.get("kettle")).words == "nine left"


async def test_an_equal_reading_is_the_same_one(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    first = await snapshots.get("kettle")
    shelf.seconds = EVERY

    assert await snapshots.get("kettle") is first
    assert shelf.readings == 2


async def test_what_is_gone_is_missed_and_asked_for_again(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    await snapshots.get("kettle")
    kettle = shelf.views.pop("kettle")
    shelf.seconds = EVERY

    with pytest.raises(Missing):
        await snapshots.get("kettle")
    shelf.views["kettle"] = kettle
    assert (await snapshots.get("kettle")).words == "nine left"


async def test_the_last_reading_stands_while_the_database_is_away(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    first = await snapshots.get("kettle")
    shelf.trouble = AWAY

    for shelf.seconds in (EVERY, 60.0, OUTLASTS.total_seconds()):
        assert await snapshots.get("kettle") is first
        assert snapshots.peek("kettle") is first

    shelf.trouble = None
    shelf.seconds += EVERY
    shelf.views["kettle"] = View("eight left")
    assert (await snapshots.get("kettle")).words == "eight left"


async def test_but_not_for_ever(snapshots: Snapshots[View], shelf: Shelf) -> None:
    await snapshots.get("kettle")
    shelf.trouble = AWAY
    shelf.seconds = OUTLASTS.total_seconds() / 2
    await snapshots.get("kettle")
    shelf.seconds = OUTLASTS.total_seconds() + 1

    with pytest.raises(NoConnectionFree):
        await snapshots.get("kettle")


async def test_nor_beyond_the_instant_of_a_change(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    shelf.views["kettle"] = View("nine left", changes_at=NOON)
    shelf.now = NOON - SECOND
    await snapshots.get("kettle")
    shelf.trouble, shelf.now = AWAY, NOON

    with pytest.raises(NoConnectionFree):
        await snapshots.get("kettle")


async def test_nor_for_who_must_know_how_it_stands_now(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    await snapshots.get("kettle")
    shelf.trouble = AWAY

    with pytest.raises(NoConnectionFree):
        await snapshots.get_now("kettle")


async def test_a_bug_is_not_covered_up(
    snapshots: Snapshots[View], shelf: Shelf
) -> None:
    await snapshots.get("kettle")
    shelf.trouble = ProgrammingError("SELECT 2", None, OSError())
    shelf.seconds = EVERY

    with pytest.raises(ProgrammingError):
        await snapshots.get("kettle")


async def test_however_many_are_asked_for_few_are_read_at_once() -> None:
    busy = Busy()
    snapshots = Snapshots(busy, lambda: NOON, Shelf().read)  # type: ignore[arg-type]

    await asyncio.gather(*(snapshots.get(str(number)) for number in range(20)))

    assert (busy.readings, busy.most) == (20, AT_ONCE)


class Busy:
    """A database that counts how many read at once."""

    def __init__(self) -> None:
        self.readings = self.now = self.most = 0

    async def read(self, _work: object, key: str, **_more: object) -> View:
        self.readings, self.now = self.readings + 1, self.now + 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return View(key)
