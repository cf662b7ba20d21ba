"""Apart: a feed of any kind, opened; what can go wrong in its reader stays outside.

Archives and XML are unpacked here, as they are read in passing. Workbooks are read by a
process of their own, which has a limit of memory and of time (``outletbot.sheets``).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import structlog

from offers.feed import Feed, NotAFeed
from offers.feed.unpacking import Kind, Sheet, Unpacked, unpack
from offers.sentences import Sentence, load_sentence

PATIENCE = 60  # seconds

log = structlog.get_logger(__name__)


@contextmanager
def unpacked(stream: BinaryIO) -> Iterator[Unpacked]:
    """Yield the text of the feed in *stream*, of whatever kind that is.

    Raises:
        NotAFeed: If it is nothing that a feed comes in.
    """
    with ExitStack() as files:
        yield unpack(
            stream,
            make_file=lambda: files.enter_context(TemporaryFile()),
            read_workbook=read_workbook,
        )


def noted(feed: Feed, source: Unpacked) -> Feed:
    """Return *feed*, which says what it was unpacked from."""
    feed.kind, feed.sheet = source.kind.value, source.sheet
    feed.warnings = (*source.notes, *feed.warnings)
    return feed


def read_workbook(stream: BinaryIO, target: BinaryIO, kind: Kind) -> Sheet:
    """Write the sheet of products of a workbook to *target*.

    Raises:
        NotAFeed: If the workbook cannot be read, or not within the limits.
    """
    with TemporaryFile() as copy:
        stream.seek(0)
        copyfileobj(stream, copy)
        copy.seek(0)
        os.lseek(copy.fileno(), 0, os.SEEK_SET)
        said = _run(copy, target, kind)
    os.lseek(target.fileno(), 0, os.SEEK_SET)
    if said is None:
        raise NotAFeed(
            Sentence(
                "The workbook is too large to be read, or damaged. Export the sheet of "
                "your products as CSV."
            )
        )
    if "refused" in said:
        raise NotAFeed(load_sentence(said["refused"]))
    return Sheet(said["sheet"], tuple(map(load_sentence, said["notes"])))


def _run(stream: BinaryIO, target: BinaryIO, kind: Kind) -> dict[str, Any] | None:
    """Return what the reader said; nothing if it did not live to say it."""
    path = os.pathsep.join(filter(None, sys.path))
    try:
        done = subprocess.run(
            (sys.executable, "-m", "outletbot.sheets"),
            stdin=stream,
            stdout=target,
            stderr=subprocess.PIPE,
            env={"PATH": os.defpath, "PYTHONPATH": path},
            timeout=PATIENCE,
            check=False,
        )
        said = json.loads(done.stderr.rpartition(b"\n")[2])
    except (subprocess.TimeoutExpired, ValueError) as error:
        log.warning("workbook_not_read", kind=kind.value, reason=type(error).__name__)
        return None
    return said if isinstance(said, dict) else None
