"""Products: what a file of variants refers to, from an earlier import."""

from sqlmodel import Session, col, select

from offers.catalog import Offer
from offers.feed import Parent


def find_product(session: Session, retailer_id: str, key: str) -> Parent | None:
    """Return title and price of the product that variants know by *key*."""
    own = (
        col(Offer.retailer_id) == retailer_id,
        col(Offer.parent_key) == key,
        col(Offer.options) == "[]",
    )
    offer = session.exec(select(Offer).where(*own).order_by(Offer.sku)).first()
    return None if offer is None else Parent(offer.title, offer.price)
