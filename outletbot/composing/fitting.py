"""Fitting: the lines of a text as far as there is room for them.

Lines are reduced to what must stay of them (the price, the link), the one that is least
worth first; then the title is cut between words. A line for which there is nothing to
say is no line, and no two empty lines follow each other.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from offers.templates import Piece

ELLIPSIS = "…"
STAYS = ("outcome", "title", "price", "link")
EVIDENCE = ("prior", "percent")
EMPTY, WORDS, TITLE, LAST = 0, 2, 9, 10
WORTH = {
    "hashtags": 1,
    "pitch": 3,
    "duration": 4,
    "starts": 4,
    "allotment": 4,
    "next": 5,
    "units": 6,
    "ends": 6,
    "title": TITLE,
}
"""What a line is worth that has the field; one with several is worth the most of them.

Fields that are not here are worth no less than any line without a title.
"""
DEAR = 8

# Whatever separates words, but not the spaces that keep two of them together.
_GAP = re.compile(r"[^\S\u00a0\u2007\u202f]+")


class NoRoom(Exception):
    """Not even what must stay fits."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a template; without *pieces* it is an empty one."""

    pieces: tuple[Piece, ...]
    worth: int
    is_left: bool = True

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> Self:
        kept = tuple(pieces)
        fields = [piece.text for piece in kept if piece.is_field]
        if not kept:
            return cls(kept, EMPTY)
        if "title" in fields and set(fields) <= set(STAYS):
            return cls(kept, LAST)
        return cls(kept, max((WORTH.get(f, DEAR) for f in fields), default=WORDS))

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(piece.text for piece in self.pieces if piece.is_field)

    def reduced(self) -> Self:
        """Return what must stay of the line, with a space between, if anything must."""
        kept = [field for field in dict.fromkeys(self.fields) if field in STAYS]
        spaced = [piece for field in kept for piece in (Piece(" "), _field(field))][1:]
        return type(self)(tuple(spaced), self.worth, is_left=bool(kept))

    def say(self, values: Mapping[str, str]) -> str | None:
        """Return the line in words, or None if there is nothing to say."""
        if any(name in EVIDENCE and not values[name] for name in self.fields):
            reduced = self.reduced()
            return reduced.say(values) if reduced.is_left else None
        if self.fields and not any(values[name] for name in self.fields):
            return None
        said = "".join(values[p.text] if p.is_field else p.text for p in self.pieces)
        if not all(values[name] for name in self.fields):
            said = re.sub(" {2,}", " ", said)
        return said.strip(" ")


def fit(
    lines: Iterable[Line], values: Mapping[str, str], fits: Callable[[str], bool]
) -> str:
    """Return *lines* in words, with as much left out as it takes until the text *fits*.

    Raises:
        NoRoom: If not even what must stay does.
    """
    for text in _shorter(list(lines), values):
        if fits(text):
            return text
    raise NoRoom


def words_of(text: str) -> list[str]:
    return [word for word in _GAP.split(text) if word]


def _shorter(lines: list[Line], values: Mapping[str, str]) -> Iterator[str]:
    """Yield the text whole, then ever shorter."""
    yield _say(lines, values)
    left: dict[int, Line] = dict(enumerate(lines))
    # Of two that are worth the same, the one further down goes first.
    for number in sorted(left, key=lambda number: (left[number].worth, -number)):
        if left[number].worth < LAST:
            left[number] = left[number].reduced()
            yield _say([line for line in left.values() if line.is_left], values)
    lines = [line for line in left.values() if line.is_left]
    for title in _cut(values.get("title", "")):
        yield _say(lines, {**values, "title": title})
    bare = [line.reduced() for line in lines]
    yield _say(bare, {**values, "title": ""})


def _cut(title: str) -> Iterator[str]:
    """Yield *title* with ever fewer words, down to one."""
    words = words_of(title)
    while len(words) > 1:
        words.pop()
        # What touches an address would be read as a part of it.
        is_address = "://" in words[-1]
        cut = " ".join(words)
        yield f"{cut} {ELLIPSIS}" if is_address else cut.rstrip(" ,;:-") + ELLIPSIS


def _say(lines: Iterable[Line], values: Mapping[str, str]) -> str:
    said: list[str] = []
    for line in lines:
        words = line.say(values)
        if words or (words == "" and said and said[-1]):
            said.append(words)
    return "\n".join(said).strip("\n")


def _field(name: str) -> Piece:
    return Piece(name, is_field=True)
