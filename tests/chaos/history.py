"""How long a history is, how much happens in it, and what came of it."""

from dataclasses import asdict, dataclass
from typing import Any

WRONG = (
    "lost",
    "doubled",
    "oversold",
    "adrift",
    "unaccounted",
    "held_though_refused",
    "posts_twice",
    "posts_missing",
    "redeemed_lost",
)
"""What an audit may find that there should be none of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A history ends after *seconds*, or with the last of *claims*, if that is sooner.

    *kills* and *crashes* are spread over it, wherever *seed* has them.
    """

    seconds: float
    claims: int
    kills: int
    crashes: int
    seed: int = 1
    shoppers: int = 48
    payers: float = 0.06
    webs: int = 2
    workers: int = 2
    openings: int = 8
    settle_within: float = 300.0


SHORT = Plan(seconds=75, claims=1_000_000, kills=15, crashes=3)
SHORT_IN_A_FILE = Plan(
    seconds=40, claims=1_000_000, kills=6, crashes=0, shoppers=16, openings=4
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What must be 0 is in ``wrong``; the rest says how much there was to go wrong.

    *lost*: holds that a shopper was promised and that are not there. *doubled*: keys
    that were granted twice. *oversold*: units promised beyond those there are.
    *adrift*: deals whose counters are not their rows, in the end or at any look
    meanwhile. *unaccounted*: payments that Stripe took and no order or refund tells
    of, and the reverse. *held_though_refused*: shoppers who were told no, and hold a
    unit. *posts_twice*, *posts_missing*: of the deals that opened meanwhile.
    *redeemed_lost*: handed over in the store, and no order.
    """

    database: str
    seconds: int
    claims: int
    acknowledged: int
    refused: int
    unanswered: int
    kills: int
    database_crashes: int
    ended_by_themselves: int
    looks: int
    payments: int
    orders: int
    refunds: int
    redeemed: int
    posts: int
    unexpected_answers: dict[str, int]
    settled_seconds: float
    unsettled: dict[str, int]
    lost: int
    doubled: int
    oversold: int
    adrift: int
    unaccounted: int
    held_though_refused: int
    posts_twice: int
    posts_missing: int
    redeemed_lost: int

    @property
    def wrong(self) -> dict[str, int]:
        """What there should be none of, and is; empty if all is well."""
        found = {name: getattr(self, name) for name in WRONG} | self.unsettled
        return {name: count for name, count in found.items() if count}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
