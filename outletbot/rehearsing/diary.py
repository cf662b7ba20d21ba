"""The diary: what the shoppers were told, kept for the audit.

An answer counts when it has come: what a diary knows nothing of was promised to nobody.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What an answer's time is counted as."""

    PAGE = "page"
    CLAIM = "claim"
    OTHER = "other"


@dataclass(slots=True)
class Diary:
    """*promised* is, by a page's key, which holds were promised for it.

    *times* are milliseconds; *waits* are seconds from a hold to its payment page.
    """

    times: dict[Kind, list[float]] = field(default_factory=lambda: defaultdict(list))
    promised: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    waits: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def note(self, kind: Kind, milliseconds: float) -> None:
        self.times[kind].append(milliseconds)

    def promise(self, key: str, token: str) -> None:
        """A shopper was led to a hold."""
        self.promised[key].add(token)

    @property
    def doubled(self) -> int:
        """How many keys led to more than one hold."""
        return sum(len(tokens) > 1 for tokens in self.promised.values())


def percentile(values: Sequence[float], share: float) -> float:
    """Return what *share* of *values* are no greater than; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
