"""What a sale or a return means for the retailer's own shops: each is owed the news.

Shops that we may change the stock of are told by ``offers.tellings``; whoever has an
endpoint hears ``stock.changed`` as well.
"""

from datetime import datetime

from sqlmodel import Session

from offers.catalog import Offer
from offers.echoes import owe_restock, owe_sale
from offers.orders import Order
from offers.refunds import Refund
from offers.shops import CountWord, find_shop
from offers.stock import Cause
from offers.tellings import Doubted, clear, doubted
from webhooks.messages import STOCK_CHANGED, stock_changed
from webhooks.outbox import enqueue
from webhooks.stocking import take_again


def tell_sale(session: Session, order: Order, offer: Offer, *, now: datetime) -> None:
    """Owe the shops that an order was paid; in the transaction in which it was."""
    owe_sale(session, offer, order.id, order.quantity, now=now)
    _say(session, offer, -order.quantity, Cause.ORDER, order.id, now=now)


def tell_restock(
    session: Session, refund: Refund, order: Order, offer: Offer, *, now: datetime
) -> None:
    """Owe the shops that units of an order came back, if any did."""
    if not refund.units:
        return
    units = refund.units
    owe_restock(session, offer, refund.id, units, order_id=order.id, now=now)
    _say(session, offer, units, Cause.REFUND, order.id, now=now)


def take_doubted(session: Session, *, now: datetime) -> int:
    """Take over again what counts seemed to lack. Return how many counts that was."""
    counts = doubted(session)
    for one in counts:
        if find_shop(session, one.shop_id) is not None:
            _take_doubted(session, one, now)
        clear(session, one)
    return len(counts)


def _take_doubted(session: Session, one: Doubted, now: datetime) -> None:
    word = CountWord(
        item_key=one.item_key,
        quantity=one.quantity,
        counted_at=one.counted_at,
        place_key=one.place_key,
    )
    take_again(
        session,
        one.retailer_id,
        one.offer_id,
        one.shop_id,
        word,
        source_id=one.echo_id,
        now=now,
    )


def _say(
    session: Session,
    offer: Offer,
    change: int,
    cause: Cause,
    order_id: str,
    *,
    now: datetime,
) -> None:
    message = stock_changed(offer, change, cause, order_id, now)
    enqueue(session, offer.retailer_id, STOCK_CHANGED, message, now=now)
