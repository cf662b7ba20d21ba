"""
What a sale or a return means for the retailer's shops: each is owed it once, together
with the order, and whoever has an endpoint hears ``stock.changed``.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session, col, select
from standardwebhooks import Webhook

from offers.catalog import Offer
from offers.deals import Deal
from offers.echoes import Echo
from offers.errors import InvalidField
from offers.holds import HoldState
from offers.levels import place_of, take_level
from offers.money import Money
from offers.orders import Order, find_order_of_hold
from offers.returns import RefundReason, RefundWish
from offers.shops import ShopConnection, ShopKind, StockLevel, StockPlace
from offers.stock import Cause, recount
from tests.factories import (
    HOUR,
    NOON,
    make_checkout,
    make_deal,
    make_hold,
    make_offer,
    make_shop,
    north,
)
from webhooks.outbox import Delivery
from webhooks.refunding import refund_order
from webhooks.settling import redeem, settle_checkout
from webhooks.signing import new_secret, sign


@pytest.fixture
def shop(session: Session) -> ShopConnection:
    return make_shop(session, tells_back=True)


@pytest.fixture(autouse=True)
def _endpoint(session: Session) -> None:
    retailer = north(session)
    retailer.webhook_url = "https://north.example/hook"
    session.add(retailer)
    session.commit()


def sell(session: Session, units: int = 2, quantity: int | None = 10) -> Order:
    offer = make_offer(session, sku="PARKA", quantity=quantity)
    deal = make_deal(session, offer)
    hold = make_hold(session, deal, state=HoldState.OPEN, quantity=units)
    settle_checkout(session, make_checkout(hold), livemode=False, now=NOON)
    session.commit()
    order = find_order_of_hold(session, hold.id)
    assert order is not None
    return order


def give_back(session: Session, order: Order, units: int, key: str = "form") -> None:
    wish = RefundWish(
        key=key,
        money=Money(100, order.currency),
        units=units,
        reason=RefundReason.REQUESTED,
        note="",
        asked_by="",
    )
    refund_order(session, order.retailer_id, order.id, wish, now=NOON)
    session.commit()


def owed(session: Session) -> list[tuple[str, int, Cause]]:
    rows = session.exec(select(Echo).order_by(col(Echo.change)))
    return [(row.shop_id, row.change, row.cause) for row in rows]


def said(session: Session) -> list[dict[str, Any]]:
    wanted = select(Delivery).where(Delivery.type == "stock.changed")
    rows = session.exec(wanted.order_by(col(Delivery.id)))
    return [json.loads(one.body) for one in rows]


class TestOwed:
    def test_with_the_order(self, session: Session, shop: ShopConnection) -> None:
        sell(session, 2)

        assert owed(session) == [(shop.id, -2, Cause.ORDER)]

    def test_nothing_if_the_order_is_not_kept(
        self, session: Session, shop: ShopConnection
    ) -> None:
        hold = make_hold(session, make_deal(session), state=HoldState.OPEN)
        settle_checkout(session, make_checkout(hold), livemode=False, now=NOON)

        session.rollback()

        assert owed(session) == []

    def test_once_however_often_it_is_settled(
        self, session: Session, shop: ShopConnection
    ) -> None:
        hold = make_hold(session, make_deal(session), state=HoldState.OPEN)
        for _ in range(3):
            settle_checkout(session, make_checkout(hold), livemode=False, now=NOON)
            session.commit()

        assert owed(session) == [(shop.id, -1, Cause.ORDER)]

    def test_of_what_was_paid_in_the_store(
        self, session: Session, shop: ShopConnection
    ) -> None:
        hold = make_hold(session, make_deal(session), state=HoldState.RESERVED)
        code = hold.pickup_code or ""

        redeem(session, hold.retailer_id, code, merchant_id="merchant_1", now=NOON)

        assert owed(session) == [(shop.id, -1, Cause.ORDER)]

    def test_to_every_shop_that_is_told(self, session: Session) -> None:
        told = [
            make_shop(session, kind, tells_back=True).id
            for kind in (ShopKind.SHOPIFY, ShopKind.WOOCOMMERCE)
        ]
        make_shop(session, ShopKind.SQUARE, tells_back=True)
        make_shop(session, tells_back=False)

        sell(session, 1)

        assert {shop_id for shop_id, _, _ in owed(session)} == set(told)

    def test_with_what_comes_back(self, session: Session, shop: ShopConnection) -> None:
        order = sell(session, 2)

        for _ in range(2):
            give_back(session, order, 1)

        assert owed(session)[1:] == [(shop.id, 1, Cause.REFUND)]

    def test_not_with_money_alone(self, session: Session, shop: ShopConnection) -> None:
        give_back(session, sell(session, 2), 0)

        assert len(owed(session)) == 1

    def test_not_with_what_cannot_come_back(
        self, session: Session, shop: ShopConnection
    ) -> None:
        order = sell(session, 2)

        with pytest.raises(InvalidField):
            give_back(session, order, 3)
        session.rollback()

        assert len(owed(session)) == 1

    def test_only_to_those_who_were_told_of_the_sale(self, session: Session) -> None:
        order = sell(session, 2)
        make_shop(session, tells_back=True)

        give_back(session, order, 2)

        assert owed(session) == []


class TestPlaces:
    """Two shops keep the stock: the first is told what is sold, the other is not."""

    @pytest.fixture
    def order(self, session: Session, shop: ShopConnection) -> Order:
        till = make_shop(session, ShopKind.SQUARE)
        offer = make_offer(session, sku="PARKA", quantity=9)
        self.put(session, offer, shop.id, 5)
        self.put(session, offer, till.id, 4)
        recount(
            session,
            offer,
            counted_at=NOON - HOUR,
            cause=Cause.MESSAGE,
            source_id="m",
            now=NOON,
        )
        hold = make_hold(session, make_deal(session, offer), state=HoldState.OPEN)
        settle_checkout(session, make_checkout(hold), livemode=False, now=NOON)
        self.put(session, offer, till.id, 6)
        session.commit()
        order = find_order_of_hold(session, hold.id)
        assert order is not None
        return order

    def put(self, session: Session, offer: Offer, shop_id: str, units: int) -> None:
        place = place_of(session, offer.retailer_id, shop_id, "1", now=NOON)
        at = NOON - HOUR
        take_level(session, offer, place, units, counted_at=at, told_at=None, now=NOON)

    def levels(self, session: Session) -> dict[str, int]:
        joined = select(StockPlace.shop_id, StockLevel.quantity).join(
            StockLevel, col(StockLevel.place_id) == col(StockPlace.id)
        )
        return dict(session.exec(joined).all())

    def test_units_come_back_where_they_were_sold(
        self, session: Session, shop: ShopConnection, order: Order
    ) -> None:
        give_back(session, order, 1)

        assert self.levels(session)[shop.id] == 5
        assert owed(session) == [
            (shop.id, -1, Cause.ORDER),
            (shop.id, 1, Cause.REFUND),
        ]

    def test_what_the_others_sell_is_not_told(
        self, session: Session, shop: ShopConnection, order: Order
    ) -> None:
        deal = session.get_one(Deal, order.deal_id)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        settle_checkout(session, make_checkout(hold), livemode=False, now=NOON)
        session.commit()

        second = find_order_of_hold(session, hold.id)
        assert second is not None
        give_back(session, second, 1)

        assert owed(session) == [(shop.id, -1, Cause.ORDER)]


class TestSaid:
    def test_of_a_sale(self, session: Session) -> None:
        order = sell(session, 2, quantity=10)

        [message] = said(session)
        assert message == {
            "type": "stock.changed",
            "timestamp": NOON.isoformat(),
            "data": {
                "sku": "PARKA",
                "quantity": 8,
                "change": -2,
                "cause": "order",
                "order": order.id,
                "at": NOON.isoformat(),
            },
        }

    def test_of_a_return(self, session: Session) -> None:
        order = sell(session, 2)

        give_back(session, order, 1)

        [data] = [one["data"] for one in said(session) if one["data"]["change"] > 0]
        assert (data["change"], data["quantity"]) == (1, 9)
        assert (data["cause"], data["order"]) == ("refund", order.id)

    def test_of_stock_that_nobody_counted(self, session: Session) -> None:
        sell(session, 1, quantity=None)

        [message] = said(session)
        assert message["data"]["quantity"] is None

    def test_to_nobody_without_an_endpoint(self, session: Session) -> None:
        retailer = north(session)
        retailer.webhook_url = ""
        session.add(retailer)

        sell(session)

        assert said(session) == []

    def test_is_believed_by_the_library(self, session: Session) -> None:
        sell(session)
        delivery = session.exec(
            select(Delivery).where(Delivery.type == "stock.changed")
        ).one()
        secret = new_secret()
        now = datetime.now(UTC)  # noqa: TID251 - the library looks at the clock itself

        headers = sign(delivery.id, delivery.body, secret=secret, now=now)

        read = Webhook(secret).verify(delivery.body, headers)
        assert read["data"]["sku"] == "PARKA"
