"""Evidence: what a struck-through price rests on, or why there is none.

The rule itself is in ``offers.prices``; here it is laid open for the merchant, who has
to be able to show it (Directive 98/6/EC, article 6a).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from offers.deals import Deal, expected_reduction
from offers.money import Money
from offers.prices import WINDOW, PricePoint, Reduction, lowest_price, price_log


class Ground(StrEnum):
    """Why a reduction may be announced or not."""

    PROVEN = "proven"
    LOG_TOO_SHORT = "log_too_short"
    CURRENCY_CHANGED = "currency_changed"
    NOT_LOWER = "not_lower"


@dataclass(frozen=True, slots=True)
class Charged:
    """From *since* on the shop charged *price*; *source* says how we know."""

    since: datetime
    price: Money
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The prices of the 30 days before a deal opened, and what follows from them."""

    ground: Ground
    start: datetime
    end: datetime
    lowest: Money | None
    reduction: Reduction | None
    charged: tuple[Charged, ...]


def find_evidence(session: Session, deal: Deal) -> Evidence:
    """Return what is known today of the prices before *deal* opens or opened."""
    start = deal.opens_at - WINDOW
    log = price_log(session, deal.retailer_id, deal.offer_id)
    log = [point for point in log if point.applied_at < deal.opens_at]
    before = [point for point in log if point.applied_at <= start][-1:]
    applied = [*before, *(point for point in log if point.applied_at > start)]
    reduction = expected_reduction(session, deal)
    return Evidence(
        ground=_ground(before, applied, reduction),
        start=start,
        end=deal.opens_at,
        lowest=lowest_price(log, at=deal.opens_at),
        reduction=reduction,
        charged=tuple(Charged(p.applied_at, p.price, p.source) for p in applied),
    )


def _ground(
    before: list[PricePoint], applied: list[PricePoint], reduction: Reduction | None
) -> Ground:
    if reduction is not None:
        return Ground.PROVEN
    if not before:
        return Ground.LOG_TOO_SHORT
    if len({point.currency for point in applied}) > 1:
        return Ground.CURRENCY_CHANGED
    return Ground.NOT_LOWER
