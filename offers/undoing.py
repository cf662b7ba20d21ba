"""Undoing: the last import taken back, as far as nothing else has happened since.

A changed field gets its former value back where it still is what the import made it.
An offer that the import made is removed if it is in no deal, and otherwise has no stock
any more. What cannot be undone is counted and named. It goes batch by batch, and what
a batch did is noted with it, so that whoever is killed goes on where they were.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Self

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, delete, distinct, func, select, update

from offers.befores import OfferBefore
from offers.catalog import Offer
from offers.comparing import Recount, Tally
from offers.deals import Deal
from offers.errors import WrongState
from offers.imports import FeedImport, ImportState
from offers.levels import outdate_levels
from offers.prices import log_price
from offers.scope import get_own
from offers.sentences import Sentence
from offers.shops import StockLevel
from offers.stock import StockMovement, log_recounts

NAMED = 50  # skus that are named of those that were left


@dataclass(frozen=True, slots=True)
class Undone:
    """How many offers were *restored*, *kept* as they are now, *removed*, *emptied*.

    *left* names some that were kept or emptied; *after* is how far it came.
    """

    restored: int = 0
    kept: int = 0
    removed: int = 0
    emptied: int = 0
    left: tuple[str, ...] = ()
    after: str = ""

    @classmethod
    def load(cls, text: str) -> Self:
        facts = json.loads(text)
        return cls(**{**facts, "left": tuple(facts.get("left", ()))})

    def with_left(self, skus: Iterable[str]) -> "Undone":
        return replace(self, left=(*self.left, *skus)[:NAMED])


def begin_undo(
    session: Session, retailer_id: str, import_id: str, *, by: str | None, now: datetime
) -> bool:
    """Let the worker undo an import. Return whether that is news.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If it is not what was imported last, or another is going in.
    """
    entry = get_own(session, FeedImport, retailer_id, import_id)
    if entry.state in {ImportState.UNDOING, ImportState.UNDONE}:
        return False
    last = find_undoable(session, retailer_id)
    if last is None or last.id != entry.id:
        raise WrongState(Sentence("Only what was imported last can be undone."))
    if _is_another_under_way(session, retailer_id):
        raise WrongState(
            Sentence("Another file is going in. Wait until it is, and undo that first.")
        )
    begun = session.exec(
        update(FeedImport)
        .where(
            col(FeedImport.id) == entry.id,
            col(FeedImport.state) == ImportState.IMPORTED,
        )
        .values(
            state=ImportState.UNDOING,
            undone_by=by,
            undone_at=now,
            undone="{}",
            progress=0,
            attempts=0,
            leased_until=None,
        )
    )
    return begun.rowcount > 0


def _is_another_under_way(session: Session, retailer_id: str) -> bool:
    statement = select(FeedImport.id).where(
        FeedImport.retailer_id == retailer_id,
        FeedImport.state == ImportState.CONFIRMED,
    )
    return session.exec(statement.limit(1)).first() is not None


def find_undoable(session: Session, retailer_id: str) -> FeedImport | None:
    """Return the last import that did something, if it is known what."""
    statement = (
        select(FeedImport)
        .where(
            FeedImport.retailer_id == retailer_id,
            FeedImport.state == ImportState.IMPORTED,
            (col(FeedImport.new) + col(FeedImport.changed) > 0)
            | col(FeedImport.complete),
        )
        .order_by(col(FeedImport.imported_at).desc(), col(FeedImport.id).desc())
        .limit(1)
    )
    last = session.exec(statement).one_or_none()
    return last if last is not None and _is_known(session, last) else None


def _is_known(session: Session, entry: FeedImport) -> bool:
    made = select(Offer.id).where(
        Offer.retailer_id == entry.retailer_id, Offer.source == entry.id
    )
    changed = select(OfferBefore.id).where(
        OfferBefore.retailer_id == entry.retailer_id, OfferBefore.import_id == entry.id
    )
    found = [session.exec(one.limit(1)).first() for one in (made, changed)]
    return any(found)


def tally_of_all(session: Session, entry: FeedImport, good: int) -> Tally:
    """Return what all attempts at an import did together, of *good* rows."""
    made = select(func.count(col(Offer.id))).where(
        Offer.retailer_id == entry.retailer_id, Offer.source == entry.id
    )
    changed = select(func.count(distinct(col(OfferBefore.offer_id)))).where(
        OfferBefore.retailer_id == entry.retailer_id, OfferBefore.import_id == entry.id
    )
    new, other = session.exec(made).one(), session.exec(changed).one()
    return Tally(new, other, max(0, good - new - other))


def restore_some(
    session: Session, entry: FeedImport, *, limit: int, now: datetime
) -> list[str]:
    """Give the next *limit* changed offers their values back. Return their skus."""
    statement = (
        select(OfferBefore)
        .where(
            OfferBefore.retailer_id == entry.retailer_id,
            OfferBefore.import_id == entry.id,
        )
        .order_by(col(OfferBefore.id).desc())
        .limit(limit)
    )
    befores = session.exec(statement).all()
    if not befores:
        return []
    offers = _lock(session, [before.offer_id for before in befores])
    undone, recounts = _so_far(session, entry), []
    for before in befores:
        offer = offers[before.offer_id]
        stock, whole = offer.quantity, _restore(session, entry, offer, before, now)
        undone = _noted(undone, offer, whole=whole)
        if isinstance(offer.quantity, int) and offer.quantity != stock:
            recounts.append(Recount(offer.id, stock or 0, offer.quantity))
        session.delete(before)
    session.flush()
    outdate_levels(session, [recount.offer_id for recount in recounts])
    log_recounts(session, entry.retailer_id, recounts, source_id=entry.id, now=now)
    _note(session, entry, undone)
    return [offer.sku for offer in offers.values()]


def _lock(session: Session, ids: Sequence[str]) -> dict[str, Offer]:
    statement = (
        select(Offer)
        .where(col(Offer.id).in_(ids))
        .order_by(col(Offer.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {offer.id: offer for offer in session.exec(statement)}


def _restore(
    session: Session,
    entry: FeedImport,
    offer: Offer,
    before: OfferBefore,
    now: datetime,
) -> bool:
    """Undo what is still so. Return whether that was everything."""
    was, made = json.loads(before.before), json.loads(before.after)
    still = {n: v for n, v in was.items() if _plain(getattr(offer, n)) == made.get(n)}
    price, tax = offer.price, offer.tax
    for name, value in still.items():
        setattr(offer, name, _value(name, value))
    session.add(offer)
    if (offer.price, offer.tax) != (price, tax):
        session.flush()
        log_price(
            session,
            entry.retailer_id,
            offer.id,
            offer.price,
            source=entry.id,
            now=now,
            tax=offer.tax,
        )
    return len(still) == len(was)


def _noted(undone: Undone, offer: Offer, *, whole: bool) -> Undone:
    if whole:
        return replace(undone, restored=undone.restored + 1)
    return replace(undone, kept=undone.kept + 1).with_left([offer.sku])


def _plain(value: object) -> object:
    """Return a column's value as JSON has it."""
    return value.isoformat() if isinstance(value, date) else value


def _value(name: str, value: object) -> object:
    """Return a column's value as it was kept; days are days again."""
    is_day = name in {"sale_from", "sale_to"} and isinstance(value, str)
    return date.fromisoformat(str(value)) if is_day else value


def remove_some(
    session: Session, entry: FeedImport, *, limit: int, now: datetime
) -> list[str]:
    """Remove the next *limit* offers that the import made, or empty those in deals.

    Returns their skus; nothing when there are no more.
    """
    undone = _so_far(session, entry)
    statement = (
        select(Offer)
        .where(
            Offer.retailer_id == entry.retailer_id,
            Offer.source == entry.id,
            col(Offer.id) > undone.after,
        )
        .order_by(col(Offer.id))
        .limit(limit)
        .with_for_update()
    )
    made = session.exec(statement.execution_options(populate_existing=True)).all()
    if not made:
        return []
    skus, last = [offer.sku for offer in made], made[-1].id
    kept = _remove(session, [offer.id for offer in made])
    emptied = [offer for offer in made if offer.id in kept]
    _empty(session, entry, emptied, now)
    undone = replace(
        undone,
        removed=undone.removed + len(made) - len(emptied),
        emptied=undone.emptied + len(emptied),
        after=last,
    )
    _note(session, entry, undone.with_left(offer.sku for offer in emptied))
    return skus


def _remove(session: Session, ids: Sequence[str]) -> set[str]:
    """Remove offers with all that is about them alone. Return those that must stay.

    Only their prices stay in the log, which is evidence, under an id that is no more.
    """
    dealt = select(Deal.offer_id).where(col(Deal.offer_id).in_(ids))
    kept = set(session.exec(dealt))
    free = [offer_id for offer_id in ids if offer_id not in kept]
    if not _try_to_remove(session, free):
        kept |= {one for one in free if not _try_to_remove(session, [one])}
    return kept


def _try_to_remove(session: Session, ids: Sequence[str]) -> bool:
    """Return whether nothing else speaks of these offers, so that they are gone."""
    try:
        with session.begin_nested():
            for table in (StockLevel, StockMovement, OfferBefore):
                session.exec(delete(table).where(col(table.offer_id).in_(ids)))
            session.exec(
                delete(Offer)
                .where(col(Offer.id).in_(ids))
                .execution_options(synchronize_session=False)
            )
    except DBAPIError:
        return False
    return True


def _empty(
    session: Session, entry: FeedImport, offers: Sequence[Offer], now: datetime
) -> None:
    had = {offer.id: offer.quantity for offer in offers if offer.quantity}
    session.exec(update(Offer).where(col(Offer.id).in_(list(had))).values(quantity=0))
    recounts = [Recount(key, quantity or 0, 0) for key, quantity in had.items()]
    log_recounts(session, entry.retailer_id, recounts, source_id=entry.id, now=now)


def _so_far(session: Session, entry: FeedImport) -> Undone:
    noted = select(FeedImport.undone).where(FeedImport.id == entry.id)
    return Undone.load(session.exec(noted).one())


def _note(session: Session, entry: FeedImport, undone: Undone) -> None:
    session.exec(
        update(FeedImport)
        .where(col(FeedImport.id) == entry.id)
        .values(undone=json.dumps(asdict(undone), ensure_ascii=False))
    )


def finish_undo(session: Session, import_id: str) -> None:
    session.exec(
        update(FeedImport)
        .where(
            col(FeedImport.id) == import_id,
            col(FeedImport.state) == ImportState.UNDOING,
        )
        .values(
            state=ImportState.UNDONE,
            progress=100,
            attempts=0,
            head="",
            leased_until=None,
        )
    )
