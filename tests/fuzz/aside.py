"""
Reads a workbook in a process of its own, as the service does, but without the second
that a new Python takes: a fork of this one, within limits.

What the library of workbooks dies of stays in there, and the retailer is told that the
workbook cannot be read; here it is counted. That it computes without end is a fault.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from offers.feed import NotAFeed
from offers.feed.unpacking import Kind, Sheet
from offers.feed.workbooks import write_sheet
from offers.sentences import Sentence, dump_sentence, load_sentence

SECONDS = 2
MEMORY = 200 * 1024 * 1024
"""What the process may take beyond what Python and its libraries do."""

DIED = Sentence("The process died.")


class Hang(Exception):
    """The library went on computing for longer than a workbook so small may take."""


def read_workbook(stream: BinaryIO, target: BinaryIO, _kind: Kind) -> Sheet:
    """Write the sheet of a workbook to *target*.

    Raises:
        NotAFeed: If the workbook cannot be read; with ``DIED`` if its reader died.
        Hang: If it takes too long.
    """
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        os.close(receive)
        _read(stream, target, send)
    os.close(send)
    with os.fdopen(receive, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (
        signal.SIGXCPU,
        signal.SIGKILL,
    ):
        raise Hang
    if not said:
        raise NotAFeed(DIED)
    target.seek(0)
    heard = json.loads(said)
    if "refused" in heard:
        raise NotAFeed(load_sentence(heard["refused"]))
    return Sheet(heard["sheet"], tuple(map(load_sentence, heard["notes"])))


def _read(stream: BinaryIO, target: BinaryIO, send: int) -> None:
    """Be the process: say what was read, and end, whatever happens."""
    try:
        _limit()
        sheet = write_sheet(stream, target)
        target.flush()
        said = {"sheet": sheet.name, "notes": [*map(dump_sentence, sheet.notes)]}
        os.write(send, json.dumps(said).encode())
    except NotAFeed as refusal:
        said = {"refused": dump_sentence(refusal.sentence)}
        os.write(send, json.dumps(said).encode())
    finally:
        os._exit(0)


def _limit() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
