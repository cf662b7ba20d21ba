"""Gathering: the units of one sku that stand on several rows, one for each place."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from offers.feed.repeats import NAMED_LINES, Repeat

MANY = 8  # rows of one sku, from which on what was found is kept
UNKNOWN = -1
FAULTY = -2


@dataclass(frozen=True, slots=True)
class Gathered:
    """The rows of one sku that belong together: its units at each place."""

    first: int
    stocks: tuple[tuple[str, int], ...]
    faulty: int  # a line whose units cannot be read, or 0


@dataclass(frozen=True, slots=True)
class _Row:
    content: int
    line: int
    place: int
    units: int


class Gathering:
    """Remembers forty-eight bytes for each row of a file that tells places apart."""

    def __init__(self) -> None:
        self._skus = array("q")
        self._contents = array("q")
        self._lines = array("q")
        self._places = array("q")
        self._units = array("q")
        self._order: array[int] = array("q")
        self._names: dict[str, int] = {}
        self._found: dict[int, Gathered | Repeat | None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The places, in the order in which the file names them."""
        return tuple(self._names)

    def add(self, sku: str, content: int, line: int, place: str, units: int) -> None:
        """Note a row; *content* is what it says but for the place and the units."""
        self._skus.append(hash(sku))
        self._contents.append(content)
        self._lines.append(line)
        self._places.append(self._names.setdefault(place, len(self._names)))
        self._units.append(units)

    def close(self) -> None:
        """Bring the rows of each sku together."""
        every = range(len(self._skus))
        self._order = array("q", sorted(every, key=self._skus.__getitem__))

    def find(self, sku: str) -> Gathered | Repeat | None:
        """Return how the rows of *sku* belong together; ``None`` if there is one."""
        key = hash(sku)
        if key in self._found:
            return self._found[key]
        rows = sorted(self._rows(key), key=lambda row: row.line)
        found = self._judge(rows)
        if len(rows) >= MANY:
            self._found[key] = found
        return found

    def _judge(self, rows: list[_Row]) -> Gathered | Repeat | None:
        if len(rows) < 2:
            return None
        if len({row.content for row in rows}) > 1 or self._contradict(rows):
            return _repeat(rows, differ=True)
        if len({row.place for row in rows}) == 1:
            return _repeat(rows, differ=False)
        return self._gather(rows)

    def _rows(self, key: int) -> Iterator[_Row]:
        at = bisect_left(self._order, key, key=self._skus.__getitem__)
        while at < len(self._order) and self._skus[i := self._order[at]] == key:
            yield _Row(
                self._contents[i], self._lines[i], self._places[i], self._units[i]
            )
            at += 1

    def _contradict(self, rows: list[_Row]) -> bool:
        """Whether one place is there twice, with different units."""
        said: dict[int, int] = {}
        return any(said.setdefault(r.place, r.units) != r.units for r in rows)

    def _gather(self, rows: list[_Row]) -> Gathered:
        names = self.names
        units = {names[row.place]: row.units for row in rows}
        return Gathered(
            first=rows[0].line,
            stocks=tuple((place, n) for place, n in units.items() if n >= 0),
            faulty=next((row.line for row in rows if row.units == FAULTY), 0),
        )


def _repeat(rows: list[_Row], *, differ: bool) -> Repeat:
    lines = [row.line for row in rows[:NAMED_LINES]]
    return Repeat(rows[0].content, lines, len(rows), differ)
