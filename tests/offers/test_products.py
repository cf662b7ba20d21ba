"""
A file of variants finds the products of an earlier import.
"""

from sqlmodel import Session

from offers.feed import Parent
from offers.money import Money
from offers.products import find_product
from tests.factories import make_offer, make_retailer, north

BOTH_DATABASES = True


def test_a_product_is_found_by_its_key(session: Session) -> None:
    make_offer(session, sku="IPOD", title="iPod", price_amount=14_900, parent_key="1")

    assert find_product(session, north(session).id, "1") == Parent(
        "iPod", Money(14_900, "eur")
    )
    assert find_product(session, north(session).id, "2") is None


def test_a_variant_is_not_its_product(session: Session) -> None:
    make_offer(session, parent_key="1", options='[["Color", "Blue"]]')

    assert find_product(session, north(session).id, "1") is None


def test_products_of_others_are_not_found(session: Session) -> None:
    other = make_retailer(session, slug="south")
    make_offer(session, parent_key="1", retailer_id=other.id)

    assert find_product(session, north(session).id, "1") is None
