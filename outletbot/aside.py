"""Aside: a large feed is read by a process of its own, while this one writes it down.

What that process finds comes through a pipe, block by block: plain values by marshal,
which is quickest, and whatever else there is by pickle. It is ours, so both are safe.
"""

import fcntl
import gc
import marshal
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, BinaryIO

from offers.feed import Block, Feed, NotAFeed, open_feed
from offers.sentences import Sentence

LARGE = 4_000_000  # bytes; below that a process takes longer to start than to read

AHEAD = 1 << 20  # bytes that may wait to be written down

_WIDTH = 4  # bytes that say how long a message is


def blocks_of(feed: Feed) -> Iterator[Block]:
    """Yield the blocks of *feed*, of a large one by a process of its own.

    Raises:
        NotAFeed: If the file cannot be read to its end.
    """
    if not feed.is_plain or feed.size < LARGE or not _has_number(feed.stream):
        yield from feed.blocks()
        return
    ways = pickle.dumps(feed.ways).hex()
    process = subprocess.Popen(  # noqa: S603  (it is our own program)
        [sys.executable, "-m", "outletbot.aside", ways],
        stdin=feed.stream,
        stdout=subprocess.PIPE,
    )
    with process:
        _widen(process.stdout)
        try:
            yield from _received(process.stdout)
        finally:
            process.kill()


def _has_number(stream: BinaryIO) -> bool:
    """Whether another process can be given *stream*, which is a file of the system."""
    try:
        stream.fileno()
    except OSError:
        return False
    return True


def _widen(pipe: IO[bytes] | None) -> None:
    """Let the reader be some blocks ahead; where it cannot, it waits more often."""
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux has it
    if pipe is not None and resize is not None:
        with suppress(OSError):
            fcntl.fcntl(pipe, resize, AHEAD)


def _received(pipe: IO[bytes] | None) -> Iterator[Block]:
    assert pipe is not None
    while length := int.from_bytes(pipe.read(_WIDTH)):
        facts, rest = marshal.loads(pipe.read(length))  # noqa: S302
        others = pickle.loads(rest)  # noqa: S301
        if isinstance(others, Sentence):
            raise NotAFeed(others)
        yield Block(facts, *others)
    if pipe.read(_WIDTH) != _DONE:
        msg = "the process that read the feed has died"
        raise RuntimeError(msg)


_DONE = b"done"


def _send(facts: Any, others: object) -> None:
    message = marshal.dumps((facts, pickle.dumps(others)))
    sys.stdout.buffer.write(len(message).to_bytes(_WIDTH))
    sys.stdout.buffer.write(message)
    sys.stdout.buffer.flush()


def main() -> None:
    """Read the feed at standard input, as the first argument says, to the output."""
    gc.disable()  # rows by the thousand, and nothing that refers to itself
    try:
        ways = pickle.loads(bytes.fromhex(sys.argv[1]))  # noqa: S301
        feed = open_feed(sys.stdin.buffer, **ways)
        for block in feed.blocks():
            others = (block.places, block.errors, block.skipped, block.progress)
            _send(block.facts, others)
    except NotAFeed as refusal:
        _send([], refusal.sentence)
    sys.stdout.buffer.write(bytes(_WIDTH) + _DONE)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
