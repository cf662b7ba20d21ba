"""Newcomers: many offers that nobody knew, entered at once, with their first prices."""

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, text

from offers.drivers import enter
from offers.packing import Newcomers


def add_newcomers(session: Session, newcomers: Newcomers) -> bool:
    """Enter offers and their first prices; none if one of them is known by its sku."""
    try:
        with session.begin_nested():
            enter(session, "offer", newcomers.load)
    except IntegrityError:
        return False
    ends = {"first": newcomers.first_id, "last": newcomers.last_id}
    session.execute(_FIRST_PRICES, ends)
    return True


_FIRST_PRICES = text("""
    INSERT INTO price_point (
        id, retailer_id, offer_id, price_amount, currency, applied_at, source,
        kind, tax, country
    )
    SELECT 'price' || substr(id, 6),
        retailer_id, id, price_amount, currency, imported_at, source,
        'feed', tax, ''
    FROM offer WHERE id BETWEEN :first AND :last
""")
