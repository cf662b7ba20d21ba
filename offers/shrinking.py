"""Shrinking: what a file would take out of stock, and when that needs a second yes.

A file that leaves out half of what is known, or would empty a third of it, is more
often half a file than half a shop. Nothing is emptied then before somebody says so once
more, and names the number.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from offers.errors import Refused
from offers.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """Of *known* offers, *stocked* with stock, what a file would do to them.

    *emptied* have stock and none by the file; *missing* are not in it at all, and of
    them *missing_stocked* have stock.
    """

    known: int = 0
    stocked: int = 0
    emptied: int = 0
    missing: int = 0
    missing_stocked: int = 0

    def losing(self, *, complete: bool) -> int:
        """Return how many offers would go from some stock to none."""
        return self.emptied + (self.missing_stocked if complete else 0)

    def is_doubtful(self, *, complete: bool) -> bool:
        """Whether more than half are missing, or more than 30 percent emptied."""
        half_gone = complete and self.missing * 2 > self.known
        return half_gone or self.losing(complete=complete) * 10 > self.stocked * 3


NOTHING_GONE = Shrinkage()


class TooMuchWouldGo(Refused):
    """The file would take *losing* of *stocked* offers out of stock."""

    code = "too_much_would_go"

    def __init__(self, shrinkage: Shrinkage, *, complete: bool) -> None:
        self.losing = shrinkage.losing(complete=complete)
        self.shrinkage = shrinkage
        super().__init__(_warning(shrinkage, self.losing, complete=complete))


def _warning(shrinkage: Shrinkage, losing: int, *, complete: bool) -> Sentence:
    if not complete:
        return Sentence(
            "This takes {losing} of the {stocked} offers that have stock to none. "
            "If that is so, say it again.",
            losing=losing,
            stocked=shrinkage.stocked,
        )
    return Sentence(
        "{missing} of your {known} offers are not in this file, and {losing} of the "
        "{stocked} that have stock would have none. If that is so, say it again.",
        missing=shrinkage.missing,
        known=shrinkage.known,
        losing=losing,
        stocked=shrinkage.stocked,
    )


def refuse_shrinking(
    shrinkage: Shrinkage, *, complete: bool, agreed: int | None
) -> None:
    """Let only pass what is no doubt, or what somebody agreed to by its number.

    Raises:
        TooMuchWouldGo: If it is doubtful and *agreed* is another number, or none.
    """
    doubtful = shrinkage.is_doubtful(complete=complete)
    if doubtful and agreed != shrinkage.losing(complete=complete):
        raise TooMuchWouldGo(shrinkage, complete=complete)


def shrinkage_of(facts: Mapping[str, object]) -> Shrinkage:
    """Return what was found when a file was checked."""
    names = asdict(Shrinkage())
    return Shrinkage(**{name: int(str(facts.get(name, 0))) for name in names})
