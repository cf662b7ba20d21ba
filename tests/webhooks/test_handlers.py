"""
What an arrival means for the goods; and what means nothing to us is kept and left.
"""

from typing import Any

import pytest
from sqlmodel import Session

from offers.checkouts import Checkout
from offers.holds import HoldState
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_arrival,
    make_checkout,
    make_deal,
    make_hold,
    make_offer,
    make_order,
    make_retailer,
    north,
    post_of,
)
from webhooks.handlers import checkout_to_fetch, handle
from webhooks.inbox import Arrival, new_arrival
from webhooks.messages import deal_closed, order_paid


def act(session: Session, arrival: Arrival, checkout: Checkout | None = None) -> str:
    outcome = handle(session, arrival, checkout, livemode=False, now=NOON + MINUTE)
    session.commit()
    session.expire_all()
    return outcome


def told(session: Session, *items: Any, **facts: Any) -> Arrival:
    """The shop's word on its stock."""
    return make_arrival(
        session,
        "stock",
        "stock.updated",
        {"items": list(items)},
        retailer_id=facts.pop("retailer_id", "") or north(session).id,
        **facts,
    )


class TestCheckoutToFetch:
    @pytest.mark.parametrize(
        ("source", "kind", "payload", "checkout_id"),
        [
            ("stripe", "checkout.session.completed", {"id": "cs_1"}, "cs_1"),
            ("stripe", "checkout.session.expired", {"id": "cs_1"}, "cs_1"),
            (
                "stripe",
                "checkout.session.async_payment_failed",
                {"id": "cs_1"},
                "cs_1",
            ),
            ("stripe", "checkout.session.completed", {}, None),
            ("stripe", "checkout.session.completed", {"id": 7}, None),
            ("stripe", "charge.refunded", {"id": "ch_1"}, None),
            ("stripe", "checkout.session", {"id": "cs_1"}, None),
            ("stock", "checkout.session.completed", {"id": "cs_1"}, None),
        ],
    )
    def test_is_what_the_arrival_is_about(
        self, source: str, kind: str, payload: dict[str, Any], checkout_id: str | None
    ) -> None:
        arrival = new_arrival(source, "m", kind, payload, sent_at=NOON, now=NOON)

        assert checkout_to_fetch(arrival) == checkout_id


class TestHandle:
    def test_settles_a_checkout(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.OPEN)
        arrival = make_arrival(session)

        assert act(session, arrival, make_checkout(hold)) == "ordered"

        assert arrival.outcome == "ordered"
        assert arrival.handled_at == NOON + MINUTE

    def test_acts_once(self, session: Session) -> None:
        deal = make_deal(session)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        arrival = make_arrival(session)
        act(session, arrival, make_checkout(hold))

        again = act(session, arrival, make_checkout(hold))

        assert (again, arrival.outcome, deal.sold) == ("handled before", "ordered", 1)

    def test_leaves_a_checkout_that_is_not_ours(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.OPEN)
        checkout = make_checkout(hold)
        hold.id = "hold_elsewhere"
        stranger = make_checkout(hold, total=checkout.total)
        session.rollback()

        assert act(session, make_arrival(session), stranger) == "not a hold of ours"

    @pytest.mark.parametrize(
        ("source", "kind", "payload"),
        [
            ("stripe", "customer.created", {"id": "cus_1"}),
            ("stripe", "charge.refunded", {"id": "ch_1"}),
            ("stock", "stock.updated", {"items": "many"}),
            ("stock", "price.updated", {"items": []}),
        ],
    )
    def test_keeps_a_record_of_what_it_does_not_know(
        self, session: Session, source: str, kind: str, payload: dict[str, Any]
    ) -> None:
        arrival = make_arrival(session, source, kind, payload)

        assert act(session, arrival) == "nothing to do"

        assert arrival.handled_at is not None


class TestStock:
    def test_is_taken_over_and_deals_follow(self, session: Session) -> None:
        offer = make_offer(session, sku="PARKA", quantity=10)
        deal = make_deal(session, offer, allotment=10)

        outcome = act(session, told(session, {"sku": "PARKA", "quantity": 4}))

        assert outcome == "1 of 1 were news"
        assert (offer.quantity, deal.left, deal.withheld) == (4, 4, 6)

    def test_takes_off_what_was_sold_here_since(self, session: Session) -> None:
        offer = make_offer(session, sku="PARKA", quantity=10)
        deal = make_deal(session, offer, allotment=10)
        make_order(session, deal, quantity=2, paid_at=NOON + MINUTE)

        act(session, told(session, {"sku": "PARKA", "quantity": 10}, sent_at=NOON))

        assert (offer.quantity, deal.left, deal.sold) == (8, 8, 2)

    def test_retires_the_posts_when_nothing_is_left(self, session: Session) -> None:
        offer = make_offer(session, sku="PARKA", quantity=10)
        deal = make_deal(session, offer, allotment=10)

        act(session, told(session, {"sku": "PARKA", "quantity": 0}))

        assert deal.sold_out_at == NOON + MINUTE
        assert post_of(session, deal).retire_at == NOON + MINUTE

    def test_leaves_what_is_being_paid_to_who_pays(self, session: Session) -> None:
        offer = make_offer(session, sku="PARKA", quantity=10)
        deal = make_deal(session, offer, allotment=10)
        make_hold(session, deal, quantity=2, state=HoldState.OPEN)

        act(session, told(session, {"sku": "PARKA", "quantity": 2}))

        assert (deal.held, deal.left, deal.sold_out_at) == (2, 0, None)

    def test_of_an_older_message_is_dropped(self, session: Session) -> None:
        offer = make_offer(session, sku="PARKA", quantity=10, counted_at=NOON)

        arrival = told(session, {"sku": "PARKA", "quantity": 4}, sent_at=NOON - HOUR)

        assert act(session, arrival) == "0 of 1 were news"
        assert offer.quantity == 10

    def test_of_nobodys_goods_is_left(self, session: Session) -> None:
        south = make_retailer(session)
        offer = make_offer(session, sku="PARKA", quantity=10)

        items = {"sku": "PARKA", "quantity": 4}, {"sku": "COAT", "quantity": 4}
        outcome = act(session, told(session, *items, retailer_id=south.id))

        assert (outcome, offer.quantity) == ("0 of 2 were news", 10)

    @pytest.mark.parametrize(
        "item",
        [None, 7, "PARKA", {}, {"sku": "PARKA"}, {"sku": "PARKA", "quantity": "4"}],
    )
    def test_that_makes_no_sense_is_left_and_the_rest_taken(
        self, session: Session, item: Any
    ) -> None:
        offer = make_offer(session, sku="PARKA", quantity=10)

        outcome = act(session, told(session, item, {"sku": "PARKA", "quantity": 4}))

        assert (outcome, offer.quantity) == ("1 of 2 were news", 4)


class TestMessages:
    def test_an_order_is_told_in_full(self, session: Session) -> None:
        offer = make_offer(session, sku="PARKA")
        deal = make_deal(session, offer, price_amount=4_999)
        order = make_order(session, deal, quantity=2)

        message = order_paid(order, offer)

        assert message == {
            "order": order.id,
            "deal": deal.id,
            "sku": "PARKA",
            "title": "Last season's parka",
            "quantity": 2,
            "total_amount": 9_998,
            "currency": "eur",
            "payment": order.payment_id,
            "way": "online",
            "email": "sam@example.com",
            "name": "Sam Shopper",
            "address": "",
            "paid_at": "2026-03-02T12:00:00+00:00",
        }

    def test_a_closed_deal_is_told_in_full(self, session: Session) -> None:
        offer = make_offer(session, sku="PARKA")
        deal = make_deal(session, offer, allotment=10)
        make_order(session, deal, quantity=2)
        make_hold(session, deal)

        assert deal_closed(deal, offer) == {
            "deal": deal.id,
            "sku": "PARKA",
            "title": "Last season's parka",
            "offered": 10,
            "sold": 2,
            "held": 1,
            "opened_at": "2026-03-02T11:00:00+00:00",
            "closed_at": "2026-03-02T13:00:00+00:00",
            "sold_out": False,
        }
