"""
Whatever the provider says, in whatever order and however often: one hold, one end.
"""

from typing import Any

import pytest
from sqlmodel import Session, col, select

from offers.allotments import fit_to_stock
from offers.catalog import Offer
from offers.checkouts import Checkout, CheckoutState, Paid
from offers.deals import Deal, close_due
from offers.errors import Missing
from offers.holds import Hold, HoldState, get_hold
from offers.ids import new_id
from offers.money import Money
from offers.orders import Order, find_order_of_hold
from offers.payment_pages import open_checkout
from offers.refunds import Refund, find_refund_of_hold
from offers.stock import StockMovement
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_checkout,
    make_deal,
    make_hold,
    make_offer,
    make_order,
    north,
    post_of,
)
from webhooks.outbox import deliveries
from webhooks.settling import Outcome, settle_checkout

PAGED = (HoldState.CREATING, HoldState.OPEN, HoldState.PROCESSING)


def settle(
    session: Session, checkout: Checkout, *, livemode: bool = False, now: Any = NOON
) -> Outcome:
    outcome = settle_checkout(session, checkout, livemode=livemode, now=now)
    session.commit()
    session.expire_all()
    return outcome


def expired(hold: Hold) -> Checkout:
    return make_checkout(
        hold, state=CheckoutState.EXPIRED, paid=Paid.UNPAID, payment_id=""
    )


def processing(hold: Hold) -> Checkout:
    return make_checkout(hold, paid=Paid.UNPAID)


def failed(hold: Hold) -> Checkout:
    return make_checkout(hold, paid=Paid.FAILED)


def units(deal: Deal) -> tuple[int, int, int]:
    return deal.left, deal.held, deal.sold


def refunds(session: Session) -> list[tuple[str, int, str]]:
    rows = session.exec(select(Refund).order_by(col(Refund.payment_id)))
    return [(row.payment_id, row.amount, row.reason) for row in rows]


class TestPaid:
    @pytest.mark.parametrize("state", PAGED)
    def test_becomes_an_order(self, session: Session, state: HoldState) -> None:
        deal = make_deal(session, allotment=10, price_amount=4_999)
        hold = make_hold(session, deal, state=state, quantity=2)

        outcome = settle(session, make_checkout(hold, address="1 North St"))

        order = find_order_of_hold(session, hold.id)
        assert outcome is Outcome.ORDERED
        assert order is not None
        assert (order.quantity, order.total) == (2, Money(9_998, "eur"))
        assert (order.payment_id, order.email) == (f"pi_{hold.id}", "sam@example.com")
        assert (order.name, order.address) == ("Sam Shopper", "1 North St")
        assert (order.post_id, order.paid_at) == (hold.post_id, NOON)
        assert units(deal) == (8, 0, 2)
        assert get_hold(session, hold.id).state is HoldState.PAID

    def test_lowers_the_stock_and_says_why(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)
        hold = make_hold(
            session, make_deal(session, offer), state=HoldState.OPEN, quantity=2
        )

        settle(session, make_checkout(hold))

        (movement,) = session.exec(select(StockMovement)).all()
        assert session.get_one(Offer, offer.id).quantity == 8
        assert (movement.change, movement.quantity) == (-2, 8)

    def test_twice_is_once(self, session: Session) -> None:
        deal = make_deal(session)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        settle(session, make_checkout(hold))
        before = units(deal)

        assert settle(session, make_checkout(hold)) is Outcome.ORDERED

        assert units(deal) == before
        assert len(session.exec(select(Order)).all()) == 1
        assert refunds(session) == []

    def test_may_be_heard_before_the_page_was_recorded(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.CREATING)
        assert hold.checkout_id is None

        assert settle(session, make_checkout(hold, id="cs_1")) is Outcome.ORDERED
        open_checkout(session, hold.id, "cs_1", "https://pay.example/1", now=NOON)

        assert get_hold(session, hold.id).state is HoldState.PAID

    def test_tells_the_retailer(self, session: Session) -> None:
        retailer = north(session)
        retailer.webhook_url = "https://north.example/hook"
        session.commit()
        hold = make_hold(session, state=HoldState.OPEN)

        settle(session, make_checkout(hold))
        settle(session, make_checkout(hold))

        told = [one.type for one in deliveries(session, retailer.id)]
        assert sorted(told) == ["order.paid", "stock.changed"]

    def test_retires_the_posts_with_the_last_unit(self, session: Session) -> None:
        deal = make_deal(session, allotment=2)
        one, other = (make_hold(session, deal, state=HoldState.OPEN) for _ in range(2))

        settle(session, make_checkout(one))
        assert (deal.sold_out_at, post_of(session, deal).retire_at) == (None, None)
        settle(session, make_checkout(other), now=NOON + MINUTE)

        assert deal.sold_out_at == NOON + MINUTE
        assert post_of(session, deal).retire_at == NOON + MINUTE

    def test_is_taken_after_the_deal_has_ended(self, session: Session) -> None:
        deal = make_deal(session)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        close_due(session, now=deal.closes_at)

        assert settle(session, make_checkout(hold), now=NOON + HOUR) is Outcome.ORDERED


class TestExpired:
    @pytest.mark.parametrize("state", PAGED)
    def test_frees_the_units(self, session: Session, state: HoldState) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=state, quantity=2)

        assert settle(session, expired(hold)) is Outcome.RELEASED

        assert units(deal) == (10, 0, 0)
        assert get_hold(session, hold.id).state is HoldState.RELEASED

    def test_twice_is_once(self, session: Session) -> None:
        deal = make_deal(session, allotment=10)
        make_hold(session, deal)
        hold = make_hold(session, deal, state=HoldState.OPEN)

        settle(session, expired(hold))
        settle(session, expired(hold))

        assert units(deal) == (9, 1, 0)

    def test_means_nothing_after_paid(self, session: Session) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        settle(session, make_checkout(hold))

        assert settle(session, expired(hold)) is Outcome.ORDERED

        assert units(deal) == (9, 0, 1)
        assert refunds(session) == []

    def test_puts_nothing_on_sale_that_the_stock_no_longer_has(
        self, session: Session
    ) -> None:
        offer = make_offer(session, quantity=1)
        deal = make_deal(session, offer, allotment=2, sold=1)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        offer.quantity = 0
        fit_to_stock(session, offer)
        assert units(deal) == (0, 1, 1)

        settle(session, expired(hold))

        assert (units(deal), deal.withheld) == ((0, 0, 1), 1)
        assert deal.sold_out_at == NOON
        assert post_of(session, deal).retire_at == NOON


class TestProcessing:
    def test_keeps_the_units_until_the_money_comes(self, session: Session) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=HoldState.OPEN)

        assert settle(session, processing(hold)) is Outcome.PROCESSING
        assert settle(session, processing(hold)) is Outcome.PROCESSING

        assert units(deal) == (9, 1, 0)
        assert get_hold(session, hold.id).state is HoldState.PROCESSING

    def test_is_followed_by_paid(self, session: Session) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        settle(session, processing(hold))

        assert settle(session, make_checkout(hold)) is Outcome.ORDERED

        assert units(deal) == (9, 0, 1)

    def test_is_followed_by_failed(self, session: Session) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        settle(session, processing(hold))

        assert settle(session, failed(hold)) is Outcome.RELEASED

        assert units(deal) == (10, 0, 0)
        assert refunds(session) == []

    def test_means_nothing_after_paid(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.OPEN)
        settle(session, make_checkout(hold))

        assert settle(session, processing(hold)) is Outcome.ORDERED

        assert get_hold(session, hold.id).state is HoldState.PAID

    def test_takes_no_unit_for_a_hold_that_was_released(self, session: Session) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=HoldState.RELEASED)

        assert settle(session, processing(hold)) is Outcome.PROCESSING

        assert units(deal) == (10, 0, 0)
        assert get_hold(session, hold.id).state is HoldState.RELEASED


class TestOpen:
    def still_open(self, hold: Hold) -> Checkout:
        return make_checkout(
            hold, state=CheckoutState.OPEN, paid=Paid.UNPAID, payment_id=""
        )

    def test_records_a_page_whose_answer_was_lost(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.CREATING)

        assert settle(session, self.still_open(hold)) is Outcome.OPEN

        found = get_hold(session, hold.id)
        assert (found.state, found.checkout_id) == (HoldState.OPEN, f"cs_{hold.id}")

    def test_opens_nothing_that_has_ended(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.RELEASED)

        settle(session, self.still_open(hold))

        assert get_hold(session, hold.id).state is HoldState.RELEASED


class TestPaidAfterRelease:
    def test_takes_a_unit_if_one_is_free(self, session: Session) -> None:
        deal = make_deal(session, allotment=1)
        hold = make_hold(session, deal, state=HoldState.RELEASED)

        assert settle(session, make_checkout(hold)) is Outcome.ORDERED

        assert units(deal) == (0, 0, 1)
        assert get_hold(session, hold.id).state is HoldState.PAID

    def test_is_given_back_if_none_is_free(self, session: Session) -> None:
        deal = make_deal(session, allotment=1, price_amount=4_999)
        hold = make_hold(session, deal, state=HoldState.RELEASED)
        make_hold(session, deal, state=HoldState.OPEN)

        assert settle(session, make_checkout(hold)) is Outcome.REFUNDED
        assert settle(session, make_checkout(hold)) is Outcome.REFUNDED

        assert refunds(session) == [(f"pi_{hold.id}", 4_999, "paid_too_late")]
        assert find_order_of_hold(session, hold.id) is None
        assert units(deal) == (0, 1, 0)

    def test_stays_given_back_even_if_a_unit_becomes_free(
        self, session: Session
    ) -> None:
        deal = make_deal(session, allotment=1)
        hold = make_hold(session, deal, state=HoldState.RELEASED)
        other = make_hold(session, deal, state=HoldState.OPEN)
        settle(session, make_checkout(hold))
        settle(session, expired(other))

        assert settle(session, make_checkout(hold)) is Outcome.REFUNDED

        assert find_order_of_hold(session, hold.id) is None
        assert units(deal) == (1, 0, 0)


class TestPaidTwice:
    def test_gives_the_second_payment_back(self, session: Session) -> None:
        deal = make_deal(session, price_amount=4_999)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        settle(session, make_checkout(hold))
        second = make_checkout(hold, id="cs_2", payment_id="pi_2")

        assert settle(session, second) is Outcome.ORDERED
        assert settle(session, second) is Outcome.ORDERED

        assert refunds(session) == [("pi_2", 4_999, "paid_twice")]
        assert units(deal)[2] == 1

    def test_gives_both_back_if_both_came_too_late(self, session: Session) -> None:
        deal = make_deal(session, allotment=1, sold=1)
        hold = make_hold(session, deal, state=HoldState.RELEASED)

        settle(session, make_checkout(hold, payment_id="pi_1"))
        settle(session, make_checkout(hold, payment_id="pi_2"))

        assert [payment for payment, _, _ in refunds(session)] == ["pi_1", "pi_2"]

    def test_is_no_matter_of_test_money(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.OPEN)
        settle(session, make_checkout(hold))

        settle(session, make_checkout(hold, payment_id="pi_2", livemode=True))

        assert refunds(session) == []


class TestReview:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"id": "cs_another"},
            {"total": Money(1, "eur")},
            {"total": Money(4_999, "usd")},
            {"livemode": True},
        ],
        ids=lambda wrong: str(next(iter(wrong.items()))),
    )
    @pytest.mark.parametrize(
        "word",
        [
            {},
            {"paid": Paid.UNPAID},
            {"state": CheckoutState.EXPIRED, "paid": Paid.UNPAID},
        ],
        ids=["paid", "processing", "expired"],
    )
    def test_is_for_what_does_not_agree_with_our_row(
        self, session: Session, wrong: dict[str, Any], word: dict[str, Any]
    ) -> None:
        deal = make_deal(session, allotment=10, price_amount=4_999)
        hold = make_hold(session, deal, state=HoldState.OPEN)

        outcome = settle(session, make_checkout(hold, **wrong, **word))

        assert outcome is Outcome.REVIEW
        assert get_hold(session, hold.id).state is HoldState.REVIEW
        assert units(deal) == (9, 1, 0)
        assert find_order_of_hold(session, hold.id) is None

    def test_wants_live_money_of_a_live_house(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.OPEN)

        assert settle(session, make_checkout(hold), livemode=True) is Outcome.REVIEW

    def test_is_for_a_page_that_we_never_asked_for(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.HELD)

        assert settle(session, make_checkout(hold)) is Outcome.REVIEW

    @pytest.mark.parametrize("word", [expired, failed, make_checkout, processing])
    def test_is_for_a_person_to_end(self, session: Session, word: Any) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=HoldState.OPEN)
        settle(session, make_checkout(hold, total=Money(1, "eur")))

        assert settle(session, word(hold)) is Outcome.REVIEW

        assert get_hold(session, hold.id).state is HoldState.REVIEW
        assert units(deal) == (9, 1, 0)

    def test_changes_nothing_that_has_ended(self, session: Session) -> None:
        deal = make_deal(session, allotment=10)
        hold = make_hold(session, deal, state=HoldState.RELEASED)

        assert (
            settle(session, make_checkout(hold, total=Money(1, "eur")))
            is Outcome.REVIEW
        )

        assert get_hold(session, hold.id).state is HoldState.RELEASED
        assert units(deal) == (10, 0, 0)


def test_a_checkout_of_nobody_we_know_is_missing(session: Session) -> None:
    checkout = make_checkout(make_hold(session, state=HoldState.OPEN))

    with pytest.raises(Missing):
        settle_checkout(
            session,
            Checkout(
                id="cs_1",
                hold_id=new_id("hold", NOON),
                state=checkout.state,
                paid=checkout.paid,
                total=checkout.total,
                livemode=False,
            ),
            livemode=False,
            now=NOON,
        )


def test_an_order_has_no_refund_of_its_own_hold(session: Session) -> None:
    order = make_order(session)

    assert find_refund_of_hold(session, order.hold_id) is None
