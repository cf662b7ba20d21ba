"""Nature: what a shopper is like, drawn from a seed.

The shares are what a rush looks like, a little worse: more double taps, more people
who change their mind, more who pay in the last second.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

EARLY = 0.15  # are there before the opening, and wait for it
LATE = 0.15  # come when the first rush is over
EARLY_BY = 4.0  # seconds before the opening, at most
RUSH = 3.0  # seconds: the mean of how late the others are
LATE_WITHIN = 30.0
LISTEN = 0.2  # of those who wait: told by server-sent events; the others ask
STAY = 0.4  # of those who find every unit held: wait for one to come back
DOUBLE_TAPS = 0.1
RETURN = 0.9  # of those who paid: go back to the shop; the others close the page
MOST_THOUGHT = 2.0  # seconds between seeing the price and tapping


class Paying(StrEnum):
    """What becomes of a hold, as far as its shopper has a say in it."""

    AT_ONCE = "at_once"
    LATE = "late"
    TOO_LATE = "too_late"
    BY_DEBIT = "by_debit"
    ABANDONED = "abandoned"
    GIVEN_UP = "given_up"


SHARES = {
    Paying.AT_ONCE: 0.70,
    Paying.LATE: 0.09,
    Paying.TOO_LATE: 0.05,
    Paying.BY_DEBIT: 0.02,
    Paying.ABANDONED: 0.08,
    Paying.GIVEN_UP: 0.06,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """*comes_at* is seconds after the opening; *luck* decides where a coin is thrown.

    Who *stays* and gets a unit in the end pays it at once: they waited for it.
    """

    number: int
    comes_at: float
    thinks: float
    paying: Paying
    stays: bool
    listens: bool
    double_taps: bool
    returns: bool
    luck: float


def natures(count: int, seed: int) -> list[Nature]:
    """Return a crowd; the same *seed* makes the same."""
    dice = random.Random(seed)  # noqa: S311  (a crowd, not a secret)
    return [_draw(number, dice) for number in range(count)]


def _draw(number: int, dice: random.Random) -> Nature:
    (paying,) = dice.choices(list(SHARES), list(SHARES.values()))
    return Nature(
        number=number,
        comes_at=_comes_at(dice),
        thinks=dice.uniform(0.2, MOST_THOUGHT),
        paying=paying,
        stays=dice.random() < STAY,
        listens=dice.random() < LISTEN,
        double_taps=dice.random() < DOUBLE_TAPS,
        returns=dice.random() < RETURN,
        luck=dice.random(),
    )


def _comes_at(dice: random.Random) -> float:
    when = dice.random()
    if when < EARLY:
        return -dice.uniform(0.0, EARLY_BY)
    if when < EARLY + LATE:
        return dice.uniform(RUSH, LATE_WITHIN)
    return min(dice.expovariate(1 / RUSH), LATE_WITHIN)
