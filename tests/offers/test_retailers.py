"""
Retailers own everything else, and nobody reaches what is another's.
"""

from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from offers.accounts import OUTLET, accounts, open_outlet
from offers.catalog import hang_picture
from offers.deals import Deal
from offers.errors import Missing
from offers.orders import get_order_by_code, orders
from offers.pictures import (
    Picture,
    find_picture_size,
    get_picture,
    keep_picture,
)
from offers.retailers import (
    add_retailer,
    change_retailer,
    get_retailer,
    get_retailer_by_slug,
    new_retailer,
    retailers,
)
from offers.scope import find_own, get_own
from tests.factories import (
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_offer,
    make_order,
    make_retailer,
)


class TestRetailers:
    def test_speak_the_language_of_their_country(self) -> None:
        made = new_retailer(
            "nord",
            "Nord",
            country="fr",
            currency="EUR",
            time_zone="Europe/Paris",
            now=NOON,
        )

        assert (made.country, made.currency, made.language) == ("FR", "eur", "fr")
        assert made.zone == ZoneInfo("Europe/Paris")

    def test_are_found_by_id_and_slug(self, session: Session) -> None:
        south = make_retailer(session, "south")

        assert get_retailer(session, south.id) is south
        assert get_retailer_by_slug(session, "south") is south
        with pytest.raises(Missing):
            get_retailer(session, "retailer_none")
        with pytest.raises(Missing):
            get_retailer_by_slug(session, "North")

    def test_are_listed_by_name(self, session: Session) -> None:
        make_retailer(session, "a", name="Zebra")
        make_retailer(session, "b", name="Ant")

        assert [one.name for one in retailers(session)] == ["Ant", "Zebra"]

    def test_have_a_slug_of_their_own(self, session: Session) -> None:
        make_retailer(session, "south")
        again = new_retailer(
            "south", "South", country="IE", currency="eur", time_zone="UTC", now=NOON
        )

        with pytest.raises(IntegrityError):
            add_retailer(session, again)
        session.rollback()


class TestScope:
    def test_gives_a_row_to_whose_it_is(self, session: Session) -> None:
        deal = make_deal(session)

        assert get_own(session, Deal, deal.retailer_id, deal.id) is deal
        assert find_own(session, Deal, deal.retailer_id, deal.id) is deal

    def test_gives_nobody_elses(self, session: Session) -> None:
        deal, south = make_deal(session), make_retailer(session)

        assert find_own(session, Deal, south.id, deal.id) is None
        with pytest.raises(Missing) as refusal:
            get_own(session, Deal, south.id, deal.id)
        assert str(refusal.value) == f"There is no deal {deal.id}."
        with pytest.raises(Missing):
            get_own(session, Deal, "", deal.id)

    def test_gives_nothing_that_is_nobodys(self, session: Session) -> None:
        south = make_retailer(session)

        assert find_own(session, type(south), south.id, south.id) is None


class TestAccounts:
    def test_begin_with_the_outlet_page(self, session: Session) -> None:
        south = make_retailer(session)
        make_account(session, retailer_id=south.id)
        open_outlet(session, south, now=NOON)
        make_account(session, handle="elsewhere")

        found = accounts(session, south.id)

        assert [account.kind for account in found] == [OUTLET, "mastodon"]
        assert found[0].handle == "south"

    def test_are_connected_once(self, session: Session) -> None:
        make_account(session)

        with pytest.raises(IntegrityError):
            make_account(session)
        session.rollback()


def test_a_retailer_says_anew_who_they_are(session: Session) -> None:
    south, west = make_retailer(session, "south"), make_retailer(session, "west")

    change_retailer(session, south.id, {"name": "South & Co", "hashtags": "#outlet"})

    session.commit()
    session.refresh(south)
    session.refresh(west)
    assert (south.name, south.hashtags, south.slug) == (
        "South & Co",
        "#outlet",
        "south",
    )
    assert west.name == "West"
    with pytest.raises(Missing):
        change_retailer(session, "retailer_unknown", {"name": "Nobody"})


class TestPictures:
    def keep(self, session: Session, retailer_id: str, content: bytes) -> Picture:
        return keep_picture(session, retailer_id, content, size=(8, 6), now=NOON)

    def test_are_kept_once_for_each_retailer(self, session: Session) -> None:
        south, west = make_retailer(session, "south"), make_retailer(session, "west")

        first = self.keep(session, south.id, b"parka")

        assert (first.width, first.height, first.content) == (8, 6, b"parka")
        assert self.keep(session, south.id, b"parka").id == first.id
        assert self.keep(session, south.id, b"coat").id != first.id
        assert self.keep(session, west.id, b"parka").id != first.id

    def test_are_for_everybody_to_see(self, session: Session) -> None:
        kept = self.keep(session, make_retailer(session).id, b"parka")

        assert get_picture(session, kept.id).content == b"parka"
        with pytest.raises(Missing):
            get_picture(session, "picture_unknown")

    def test_tell_their_size(self, session: Session) -> None:
        south, west = make_retailer(session, "south"), make_retailer(session, "west")
        kept = self.keep(session, south.id, b"parka")

        assert find_picture_size(session, south.id, kept.id) == (8, 6)
        assert find_picture_size(session, west.id, kept.id) is None

    def test_hang_at_one_offer(self, session: Session) -> None:
        offer, other = make_offer(session), make_offer(session)
        kept = self.keep(session, offer.retailer_id, b"parka")

        hang_picture(session, offer, kept)

        session.commit()
        session.refresh(offer)
        session.refresh(other)
        assert (offer.picture_id, other.picture_id) == (kept.id, None)


class TestOrders:
    def test_are_found_by_the_shoppers_code(self, session: Session) -> None:
        order = make_order(session)

        assert get_order_by_code(session, order.code).id == order.id
        with pytest.raises(Missing):
            get_order_by_code(session, order.id)

    def test_are_shown_to_their_retailer_the_latest_first(
        self, session: Session
    ) -> None:
        deal, other = make_deal(session), make_deal(session)
        older = make_order(session, deal, paid_at=NOON - MINUTE)
        newer = make_order(session, other)
        make_order(session, make_deal(session, retailer_id=make_retailer(session).id))

        found = orders(session, deal.retailer_id)

        assert [order.id for order in found] == [newer.id, older.id]
        of_deal = orders(session, deal.retailer_id, deal_id=deal.id)
        assert [order.id for order in of_deal] == [older.id]
