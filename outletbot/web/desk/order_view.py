"""All there is to say of one order, read at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from offers.catalog import Offer
from offers.deals import Deal
from offers.disputes import Dispute, disputes_of_order
from offers.holds import get_hold
from offers.ledger import PAYMENTS, LedgerEntry, entries_of_order
from offers.merchants import merchants
from offers.money import Money
from offers.orders import Order, Way
from offers.payment_accounts import (
    PaymentAccount,
    PaymentAccountKind,
    find_payment_account,
)
from offers.posts import Post
from offers.refunds import Refund, refunds_of_order
from offers.returns import Returnable, returnable
from offers.scope import get_own
from outletbot.config import Settings
from outletbot.web.desk.alarms import Alarms, read_alarms
from outletbot.web.desk.dashboard import payment_address


class Happened(StrEnum):
    """What the course of an order is made of."""

    HELD = "held"
    PAID = "paid"
    ASKED = "asked"
    GIVEN = "given"
    FAILED = "failed"
    DISPUTED = "disputed"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to an order, and what it was about."""

    at: datetime
    what: Happened
    refund: Refund | None = None
    dispute: Dispute | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A number of whole units and what they cost, to be given back by one button."""

    units: int
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSheet:
    """An order with all that belongs to it.

    *people* are names by the merchants' ids, *address* is its page at Stripe.
    """

    order: Order
    held_at: datetime
    deal: Deal
    offer: Offer
    post: Post
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]
    entries: tuple[LedgerEntry, ...]
    left: Returnable
    account: PaymentAccount | None
    people: Mapping[str, str]
    address: str
    alarms: Alarms

    @property
    def unit(self) -> Money:
        order = self.order
        return Money(order.total_amount // order.quantity, order.currency)

    @property
    def in_store(self) -> bool:
        return self.order.way is Way.STORE

    @property
    def restocked(self) -> int:
        return sum(refund.units for refund in self.refunds)

    @property
    def withdrawn(self) -> Money:
        """What disputes took of it."""
        units = sum(dispute.withdrawn_amount for dispute in self.disputes)
        return Money(units, self.order.currency)

    @property
    def kept(self) -> Money:
        """What is left of the payment, before fees."""
        return self.order.total - self.order.refunded - self.withdrawn

    @property
    def fee(self) -> Money | None:
        """What was taken of the payment itself in fees, once the books have it."""
        fees = [entry for entry in self.entries if entry.kind in PAYMENTS]
        if not fees:
            return None
        return Money(sum(entry.fee for entry in fees), fees[0].currency)

    @property
    def net(self) -> Money | None:
        """What is left after everything, once the books have it."""
        if not self.entries:
            return None
        net = sum(entry.net for entry in self.entries)
        return Money(net, self.entries[0].currency)

    @property
    def platform_fee(self) -> bool:
        """Whether a share of it went to whoever runs this installation."""
        account = self.account
        connected = account is not None and account.kind is PaymentAccountKind.CONNECTED
        return connected and account is not None and account.fee_bps > 0

    @property
    def wholes(self) -> list[Whole]:
        """The numbers of whole units that can still be given back."""
        most = self.left.units
        wholes = [Whole(units, self.unit * units) for units in range(1, most + 1)]
        return [whole for whole in wholes if whole.money <= self.left.money]

    @property
    def steps(self) -> list[Step]:
        """What happened to it, the first thing first."""
        steps = [
            Step(self.held_at, Happened.HELD),
            Step(self.order.paid_at, Happened.PAID),
        ]
        for refund in self.refunds:
            steps += _course(refund)
        for dispute in self.disputes:
            steps.append(Step(dispute.opened_at, Happened.DISPUTED, dispute=dispute))
            if dispute.closed_at is not None:
                decided = Step(dispute.closed_at, Happened.DECIDED, dispute=dispute)
                steps.append(decided)
        return sorted(steps, key=lambda step: step.at)


def read_sheet(
    session: Session,
    retailer_id: str,
    order_id: str,
    settings: Settings,
    *,
    now: datetime,
) -> OrderSheet:
    """Return an order with all that belongs to it.

    Raises:
        Missing: If it is not this retailer's.
    """
    order = get_own(session, Order, retailer_id, order_id)
    deal = session.get_one(Deal, order.deal_id)
    account = find_payment_account(session, order.account_id)
    alarms = read_alarms(session, retailer_id, settings, now=now)
    return OrderSheet(
        order=order,
        held_at=get_hold(session, order.hold_id).held_at,
        deal=deal,
        offer=session.get_one(Offer, deal.offer_id),
        post=session.get_one(Post, order.post_id),
        refunds=tuple(refunds_of_order(session, retailer_id, order_id)),
        disputes=tuple(disputes_of_order(session, retailer_id, order_id)),
        entries=tuple(entries_of_order(session, retailer_id, order_id)),
        left=returnable(session, order),
        account=account,
        people={one.id: one.name for one in merchants(session, retailer_id)},
        address=payment_address(settings, account, order.payment_id),
        alarms=alarms.of_order(order_id),
    )


def _course(refund: Refund) -> list[Step]:
    moments = (
        (refund.asked_at if refund.asked_by else None, Happened.ASKED),
        (refund.given_at, Happened.GIVEN),
        (refund.failed_at, Happened.FAILED),
    )
    return [Step(at, what, refund=refund) for at, what in moments if at is not None]
