"""Folders: what lies in a retailer's folder, and where it goes.

    <base>/<slug>/            files that wait
    <base>/<slug>/working/    what was taken and is not decided
    <base>/<slug>/done/       what went in
    <base>/<slug>/refused/    what did not, each beside a .txt that says why

A file that is still being written is left alone: it must be as large and as old as when
it was looked at before. Links are not followed.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PARTS = (".part", ".tmp", ".filepart", ".crdownload", "~")
WORKING, DONE, REFUSED = "working", "done", "refused"

LONGEST = 200  # bytes of a name that more is put before and after

Sizes = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Working:
    """A file that was taken; its name begins with the id of its import."""

    path: Path

    @property
    def import_id(self) -> str:
        return self.path.name.partition("-")[0]


class Folder:
    """One retailer's folder, which is made if it is not there."""

    def __init__(self, base: Path, slug: str) -> None:
        self.path = base / slug
        for name in (WORKING, DONE, REFUSED):
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def waiting(self) -> Sizes:
        """Return how large and how old the files are that wait, by their names."""
        found: Sizes = {}
        for entry in os.scandir(self.path):
            name = entry.name
            if name.startswith(".") or name.lower().endswith(PARTS):
                continue
            try:
                facts = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # since a moment ago
                continue
            if stat.S_ISREG(facts.st_mode):
                found[name] = (facts.st_size, facts.st_mtime_ns)
        return found

    def open(self, name: str) -> BinaryIO:
        """Open a file that waits, and no link that was put in its place."""
        place = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW)
        return os.fdopen(place, "rb")

    def begin(self, name: str, import_id: str) -> None:
        """A file was taken in as *import_id*."""
        there = self.path / WORKING / f"{import_id}-{_short(name)}"
        (self.path / name).rename(there)

    def refuse(self, name: str, mark: str, why: str) -> None:
        """A file cannot be taken in."""
        self._put(self.path / name, REFUSED, f"{mark}-{_short(name)}", why)

    def working(self) -> list[Working]:
        return [Working(path) for path in sorted((self.path / WORKING).iterdir())]

    def finish(self, file: Working, where: str, why: str = "") -> None:
        self._put(file.path, where, file.path.name, why)

    def _put(self, path: Path, where: str, name: str, why: str) -> None:
        if why:
            (self.path / where / f"{name}.txt").write_text(f"{why}\n", "utf-8")
        path.rename(self.path / where / name)


def _short(name: str) -> str:
    """Return the end of a long *name*, which says of what kind it is."""
    return os.fsdecode(os.fsencode(name)[-LONGEST:])


def at_rest(
    found: Mapping[str, tuple[int, int]], before: Mapping[str, object]
) -> list[str]:
    """Return the names of the files that are as they were before, the oldest first."""
    still = [name for name, facts in found.items() if before.get(name) == list(facts)]
    return sorted(still, key=lambda name: (found[name][1], name))
