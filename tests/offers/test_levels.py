"""
Where stock is: the places of a file or of a shop, of which some count; what is sold
comes off them, and the sum stays the quantity.
"""

import pytest
from sqlmodel import Session, select

from offers.allotments import fit_to_stock, spare_units
from offers.catalog import Offer
from offers.levels import outdate_levels, place_of, sum_levels, take_level, take_levels
from offers.retailers import get_retailer
from offers.shops import BY_FILE, StockLevel, StockPlace
from offers.stock import Cause, StockMovement, gone_since, move_stock, recount
from tests.factories import MINUTE, NOON, SECOND, make_deal, make_offer, make_retailer


def levels(session: Session, offer: Offer) -> dict[str, int]:
    statement = (
        select(StockPlace.place_key, StockLevel.quantity)
        .join(StockLevel, StockLevel.place_id == StockPlace.id)  # type: ignore[arg-type]
        .where(StockLevel.offer_id == offer.id)
    )
    return dict(session.exec(statement).all())


def put(session: Session, offer: Offer, shop_id: str = "shop_1", **told: int) -> None:
    for key, quantity in told.items():
        place = place_of(session, offer.retailer_id, shop_id, key, now=NOON)
        take_level(
            session, offer, place, quantity, counted_at=NOON, told_at=None, now=NOON
        )
    recount(
        session, offer, counted_at=NOON, cause=Cause.MESSAGE, source_id="m", now=NOON
    )
    session.commit()


def stop_counting(session: Session, key: str) -> None:
    place = session.exec(select(StockPlace).where(StockPlace.place_key == key)).one()
    place.counts = False
    session.add(place)
    session.commit()


@pytest.fixture
def offer(session: Session) -> Offer:
    return make_offer(session, quantity=10)


class TestFiles:
    def test_tell_where_how_many_are(self, session: Session, offer: Offer) -> None:
        other = make_offer(session, quantity=None)
        told = [
            (offer.id, (("Lyon", 5), ("Paris", 2))),
            (other.id, (("Paris", 1),)),
        ]

        sums = take_levels(session, offer.retailer_id, told, now=NOON)

        assert sums == {offer.id: 7, other.id: 1}
        assert levels(session, offer) == {"Lyon": 5, "Paris": 2}
        assert levels(session, other) == {"Paris": 1}

    def test_say_it_twice_as_once(self, session: Session, offer: Offer) -> None:
        told = [(offer.id, (("Lyon", 5), ("Paris", 2)))]
        take_levels(session, offer.retailer_id, told, now=NOON)
        before = session.exec(select(StockLevel.id)).all()

        sums = take_levels(session, offer.retailer_id, told, now=NOON + MINUTE)

        assert sums == {offer.id: 7}
        assert session.exec(select(StockLevel.id)).all() == before
        assert len(session.exec(select(StockPlace)).all()) == 2

    def test_replace_every_other_account(self, session: Session, offer: Offer) -> None:
        put(session, offer, a=3, b=4)

        told = [(offer.id, (("Lyon", 5),))]
        take_levels(session, offer.retailer_id, told, now=NOON)

        assert levels(session, offer) == {"Lyon": 5}

    def test_leave_out_places_that_do_not_count(
        self, session: Session, offer: Offer
    ) -> None:
        told = [(offer.id, (("Lyon", 5), ("Attic", -2)))]
        take_levels(session, offer.retailer_id, told, now=NOON)
        stop_counting(session, "Lyon")

        sums = take_levels(session, offer.retailer_id, told, now=NOON)

        assert sums == {offer.id: 0}

    def test_may_say_nothing(self, session: Session, offer: Offer) -> None:
        assert take_levels(session, offer.retailer_id, [], now=NOON) == {}

    def test_without_places_make_them_unknown(
        self, session: Session, offer: Offer
    ) -> None:
        put(session, offer, a=3)
        outdate_levels(session, [])
        assert levels(session, offer) == {"a": 3}

        outdate_levels(session, [offer.id])

        assert levels(session, offer) == {}
        assert sum_levels(session, offer) is None

    def test_of_two_retailers_have_places_of_their_own(
        self, session: Session, offer: Offer
    ) -> None:
        south = make_retailer(session, "south")
        theirs = make_offer(session, retailer_id=south.id)
        for one in (offer, theirs):
            told = [(one.id, (("Paris", 2),))]
            take_levels(session, one.retailer_id, told, now=NOON)

        found = session.exec(select(StockPlace)).all()
        assert {place.retailer_id for place in found} == {offer.retailer_id, south.id}


class TestShops:
    def test_outdate_what_files_said_and_no_other_shop(
        self, session: Session, offer: Offer
    ) -> None:
        put(session, offer, BY_FILE, lyon=9)
        put(session, offer, "shop_1", a=3)
        put(session, offer, "shop_2", b=4)

        assert levels(session, offer) == {"a": 3, "b": 4}
        assert offer.quantity == 7

    def test_that_count_nowhere_say_none(self, session: Session, offer: Offer) -> None:
        put(session, offer, a=3)
        stop_counting(session, "a")

        assert sum_levels(session, offer) == 0


class TestSales:
    def test_come_off_the_fullest_place(self, session: Session, offer: Offer) -> None:
        put(session, offer, a=3, b=5)

        move_stock(session, offer, -2, cause=Cause.ORDER, source_id="order_1", now=NOON)

        assert levels(session, offer) == {"a": 3, "b": 3}
        assert offer.quantity == 6

    def test_come_off_several_where_one_has_not_enough(
        self, session: Session, offer: Offer
    ) -> None:
        put(session, offer, a=3, b=5)

        move_stock(session, offer, -7, cause=Cause.ORDER, source_id="order_1", now=NOON)

        assert levels(session, offer) == {"a": 1, "b": 0}
        moves = session.exec(
            select(StockMovement.change).where(StockMovement.source_id == "order_1")
        ).all()
        assert sorted(moves) == [-5, -2]

    def test_of_more_than_there_is_come_off_the_first(
        self, session: Session, offer: Offer
    ) -> None:
        put(session, offer, a=1, b=2)

        move_stock(session, offer, -5, cause=Cause.ORDER, source_id="order_1", now=NOON)

        assert levels(session, offer) == {"a": 0, "b": -2}

    def test_spare_places_that_do_not_count(
        self, session: Session, offer: Offer
    ) -> None:
        put(session, offer, a=3, b=5)
        stop_counting(session, "b")

        move_stock(session, offer, -2, cause=Cause.ORDER, source_id="order_1", now=NOON)

        assert levels(session, offer) == {"a": 1, "b": 5}

    def test_that_come_back_go_to_the_fullest(
        self, session: Session, offer: Offer
    ) -> None:
        put(session, offer, a=3, b=5)

        move_stock(
            session, offer, 2, cause=Cause.REFUND, source_id="refund_1", now=NOON
        )

        assert levels(session, offer) == {"a": 3, "b": 7}

    def test_may_be_of_one_place_alone_if_it_is_known(
        self, session: Session, offer: Offer
    ) -> None:
        put(session, offer, a=3, b=5)
        place = session.exec(
            select(StockPlace).where(StockPlace.place_key == "a")
        ).one()

        for place_id in (place.id, "place_gone"):
            move_stock(
                session,
                offer,
                1,
                cause=Cause.MESSAGE,
                source_id="echo_1",
                place_id=place_id,
                now=NOON,
            )

        assert levels(session, offer) == {"a": 4, "b": 6}
        assert offer.quantity == 10

    def test_are_known_by_their_place_and_time(
        self, session: Session, offer: Offer
    ) -> None:
        put(session, offer, a=9, b=1)
        for n, change in enumerate((-3, -2, 1)):
            cause = Cause.ORDER if change < 0 else Cause.REFUND
            at = NOON + n * MINUTE
            move_stock(session, offer, change, cause=cause, source_id=f"{n}", now=at)
        a, b = session.exec(select(StockPlace).order_by(StockPlace.place_key)).all()

        assert gone_since(session, offer, a.id, NOON - SECOND) == 4
        assert gone_since(session, offer, a.id, NOON) == 1
        assert gone_since(session, offer, b.id, NOON - SECOND) == 0


class TestKeptBack:
    def test_is_in_no_deal(self, session: Session, offer: Offer) -> None:
        deal = make_deal(session, offer, allotment=10)
        retailer = get_retailer(session, offer.retailer_id)
        retailer.stock_buffer = 4
        session.add(retailer)
        session.commit()

        fit_to_stock(session, offer)

        assert (deal.left, deal.withheld) == (6, 4)
        assert spare_units(session, offer) == 0

    def test_leaves_the_rest_for_new_deals(
        self, session: Session, offer: Offer
    ) -> None:
        retailer = get_retailer(session, offer.retailer_id)
        retailer.stock_buffer = 4
        session.add(retailer)
        session.commit()

        assert spare_units(session, offer) == 6
        assert spare_units(session, make_offer(session, quantity=None)) is None
