"""Reports: what came of a rehearsal, as figures and in plain sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from offers.money import Money
from offers.sentences import Sentence

SLOW_PAGE_MS = 1_000.0
SLOW_CLAIM_MS = 2_000.0
LONG_WAIT = 10  # seconds for a payment page


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """What the headline leaves out. *series* is seconds, held, sold, free.

    *lost* are holds that a shopper was promised and nobody has, *doubled* keys that
    made two; *unsettled* is what was still waiting when time was up.
    """

    deal: str = ""
    title: str = ""
    currency: str = "eur"
    database: str = ""
    shoppers: int = 0
    web: int = 1
    faults: bool = False
    seed: int = 0
    allotment: int = 0
    holds: int = 0
    lost: int = 0
    doubled: int = 0
    adrift: bool = False
    holds_per_second_peak: int = 0
    holds_per_second_mean: float = 0.0
    page_p50_ms: float = 0.0
    page_p99_ms: float = 0.0
    pages: int = 0
    claim_p50_ms: float = 0.0
    claim_p99_ms: float = 0.0
    claims: int = 0
    double_taps: int = 0
    busy: int = 0
    broken_off: int = 0
    refused: int = 0
    payment_page_p50_seconds: float = 0.0
    payment_page_last_seconds: float = 0.0
    posts: int = 0
    posts_failed: int = 0
    posts_twice: int = 0
    posts_retired_p50_ms: float | None = None
    errors_logged: int = 0
    mishaps: Mapping[str, int] = field(default_factory=dict)
    shopper_counts: Mapping[str, int] = field(default_factory=dict)
    unsettled: Mapping[str, int] = field(default_factory=dict)
    series: list[list[float]] = field(default_factory=list)
    verdict: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """*ledger_difference* is minor units: Stripe's balance less what our books say.

    Seconds are from the opening; ``None`` is what did not happen.
    """

    units: int
    sold: int
    oversold: int
    payments: int
    orders: int
    refunds: int
    payments_unaccounted: int
    seconds_to_sold_out: float | None
    seconds_to_settled: float | None
    posts_retired_ms: float | None
    ledger_difference: int
    more: More

    @property
    def passed(self) -> bool:
        """Whether nothing happened that must never happen."""
        never = (
            self.oversold,
            self.payments_unaccounted,
            self.ledger_difference,
            self.more.lost,
            self.more.doubled,
            self.more.adrift,
            self.more.posts_twice,
            self.more.unsettled,
        )
        return not any(never)

    def as_json(self) -> dict[str, Any]:
        said = asdict(self)
        said["more"]["verdict"] = [str(remark.sentence) for remark in remarks(self)]
        return said


def load_report(said: Mapping[str, Any]) -> Report:
    """Return what ``as_json`` wrote, by this version or an earlier one."""
    more = _known(More, said.get("more", {}))
    return Report(**{**_known(Report, said), "more": More(**more)})


def _known(kind: type[Any], said: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in said.items() if name in names}


class Tone(StrEnum):
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Remark:
    tone: Tone
    sentence: Sentence


def remarks(report: Report) -> list[Remark]:
    """Return what a rehearsal showed, what must never happen first."""
    return [
        *_of_units(report),
        *_of_money(report),
        *_of_selling(report),
        *_of_speed(report),
        *_of_posts(report),
    ]


def _of_units(report: Report) -> Iterator[Remark]:
    more = report.more
    if report.oversold or more.adrift:
        too_many = Sentence("{n} units too many were promised.", n=report.oversold)
        yield Remark(Tone.BAD, too_many)
    else:
        yield Remark(Tone.GOOD, Sentence("Nothing was oversold."))
    if more.lost or more.doubled:
        wrong = Sentence(
            "{lost} holds got lost and {doubled} were made twice.",
            lost=more.lost,
            doubled=more.doubled,
        )
        yield Remark(Tone.BAD, wrong)
    else:
        kept = Sentence("Every hold that a shopper was promised was kept, and once.")
        yield Remark(Tone.GOOD, kept)


def _of_money(report: Report) -> Iterator[Remark]:
    if report.payments_unaccounted:
        lost = Sentence(
            "{n} payments have neither an order nor a refund.",
            n=report.payments_unaccounted,
        )
        yield Remark(Tone.BAD, lost)
    else:
        settled = Sentence("Every payment became an order or was given back.")
        yield Remark(Tone.GOOD, settled)
    if report.ledger_difference:
        off = Money(report.ledger_difference, report.more.currency)
        differ = Sentence("The books differ from Stripe's balance by {off}.", off=off)
        yield Remark(Tone.BAD, differ)
    else:
        yield Remark(Tone.GOOD, Sentence("The books agree with Stripe's balance."))


def _of_selling(report: Report) -> Iterator[Remark]:
    if report.seconds_to_sold_out is not None:
        seconds = round(report.seconds_to_sold_out)
        out = Sentence("Sold out {seconds} s after the opening.", seconds=seconds)
        yield Remark(Tone.GOOD, out)
    else:
        too_few = Sentence(
            "Not sold out: {shoppers} shoppers bought {sold} of {units} units.",
            shoppers=report.more.shoppers,
            sold=report.sold,
            units=report.units,
        )
        yield Remark(Tone.WARN, too_few)
    if report.seconds_to_settled is None:
        late = Sentence("When time was up, something was still waiting: see below.")
        yield Remark(Tone.BAD, late)


def _of_speed(report: Report) -> Iterator[Remark]:
    more = report.more
    page, claim = round(more.page_p99_ms), round(more.claim_p99_ms)
    yield Remark(
        Tone.GOOD if page <= SLOW_PAGE_MS else Tone.WARN,
        Sentence("99 of 100 pages came within {ms} ms.", ms=page),
    )
    yield Remark(
        Tone.GOOD if claim <= SLOW_CLAIM_MS else Tone.WARN,
        Sentence("99 of 100 taps on Buy were answered within {ms} ms.", ms=claim),
    )
    if more.busy:
        busy = Sentence(
            "{n} taps were told to come back in some seconds, and did.", n=more.busy
        )
        yield Remark(Tone.WARN, busy)
    yield _of_waiting(round(more.payment_page_last_seconds))


def _of_waiting(seconds: int) -> Remark:
    if seconds <= LONG_WAIT:
        pace = Sentence(
            "Payment pages kept pace: nobody waited longer than {seconds} s.",
            seconds=seconds,
        )
        return Remark(Tone.GOOD, pace)
    limit = Sentence(
        "The last shopper waited {seconds} s for the payment page: in test mode Stripe "
        "makes 25 a second. Live it makes 100.",
        seconds=seconds,
    )
    return Remark(Tone.WARN, limit)


def _of_posts(report: Report) -> Iterator[Remark]:
    more = report.more
    if more.posts_twice:
        twice = Sentence("{n} posts went out twice.", n=more.posts_twice)
        yield Remark(Tone.BAD, twice)
    if more.posts_failed:
        failed = Sentence("{n} posts did not go out.", n=more.posts_failed)
        yield Remark(Tone.WARN, failed)
    if report.posts_retired_ms is not None:
        over = Sentence(
            "Every post said that it is over {ms} ms after the last unit was sold.",
            ms=round(report.posts_retired_ms),
        )
        yield Remark(Tone.GOOD, over)
