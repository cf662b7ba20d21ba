"""
The journal: what shoppers asked for and what they were told, each in a line that is
written before anything else happens. It also says who was killed, so that a history
that is broken off can go on.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self


class Entry(StrEnum):
    ASKED = "C"  # key, deal
    GRANTED = "A"  # key, token
    REFUSED = "R"  # key, status
    PAID = "P"  # checkout
    REDEEMED = "D"  # pickup code
    FAILED = "F"  # status of an answer that no shopper should see
    KILLED = "K"  # name of the process
    CRASHED = "X"  # the database
    ENDED = "E"  # name of a process that ended by itself
    LOOKED = "L"  # the books were looked at meanwhile, and how many did not add up
    TIME = "T"  # seconds of action of a part that is over


@dataclass
class Told:
    """A journal, read from its beginning."""

    counts: Counter[Entry] = field(default_factory=Counter)
    asked: dict[str, str] = field(default_factory=dict)
    granted: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    refused: set[str] = field(default_factory=set)
    paid: set[str] = field(default_factory=set)
    redeemed: set[str] = field(default_factory=set)
    failed: Counter[str] = field(default_factory=Counter)
    adrift: int = 0
    seconds: float = 0.0

    @classmethod
    def read(cls, path: Path) -> Self:
        told = cls()
        for entry, words in _lines(path):
            told.counts[entry] += 1
            told._note(entry, words)
        return told

    def _note(self, entry: Entry, words: list[str]) -> None:
        match entry:
            case Entry.ASKED:
                self.asked[words[0]] = words[1]
            case Entry.GRANTED:
                self.granted[words[0]].add(words[1])
            case Entry.REFUSED:
                self.refused.add(words[0])
            case Entry.PAID:
                self.paid.add(words[0])
            case Entry.REDEEMED:
                self.redeemed.add(words[0])
            case Entry.FAILED:
                self.failed[words[0]] += 1
            case Entry.LOOKED:
                self.adrift += int(words[0])
            case Entry.TIME:
                self.seconds += float(words[0])


class Journal:
    """*counts* begins with what an earlier part of the same history wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[Entry] = Counter()
        if path.exists():
            self.counts.update(entry for entry, _ in _lines(path))
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
        self._file = os.open(path, flags, 0o600)

    def write(self, entry: Entry, *words: object) -> None:
        """Write a line; it is the system's when this returns, and survives us."""
        line = " ".join([entry.value, *map(str, words)])
        os.write(self._file, f"{line}\n".encode())
        self.counts[entry] += 1

    def close(self) -> None:
        os.fsync(self._file)
        os.close(self._file)


def _lines(path: Path) -> Iterator[tuple[Entry, list[str]]]:
    """A last line that was cut off was nobody's yet."""
    with path.open() as lines:
        for line in lines:
            if line.endswith("\n"):
                kind, *words = line.split()
                yield Entry(kind), words
