"""
What merchants give back: never more than was paid, once for each form, and the units
are the next deals'.
"""

from typing import Any

import pytest
from sqlmodel import Session, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.disputes import note_dispute
from offers.errors import InvalidField, Missing, WrongState
from offers.money import Money
from offers.orders import Order, Way
from offers.refunds import Refund, RefundState, lease_due_refunds
from offers.returns import (
    RefundReason,
    RefundWish,
    ask_refund,
    clear_refund,
    returnable,
    try_refund_again,
    units_restocked_since,
)
from offers.stock import Cause, StockMovement
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_deal,
    make_dispute,
    make_offer,
    make_order,
    make_refund,
    make_retailer,
)
from tests.offers.test_disputes import said

ANA = "merchant_ana"


def wish(amount: int = 1_000, **facts: Any) -> RefundWish:
    return RefundWish(
        key=facts.pop("key", f"key-{amount}"),
        money=Money(amount, facts.pop("currency", "eur")),
        units=facts.pop("units", 0),
        reason=facts.pop("reason", RefundReason.REQUESTED),
        note=facts.pop("note", ""),
        asked_by=facts.pop("asked_by", ANA),
    )


def ask(session: Session, order: Order, asked: RefundWish) -> Refund:
    refund = ask_refund(session, order.retailer_id, order.id, asked, now=NOON)
    session.commit()
    session.expire_all()
    return refund


def sold(session: Session, quantity: int = 2, **facts: Any) -> Order:
    """An order of units at 40 each, of an offer of which 5 are in stock."""
    offer = make_offer(session, quantity=facts.pop("stock", 5))
    deal = make_deal(session, offer, price_amount=4_000, allotment=quantity)
    return make_order(session, deal, quantity=quantity, **facts)


class TestAsk:
    def test_is_due_at_once_with_who_asked_and_why(self, session: Session) -> None:
        order = sold(session, account_id="pacc_1")

        refund = ask(session, order, wish(note="too small"))

        assert (refund.order_id, refund.payment_id) == (order.id, order.payment_id)
        assert (refund.money, refund.account_id) == (Money(1_000, "eur"), "pacc_1")
        assert (refund.asked_by, refund.note, refund.asked_at) == (
            ANA,
            "too small",
            NOON,
        )
        assert (refund.reason, refund.state) == (
            "requested_by_customer",
            RefundState.DUE,
        )
        assert [due.id for due in lease_due_refunds(session, now=NOON)] == [refund.id]

    def test_twice_by_one_form_is_once(self, session: Session) -> None:
        order = sold(session)

        first, second = (ask(session, order, wish(units=1)) for _ in range(2))

        assert first.id == second.id
        assert session.exec(select(Offer)).one().quantity == 6

    def test_of_the_same_amount_by_another_form_is_another(
        self, session: Session
    ) -> None:
        order = sold(session)

        first, second = (
            ask(session, order, wish(1_000, key=key)) for key in ("one", "two")
        )

        assert first.id != second.id

    def test_never_comes_to_more_than_was_paid(self, session: Session) -> None:
        order = sold(session)
        ask(session, order, wish(5_000))
        ask(session, order, wish(2_000))

        with pytest.raises(InvalidField) as refusal:
            ask(session, order, wish(1_001))

        assert refusal.value.field == "amount"
        assert "10.00 EUR" in str(refusal.value)
        ask(session, order, wish(1_000))
        with pytest.raises(WrongState):
            ask(session, order, wish(1))

    def test_counts_what_an_older_version_only_heard_of(self, session: Session) -> None:
        order = sold(session, refunded_amount=7_500)

        assert returnable(session, order).money == Money(500, "eur")

    def test_counts_nothing_that_failed(self, session: Session) -> None:
        order = sold(session)
        make_refund(session, of=order, amount=8_000, failed_at=NOON)

        assert returnable(session, order).money == Money(8_000, "eur")

    @pytest.mark.parametrize("amount", [0, -1])
    def test_wants_an_amount(self, session: Session, amount: int) -> None:
        with pytest.raises(InvalidField):
            ask(session, sold(session), wish(amount))

    def test_of_another_retailers_order_is_missing(self, session: Session) -> None:
        order, south = sold(session), make_retailer(session)

        with pytest.raises(Missing):
            ask_refund(session, south.id, order.id, wish(), now=NOON)


class TestUnits:
    def test_go_back_to_the_stock_and_not_to_the_deal(self, session: Session) -> None:
        order = sold(session)
        deal = session.get_one(Deal, order.deal_id)
        before = (deal.left, deal.sold, deal.sold_out_at)

        refund = ask(session, order, wish(4_000, units=1))

        (movement,) = session.exec(select(StockMovement)).all()
        assert (movement.change, movement.quantity) == (1, 6)
        assert (movement.cause, movement.source_id) == (Cause.REFUND, refund.id)
        assert (deal.left, deal.sold, deal.sold_out_at) == before

    def test_come_back_once_each(self, session: Session) -> None:
        order = sold(session)
        ask(session, order, wish(4_000, units=1))

        with pytest.raises(InvalidField) as refusal:
            ask(session, order, wish(1_000, units=2))

        assert refusal.value.field == "units"
        assert returnable(session, order).units == 1

    def test_of_a_stock_that_is_not_counted_move_nothing(
        self, session: Session
    ) -> None:
        order = sold(session, stock=None)

        refund = ask(session, order, wish(4_000, units=1))

        assert refund.units == 1
        assert session.exec(select(Offer)).one().quantity is None
        assert session.exec(select(StockMovement)).all() == []

    def test_are_counted_from_a_moment_on(self, session: Session) -> None:
        order = sold(session)
        offer_id = session.get_one(Deal, order.deal_id).offer_id
        ask(session, order, wish(4_000, units=1))

        def since(moment: Any) -> int:
            return units_restocked_since(session, order.retailer_id, offer_id, moment)

        assert (since(NOON - MINUTE), since(NOON)) == (1, 0)


class TestInStore:
    def test_is_given_at_once(self, session: Session) -> None:
        order = sold(session, way=Way.STORE)

        refund = ask(session, order, wish(4_000))

        assert (refund.state, refund.given_at) == (RefundState.GIVEN, NOON)
        assert order.refunded_amount == 4_000
        assert lease_due_refunds(session, now=NOON) == []


class TestDisputed:
    @pytest.mark.parametrize("state", ["needs_response", "under_review", "lost"])
    def test_gives_nothing_back(self, session: Session, state: str) -> None:
        order = sold(session)
        make_dispute(session, order, state=state)

        with pytest.raises(WrongState):
            ask(session, order, wish())

    @pytest.mark.parametrize("state", ["warning_needs_response", "won"])
    def test_may_give_back_when_the_bank_only_asks_or_it_was_won(
        self, session: Session, state: str
    ) -> None:
        order = sold(session)
        make_dispute(session, order, state=state, withdrawn_amount=0)

        assert ask(session, order, wish()).state is RefundState.DUE

    def test_says_what_was_lost(self, session: Session) -> None:
        order = sold(session)
        note_dispute(session, "", said(order, state="lost"), now=NOON)

        hindrance = returnable(session, order).hindrance

        assert "in a dispute" in str(hindrance)


class TestAgain:
    def again(self, session: Session, refund: Refund) -> Refund:
        repeated = try_refund_again(
            session, refund.retailer_id, refund.id, by=ANA, now=NOON + HOUR
        )
        session.commit()
        session.expire_all()
        return repeated

    def test_asks_anew_for_what_failed_and_once(self, session: Session) -> None:
        order = sold(session)
        failed = make_refund(session, of=order, amount=4_000, units=1, failed_at=NOON)

        first, second = (self.again(session, failed) for _ in range(2))

        assert first.id == second.id != failed.id
        assert (first.amount, first.units, first.asked_by) == (4_000, 0, ANA)
        assert (first.state, first.due_at) == (RefundState.DUE, NOON + HOUR)
        assert failed.cleared_at == NOON + HOUR

    def test_asks_at_once_for_what_is_still_due(self, session: Session) -> None:
        due = make_refund(session, due_at=NOON + 24 * HOUR)

        assert self.again(session, due).id == due.id

        assert due.due_at == NOON + HOUR

    def test_gives_back_a_payment_that_came_too_late(self, session: Session) -> None:
        failed = make_refund(session, failed_at=NOON)

        repeated = self.again(session, failed)

        assert (repeated.payment_id, repeated.order_id) == (failed.payment_id, None)
        assert repeated.reason == "paid_too_late"

    @pytest.mark.parametrize(
        "facts",
        [
            {"given_at": NOON, "provider_id": "re_1"},
            {"failed_at": NOON, "cleared_at": NOON},
        ],
    )
    def test_is_not_for_what_was_given_or_dealt_with(
        self, session: Session, facts: dict[str, Any]
    ) -> None:
        refund = make_refund(session, of=sold(session), **facts)

        with pytest.raises(WrongState):
            self.again(session, refund)

    def test_gives_no_more_than_was_paid(self, session: Session) -> None:
        order = sold(session)
        failed = make_refund(session, of=order, amount=5_000, failed_at=NOON)
        ask(session, order, wish(4_000))

        with pytest.raises(WrongState):
            self.again(session, failed)

        session.rollback()
        assert failed.cleared_at is None

    def test_gives_nothing_while_it_is_disputed(self, session: Session) -> None:
        order = sold(session)
        failed = make_refund(session, of=order, failed_at=NOON)
        make_dispute(session, order)

        with pytest.raises(WrongState):
            self.again(session, failed)

    def test_of_another_retailers_refund_is_missing(self, session: Session) -> None:
        failed = make_refund(session, failed_at=NOON)
        south = make_retailer(session)

        with pytest.raises(Missing):
            try_refund_again(session, south.id, failed.id, by=ANA, now=NOON)
        with pytest.raises(Missing):
            clear_refund(session, south.id, failed.id, now=NOON)


class TestClear:
    def test_ends_the_alarm_of_what_failed(self, session: Session) -> None:
        failed = make_refund(session, failed_at=NOON)

        clear_refund(session, failed.retailer_id, failed.id, now=NOON + HOUR)
        clear_refund(session, failed.retailer_id, failed.id, now=NOON + 2 * HOUR)

        session.refresh(failed)
        assert failed.cleared_at == NOON + HOUR

    def test_leaves_what_did_not_fail(self, session: Session) -> None:
        due = make_refund(session)

        clear_refund(session, due.retailer_id, due.id, now=NOON)

        session.refresh(due)
        assert due.cleared_at is None
