"""A hold as its shopper sees it: what it is waiting for, and what can be done."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from offers.deals import Phase
from offers.holds import PAYABLE, Hold, HoldState, get_hold_by_token
from offers.money import Money
from offers.orders import Order, find_order_of_hold
from offers.payment_accounts import may_sell
from offers.refunds import Refund, find_refund_of_hold
from offers.retailers import get_retailer
from offers.wall import get_posted
from outletbot.web.shop.cards import Card, next_cards
from outletbot.web.shop.deal_view import Seller, seller_of


class Standing(StrEnum):
    """What a shopper has to be told."""

    WAITING = "waiting"
    PAYABLE = "payable"
    CONFIRMING = "confirming"
    ENDING = "ending"
    PROCESSING = "processing"
    RELEASED = "released"
    REFUNDED = "refunded"
    REVIEW = "review"


SETTLED = {
    HoldState.PROCESSING: Standing.PROCESSING,
    HoldState.RELEASED: Standing.RELEASED,
    HoldState.REVIEW: Standing.REVIEW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """*now* is when it was read, for the countdown."""

    hold: Hold
    deal_id: str
    code: str
    may_pay: bool
    phase: Phase
    hold_for: timedelta
    seller: Seller
    picture_id: str | None
    order: Order | None
    refund: Refund | None
    next: tuple[Card, ...]
    now: datetime

    @property
    def unit(self) -> Money:
        return Money(self.hold.unit_amount, self.hold.currency)

    @property
    def standing(self) -> Standing:
        if self.refund is not None:
            return Standing.REFUNDED
        if self.hold.state not in PAYABLE:
            return SETTLED.get(self.hold.state, Standing.PROCESSING)
        if self.hold.expires_at <= self.now:
            return Standing.ENDING
        is_open = self.hold.state is HoldState.OPEN
        return Standing.PAYABLE if is_open else Standing.WAITING

    @property
    def is_troubled(self) -> bool:
        """Whether the provider was asked for the page before, and gave none."""
        return self.standing is Standing.WAITING and self.hold.attempts > 1

    @property
    def can_extend(self) -> bool:
        return self.standing is Standing.PAYABLE and not self.hold.extended


def read_hold(session: Session, token: str, *, now: datetime) -> HoldView:
    """Return the hold that a shopper has the *token* of.

    Raises:
        Missing: If there is none.
    """
    hold = get_hold_by_token(session, token)
    posted = get_posted(session, hold.retailer_id, hold.deal_id, hold.post_id)
    deal, post = posted.deal, posted.post
    return HoldView(
        hold=hold,
        deal_id=deal.id,
        code=post.code,
        may_pay=bool(hold.request) or may_sell(session, hold.retailer_id),
        phase=deal.phase(now),
        hold_for=deal.hold_for,
        seller=seller_of(get_retailer(session, deal.retailer_id)),
        picture_id=posted.picture_id,
        order=find_order_of_hold(session, hold.id),
        refund=find_refund_of_hold(session, hold.id),
        next=next_cards(session, deal, post.channel, now=now),
        now=now,
    )
