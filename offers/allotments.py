"""Allotments: how the units of one offer are shared out among its deals.

Whoever promises or withholds units locks the offer first, always before any deal.
"""

from sqlalchemy import func
from sqlmodel import Session, col, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.retailers import Retailer


def lock(session: Session, offer: Offer) -> None:
    """Let one caller at a time promise or withhold the units of an offer."""
    session.flush()
    session.refresh(offer, with_for_update={"key_share": True})


def lock_offer(session: Session, deal_id: str) -> Offer:
    """Return a deal's offer, locked: always before the deal, or two would deadlock."""
    deal = session.get_one(Deal, deal_id)
    offer = session.get_one(Offer, deal.offer_id)
    lock(session, offer)
    return offer


def fit_to_stock(session: Session, offer: Offer) -> list[Deal]:
    """Withhold from the offer's deals what the stock no longer has; the newest first.

    Held units, of whichever deal, stay promised; what the retailer keeps back of each
    offer is in no deal. Returns the deals that changed.
    """
    lock(session, offer)
    if offer.quantity is None:
        return []
    statement = (
        select(Deal)
        .where(
            Deal.retailer_id == offer.retailer_id,
            Deal.offer_id == offer.id,
            col(Deal.closed_at).is_(None),
        )
        .order_by(col(Deal.opens_at), col(Deal.id))
        .with_for_update(key_share=True)
    )
    running = session.exec(statement.execution_options(populate_existing=True)).all()
    held = _held_beyond(session, offer) + sum(deal.held for deal in running)
    changed, free = [], max(0, offer.quantity - _kept_back(session, offer) - held)
    for deal in running:
        wanted = deal.allotment - deal.sold - deal.held
        given = min(wanted, free)
        free -= given
        if deal.withheld != wanted - given:
            _withhold(deal, wanted - given)
            changed.append(deal)
    session.flush()
    return changed


def _withhold(deal: Deal, units: int) -> None:
    deal.withheld = units
    if deal.left > 0:
        deal.sold_out_at = None  # units came back before the end


def spare_units(session: Session, offer: Offer) -> int | None:
    """Return how many units a new deal may have; ``None`` if nobody counts them."""
    if offer.quantity is None:
        return None
    kept = _kept_back(session, offer)
    return max(0, offer.quantity - kept - promised(session, offer))


def _kept_back(session: Session, offer: Offer) -> int:
    return session.get_one(Retailer, offer.retailer_id).stock_buffer


def promised(session: Session, offer: Offer) -> int:
    """Return how many units the offer's deals may still sell, and have held."""
    unsold = col(Deal.allotment) - col(Deal.withheld) - col(Deal.sold)
    statement = select(func.coalesce(func.sum(unsold), 0)).where(
        Deal.retailer_id == offer.retailer_id,
        Deal.offer_id == offer.id,
        col(Deal.closed_at).is_(None),
    )
    return int(session.exec(statement).one()) + _held_beyond(session, offer)


def _held_beyond(session: Session, offer: Offer) -> int:
    """Return how many units are still being paid for although their deal has closed."""
    statement = select(func.coalesce(func.sum(col(Deal.held)), 0)).where(
        Deal.retailer_id == offer.retailer_id,
        Deal.offer_id == offer.id,
        col(Deal.closed_at).is_not(None),
    )
    return int(session.exec(statement).one())
