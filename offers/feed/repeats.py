"""Repeats: the same sku on several rows of one file.

Equal rows are one row. Rows that differ are all in error: which of them is right is
not ours to guess, and the last is no better than the first.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from offers.sentences import Sentence

NAMED_LINES = 5


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
        repeated = _repeated(self._skus)
        for key, content, line in zip(
            self._skus, self._contents, self._lines, strict=True
        ):
            if key in repeated:
                self._note(key, content, line)
        self._skus, self._contents, self._lines = array("q"), array("q"), array("q")

    def find(self, sku: str) -> Repeat | None:
        return self._found.get(hash(sku)) if self._found else None

    def _note(self, key: int, content: int, line: int) -> None:
        repeat = self._found.setdefault(key, Repeat(content))
        repeat.count += 1
        repeat.differ = repeat.differ or repeat.content != content
        if len(repeat.lines) < NAMED_LINES:
            repeat.lines.append(line)


def _repeated(keys: Iterable[int]) -> set[int]:
    seen: set[int] = set()
    repeated: set[int] = set()
    for key in keys:
        (repeated if key in seen else seen).add(key)
    return repeated
