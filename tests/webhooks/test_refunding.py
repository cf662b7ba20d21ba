"""
What refunds and disputes mean for orders: the retailer's shop hears of each once, and
news that comes before its order waits for it.
"""

import json
from typing import Any

import pytest
from sqlmodel import Session, col, select

from offers.errors import Missing
from offers.money import Money
from offers.orders import Order, Way
from offers.refund_news import RefundWord
from offers.refunds import RefundStage
from offers.returns import RefundReason, RefundWish
from tests.factories import (
    MINUTE,
    NOON,
    make_arrival,
    make_deal,
    make_offer,
    make_order,
    make_refund,
    north,
)
from tests.offers.test_disputes import said
from webhooks.handlers import (
    PATIENCE,
    NotYet,
    RefundsOf,
    dispute_to_fetch,
    handle,
    payment_to_fetch,
)
from webhooks.inbox import Arrival, new_arrival
from webhooks.outbox import Delivery
from webhooks.refunding import refund_order, settle_dispute, settle_refunds


@pytest.fixture
def order(session: Session) -> Order:
    retailer = north(session)
    retailer.webhook_url = "https://north.example/hook"
    session.add(retailer)
    session.commit()
    offer = make_offer(session, sku="PARKA")
    return make_order(session, make_deal(session, offer, price_amount=4_999))


def word(refund_id: str = "", **facts: Any) -> RefundWord:
    return RefundWord(
        id=facts.pop("id", "re_1"),
        money=Money(facts.pop("amount", 1_000), "eur"),
        stage=facts.pop("stage", RefundStage.SUCCEEDED),
        refund_id=refund_id,
        **facts,
    )


def told(session: Session) -> list[dict[str, Any]]:
    deliveries = session.exec(select(Delivery).order_by(col(Delivery.id)))
    return [json.loads(one.body) for one in deliveries]


class TestSettleRefunds:
    def settle(self, session: Session, order: Order, *words: RefundWord) -> str:
        outcome = settle_refunds(session, "", order.payment_id, words, now=NOON)
        session.commit()
        return outcome

    def test_tells_the_shop_of_each_once(self, session: Session, order: Order) -> None:
        refund = make_refund(session, of=order, amount=1_000, units=1)

        outcomes = [self.settle(session, order, word(refund.id)) for _ in range(2)]

        (message,) = told(session)
        assert outcomes == ["refund given", "no news of its refunds"]
        assert message["type"] == "order.refunded"
        assert message["data"] == {
            "order": order.id,
            "deal": order.deal_id,
            "sku": "PARKA",
            "title": "Last season's parka",
            "refund": refund.id,
            "amount": 1_000,
            "refunded_amount": 1_000,
            "total_amount": 4_999,
            "currency": "eur",
            "reason": "requested_by_customer",
            "units": 1,
            "at": "2026-03-02T12:00:00+00:00",
        }

    def test_tells_when_one_failed_what_remains_given_back(
        self, session: Session, order: Order
    ) -> None:
        self.settle(session, order, word(id="re_1"), word(id="re_2", amount=500))

        failed = word(id="re_1", stage=RefundStage.FAILED, failure="declined")
        outcome = self.settle(session, order, failed)

        message = next(m for m in told(session) if m["type"] == "order.refund_failed")
        assert outcome == "refund failed"
        assert message["data"]["amount"] == 1_000
        assert message["data"]["refunded_amount"] == 500

    def test_tells_nobody_of_money_that_became_no_order(
        self, session: Session, order: Order
    ) -> None:
        late = make_refund(session, payment_id="pi_late")

        settle_refunds(session, "", "pi_late", [word(late.id)], now=NOON)

        assert told(session) == []

    def test_of_a_payment_that_is_not_ours_is_missing(self, session: Session) -> None:
        with pytest.raises(Missing):
            settle_refunds(session, "", "pi_nobodys", [word()], now=NOON)


class TestSettleDispute:
    def test_says_how_it_stands(self, session: Session, order: Order) -> None:
        outcome = settle_dispute(session, "", said(order), now=NOON)

        assert outcome == "dispute needs_response"

    def test_of_a_payment_that_is_not_ours_is_missing(
        self, session: Session, order: Order
    ) -> None:
        with pytest.raises(Missing):
            settle_dispute(session, "", said(order, payment_id="pi_x"), now=NOON)


class TestRefundOrder:
    def ask(self, session: Session, order: Order) -> None:
        wish = RefundWish(
            key="form",
            money=Money(1_000, "eur"),
            units=0,
            reason=RefundReason.REQUESTED,
            note="",
            asked_by="merchant_ana",
        )
        refund_order(session, order.retailer_id, order.id, wish, now=NOON)
        session.commit()

    def test_tells_at_once_what_was_given_in_the_store(
        self, session: Session, order: Order
    ) -> None:
        order.way = Way.STORE
        session.commit()

        self.ask(session, order)
        self.ask(session, order)

        assert [message["type"] for message in told(session)] == ["order.refunded"]

    def test_tells_the_rest_when_the_provider_gave_it(
        self, session: Session, order: Order
    ) -> None:
        self.ask(session, order)

        assert told(session) == []


class TestFetch:
    @pytest.mark.parametrize(
        ("kind", "payload", "payment_id", "dispute_id"),
        [
            ("charge.refunded", {"payment_intent": "pi_1"}, "pi_1", None),
            ("charge.refund.updated", {"payment_intent": "pi_1"}, "pi_1", None),
            ("refund.created", {"payment_intent": "pi_1"}, "pi_1", None),
            ("refund.updated", {"payment_intent": "pi_1"}, "pi_1", None),
            ("refund.failed", {"payment_intent": "pi_1"}, "pi_1", None),
            ("refund.failed", {"payment_intent": None}, None, None),
            ("charge.succeeded", {"payment_intent": "pi_1"}, None, None),
            ("charge.dispute.created", {"id": "du_1"}, None, "du_1"),
            ("charge.dispute.funds_withdrawn", {"id": "du_1"}, None, "du_1"),
            ("charge.dispute.closed", {}, None, None),
        ],
    )
    def test_is_what_the_arrival_has_news_of(
        self,
        kind: str,
        payload: dict[str, Any],
        payment_id: str | None,
        dispute_id: str | None,
    ) -> None:
        arrival = new_arrival("stripe", "m", kind, payload, sent_at=NOON, now=NOON)

        assert payment_to_fetch(arrival) == payment_id
        assert dispute_to_fetch(arrival) == dispute_id


class TestHandle:
    def act(self, session: Session, arrival: Arrival, news: Any) -> str:
        outcome = handle(session, arrival, news, livemode=False, now=NOON + MINUTE)
        session.commit()
        session.expire_all()
        return outcome

    def arrival(self, session: Session, **facts: Any) -> Arrival:
        return make_arrival(session, "stripe", "charge.refunded", {}, **facts)

    def test_takes_in_refunds(self, session: Session, order: Order) -> None:
        news = RefundsOf(order.payment_id, (word(),))

        assert self.act(session, self.arrival(session), news) == "refund given"

        assert order.refunded_amount == 1_000

    def test_takes_in_disputes(self, session: Session, order: Order) -> None:
        arrival = self.arrival(session)

        assert self.act(session, arrival, said(order)) == "dispute needs_response"

    def test_by_another_account_is_nobodys(
        self, session: Session, order: Order
    ) -> None:
        arrival = self.arrival(session, account_id="pacc_2")
        arrival.attempts = PATIENCE

        for news in (RefundsOf(order.payment_id, (word(),)), said(order)):
            outcome = self.act(session, arrival, news)
            assert outcome in {"not a payment of ours", "handled before"}

        assert order.refunded_amount == 0

    def test_waits_for_an_order_that_is_not_written_yet(self, session: Session) -> None:
        arrival = self.arrival(session)

        with pytest.raises(NotYet):
            self.act(session, arrival, RefundsOf("pi_early", (word(),)))
        session.rollback()

        assert session.get_one(Arrival, arrival.id).handled_at is None

    def test_does_not_wait_for_ever(self, session: Session) -> None:
        arrival = self.arrival(session)
        arrival.attempts = PATIENCE

        outcome = self.act(session, arrival, RefundsOf("pi_nobodys", (word(),)))

        assert outcome == "not a payment of ours"
        assert arrival.handled_at == NOON + MINUTE
