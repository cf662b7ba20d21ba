"""Repeats: the same sku on several rows of one file.

Equal rows are one row. Rows that differ are all in error: which of them is right is
not ours to guess, and the last is no better than the first.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from offers.sentences import Sentence

NAMED_LINES = 5
AT_ONCE = 50_000
PARTS = 16


@dataclass(slots=True)
class Repeat:
    """The rows of one sku that is there more than once."""

    content: int
    lines: list[int] = field(default_factory=list)
    count: int = 0
    differ: bool = False

    @property
    def first(self) -> int:
        return self.lines[0]

    def sentence(self) -> Sentence:
        named = ", ".join(str(line) for line in self.lines)
        more = self.count - len(self.lines)
        if more:
            return Sentence(
                "The same sku is on lines {lines} and {more} more, with differences.",
                lines=named,
                more=more,
            )
        return Sentence(
            "The same sku is on lines {lines}, with differences.", lines=named
        )


class Repeats:
    """Remembers twenty bytes for each row, and more only for what is repeated."""

    def __init__(self) -> None:
        self._skus = array("q")
        self._contents = array("q")
        self._lines = array("q")
        self._found: dict[int, Repeat] = {}

    def add(self, sku: str, content: int, line: int) -> None:
        self._skus.append(hash(sku))
        self._contents.append(content)
        self._lines.append(line)

    def close(self) -> None:
        """Find what was repeated, and forget everything else."""
        hashes = Hashes()
        for start in range(0, len(self._skus), AT_ONCE):
            hashes.add(self._skus[start : start + AT_ONCE])
        repeated = hashes.repeated()
        for key, content, line in zip(
            self._skus, self._contents, self._lines, strict=True
        ):
            if key in repeated:
                self._note(key, content, line)
        self._skus, self._contents, self._lines = array("q"), array("q"), array("q")

    def __len__(self) -> int:
        """Return how many skus are repeated, once it is closed."""
        return len(self._found)

    def find(self, sku: str) -> Repeat | None:
        return self._found.get(hash(sku)) if self._found else None

    def among(self, skus: Sequence[str]) -> set[int]:
        """Return the numbers of those of *skus* that are repeated."""
        if not self._found:
            return set()
        return {i for i, sku in enumerate(skus) if hash(sku) in self._found}

    def _note(self, key: int, content: int, line: int) -> None:
        repeat = self._found.setdefault(key, Repeat(content))
        repeat.count += 1
        repeat.differ = repeat.differ or repeat.content != content
        if len(repeat.lines) < NAMED_LINES:
            repeat.lines.append(line)


class Hashes:
    """Finds which of many numbers are there twice, in eight bytes for each."""

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(PARTS)]

    def add(self, hashes: Iterable[int]) -> None:
        ordered = array("q", sorted(hashes))
        start = 0
        for part, bound in zip(self._parts, _BOUNDS, strict=True):
            end = bisect_left(ordered, bound, start)
            part.extend(ordered[start:end])
            start = end

    def repeated(self) -> set[int]:
        return {number for part in self._parts for number in _repeated(part)}


# Hashes have 64 bits, half of them below zero.
_BOUNDS = [((i + 1) << 64) // PARTS - (1 << 63) for i in range(PARTS)]


def _repeated(numbers: Sequence[int]) -> set[int]:
    if len(set(numbers)) == len(numbers):
        return set()
    seen: set[int] = set()
    return {n for n in numbers if n in seen or seen.add(n)}  # type: ignore[func-returns-value]
