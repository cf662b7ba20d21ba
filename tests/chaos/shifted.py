"""
A program on a machine whose clock is off: ``python -m tests.chaos.shifted MODULE …``
runs *MODULE* so many seconds ahead as the file says that ``CLOCK_FILE`` names, and
follows when another number is written there, as a machine does whose clock is set.

The seconds that nobody sets, by which one waits, are left alone.
"""

import os
import runpy
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from outletbot import clock

LOOK = 0.1


def set_clock(file: Path, seconds: float) -> None:
    """Set the clock of whoever follows *file*; half a number is never there."""
    new = file.with_suffix(".new")
    new.write_text(str(seconds))
    new.replace(file)


class _Clock:
    """Seconds since 1970 as this process is to know them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._real = time.time_ns
        self._ahead = 0
        self.look()

    def look(self) -> None:
        self._ahead = round(float(self._file.read_text()) * 1e9)

    def follow(self) -> None:
        while True:
            time.sleep(LOOK)
            self.look()

    def in_ns(self) -> int:
        return self._real() + self._ahead

    def in_seconds(self) -> float:
        return self.in_ns() / 1e9

    def utc_now(self) -> datetime:
        return datetime.fromtimestamp(self.in_seconds(), UTC)


def main() -> None:
    """Everything that is imported from here on knows the wrong time."""
    wrong = _Clock(Path(os.getenv("CLOCK_FILE", "clock")))
    time.time, time.time_ns = wrong.in_seconds, wrong.in_ns  # noqa: TID251  (set here)
    clock.utc_now = wrong.utc_now
    threading.Thread(target=wrong.follow, daemon=True).start()
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
