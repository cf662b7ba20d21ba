"""Levels: how many of an offer there are at each place.

Where levels are known, an offer's quantity is the sum of those at places that count.
A level is net of what was sold here, like the quantity itself: what is sold comes off
the places, the fullest first, so that both stay the same.

A file is a full account: its levels replace every other. A shop's message is about one
place, and outdates only what files said.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from offers.catalog import Offer
from offers.ids import new_id
from offers.shops import BY_FILE, StockLevel, StockPlace

MOST = 2_000_000_000

Levels = Sequence[tuple[str, Sequence[tuple[str, int]]]]
"""Of offers, by their ids: the names of places, and how many there are."""


def place_of(
    session: Session, retailer_id: str, shop_id: str, place_key: str, *, now: datetime
) -> StockPlace:
    """Return a shop's place by its key; one that nobody knew counts from now on."""
    mine = (StockPlace.retailer_id == retailer_id, StockPlace.shop_id == shop_id)
    wanted = select(StockPlace).where(*mine, StockPlace.place_key == place_key)
    found = session.exec(wanted).one_or_none()
    if found is None:
        keys = {place_key: place_key}
        _add_places(session, retailer_id, shop_id, keys, now)
        found = session.exec(wanted).one()
    return found


def take_level(
    session: Session,
    offer: Offer,
    place: StockPlace,
    quantity: int,
    *,
    counted_at: datetime,
    told_at: datetime | None,
    now: datetime,
) -> None:
    """Keep how many of a locked *offer* there are at *place*."""
    level = find_level(session, offer, place) or StockLevel(
        id=new_id("level", now),
        retailer_id=offer.retailer_id,
        offer_id=offer.id,
        place_id=place.id,
        quantity=quantity,
        counted_at=counted_at,
    )
    level.quantity, level.counted_at, level.told_at = quantity, counted_at, told_at
    session.add(level)
    session.flush()
    if place.shop_id != BY_FILE:
        _forget(session, [offer.id], of_files=True)


def find_level(session: Session, offer: Offer, place: StockPlace) -> StockLevel | None:
    """Return the level as it is now: one read before the lock may have moved."""
    wanted = (StockLevel.offer_id == offer.id, StockLevel.place_id == place.id)
    statement = select(StockLevel).where(*wanted)
    return session.exec(
        statement.execution_options(populate_existing=True)
    ).one_or_none()


def drop_level(session: Session, offer: Offer, place: StockPlace) -> bool:
    """Nobody counts the *offer* at *place* any more. Return whether somebody did."""
    level = find_level(session, offer, place)
    if level is not None:
        session.delete(level)
        session.flush()
    return level is not None


def sum_levels(session: Session, offer: Offer) -> int | None:
    """Return how many there are where it counts; ``None`` if no place is known.

    A shop that owes some at one place has so many less at the others.
    """
    mine = (StockLevel.retailer_id == offer.retailer_id,)
    statement = (
        select(func.sum(col(StockLevel.quantity)), func.count(col(StockLevel.id)))
        .join(StockPlace, col(StockPlace.id) == col(StockLevel.place_id))
        .where(*mine, StockLevel.offer_id == offer.id, col(StockPlace.counts))
    )
    total, places = session.exec(statement).one()
    if places == 0 and not has_levels(session, offer):
        return None
    return _in_all(int(total or 0))


def _in_all(units: int) -> int:
    """Several places may add up to more than our databases count."""
    return min(max(0, units), MOST)


def has_levels(session: Session, offer: Offer) -> bool:
    known = select(StockLevel.id).where(StockLevel.offer_id == offer.id).limit(1)
    return session.exec(known).first() is not None


def move_levels(
    session: Session, offer: Offer, change: int, *, place_id: str = ""
) -> list[tuple[str, int]]:
    """Take what was sold of a locked *offer* off its places, the fullest first.

    What comes back goes to the fullest; with a *place_id* that is known it is that
    place alone. Returns the places, and how many each has more or less; where none is
    known, the one given or the one without a name.
    """
    statement = (
        select(StockLevel)
        .join(StockPlace, col(StockPlace.id) == col(StockLevel.place_id))
        .where(StockLevel.offer_id == offer.id, col(StockPlace.counts))
        .order_by(
            col(StockLevel.place_id) != place_id,
            col(StockLevel.quantity).desc(),
            col(StockLevel.place_id),
        )
    )
    levels = session.exec(statement.execution_options(populate_existing=True)).all()
    if not levels:
        return [(place_id, change)]
    given = bool(place_id) and levels[0].place_id == place_id
    moved = _share_out(levels, change, given=given)
    session.flush()
    return moved


def _share_out(
    levels: Sequence[StockLevel], change: int, *, given: bool
) -> list[tuple[str, int]]:
    moved: dict[str, int] = {}
    left = -change
    for level in levels if left > 0 and not given else ():
        taken = min(left, max(0, level.quantity))
        if taken:
            moved[level.place_id], left = -taken, left - taken
    first = levels[0].place_id
    if left:  # there is not so much, or it comes back
        moved[first] = moved.get(first, 0) - left
    for level in levels:
        level.quantity += moved.get(level.place_id, 0)
    return list(moved.items())


def take_levels(
    session: Session, retailer_id: str, levels: Levels, *, now: datetime
) -> dict[str, int]:
    """Take a file's account of the places where offers are, which must be locked.

    Returns how many of each offer there are at places that count: its quantity.
    """
    names = {name: name for _, quantities in levels for name, _ in quantities}
    places = _places(session, retailer_id, names, now)
    wanted = {
        offer_id: {places[name].id: units for name, units in quantities}
        for offer_id, quantities in levels
    }
    known = _known(session, wanted)
    changed = {key: told for key, told in wanted.items() if known.get(key) != told}
    _forget(session, list(changed))
    rows = _rows(retailer_id, changed, now)
    if rows:
        session.exec(insert(StockLevel), params=rows)
    counting = {place.id for place in places.values() if place.counts}
    return {
        offer_id: _in_all(sum(n for place, n in told.items() if place in counting))
        for offer_id, told in wanted.items()
    }


def outdate_levels(session: Session, offer_ids: Collection[str]) -> None:
    """A file says how many of offers there are in all: no place is known any more."""
    if offer_ids:
        _forget(session, list(offer_ids))


def _known(session: Session, offer_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    statement = select(
        StockLevel.offer_id, StockLevel.place_id, StockLevel.quantity
    ).where(col(StockLevel.offer_id).in_(list(offer_ids)))
    known: dict[str, dict[str, int]] = {}
    for offer_id, place_id, quantity in session.exec(statement):
        known.setdefault(offer_id, {})[place_id] = quantity
    return known


def _rows(
    retailer_id: str, levels: Mapping[str, Mapping[str, int]], now: datetime
) -> list[dict[str, object]]:
    return [
        {
            "id": new_id("level", now),
            "retailer_id": retailer_id,
            "offer_id": offer_id,
            "place_id": place_id,
            "quantity": quantity,
            "counted_at": now,
            "told_at": None,
        }
        for offer_id, told in levels.items()
        for place_id, quantity in told.items()
    ]


def _places(
    session: Session, retailer_id: str, names: Mapping[str, str], now: datetime
) -> dict[str, StockPlace]:
    """Return the places of a retailer's files, by their names; new ones are added."""
    mine = (StockPlace.retailer_id == retailer_id, StockPlace.shop_id == BY_FILE)
    statement = select(StockPlace).where(*mine)
    known = {place.place_key for place in session.exec(statement)}
    new = {key: name for key, name in names.items() if key not in known}
    if new:
        _add_places(session, retailer_id, BY_FILE, new, now)
    return {place.place_key: place for place in session.exec(statement)}


def _add_places(
    session: Session,
    retailer_id: str,
    shop_id: str,
    names: Mapping[str, str],
    now: datetime,
) -> None:
    """Add places, in the same order everywhere; some may be there by now."""
    rows = [
        {
            "id": new_id("place", now),
            "retailer_id": retailer_id,
            "shop_id": shop_id,
            "place_key": key,
            "name": names[key],
            "counts": True,
        }
        for key in sorted(names)
    ]
    on_postgres = session.get_bind().dialect.name == "postgresql"
    add = postgresql.insert if on_postgres else sqlite.insert
    missing = add(StockPlace).values(rows).on_conflict_do_nothing()
    session.connection().execute(missing)


def _forget(
    session: Session, offer_ids: Sequence[str], *, of_files: bool = False
) -> None:
    if not offer_ids:
        return
    statement = delete(StockLevel).where(col(StockLevel.offer_id).in_(offer_ids))
    if of_files:
        files = select(StockPlace.id).where(StockPlace.shop_id == BY_FILE)
        statement = statement.where(col(StockLevel.place_id).in_(files))
    session.exec(statement)
