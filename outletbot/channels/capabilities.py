"""Capabilities: what a network takes and can do, as data."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum


class Ability(StrEnum):
    """What can be done to a post once it is out."""

    FIND = "find"
    EDIT = "edit"
    DELETE = "delete"
    ANSWER = "answer"
    MEASURE = "measure"


class Counting(StrEnum):
    """What a network takes for one, when it counts how long a text is."""

    CHARACTERS = "characters"
    GRAPHEMES = "graphemes"
    WEIGHTED = "weighted"
    UTF16 = "utf16"
    EMOJI_BYTES = "emoji_bytes"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many *times* within any window of *per*."""

    times: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class ImageRules:
    """Pictures: how many of *max_bytes* each, of what *formats*, shape and size.

    A shape is width over height. A post has *least* pictures or the network refuses it.
    *by_address* is where the network fetches them itself.
    """

    most: int
    max_bytes: int
    max_alt_length: int
    formats: tuple[str, ...] = ("image/jpeg", "image/png")
    max_side: int = 2048
    min_shape: float | None = None
    max_shape: float | None = None
    least: int = 0
    by_address: bool = False


@dataclass(frozen=True, slots=True)
class PollRules:
    min_options: int
    max_options: int
    max_option_length: int
    min_duration: timedelta
    max_duration: timedelta


@dataclass(frozen=True, slots=True)
class Fees:
    """What the network takes for each call, in US dollars."""

    post: Decimal
    post_with_link: Decimal
    delete: Decimal = Decimal(0)
    read: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a network takes.

    A text is *max_length* long at most, *max_caption* with pictures, as
    ``Channel.length`` counts it. A window of None has no end.
    """

    max_length: int
    images: ImageRules
    abilities: frozenset[Ability] = field(default_factory=lambda: frozenset(Ability))
    counting: Counting = Counting.CHARACTERS
    max_caption: int | None = None
    edit_window: timedelta | None = None
    delete_window: timedelta | None = None
    posts: tuple[Rate, ...] = ()
    deletes: tuple[Rate, ...] = ()
    poll: PollRules | None = None
    fees: Fees | None = None
    links_work: bool = True

    def room(self, *, pictured: bool) -> int:
        """Return how long a text may be, with pictures or without."""
        if pictured and self.max_caption is not None:
            return self.max_caption
        return self.max_length
