"""Cards: a deal in brief, with its stock as shoppers are told it.

A stock is told exactly when it is low and as a band when it is high: true either way,
and a page that says "40+" need not be made anew for every unit sold.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from offers.deals import Deal, Phase
from offers.money import Money
from offers.prices import Reduction
from offers.wall import Posted, next_posted

EXACT = 20
BANDS = (1_000, 500, 250, 100)

OVER = frozenset({Phase.SOLD_OUT, Phase.ENDED})


@dataclass(frozen=True, slots=True)
class Stock:
    """*left* units can be bought, or more if not *exact*; *share* is in percent."""

    left: int
    exact: bool
    held: int
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A deal and the link it goes by."""

    code: str
    title: str
    price: Money
    reduction: Reduction | None
    phase: Phase
    stock: Stock
    opens_at: datetime
    closes_at: datetime
    sold_out_after: timedelta | None
    picture_id: str | None

    @property
    def is_over(self) -> bool:
        return self.phase in OVER


def stock_of(deal: Deal) -> Stock:
    """Return the stock of a deal as it is told."""
    left = max(0, deal.left)
    share = -(-left * 20 // max(1, deal.allotment)) * 5  # in steps of 5, never 0 early
    return Stock(band(left), left <= EXACT, deal.held, min(100, share))


def band(left: int) -> int:
    """Return *left* itself if it is low, else the round number below it."""
    if left <= EXACT:
        return left
    for least in BANDS:
        if left >= least:
            return least
    return left // 10 * 10


def sold_out_after(deal: Deal) -> timedelta | None:
    """Return how long a sold-out deal lasted, in whole seconds."""
    if deal.sold_out_at is None or deal.sold_out_at < deal.opens_at:
        return None
    lasted = deal.sold_out_at - deal.opens_at
    return timedelta(seconds=int(lasted.total_seconds()))


def card_of(posted: Posted, *, now: datetime) -> Card:
    deal = posted.deal
    return Card(
        code=posted.post.code,
        title=deal.title,
        price=deal.price,
        reduction=deal.reduction,
        phase=deal.phase(now),
        stock=stock_of(deal),
        opens_at=deal.opens_at,
        closes_at=deal.closes_at,
        sold_out_after=sold_out_after(deal),
        picture_id=posted.picture_id,
    )


def next_cards(
    session: Session, deal: Deal, channel: str, *, now: datetime, limit: int = 3
) -> tuple[Card, ...]:
    """Return what else the deal's retailer has: by the channel one came from, if so."""
    coming = next_posted(session, deal, channel, now=now, limit=limit)
    return tuple(card_of(posted, now=now) for posted in coming)
