"""
A reservation is paid in the store once, by whoever of the merchants is first.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session, col, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.errors import Missing, WrongState
from offers.holds import Hold, HoldState, give_up_hold
from offers.orders import Order, Way
from offers.payment_pages import lease_lapsed_holds
from offers.reservations import get_reservation, read_pickup_code
from outletbot.db import Database
from tests.factories import (
    DAY,
    MINUTE,
    NOON,
    make_deal,
    make_hold,
    make_merchant,
    make_offer,
    make_retailer,
    post_of,
)
from webhooks.outbox import Delivery
from webhooks.settling import redeem

CODE = "7h2k0m1q"


def reserve(session: Session, **facts: object) -> Hold:
    """A shopper reserves a unit of ten, to be fetched by tomorrow."""
    kind = {"state": HoldState.RESERVED, "pickup_code": CODE}
    return make_hold(session, **{**kind, "expires_at": NOON + DAY, **facts})


def reread(session: Session, row):
    session.rollback()
    return session.get_one(type(row), row.id, populate_existing=True)


class TestRedeeming:
    def test_turns_the_reservation_into_an_order(self, session: Session) -> None:
        ana, hold = make_merchant(session), reserve(session, quantity=2)

        order = redeem(
            session, hold.retailer_id, CODE, merchant_id=ana.id, now=NOON + MINUTE
        )

        assert (order.way, order.redeemed_by) == (Way.STORE, ana.id)
        assert (order.total, order.paid_at) == (hold.total, NOON + MINUTE)
        assert order.payment_id == f"store-{hold.id}"
        deal = session.get_one(Deal, hold.deal_id)
        session.refresh(deal)
        assert (deal.held, deal.sold) == (0, 2)
        assert session.get_one(Offer, deal.offer_id).quantity == 8

    def test_tells_the_shop_how_it_was_paid(self, session: Session) -> None:
        retailer = make_retailer(session, webhook_url="https://shop.example/hook")
        offer = make_offer(session, retailer_id=retailer.id)
        hold = reserve(session, deal=make_deal(session, offer))

        redeem(session, retailer.id, CODE, merchant_id="", now=NOON)

        paid = select(Delivery).where(Delivery.type == "order.paid")
        delivery = session.exec(paid).one()
        assert '"way":"store"' in delivery.body.replace(" ", "")
        assert hold.id in delivery.body

    def test_takes_down_the_posts_with_the_last_unit(self, session: Session) -> None:
        deal = make_deal(session, allotment=1)
        hold = reserve(session, deal=deal)

        redeem(session, hold.retailer_id, CODE, merchant_id="", now=NOON)

        session.refresh(deal)
        assert deal.sold_out_at == NOON
        post = post_of(session, deal)
        session.refresh(post)
        assert post.retire_at == NOON

    def test_happens_once_and_says_who_did_it(self, session: Session) -> None:
        ana, hold = make_merchant(session, name="Ana"), reserve(session)
        redeem(session, hold.retailer_id, CODE, merchant_id=ana.id, now=NOON)

        with pytest.raises(WrongState, match="redeemed before, by Ana"):
            redeem(session, hold.retailer_id, CODE, merchant_id="", now=NOON)

        assert len(session.exec(select(Order)).all()) == 1

    def test_of_two_at_once_exactly_one_wins(
        self, database: Database, session: Session
    ) -> None:
        retailer_id = reserve(session).retailer_id

        def hand_over(who: str) -> bool:
            try:
                database.transact_here(
                    redeem, retailer_id, CODE, merchant_id=who, now=NOON
                )
            except WrongState:
                return False
            return True

        with ThreadPoolExecutor(2) as threads:
            won = list(threads.map(hand_over, ["ana", "ben"]))

        assert sorted(won) == [False, True]

    def test_is_refused_once_the_units_are_on_sale_again(
        self, session: Session
    ) -> None:
        hold = reserve(session)
        give_up_hold(session, hold.token, now=NOON)

        with pytest.raises(WrongState, match="on sale again"):
            redeem(session, hold.retailer_id, CODE, merchant_id="", now=NOON)

    @pytest.mark.parametrize("code", ["7h2k0m1r", "", "7h2k0m1"])
    def test_needs_a_code_that_was_given(self, session: Session, code: str) -> None:
        hold = reserve(session)

        with pytest.raises(Missing):
            redeem(session, hold.retailer_id, code, merchant_id="", now=NOON)

    def test_finds_no_other_retailers_reservation(self, session: Session) -> None:
        reserve(session)
        south = make_retailer(session)

        with pytest.raises(Missing):
            redeem(session, south.id, CODE, merchant_id="", now=NOON)

    def test_finds_no_hold_that_is_paid_online(self, session: Session) -> None:
        hold = make_hold(session)

        with pytest.raises(Missing):
            redeem(session, hold.retailer_id, "", merchant_id="", now=NOON)


class TestReturning:
    def test_what_nobody_fetched_is_on_sale_again(self, session: Session) -> None:
        hold = reserve(session)

        asked = lease_lapsed_holds(session, now=NOON + DAY)

        assert asked == []  # nobody has to be asked for it
        assert reread(session, hold).state is HoldState.RESERVED  # rolled back
        lease_lapsed_holds(session, now=NOON + DAY)
        session.commit()
        assert reread(session, hold).state is HoldState.RELEASED
        assert session.get_one(Deal, hold.deal_id).held == 0

    def test_no_unit_returns_before_its_time(self, session: Session) -> None:
        hold = reserve(session)

        lease_lapsed_holds(session, now=NOON + DAY - MINUTE)
        session.commit()

        assert reread(session, hold).state is HoldState.RESERVED

    def test_a_shopper_may_let_it_go_at_once(self, session: Session) -> None:
        hold = reserve(session)

        let_go = give_up_hold(session, hold.token, now=NOON + MINUTE)

        assert (let_go.state, let_go.ended_at) == (HoldState.RELEASED, NOON + MINUTE)


class TestReservation:
    def test_shows_what_is_to_be_handed_over(self, session: Session) -> None:
        hold = reserve(session)

        found = get_reservation(session, hold.retailer_id, CODE)

        assert (found.hold.id, found.deal.id) == (hold.id, hold.deal_id)
        assert found.redeemable
        assert (found.order, found.redeemed_by) == (None, "")

    def test_shows_who_redeemed_it(self, session: Session) -> None:
        ana, hold = make_merchant(session, name="Ana"), reserve(session)
        order = redeem(session, hold.retailer_id, CODE, merchant_id=ana.id, now=NOON)

        found = get_reservation(session, hold.retailer_id, CODE)

        assert found.order == order
        assert (found.redeemed_by, found.redeemable) == ("Ana", False)

    @pytest.mark.parametrize(
        "typed", [CODE, CODE.upper(), " 7h2k-0m1q ", "7H2K OMLQ", "7h2komiq"]
    )
    def test_is_found_however_the_code_is_typed(
        self, session: Session, typed: str
    ) -> None:
        hold = reserve(session)

        assert get_reservation(session, hold.retailer_id, typed).hold.id == hold.id

    def test_a_code_is_read_as_it_is_written(self) -> None:
        assert read_pickup_code(" 7H2K-0M1Q") == CODE


def test_every_reserved_hold_is_counted(session: Session) -> None:
    hold = reserve(session, quantity=3)

    held = session.exec(select(col(Deal.held)).where(Deal.id == hold.deal_id)).one()

    assert held == 3
