"""Hearing: what a shop's word means for offers, their deals and who holds units.

A count is absolute and belongs to a moment of the shop's. One that is older than what
we know of the place is dropped; one of the same moment is not, since clocks may tell
seconds only, unless the shop says when it sent both. What went here and is not in it
yet comes off. If there are fewer than are held, the newest holds lose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from offers.allotments import fit_to_stock, lock
from offers.catalog import Offer
from offers.deals import Deal
from offers.echoes import not_in_count, told_apart
from offers.holds import Hold
from offers.levels import (
    drop_level,
    find_level,
    outdate_levels,
    place_of,
    take_level,
)
from offers.losing import lock_holds, lose_newest
from offers.orders import units_sold_since
from offers.returns import units_restocked_since
from offers.shop_items import (
    find_offer,
    forget_items,
    forget_renamed,
    keep_waiting,
    learn_item,
    take_price,
    take_waiting,
)
from offers.shops import (
    BY_MESSAGE,
    CountWord,
    StockPlace,
    WaitingCount,
    Words,
)
from offers.stock import Cause, count_stock, gone_since, recount


class Taken(StrEnum):
    """What became of a count."""

    NEWS = "news"
    SAME = "same"
    OLD = "old"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Heard:
    """What a message did. The posts of *deals* may have to say that all is gone."""

    counts: list[Taken] = field(default_factory=list)
    prices: int = 0
    deals: set[str] = field(default_factory=set)
    lost: list[Hold] = field(default_factory=list)

    def __str__(self) -> str:
        said = [f"{self.counts.count(each)} {each}" for each in Taken]
        said = [each for each in said if not each.startswith("0 ")]
        if self.prices:
            said.append(f"{self.prices} repriced")
        if self.lost:
            said.append(f"{len(self.lost)} holds lost")
        return ", ".join(said) or "nothing to do"


def hear(
    session: Session,
    retailer_id: str,
    shop_id: str,
    words: Words,
    *,
    source_id: str,
    now: datetime,
) -> Heard:
    """Take over what a shop says of its goods and their prices, and how many it has."""
    heard = Heard()
    _forget_others(session, shop_id, words)
    forget_renamed(session, shop_id, words.items)
    for item in words.items:
        if learn_item(session, retailer_id, shop_id, item, now=now):
            source = f"{source_id} {item.item_key}"
            heard.prices += take_price(
                session, retailer_id, item, source=source, now=now
            )
    counts = list(words.counts)
    if words.items:
        waiting = take_waiting(session, shop_id=shop_id)
        counts = [*(word_of(each) for each in waiting), *counts]
    for word, offer in _with_offers(session, retailer_id, shop_id, counts, now):
        if offer is None:
            keep_waiting(
                session, retailer_id, shop_id, word, source_id=source_id, now=now
            )
            heard.counts.append(Taken.UNKNOWN)
        else:
            _take(session, heard, shop_id, word, offer, source_id, now)
    return heard


def hear_waiting(session: Session, *, now: datetime, limit: int = 100) -> Heard:
    """Take over counts that waited for their things to be known, of whichever shop."""
    heard = Heard()
    found = [
        (word, find_offer(session, waiting.retailer_id, waiting.shop_id, word), waiting)
        for waiting in take_waiting(session, limit=limit)
        for word in (word_of(waiting),)
    ]
    for word, offer, waiting in sorted(found, key=lambda each: _in_turn(each[:2])):
        of, source_id = (waiting.retailer_id, waiting.shop_id), waiting.source_id
        if offer is None:
            keep_waiting(session, *of, word, source_id=source_id, now=now)
        else:
            _take(session, heard, waiting.shop_id, word, offer, source_id, now)
    return heard


def keep_for_later(
    session: Session,
    retailer_id: str,
    shop_id: str,
    words: Words,
    *,
    source_id: str,
    now: datetime,
) -> None:
    """Keep the counts of a shop that is paused until it goes on.

    What its keys stand for is learned: it may never be said again.
    """
    _forget_others(session, shop_id, words)
    forget_renamed(session, shop_id, words.items)
    for item in words.items:
        learn_item(session, retailer_id, shop_id, item, now=now)
    for word in words.counts:
        keep_waiting(session, retailer_id, shop_id, word, source_id=source_id, now=now)


def take_count(
    session: Session,
    offer: Offer,
    shop_id: str,
    word: CountWord,
    *,
    source_id: str,
    now: datetime,
) -> tuple[Taken, list[Deal], list[Hold]]:
    """Take over one count of an offer: the same one again does no harm.

    Returns the deals that changed and the holds that lost, too.
    """
    place = None
    if word.place_key is not None:
        place = place_of(session, offer.retailer_id, shop_id, word.place_key, now=now)
    lock_holds(session, offer, quantity=_least(session, offer, place, word))
    lock(session, offer)
    before = offer.quantity
    if place is None:
        taken = _take_total(session, offer, word, source_id, now)
    else:
        taken = _take_level(session, offer, place, word, source_id, now)
    if taken is not Taken.NEWS or offer.quantity is None:
        return taken, [], []
    lost = lose_newest(session, offer, now=now) if offer.quantity != before else []
    changed = fit_to_stock(session, offer)
    return taken, [*changed, *_deals_of(session, lost)], lost


def fit_again(session: Session, offer_ids: Iterable[str], *, now: datetime) -> Heard:
    """Let deals follow what offers have now, after a choice of the retailer's."""
    heard = Heard()
    for offer_id in sorted(offer_ids):
        offer = session.get_one(Offer, offer_id)
        lock(session, offer)
        heard.lost += (lost := lose_newest(session, offer, now=now))
        heard.deals |= {deal.id for deal in fit_to_stock(session, offer)}
        heard.deals |= {hold.deal_id for hold in lost}
    return heard


def word_of(waiting: WaitingCount) -> CountWord:
    """Return what a shop said once, as if it said it now."""
    nowhere = None if waiting.shop_id == BY_MESSAGE else ""
    return CountWord(
        item_key=waiting.item_key,
        sku=waiting.sku,
        quantity=waiting.quantity,
        counted_at=waiting.counted_at,
        told_at=waiting.told_at,
        place_key=waiting.place_key or nowhere,
    )


def _forget_others(session: Session, shop_id: str, words: Words) -> None:
    for parent_key, as_of in words.whole:
        items = [item.item_key for item in words.items if item.parent_key == parent_key]
        forget_items(session, shop_id, parent_key, but=items, as_of=as_of)


def _with_offers(
    session: Session,
    retailer_id: str,
    shop_id: str,
    counts: Sequence[CountWord],
    now: datetime,
) -> list[tuple[CountWord, Offer | None]]:
    """Return counts with what they are about, in the order in which all lock offers.

    Places come before offers: whoever adds one keeps nobody waiting who has an offer.
    """
    found = [(word, find_offer(session, retailer_id, shop_id, word)) for word in counts]
    for key in sorted({w.place_key for w in counts if w.place_key is not None}):
        place_of(session, retailer_id, shop_id, key, now=now)
    return sorted(found, key=_in_turn)


def _in_turn(pair: tuple[CountWord, Offer | None]) -> tuple[str, datetime]:
    """The older count first: a later one of another place does not shut it out."""
    word, offer = pair
    return (offer.id if offer else "", word.counted_at)


def _take(
    session: Session,
    heard: Heard,
    shop_id: str,
    word: CountWord,
    offer: Offer,
    source_id: str,
    now: datetime,
) -> None:
    taken, deals, lost = take_count(
        session, offer, shop_id, word, source_id=source_id, now=now
    )
    heard.counts.append(taken)
    heard.deals |= {deal.id for deal in deals}
    heard.lost += lost


def _take_level(
    session: Session,
    offer: Offer,
    place: StockPlace,
    word: CountWord,
    source_id: str,
    now: datetime,
) -> Taken:
    if _is_older(session, offer, place, word):
        return Taken.OLD
    if word.quantity is None:
        if not drop_level(session, offer, place):
            return Taken.SAME
    else:
        take_level(
            session,
            offer,
            place,
            word.quantity - _not_counted(session, offer, place, word),
            counted_at=word.counted_at,
            told_at=word.told_at,
            now=now,
        )
    news = recount(
        session,
        offer,
        counted_at=word.counted_at,
        cause=Cause.MESSAGE,
        source_id=source_id,
        now=now,
    )
    return Taken.NEWS if news else Taken.SAME


def _is_older(
    session: Session, offer: Offer, place: StockPlace, word: CountWord
) -> bool:
    """Whether more is known already: of this place, or where it is not, in all."""
    level = find_level(session, offer, place)
    if level is None:
        return offer.counted_at is not None and word.counted_at < offer.counted_at
    return word.is_before(level.counted_at, level.told_at)


def _not_counted(
    session: Session, offer: Offer, place: StockPlace, word: CountWord
) -> int:
    """Return how many units went here that the shop's count still includes."""
    at = (place.shop_id, place.place_key)
    gone = gone_since(session, offer, place.id, word.counted_at)
    apart = told_apart(session, offer, *at, word.counted_at)
    quantity = word.quantity or 0
    return gone - apart + not_in_count(session, offer, *at, quantity, word.counted_at)


def _take_total(
    session: Session, offer: Offer, word: CountWord, source_id: str, now: datetime
) -> Taken:
    """Take a count of all there are.

    If the places add up to something else, nobody knows any more what is where.
    """
    if word.quantity is None:
        return Taken.SAME
    of = (session, offer.retailer_id, offer.id, word.counted_at)
    gone, before = units_sold_since(*of) - units_restocked_since(*of), offer.quantity
    news = count_stock(
        session,
        offer,
        word.quantity,
        counted_at=word.counted_at,
        sold_since=gone,
        cause=Cause.MESSAGE,
        source_id=source_id,
        now=now,
    )
    if not news:
        return Taken.OLD
    if offer.quantity != before:
        outdate_levels(session, [offer.id])
    return Taken.NEWS


def _least(
    session: Session, offer: Offer, place: StockPlace | None, word: CountWord
) -> int:
    """Return, before anything is locked, how few there may be afterwards."""
    if place is None:
        return word.quantity or 0
    level = find_level(session, offer, place)
    known = level.quantity if level else offer.quantity or 0
    return min(word.quantity or 0, (offer.quantity or 0) - known + (word.quantity or 0))


def _deals_of(session: Session, holds: Iterable[Hold]) -> Sequence[Deal]:
    ids = {hold.deal_id for hold in holds}
    if not ids:
        return []
    return session.exec(select(Deal).where(col(Deal.id).in_(ids))).all()
