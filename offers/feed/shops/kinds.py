"""What a dialect is: how one shop's export names its columns and arranges its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from offers.sentences import Sentence


class Family(StrEnum):
    """How the rows of one product find each other."""

    NONE = "none"
    FOLLOWING = "following"  # later rows of a product leave its cells blank
    PARENT = "parent"  # a variant names the row of its product


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of writing products down.

    ``signature`` holds normalised headers; a file with ``enough`` of them, and with
    more of them than of any other dialect's, is written in it. ``aliases`` may say
    ``{n}`` for the number of an option. ``leftover`` are fields of which a row has
    at least one, unless it only adds a picture.
    """

    slug: str
    name: str
    signature: frozenset[str] = frozenset()
    enough: int = 0
    aliases: Mapping[str, str] = field(default_factory=dict)
    decimal: str = ""
    family: Family = Family.NONE
    inherited: tuple[str, ...] = ()
    leftover: tuple[str, ...] = ()
    not_offers: Mapping[str, Sentence] = field(default_factory=dict)
    options_of: frozenset[str] = frozenset()


PARENT = Sentence("The product itself; its variants have rows of their own.")
GROUP = Sentence("A group of products that have rows of their own.")
BUNDLE = Sentence("A bundle, priced by the products in it.")
ELSEWHERE = Sentence("Sold on another site.")
BOOKING = Sentence("A booking: it needs a date, which a deal cannot give.")
