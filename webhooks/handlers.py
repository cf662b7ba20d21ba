"""What an arrival means for offers: one ``match``.

Of a payment page an arrival says only that there is news; the caller brings the page
as the provider describes it now (``checkout_to_fetch``), since messages may be late,
repeated or out of order.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from offers.allotments import fit_to_stock
from offers.catalog import find_offer_by_sku
from offers.checkouts import Checkout
from offers.deals import mark_sold_out
from offers.errors import Missing
from offers.orders import note_refunded, units_sold_since
from offers.posts import retire_posts
from offers.stock import Cause, count_stock
from webhooks.inbox import Arrival, mark_handled
from webhooks.settling import settle_checkout

STRIPE = "stripe"
STOCK = "stock"


def checkout_to_fetch(arrival: Arrival) -> str | None:
    """Return the id of the payment page that an arrival is about, if it is."""
    match arrival.source, arrival.type.split("."), arrival.payload:
        case "stripe", ["checkout", "session", _], {"id": str(checkout_id)}:
            return checkout_id
    return None


def handle(
    session: Session,
    arrival: Arrival,
    checkout: Checkout | None,
    *,
    livemode: bool,
    now: datetime,
) -> str:
    """Act on *arrival*, and never again. Return what became of it, in a few words."""
    if not mark_handled(session, arrival.id, "", now=now):
        return "handled before"
    outcome = _act(session, arrival, checkout, livemode=livemode, now=now)
    arrival.handled_at, arrival.outcome = now, outcome
    session.merge(arrival)
    return outcome


def _act(
    session: Session,
    arrival: Arrival,
    checkout: Checkout | None,
    *,
    livemode: bool,
    now: datetime,
) -> str:
    match arrival.source, arrival.type, arrival.payload:
        case "stripe", _, _ if checkout is not None:
            return _settle(session, checkout, livemode=livemode, now=now)
        case (
            "stripe",
            "charge.refunded",
            {"payment_intent": str(payment_id), "amount_refunded": int(amount)},
        ):
            noted = note_refunded(session, payment_id, amount)
            return "refund noted" if noted else "not an order of ours"
        case "stock", "stock.updated", {"items": list(items)}:
            counts = [_count(session, arrival, item, now) for item in items]
            return f"{sum(counts)} of {len(items)} were news"
    return "nothing to do"


def _settle(
    session: Session, checkout: Checkout, *, livemode: bool, now: datetime
) -> str:
    try:
        return settle_checkout(session, checkout, livemode=livemode, now=now)
    except Missing:
        return "not a hold of ours"


def _count(session: Session, arrival: Arrival, item: Any, now: datetime) -> bool:
    match item:
        case {"sku": str(sku), "quantity": int(quantity)}:
            offer = find_offer_by_sku(session, arrival.retailer_id, sku)
        case _:
            return False
    if offer is None:
        return False
    session.refresh(offer, with_for_update={"key_share": True})  # orders move it too
    news = count_stock(
        session,
        offer,
        quantity,
        counted_at=arrival.sent_at,
        sold_since=units_sold_since(
            session, offer.retailer_id, offer.id, arrival.sent_at
        ),
        cause=Cause.MESSAGE,
        source_id=arrival.id,
        now=now,
    )
    for deal in fit_to_stock(session, offer) if news else ():
        if mark_sold_out(session, deal.id, now=now):
            retire_posts(session, deal.id, now=now)
    return news
