"""
Whether the provider's books and ours agree: what differs, what does not, and the cash.
"""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session

from offers.agreement import GRACE, STALE_AFTER, Cash, cash, compare, compare_account
from offers.differences import Doubt
from offers.ledger import AccountBalance
from offers.money import Money
from offers.orders import Order, Way
from offers.refunds import RefundStage
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_deal,
    make_dispute,
    make_entry,
    make_hold,
    make_order,
    make_payment_account,
    make_reading,
    make_refund,
    make_retailer,
    north,
)

READ = NOON + HOUR


@pytest.fixture
def deal(session):
    make_reading(session, read_at=READ)
    return make_deal(session, price_amount=5_000, allotment=20)


def paid(session: Session, deal: Any, **facts: Any) -> Order:
    """Make an order that both books know."""
    order = make_order(session, deal, **facts)
    make_entry(session, order)
    return order


def refunded(session: Session, order: Order, amount: int, **facts: Any) -> None:
    make_refund(
        session,
        session.get(type(make_hold(session)), order.hold_id),
        payment_id=order.payment_id,
        order_id=order.id,
        amount=amount,
        given_at=facts.pop("given_at", NOON),
        **facts,
    )


def found(session: Session) -> list[tuple[Doubt, int]]:
    session.expire_all()
    agreement = compare(session, north(session).id)
    return [(each.doubt, each.money.amount) for each in agreement.differences]


class TestOrders:
    def test_that_both_know_agree(self, session, deal):
        paid(session, deal)

        assert compare(session, north(session).id).agrees

    def test_paid_in_the_store_are_no_matter(self, session, deal):
        make_order(session, deal, way=Way.STORE)

        assert compare(session, north(session).id).books == ()

    def test_booked_in_another_currency_agree(self, session, deal):
        order = make_order(session, deal)
        own = {"source_amount": 5_000, "source_currency": "eur"}
        make_entry(session, order, 5_412, currency="usd", **own)

        assert found(session) == []

    def test_of_which_a_refund_is_pending_agree_with_it_and_without(
        self, session, deal
    ):
        order = paid(session, deal, refunded_amount=900)
        refunded(session, order, 900, stage=RefundStage.PENDING)

        without = found(session)
        make_entry(session, order, -900, kind="refund")

        assert (without, found(session)) == ([], [])

    def test_whose_refund_just_moved_are_not_judged(self, session, deal):
        order = paid(session, deal, refunded_amount=900)
        refunded(session, order, 900, given_at=READ - GRACE + MINUTE)

        assert found(session) == []

    def test_whose_refund_failed_are_whole_again(self, session, deal):
        order = paid(session, deal)
        make_entry(session, order, -900, kind="refund")
        make_entry(session, order, 900, kind="refund_failure")

        assert found(session) == []

    def test_of_which_stripe_gave_back_what_we_do_not_know_differ(self, session, deal):
        make_entry(session, paid(session, deal), -900, kind="refund")

        assert found(session) == [(Doubt.REFUNDS, -900)]

    def test_that_were_paid_twice_differ(self, session, deal):
        order = paid(session, deal)
        make_entry(session, order)

        assert found(session) == [(Doubt.AMOUNT, 5_000)]

    def test_of_another_retailer_do_not_count(self, session, deal):
        paid(session, deal)
        make_order(session, make_deal(session, retailer_id=make_retailer(session).id))

        assert found(session) == []
        assert len(compare_account(session, "").differences) == 1


class TestPayments:
    def make(self, session: Session, **facts: Any) -> None:
        make_entry(
            session,
            amount=facts.pop("amount", 5_000),
            retailer_id=north(session).id,
            payment_id="pi_late",
            **facts,
        )

    def test_that_are_owed_back_agree(self, session, deal):
        paid(session, deal)
        make_refund(session, payment_id="pi_late", amount=5_000)
        self.make(session)

        assert found(session) == []

    def test_that_were_given_back_agree(self, session, deal):
        paid(session, deal)
        make_refund(session, payment_id="pi_late", amount=5_000, given_at=NOON)
        self.make(session)
        self.make(session, amount=-5_000, kind="refund")

        assert found(session) == []

    def test_whose_refund_stripe_does_not_have_differ(self, session, deal):
        paid(session, deal)
        make_refund(session, payment_id="pi_late", amount=5_000, given_at=NOON)
        self.make(session)

        assert found(session) == [(Doubt.NO_ORDER, 5_000)]

    def test_whose_refund_is_pending_agree(self, session, deal):
        paid(session, deal)
        stage = {"given_at": NOON, "stage": RefundStage.PENDING}
        make_refund(session, payment_id="pi_late", amount=5_000, **stage)
        self.make(session)

        assert found(session) == []

    def test_that_failed_again_agree(self, session, deal):
        paid(session, deal)
        self.make(session)
        self.make(session, amount=-5_000, kind="charge_failure")

        assert found(session) == []

    def test_for_a_hold_under_review_are_no_order(self, session, deal):
        paid(session, deal)
        self.make(session, hold_id=make_hold(session, deal).id)

        assert found(session) == [(Doubt.NO_ORDER, 5_000)]

    def test_for_a_hold_that_is_gone_say_so(self, session, deal):
        paid(session, deal)
        self.make(session, hold_id="hold_gone")

        assert found(session) == [(Doubt.NO_HOLD, 5_000)]


class TestDisputes:
    def test_that_took_what_we_know_agree(self, session, deal):
        order = paid(session, deal)
        make_dispute(session, order, provider_id="du_1")
        make_entry(session, order, -5_000, kind="dispute", source_id="du_1")

        assert found(session) == []

    def test_that_took_nothing_yet_differ(self, session, deal):
        order = paid(session, deal)
        make_dispute(session, order)

        assert found(session) == [(Doubt.DISPUTE, 5_000)]

    def test_that_only_ask_take_nothing(self, session, deal):
        make_dispute(session, paid(session, deal), withdrawn_amount=0)

        assert found(session) == []

    def test_that_we_do_not_know_differ(self, session, deal):
        order = paid(session, deal)
        make_entry(session, order, -5_000, kind="dispute", source_id="du_1")

        assert found(session) == [(Doubt.NO_DISPUTE, -5_000)]

    def test_that_are_news_are_not_judged(self, session, deal):
        order = paid(session, deal)
        make_dispute(session, order, version=READ - GRACE + MINUTE)

        assert found(session) == []


class TestBalances:
    def differ(self, session: Session, *, read_at: datetime) -> None:
        balance = AccountBalance(
            account_id="",
            currency="eur",
            amount=5_000,
            listed_amount=4_993,
            differs_since=NOON,
            read_at=read_at,
        )
        session.add(balance)
        session.commit()

    def test_that_differ_once_may_be_read_between_two_lines(self, session, deal):
        paid(session, deal)
        self.differ(session, read_at=NOON)

        assert found(session) == []

    def test_that_differ_twice_differ(self, session, deal):
        paid(session, deal)
        self.differ(session, read_at=NOON + MINUTE)

        assert found(session) == [(Doubt.BALANCE, 7)]


class TestAgreement:
    def test_is_unknown_before_the_first_reading(self, session):
        make_order(session)

        agreement = compare(session, north(session).id)

        assert (agreement.read_at, agreement.agrees) == (None, False)
        assert agreement.is_stale(NOON)

    def test_is_as_old_as_the_oldest_reading(self, session, deal):
        paid(session, deal)
        account = make_payment_account(session)
        make_reading(session, account.id, read_at=NOON, trouble="no answer")

        agreement = compare(session, north(session).id)

        assert agreement.read_at == NOON
        assert agreement.trouble == "no answer"

    def test_is_unknown_while_one_account_was_never_read(self, session, deal):
        paid(session, deal)
        make_payment_account(session)

        assert compare(session, north(session).id).read_at is None

    def test_is_stale_after_an_hour(self, session, deal):
        paid(session, deal)
        agreement = compare(session, north(session).id)

        assert not agreement.is_stale(READ + STALE_AFTER)
        assert agreement.is_stale(READ + STALE_AFTER + MINUTE)

    def test_adds_up_each_currency(self, session, deal):
        make_order(session, deal)
        make_order(session, deal)
        lost = make_order(session, deal)
        make_entry(session, lost, 5_100)

        (sum_,) = compare(session, north(session).id).sums

        assert sum_ == Money(-9_900, "eur")


class TestCash:
    def test_is_what_remains_after_everything(self, session, deal):
        order = make_order(session, deal)
        make_entry(session, order, 10_000, fee=175)
        make_entry(session, order, -2_000, kind="refund")
        make_entry(session, order, 500, kind="refund_failure")
        make_entry(session, order, -3_000, kind="dispute", fee=1_500)

        (left,) = cash(session, order.retailer_id)

        assert left == Cash(
            gross=Money(10_000, "eur"),
            refunded=Money(1_500, "eur"),
            disputed=Money(3_000, "eur"),
            fees=Money(1_675, "eur"),
        )
        assert left.net == Money(3_825, "eur")

    def test_has_no_payouts_and_no_other_business(self, session, deal):
        retailer = north(session).id
        make_entry(session, make_order(session, deal))
        make_entry(session, retailer_id=retailer, amount=-5_000, kind="payout")
        make_entry(session, retailer_id=retailer, amount=700, payment_id="pi_other")

        (left,) = cash(session, retailer)

        assert left.net == Money(5_000, "eur")

    def test_is_apart_for_each_currency(self, session, deal):
        for currency in ("jpy", "eur"):
            make_entry(session, make_order(session, deal), currency=currency)

        found = cash(session, north(session).id)

        assert [each.gross.currency for each in found] == ["eur", "jpy"]
