"""What we say to a retailer's endpoint, in its first version.

Amounts are whole numbers of minor units; moments are ISO 8601 in UTC.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from offers.accounts import ChannelAccount
from offers.catalog import Offer
from offers.deals import Deal
from offers.orders import Order
from offers.posts import Post
from offers.refunds import Refund
from offers.sentences import load_sentence
from offers.sources import FeedSource
from offers.stock import Cause

ORDER_PAID = "order.paid"
ORDER_REFUNDED = "order.refunded"
REFUND_FAILED = "order.refund_failed"
STOCK_CHANGED = "stock.changed"
DEAL_CLOSED = "deal.closed"
POST_LATE = "post.late"
POST_FAILED = "post.failed"
CHANNEL_TROUBLE = "channel.trouble"
FEED_PAUSED = "feed.paused"
FEED_FAILING = "feed.failing"


@dataclass(frozen=True, slots=True)
class OrderPaid:
    order: str
    deal: str
    sku: str
    title: str
    quantity: int
    total_amount: int
    currency: str
    payment: str
    way: str
    email: str
    name: str
    address: str
    paid_at: str


@dataclass(frozen=True, slots=True)
class OrderRefunded:
    """*amount* and *units* are of this refund; *refunded_amount* of all of them.

    When a refund fails later, ``order.refund_failed`` says the same of it, and
    *refunded_amount* is what remains given back.
    """

    order: str
    deal: str
    sku: str
    title: str
    refund: str
    amount: int
    refunded_amount: int
    total_amount: int
    currency: str
    reason: str
    units: int
    at: str


@dataclass(frozen=True, slots=True)
class StockChanged:
    """Units went or came back here: *change* of them, less than none if they were sold.

    *quantity* is what we know to be left, null if nobody ever said how many there are.
    *cause* is ``order`` or ``refund``, and *order* the one that it was about.
    """

    sku: str
    quantity: int | None
    change: int
    cause: str
    order: str
    at: str


@dataclass(frozen=True, slots=True)
class DealClosed:
    deal: str
    sku: str
    title: str
    offered: int
    sold: int
    held: int
    opened_at: str
    closed_at: str
    sold_out: bool


@dataclass(frozen=True, slots=True)
class PostTrouble:
    """A post that is late, has failed, or may be out and nobody can look for it.

    *state* says which: ``scheduled`` or ``sending``, ``failed``, ``unconfirmed``.
    *reason* is for people, and empty if nobody knows.
    """

    post: str
    deal: str
    title: str
    kind: str
    channel: str
    handle: str
    state: str
    reason: str
    due_at: str
    at: str


@dataclass(frozen=True, slots=True)
class ChannelTrouble:
    """A channel on which nothing goes out before somebody has looked."""

    account: str
    channel: str
    handle: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class FeedTrouble:
    """A source of feeds that halted over a doubt, or brings nothing for a day.

    *feed* is the import that a person has to look at, if it is one; *reason* is for
    people.
    """

    source: str
    name: str
    kind: str
    feed: str | None
    reason: str
    at: str


def order_paid(order: Order, offer: Offer) -> dict[str, object]:
    message = OrderPaid(
        order=order.id,
        deal=order.deal_id,
        sku=offer.sku,
        title=order.title,
        quantity=order.quantity,
        total_amount=order.total_amount,
        currency=order.currency,
        payment=order.payment_id,
        way=order.way,
        email=order.email,
        name=order.name,
        address=order.address,
        paid_at=order.paid_at.isoformat(),
    )
    return asdict(message)


def order_refunded(
    order: Order, offer: Offer, refund: Refund, at: datetime
) -> dict[str, object]:
    message = OrderRefunded(
        order=order.id,
        deal=order.deal_id,
        sku=offer.sku,
        title=order.title,
        refund=refund.id,
        amount=refund.amount,
        refunded_amount=order.refunded_amount,
        total_amount=order.total_amount,
        currency=refund.currency,
        reason=refund.reason,
        units=refund.units,
        at=at.isoformat(),
    )
    return asdict(message)


def stock_changed(
    offer: Offer, change: int, cause: Cause, order_id: str, at: datetime
) -> dict[str, object]:
    message = StockChanged(
        sku=offer.sku,
        quantity=offer.quantity,
        change=change,
        cause=cause,
        order=order_id,
        at=at.isoformat(),
    )
    return asdict(message)


def deal_closed(deal: Deal, offer: Offer) -> dict[str, object]:
    message = DealClosed(
        deal=deal.id,
        sku=offer.sku,
        title=deal.title,
        offered=deal.allotment,
        sold=deal.sold,
        held=deal.held,
        opened_at=deal.opens_at.isoformat(),
        closed_at=deal.closes_at.isoformat(),
        sold_out=deal.sold_out_at is not None,
    )
    return asdict(message)


def post_trouble(
    post: Post, deal: Deal, account: ChannelAccount, at: datetime
) -> dict[str, object]:
    message = PostTrouble(
        post=post.id,
        deal=deal.id,
        title=deal.title,
        kind=post.kind,
        channel=account.kind,
        handle=account.handle,
        state=post.state,
        reason=post.failure,
        due_at=post.first_due_at.isoformat(),
        at=at.isoformat(),
    )
    return asdict(message)


def channel_trouble(account: ChannelAccount, at: datetime) -> dict[str, object]:
    message = ChannelTrouble(
        account=account.id,
        channel=account.kind,
        handle=account.handle,
        reason=account.trouble,
        at=at.isoformat(),
    )
    return asdict(message)


def feed_trouble(source: FeedSource, at: datetime) -> dict[str, object]:
    said = source.halt_reason or source.result
    message = FeedTrouble(
        source=source.id,
        name=source.name or source.url,
        kind=source.kind,
        feed=source.import_id,
        reason=str(load_sentence(said)) if said else "",
        at=at.isoformat(),
    )
    return asdict(message)
