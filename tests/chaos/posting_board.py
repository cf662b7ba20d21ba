"""
What the parent, the networks and the worker share: a clock that the parent moves, and
whom the networks are to kill at which call, so that kills also come at the instants
that matter most: when a network has heard what is asked, and when it has done it.
"""

import os
import signal
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from mmap import mmap

from outletbot.clock import utc_now

_ROW = struct.Struct("dqqq")


class When(IntEnum):
    """A network strikes when it is called, or when it has done what was asked."""

    HEARD = 0
    DONE = 1


@dataclass
class Board:
    """A page of memory that children of the process that made it share with it."""

    _memory: mmap = field(default_factory=lambda: mmap(-1, _ROW.size))

    def clock(self) -> datetime:
        return utc_now() + timedelta(seconds=self._read()[0])

    def set_clock(self, now: datetime) -> None:
        ahead = (now - utc_now()).total_seconds()
        self._memory[: _ROW.size] = _ROW.pack(ahead, *self._read()[1:])

    def aim(self, victim: int, calls: int = 0, when: When = When.HEARD) -> None:
        """Let *victim* be killed at its so many-th call that changes something."""
        row = _ROW.pack(self._read()[0], victim, calls, when)
        self._memory[: _ROW.size] = row

    def count_call(self) -> When | None:
        """Count a call. Return when to strike, if it is this one's turn."""
        ahead, victim, calls, when = self._read()
        self._memory[: _ROW.size] = _ROW.pack(ahead, victim, calls - 1, when)
        return When(when) if calls == 1 else None

    def strike(self) -> None:
        victim = self._read()[1]
        if victim:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)

    def _read(self) -> tuple[float, int, int, int]:
        ahead, victim, calls, when = _ROW.unpack(self._memory[: _ROW.size])
        return ahead, victim, calls, when
