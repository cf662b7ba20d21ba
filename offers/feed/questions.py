"""Questions: what only a person can say of a file, and what a person has said.

Both are plain data, so that a page can show and keep them: an answer is text under
the key of its question.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal, Self, cast

from offers.feed.days import DAY_FIRST, MONTH_FIRST
from offers.money import is_currency
from offers.sentences import Sentence

Kind = Literal[
    "mapping",
    "currency",
    "tax",
    "tax_rate",
    "clearance",
    "places",
    "units",
    "mark",
    "days",
]

_MARKS = frozenset({".", ","})
_ORDERS = frozenset({DAY_FIRST, MONTH_FIRST})


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be chosen: what is kept of it, and how it is shown."""

    value: str
    label: Sentence


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that the file does not say.

    ``key`` is where its answer is kept: the kind, with the column's header after a
    colon for a ``mark`` and for ``days``. Without ``choices`` the answer is typed.
    ``several`` choices are kept with line breaks between them. ``answer`` is what was
    answered, or what is taken until then; ``needed`` says that nothing should be
    imported without it. The answer to a ``mapping`` is the field of each column, given
    to ``open_feed``.
    """

    kind: Kind
    key: str
    sentence: Sentence
    choices: tuple[Choice, ...] = ()
    several: bool = False
    needed: bool = False
    answered: bool = False
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person has said of a file; what is ``None`` was not said.

    ``clearance`` is the header of the column whose price is charged now, ``places``
    are those whose units count, ``units`` how many there are of what has no number,
    ``marks`` the decimal mark of a column by its header, ``days`` whether the day or
    the month comes first in it.
    """

    currency: str | None = None
    tax: Literal["included", "excluded"] | None = None
    tax_rate: Decimal | None = None
    clearance: str | None = None
    places: tuple[str, ...] | None = None
    units: int | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, said: Mapping[str, str]) -> Self:
        """Return the answers that are kept as text, by the key of their question.

        Raises:
            ValueError: If one of them is none of what its question allows.
        """
        filled = {key: text.strip() for key, text in said.items() if text.strip()}
        tax = filled.get("tax")
        taxes = frozenset({"included", "excluded"})
        return cls(
            currency=_currency(filled.get("currency")),
            tax=cast("Literal['included', 'excluded']", _one_of(tax, taxes))
            if tax
            else None,
            tax_rate=_rate(filled.get("tax_rate")),
            clearance=filled.get("clearance"),
            places=_lines(filled.get("places")),
            units=_units(filled.get("units")),
            marks=_by_column("mark:", filled, _MARKS),
            days=_by_column("days:", filled, _ORDERS),
        )


def _by_column(
    kind: str, said: Mapping[str, str], allowed: frozenset[str]
) -> dict[str, str]:
    return {
        key.removeprefix(kind): _one_of(text, allowed)
        for key, text in said.items()
        if key.startswith(kind)
    }


def _one_of(text: str, allowed: frozenset[str]) -> str:
    if text not in allowed:
        raise ValueError(text)
    return text


def _currency(text: str | None) -> str | None:
    if text is not None and not is_currency(text.lower()):
        raise ValueError(text)
    return text.lower() if text else None


def _rate(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        rate = Decimal(text.rstrip("% ").replace(",", "."))
    except InvalidOperation:
        raise ValueError(text) from None
    if not rate.is_finite() or not 0 <= rate <= 100:
        raise ValueError(text)
    return rate


def _lines(text: str | None) -> tuple[str, ...] | None:
    return tuple(line.strip() for line in text.splitlines()) if text else None


def _units(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise ValueError(text)
    return int(text)
