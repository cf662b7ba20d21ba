"""Aside: a large feed is read by other processes, while this one writes it down.

What they find comes through a pipe, message by message. They also pack the rows as new
offers, so that there is little left to do for this one. They are ``outletbot.reader``.
"""

import fcntl
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import IO, Any, BinaryIO

from offers.feed import Block, Feed, NotAFeed
from offers.packing import Newcomers, Origin
from offers.sentences import Sentence

LARGE = 4_000_000  # bytes; below that a process takes longer to start than to read

AHEAD = 1 << 20  # bytes that may wait to be written down

WIDTH = 4  # bytes that say how long a message is
DONE = bytes(WIDTH) + b"done"


class Task(Enum):
    """What another process is to do: look for skus that are there twice, or read.

    ``READ_UNIQUE`` takes for granted that there are none.
    """

    SURVEY = 1
    READ = 2
    READ_UNIQUE = 3


@dataclass(frozen=True, slots=True)
class Packing:
    """As what rows are packed, and how many *together* at least."""

    origin: Origin
    together: int


@dataclass(slots=True)
class Packed(Block):
    """A block, and its good rows as *newcomers*, should they all be new."""

    newcomers: Newcomers | None = None


def blocks_of(feed: Feed, packing: Packing | None = None) -> Iterator[Block]:
    """Yield the blocks of *feed*, of a large one by a process of its own.

    That process packs them, too, if *packing* is given. While it begins, another one
    looks for skus that are there twice: if there are, the reading begins anew.

    Raises:
        NotAFeed: If the file cannot be read to its end.
    """
    if not feed.is_plain or feed.size < LARGE or not _has_number(feed.stream):
        yield from feed.blocks()
        return
    with _told(feed, Task.READ_UNIQUE, packing) as blocks:
        with _told(feed, Task.SURVEY) as answer:
            is_unique = next(answer)
        if is_unique:
            yield from blocks
            return
    with _told(feed, Task.READ, packing) as blocks:
        yield from blocks


def _has_number(stream: BinaryIO) -> bool:
    """Whether another process can be given *stream*, which is a file of the system."""
    try:
        stream.fileno()
    except OSError:
        return False
    return True


@contextmanager
def _told(
    feed: Feed, task: Task, packing: Packing | None = None
) -> Iterator[Iterator[Any]]:
    """Let another process do *task*; yield what it tells, and end it afterwards."""
    words = pickle.dumps((task, feed.ways, packing)).hex()
    process = subprocess.Popen(  # noqa: S603  (it is our own program)
        [sys.executable, "-m", "outletbot.reader", words],
        stdin=feed.stream,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        _widen(process.stdout)
        try:
            yield _messages(process.stdout)
        finally:
            process.kill()


def _widen(pipe: IO[bytes]) -> None:
    """Let the reader be some blocks ahead; where it cannot, it waits more often."""
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux has it
    if resize is not None:
        with suppress(OSError):
            fcntl.fcntl(pipe, resize, AHEAD)


def _messages(pipe: IO[bytes]) -> Iterator[Any]:
    """Yield what is told, of which nothing is held here."""
    while length := int.from_bytes(pipe.read(WIDTH)):
        yield _load(pipe, length)
    if pipe.read(WIDTH) != DONE[WIDTH:]:
        msg = "the process that read the feed has died"
        raise RuntimeError(msg)


def _load(pipe: IO[bytes], length: int) -> Any:
    message = bytearray(length)  # read would hold it twice
    pipe.readinto(message)  # type: ignore[attr-defined]  # it is there
    told = pickle.loads(message)  # noqa: S301  (it is of our own program)
    if isinstance(told, Sentence):
        raise NotAFeed(told)
    return told
