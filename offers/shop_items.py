"""What a shop's own keys stand for, and what it said of things that nobody knows.

A shop names its goods by keys of its own. What it says of a key is kept until the key
is learned to be one of our SKUs; then its last count is taken over. One SKU belongs to
one key of a shop: the first keeps it until the shop says something else.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, delete, or_, select

from offers.catalog import Offer, find_offer_by_sku
from offers.ids import new_id
from offers.money import Money
from offers.prices import log_price
from offers.shops import CountWord, ItemWord, ShopConnection, ShopItem, WaitingCount

LARGEST = 10**15
"""Minor units: a higher price is a mistake, and more than our databases count."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """How much a shop said of things that we do not know."""

    items: int
    messages: int


def learn_item(
    session: Session, retailer_id: str, shop_id: str, word: ItemWord, *, now: datetime
) -> bool:
    """Keep which SKU a key stands for. Return whether the word is newer than the last.

    A SKU that another key of the shop has stays with that one.
    """
    item = find_item(session, shop_id, word.item_key)
    if item is not None and item.as_of is not None and word.as_of < item.as_of:
        return False
    if _is_taken(session, shop_id, word):
        return False
    item = item or ShopItem(
        id=new_id("item", now),
        retailer_id=retailer_id,
        shop_id=shop_id,
        item_key=word.item_key,
        sku=word.sku,
        learned_at=now,
    )
    item.sku, item.parent_key, item.as_of = word.sku, word.parent_key, word.as_of
    session.add(item)
    session.flush()
    return True


def find_item(session: Session, shop_id: str, item_key: str) -> ShopItem | None:
    wanted = (ShopItem.shop_id == shop_id, ShopItem.item_key == item_key)
    return session.exec(select(ShopItem).where(*wanted)).one_or_none()


def forget_items(
    session: Session,
    shop_id: str,
    parent_key: str,
    *,
    but: Collection[str] = (),
    as_of: datetime,
) -> None:
    """The shop no longer has a product, or has it in no other variants any more."""
    statement = delete(ShopItem).where(
        col(ShopItem.shop_id) == shop_id,
        col(ShopItem.parent_key) == parent_key,
        col(ShopItem.item_key).not_in(but),
        col(ShopItem.as_of) <= as_of,
    )
    session.exec(statement)


def forget_renamed(session: Session, shop_id: str, items: Iterable[ItemWord]) -> None:
    """Forget what keys stood for that have other SKUs by now: two may have swapped."""
    for word in items:
        statement = delete(ShopItem).where(
            col(ShopItem.shop_id) == shop_id,
            col(ShopItem.item_key) == word.item_key,
            col(ShopItem.sku) != word.sku,
            func.coalesce(col(ShopItem.as_of), word.as_of) <= word.as_of,
        )
        session.exec(statement)


def find_offer(
    session: Session, retailer_id: str, shop_id: str, word: CountWord
) -> Offer | None:
    """Return what a shop's count is about: as learned, or as the message itself says.

    ``None`` if that is not known, or if its SKU is another key's.
    """
    item = find_item(session, shop_id, word.item_key)
    if item is not None:
        return find_offer_by_sku(session, retailer_id, item.sku)
    if not word.sku or _is_taken(session, shop_id, word):
        return None
    return find_offer_by_sku(session, retailer_id, word.sku)


def take_price(
    session: Session, retailer_id: str, word: ItemWord, *, source: str, now: datetime
) -> bool:
    """Take over what the shop charges, in the offer's currency. Whether it is news."""
    offer = find_offer_by_sku(session, retailer_id, word.sku)
    if offer is None or word.price is None:
        return False
    try:
        price = Money.of(word.price, offer.currency)
        listed = word.list_price and Money.of(word.list_price, offer.currency)
    except ValueError:  # finer than the currency: it is in another one
        return False
    if not 0 < price.amount < LARGEST:
        return False
    if listed and price < listed and listed.amount < LARGEST:
        offer.list_price_amount = listed.amount
    elif word.list_price is not None:
        offer.list_price_amount = None
    is_news = offer.price != price
    offer.price_amount = price.amount
    session.add(offer)
    if is_news:  # a deal's price may be the last in the log, which this does not end
        log_price(
            session,
            retailer_id,
            offer.id,
            price,
            source=source,
            now=now,
            tax=offer.tax,
        )
    return is_news


def keep_waiting(
    session: Session,
    retailer_id: str,
    shop_id: str,
    word: CountWord,
    *,
    source_id: str,
    now: datetime,
) -> None:
    """Keep the last count of what nobody knows yet; an older one is only counted."""
    place_key = word.place_key or ""
    wanted = (
        WaitingCount.shop_id == shop_id,
        WaitingCount.item_key == word.item_key,
        WaitingCount.place_key == place_key,
    )
    statement = select(WaitingCount).where(*wanted).with_for_update()
    kept = session.exec(
        statement.execution_options(populate_existing=True)
    ).one_or_none()
    waiting = kept or WaitingCount(
        id=new_id("waiting", now),
        retailer_id=retailer_id,
        shop_id=shop_id,
        item_key=word.item_key,
        place_key=place_key,
        counted_at=word.counted_at,
        times=0,
        last_heard_at=now,
    )
    waiting.times, waiting.last_heard_at = waiting.times + 1, now
    if not word.is_before(waiting.counted_at, waiting.told_at):
        waiting.quantity, waiting.counted_at = word.quantity, word.counted_at
        waiting.sku, waiting.told_at = word.sku, word.told_at
        waiting.source_id = source_id
    session.add(waiting)
    session.flush()


def take_waiting(
    session: Session, *, shop_id: str = "", limit: int = 100
) -> list[WaitingCount]:
    """Take counts out whose things are known by now; each goes to one caller."""
    statement = (
        select(WaitingCount)
        .outerjoin(ShopItem, _is_item)
        .join(Offer, _is_offer)
        .where(col(WaitingCount.shop_id).not_in(_PAUSED))
        .order_by(col(WaitingCount.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=WaitingCount)
    )
    if shop_id:
        statement = statement.where(WaitingCount.shop_id == shop_id)
    known = {waiting.id: waiting for waiting in session.exec(statement)}
    if known:
        taken = delete(WaitingCount).where(col(WaitingCount.id).in_(known))
        session.exec(taken.execution_options(synchronize_session=False))
        for waiting in known.values():
            session.expunge(waiting)
    return list(known.values())


def unknown_of(session: Session, retailer_id: str) -> dict[str, Unknown]:
    """Return how much each shop of a retailer said of what we do not know."""
    statement = (
        select(
            WaitingCount.shop_id,
            func.count(col(WaitingCount.id)),
            func.sum(col(WaitingCount.times)),
        )
        .where(WaitingCount.retailer_id == retailer_id)
        .group_by(col(WaitingCount.shop_id))
    )
    found = session.exec(statement)
    return {shop: Unknown(items, int(messages)) for shop, items, messages in found}


def waiting_counts(
    session: Session, retailer_id: str, shop_id: str, *, limit: int = 20
) -> list[WaitingCount]:
    """Return what a shop said of what we do not know, the latest first."""
    mine = (WaitingCount.retailer_id == retailer_id, WaitingCount.shop_id == shop_id)
    latest = col(WaitingCount.last_heard_at).desc()
    statement = select(WaitingCount).where(*mine).order_by(latest, col(WaitingCount.id))
    return list(session.exec(statement.limit(limit)))


def learn_skus(
    session: Session,
    retailer_id: str,
    shop_id: str,
    pairs: Iterable[tuple[str, str]],
    *,
    now: datetime,
) -> int:
    """Learn what a person says keys stand for. Return how many were learned."""
    words = [ItemWord(item_key=key, sku=sku, as_of=now) for key, sku in pairs]
    return sum(
        learn_item(session, retailer_id, shop_id, word, now=now) for word in words
    )


def _is_taken(session: Session, shop_id: str, word: ItemWord | CountWord) -> bool:
    other = (
        ShopItem.shop_id == shop_id,
        ShopItem.sku == word.sku,
        ShopItem.item_key != word.item_key,
    )
    return session.exec(select(ShopItem.id).where(*other).limit(1)).first() is not None


_PAUSED = select(ShopConnection.id).where(col(ShopConnection.paused))

_Other = aliased(ShopItem)
_is_item = and_(
    col(ShopItem.shop_id) == WaitingCount.shop_id,
    col(ShopItem.item_key) == WaitingCount.item_key,
)
_taken_by_other = exists().where(
    col(_Other.shop_id) == WaitingCount.shop_id,
    col(_Other.sku) == WaitingCount.sku,
    col(_Other.item_key) != WaitingCount.item_key,
)
_is_offer = and_(
    col(Offer.retailer_id) == WaitingCount.retailer_id,
    or_(
        col(Offer.sku) == ShopItem.sku,
        and_(
            col(ShopItem.id).is_(None),
            col(Offer.sku) == WaitingCount.sku,
            ~_taken_by_other,
        ),
    ),
)
