"""Losing: held units that the shop sold meanwhile; the newest holds lose first.

    marked lost → the provider closes its payment page → released
                                 └→ paid all the same → the money goes back

Who has not paid yet loses before who has, however new. A hold with a payment page
stays active until the provider has said that no money can come; what it says then goes
the way of every hold, and a lost one becomes an order only if units are free by then.
One that a person has to look at loses nothing: nothing is sold of it anyhow.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select, update

from offers.catalog import Offer
from offers.deals import Deal
from offers.holds import ACTIVE, PAYABLE, UNASKED, Hold, HoldState, end_hold


def lock_holds(session: Session, offer: Offer, *, quantity: int) -> None:
    """Lock the offer's holds if *quantity* is too little for them.

    That comes before locking the offer, for whoever settles a hold locks it first.
    """
    if _held(session, offer) > quantity:
        _lock_active(session, offer)


def lose_newest(session: Session, offer: Offer, *, now: datetime) -> list[Hold]:
    """Let holds go that the stock of a locked *offer* is too little for.

    Returns those that lost now. Of an offer that nobody counts none does.
    """
    if offer.quantity is None or _held(session, offer) <= offer.quantity:
        return []
    active = _lock_active(session, offer)
    holds = [hold for hold in active if hold.lost_at is None]
    short = sum(hold.quantity for hold in holds) - offer.quantity
    losing: list[Hold] = []
    for hold in _in_turn(holds):
        if short <= 0:
            break
        if hold.state is not HoldState.REVIEW:
            losing.append(hold)
            short -= hold.quantity
    for hold in losing:
        _lose(session, hold, now)
    return losing


def lost_holds(session: Session, retailer_id: str, *, limit: int = 20) -> list[Hold]:
    """Return the holds that were lost to the shop, the latest first."""
    statement = (
        select(Hold)
        .where(Hold.retailer_id == retailer_id, col(Hold.lost_at).is_not(None))
        .order_by(col(Hold.lost_at).desc(), col(Hold.id).desc())
        .limit(limit)
    )
    return list(session.exec(statement))


def _held(session: Session, offer: Offer) -> int:
    statement = select(func.coalesce(func.sum(col(Deal.held)), 0)).where(
        Deal.retailer_id == offer.retailer_id, Deal.offer_id == offer.id
    )
    return int(session.exec(statement).one())


def _lock_active(session: Session, offer: Offer) -> Sequence[Hold]:
    """Return the offer's holds that have not ended, as they are until we are done."""
    statement = (
        select(Hold)
        .join(Deal, col(Deal.id) == col(Hold.deal_id))
        .where(
            Deal.retailer_id == offer.retailer_id,
            Deal.offer_id == offer.id,
            col(Hold.ended_at).is_(None),
            col(Hold.state).in_(ACTIVE),
        )
        .order_by(col(Hold.id))
        .with_for_update(key_share=True, of=Hold)
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).all()


def _in_turn(holds: Iterable[Hold]) -> list[Hold]:
    """The newest first, and whoever's bank is paying just now after everybody else."""
    newest = sorted(holds, key=lambda hold: (hold.held_at, hold.id), reverse=True)
    return sorted(newest, key=lambda hold: hold.state is HoldState.PROCESSING)


def _lose(session: Session, hold: Hold, now: datetime) -> None:
    """Without a payment page a hold ends at once; else its time is up."""
    lost = update(Hold).where(col(Hold.id) == hold.id)
    session.exec(lost.values(lost_at=now))
    if hold.state in UNASKED:
        end_hold(session, hold.id, HoldState.RELEASED, now=now)
    elif hold.state in PAYABLE and hold.expires_at > now:
        session.exec(lost.values(expires_at=now))
    session.refresh(hold)
