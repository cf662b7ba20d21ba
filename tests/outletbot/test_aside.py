"""
A large feed is read by a process of its own: what that finds is what would be found
here, and if it dies that is said.
"""

import io
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from offers.feed import Block, Feed, NotAFeed, blocks, open_feed
from offers.packing import Origin
from outletbot import aside
from outletbot.aside import Packing, Task
from outletbot.reader import Placed
from tests.factories import NOON

TODAY = date(2026, 3, 2)
HEADER = "sku,title,price,quantity\n"
ROWS = "".join(f"S{n},Thing {n},{n + 1}.50,{n % 7}\n" for n in range(900))
ODD = "A,Ant,x,1\nB,Bee,2,1\nB,Bee,2,1\nC,Cat,3,1\nC,Cat,4,1\nD,Élan & <b>so</b>,5,\n"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Feed]:
    path = tmp_path / "feed.csv"
    path.write_text(f"{HEADER}{ROWS}{ODD}")
    with path.open("rb") as stream:
        yield open_feed(stream, currency="eur", today=TODAY)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is asked to read aside dies at once."""
    monkeypatch.setattr(aside.sys, "executable", shutil.which("false"))


def told(found: Iterator[Block]) -> tuple[object, ...]:
    parts = list(found)
    assert parts[-1].progress == 1.0
    return tuple(
        [each for part in parts for each in getattr(part, kind)]
        for kind in ("facts", "errors", "skipped", "places")
    )


def test_finds_what_would_be_found_here(opened, monkeypatch) -> None:
    here = told(opened.blocks())

    monkeypatch.setattr(aside, "LARGE", 0)

    assert told(aside.blocks_of(opened)) == here
    facts, errors, skipped, _ = here
    assert (len(facts), len(errors), len(skipped)) == (902, 3, 1)


def test_a_file_without_repeats_is_read_at_once(tmp_path, monkeypatch) -> None:
    path = tmp_path / "feed.csv"
    path.write_text(f"{HEADER}{ROWS}Z,Zebra,x,1\n")
    asked: list[Task] = []
    popen = subprocess.Popen

    def note(words: list[str], **how: Any) -> subprocess.Popen[bytes]:
        asked.append(pickle.loads(bytes.fromhex(words[-1]))[0])  # noqa: S301
        return popen(words, **how)

    monkeypatch.setattr(aside.subprocess, "Popen", note)
    with path.open("rb") as stream:
        feed = open_feed(stream, currency="eur", today=TODAY)
        here = told(feed.blocks())
        monkeypatch.setattr(aside, "LARGE", 0)
        assert told(aside.blocks_of(feed)) == here

    assert asked == [Task.READ_UNIQUE, Task.SURVEY]
    assert [len(found) for found in here] == [900, 1, 0, 0]


def test_what_is_packed_has_the_same_rows(opened, monkeypatch) -> None:
    here = told(opened.blocks())
    monkeypatch.setattr(aside, "LARGE", 0)
    origin = Origin("sqlite", "retailer_1", "feed_1", NOON)

    found = list(aside.blocks_of(opened, Packing(origin, together=400)))

    packed = [block.newcomers for block in found]
    assert told(iter(found)) == here
    assert [each.load.same["retailer_id"] for each in packed] == ["retailer_1"]
    assert packed[0].first_id < packed[0].last_id


def test_a_file_that_others_read_keeps_its_place(tmp_path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(b"0123456789")

    with path.open("rb") as others:
        mine = io.BufferedReader(Placed(others.fileno()))
        assert mine.read(4) == b"0123"
        assert others.read(2) == b"01"
        assert mine.read(2) == b"45"
        assert mine.seek(-2, io.SEEK_END) == 8
        assert mine.read() == b"89"
        assert mine.seek(1) == 1
        assert mine.read(1) == b"1"
        assert others.read() == b"23456789"


def test_a_refusal_comes_through(tmp_path, monkeypatch) -> None:
    path = tmp_path / "feed.csv"
    path.write_text(f"{HEADER}{ROWS}{'x' * 300_000}\n")
    monkeypatch.setattr(aside, "LARGE", 0)

    with path.open("rb") as stream:
        feed = open_feed(stream, currency="eur", today=TODAY)
        with pytest.raises(NotAFeed, match="Line 902 is longer than"):
            list(aside.blocks_of(feed))


def test_who_reads_loads_no_table() -> None:
    told = "import sys, outletbot.reader; print('sqlalchemy' in sys.modules)"

    done = subprocess.run(  # noqa: S603  (it is our own program)
        (sys.executable, "-c", told), capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"


@pytest.mark.usefixtures("nobody")
def test_says_so_if_the_reader_dies(opened, monkeypatch) -> None:
    monkeypatch.setattr(aside, "LARGE", 0)

    with pytest.raises(RuntimeError, match="has died"):
        list(aside.blocks_of(opened))


@pytest.mark.usefixtures("nobody")
def test_reads_what_is_small_by_itself(opened) -> None:
    assert len(told(aside.blocks_of(opened))[0]) == 902


def test_nobody_is_left_behind_who_is_no_longer_listened_to(
    opened, monkeypatch
) -> None:
    monkeypatch.setattr(aside, "LARGE", 0)
    monkeypatch.setattr(blocks, "BLOCK", 1_000)
    found = aside.blocks_of(opened)

    next(found)
    found.close()  # waits for its end; one that goes on is a warning, and so an error
