"""A small disk, which somebody else fills, and makes room on again."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import CannotRun

BALLAST = "ballast"


@dataclass(frozen=True, slots=True)
class SmallDisk:
    folder: Path

    def fill(self, *, leave: int) -> None:
        """Let somebody else's file take all but so many bytes."""
        with (self.folder / BALLAST).open("wb") as file:
            file.write(bytes(max(0, self.free - leave)))

    def make_room(self) -> None:
        (self.folder / BALLAST).unlink()

    @property
    def free(self) -> int:
        """Bytes that can still be written."""
        there = os.statvfs(self.folder)
        return there.f_bavail * there.f_frsize


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """Yield a disk of its own; nothing of it is left afterwards.

    Raises:
        CannotRun: If nobody may mount one here.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        msg = "only root may mount a small disk, and only Linux has them in memory"
        raise CannotRun(msg)
    folder = Path(tempfile.mkdtemp(prefix="outletbot-disk-"))
    folder.chmod(0o755)
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
        try:
            yield SmallDisk(folder)
        finally:
            _run("umount", str(folder))
    finally:
        folder.rmdir()


def _run(*command: str) -> None:
    done = subprocess.run(  # noqa: S603  (it is written above)
        command, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        msg = f"{command[0]} failed: {done.stderr.strip()}"
        raise CannotRun(msg)
