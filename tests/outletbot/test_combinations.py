"""
PrestaShop's products and their combinations come in two files, one after the other.
"""

import hashlib

from sqlmodel import Session, col, select

from offers.catalog import Offer
from offers.deciding import confirm_import
from offers.imports import FeedImport
from offers.pieces import FeedPiece
from outletbot.importing import work_on_import
from tests.factories import NOON, make_import

BOTH_DATABASES = True

PRODUCTS = (
    "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax included;"
    "Tax rules ID;On sale (0/1);Reference #;Quantity\n1;1;iPod;Home;149;1;0;IPOD;3\n"
)
COMBINATIONS = (
    "Product ID*;Attribute (Name:Type:Position)*;Value (Value:Position)*;Reference;"
    "Impact on price;Quantity;Impact on weight\n"
    "1;Color:color:0;Blue:0;IPOD-B;50;12;0\n2;Color:color:0;Blue:0;MUG-B;5;1;0\n"
)


def bring_in(database, session: Session, text: str) -> FeedImport:
    content = text.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    feed = make_import(session, size=len(content), sha256=sha256)
    piece = FeedPiece(
        import_id=feed.id, number=0, retailer_id=feed.retailer_id, content=content
    )
    session.add(piece)
    session.commit()
    assert work_on_import(database, now=NOON)
    session.expire_all()
    confirm_import(session, feed.retailer_id, feed.id)
    session.commit()
    assert work_on_import(database, now=NOON)
    session.expire_all()
    return session.get_one(FeedImport, feed.id)


def test_a_combination_has_the_price_of_its_product_and_more(database, session):
    bring_in(database, session, PRODUCTS)
    second = bring_in(database, session, COMBINATIONS)

    assert (second.good, second.bad) == (1, 1)
    [offer] = session.exec(select(Offer).where(col(Offer.sku) == "IPOD-B")).all()
    assert (offer.title, str(offer.price)) == ("iPod", "199.00 EUR")
    assert (offer.quantity, offer.variant) == (12, "Blue")
