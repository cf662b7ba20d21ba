"""The reader: a process that reads a feed for another one (``outletbot.aside``).

The feed is at standard input; the messages go to standard output, each with its length.
"""

import gc
import io
import os
import pickle
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from offers.feed import Block, Feed, NotAFeed, open_feed
from offers.packing import pack_newcomers
from outletbot.aside import DONE, WIDTH, Packed, Packing, Task

STEP = timedelta(milliseconds=1)
"""Between the times in the ids of two batches."""


class Placed(io.RawIOBase):
    """A file that others read at the same time: it keeps its own place in it."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        size = os.fstat(self._number).st_size
        self._place = offset + (0, self._place, size)[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        read = os.pread(self._number, len(buffer), self._place)
        buffer[: len(read)] = read
        self._place += len(read)
        return len(read)


def main() -> None:
    """Do what the first argument says."""
    gc.disable()  # rows by the thousand, and nothing that refers to itself
    task, ways, packing = pickle.loads(bytes.fromhex(sys.argv[1]))  # noqa: S301
    try:
        feed = open_feed(io.BufferedReader(Placed(sys.stdin.fileno())), **ways)
        for message in _found(feed, task, packing):
            _send(message)
    except NotAFeed as refusal:
        _send(refusal.sentence)
    sys.stdout.buffer.write(DONE)
    sys.stdout.buffer.flush()


def _found(feed: Feed, task: Task, packing: Packing | None) -> Iterator[object]:
    if task is Task.SURVEY:
        feed.survey()
        yield feed.is_unique
        return
    if task is Task.READ_UNIQUE:
        feed.skip_survey()
    yield from feed.blocks() if packing is None else _packed(feed.blocks(), packing)


def _send(told: object) -> None:
    message = pickle.dumps(told, pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.write(len(message).to_bytes(WIDTH))
    sys.stdout.buffer.write(message)
    sys.stdout.buffer.flush()


def _packed(blocks: Iterator[Block], packing: Packing) -> Iterator[Packed]:
    """Yield *blocks*, some of them in one, packed."""
    minted_at = packing.origin.now
    for whole in _gathered(blocks, packing.together):
        minted_at += STEP
        newcomers = pack_newcomers(whole.facts, packing.origin, minted_at=minted_at)
        told = (whole.facts, whole.places, whole.errors, whole.skipped, whole.progress)
        yield Packed(*told, newcomers)


def _gathered(blocks: Iterator[Block], together: int) -> Iterator[Block]:
    """Yield the same rows with at least *together* in each block but the last."""
    whole = Block()
    for block in blocks:
        whole.extend(block)
        if len(whole.facts) >= together:
            yield whole
            whole = Block()
    if len(whole) or whole.progress:
        yield whole


if __name__ == "__main__":
    main()
