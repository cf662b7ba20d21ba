"""
A large feed is read by a process of its own: what that finds is what would be found
here, and if it dies that is said.
"""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from offers.feed import Block, Feed, NotAFeed, blocks, open_feed
from outletbot import aside

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


def test_a_refusal_comes_through(tmp_path, monkeypatch) -> None:
    path = tmp_path / "feed.csv"
    path.write_text(f"{HEADER}{ROWS}{'x' * 300_000}\n")
    monkeypatch.setattr(aside, "LARGE", 0)

    with path.open("rb") as stream:
        feed = open_feed(stream, currency="eur", today=TODAY)
        with pytest.raises(NotAFeed, match="Line 902 is longer than"):
            list(aside.blocks_of(feed))


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
