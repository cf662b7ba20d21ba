"""What stock messages mean for offers, and for the posts of deals that sell out."""

from datetime import datetime

from sqlmodel import Session

from offers.catalog import Offer
from offers.hearing import (
    Heard,
    Taken,
    hear,
    hear_waiting,
    keep_for_later,
    take_count,
)
from offers.scope import get_own
from offers.shops import BY_MESSAGE, CountWord, ShopConnection, Words, note_heard
from webhooks.inbox import Arrival
from webhooks.refitting import retire_sold_out
from webhooks.shop_messages import words_of
from webhooks.standard import words


def take_message(session: Session, arrival: Arrival, *, now: datetime) -> str:
    """Act on a shop's message about its goods. Return what became of it."""
    match arrival.source, arrival.type, arrival.payload:
        case "stock", "stock.updated", {"items": list()}:
            return _take_own(session, arrival, now)
        case "shop", _, {"shop_id": str(shop_id)}:
            return _take_shops(session, arrival, shop_id, now)
    return "nothing to do"


def take_known(session: Session, *, now: datetime) -> int:
    """Take over what waited until it was known. Return how many counts that was."""
    heard = hear_waiting(session, now=now)
    retire_sold_out(session, heard.deals, now)
    return len(heard.counts)


def take_again(
    session: Session,
    retailer_id: str,
    offer_id: str,
    shop_id: str,
    word: CountWord,
    *,
    source_id: str,
    now: datetime,
) -> Taken:
    """Take a count over once more, since more is known of what it includes.

    Raises:
        Missing: If the offer is not this retailer's.
    """
    offer = get_own(session, Offer, retailer_id, offer_id)
    taken, deals, _ = take_count(
        session, offer, shop_id, word, source_id=source_id, now=now
    )
    retire_sold_out(session, {deal.id for deal in deals}, now)
    return taken


def _take_own(session: Session, arrival: Arrival, now: datetime) -> str:
    """A message to the retailer's own address, from no shop that we know."""
    said = words(arrival.payload, sent_at=arrival.sent_at, nowhere=None)
    heard = _hear_all(session, arrival, BY_MESSAGE, said, now)
    news = heard.counts.count(Taken.NEWS) + heard.counts.count(Taken.SAME)
    return f"{news} of {len(arrival.payload['items'])} were news"


def _take_shops(session: Session, arrival: Arrival, shop_id: str, now: datetime) -> str:
    if not note_heard(session, shop_id, arrival.type, now=now):
        return "the shop was disconnected"
    shop = session.get_one(ShopConnection, shop_id)
    said = words_of(arrival)
    if shop.paused:
        keep_for_later(
            session, shop.retailer_id, shop.id, said, source_id=arrival.id, now=now
        )
        return "kept, for the shop is paused"
    return str(_hear_all(session, arrival, shop.id, said, now))


def _hear_all(
    session: Session, arrival: Arrival, shop_id: str, said: Words, now: datetime
) -> Heard:
    heard = hear(
        session, arrival.retailer_id, shop_id, said, source_id=arrival.id, now=now
    )
    retire_sold_out(session, heard.deals, now)
    return heard
