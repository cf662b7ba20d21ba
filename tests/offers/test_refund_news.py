"""
What the provider says of refunds: in any order, late, repeated, and of refunds that
somebody else made, it ends the same, and the order says what was given back in all.
"""

from itertools import permutations
from typing import Any

import pytest
from sqlmodel import Session, col, select

from offers.holds import Hold, HoldState
from offers.money import Money
from offers.orders import Order
from offers.refund_news import Change, RefundWord, find_payment, note_refunds
from offers.refunds import Refund, RefundStage, RefundState
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_hold,
    make_order,
    make_refund,
)

PENDING, SUCCEEDED, FAILED = (
    RefundStage.PENDING,
    RefundStage.SUCCEEDED,
    RefundStage.FAILED,
)


def word(provider_id: str = "re_1", amount: int = 1_000, **facts: Any) -> RefundWord:
    stage = facts.pop("stage", SUCCEEDED)
    money = Money(amount, facts.pop("currency", "eur"))
    return RefundWord(id=provider_id, money=money, stage=stage, **facts)


def note(
    session: Session, order: Order, *words: RefundWord, now: Any = NOON
) -> list[Change]:
    account_id, payment_id = order.account_id, order.payment_id
    changes = note_refunds(session, account_id, payment_id, words, now=now)
    session.commit()
    session.expire_all()
    assert changes is not None
    return changes


def rows(session: Session) -> list[Refund]:
    return list(session.exec(select(Refund).order_by(col(Refund.provider_id))))


class TestOurs:
    def test_is_given_once_and_counts(self, session: Session) -> None:
        order = make_order(session)
        refund = make_refund(session, of=order, amount=1_000, failure="no answer")
        said = word(refund_id=refund.id)

        news = [len(note(session, order, said)) for _ in range(2)]

        assert news == [1, 0]
        assert (refund.provider_id, refund.given_at) == ("re_1", NOON)
        assert (refund.state, refund.failure) == (RefundState.GIVEN, "")
        assert order.refunded_amount == 1_000

    def test_counts_while_it_is_on_its_way(self, session: Session) -> None:
        order = make_order(session)
        refund = make_refund(session, of=order, amount=1_000)

        note(session, order, word(refund_id=refund.id, stage=PENDING))

        assert refund.state is RefundState.PENDING
        assert order.refunded_amount == 1_000

    def test_does_not_count_any_more_when_it_failed(self, session: Session) -> None:
        order = make_order(session)
        refund = make_refund(session, of=order, amount=1_000)
        note(session, order, word(refund_id=refund.id))

        said = word(refund_id=refund.id, stage=FAILED, failure="declined")
        (change,) = note(session, order, said, now=NOON + HOUR)

        assert change.failed
        assert (refund.failed_at, refund.failure_code) == (NOON + HOUR, "declined")
        assert order.refunded_amount == 0

    @pytest.mark.parametrize("stages", [*permutations([PENDING, SUCCEEDED, FAILED])])
    def test_only_moves_on_in_whatever_order_it_is_told(
        self, session: Session, stages: tuple[RefundStage, ...]
    ) -> None:
        order = make_order(session)
        refund = make_refund(session, of=order, amount=1_000)

        for stage in stages:
            note(session, order, word(refund_id=refund.id, stage=stage))

        assert (refund.stage, refund.state) == (FAILED, RefundState.FAILED)
        assert order.refunded_amount == 0

    def test_that_we_took_for_refused_is_given_after_all(
        self, session: Session
    ) -> None:
        order = make_order(session)
        refund = make_refund(
            session, of=order, amount=1_000, failed_at=NOON, failure="refused"
        )

        note(session, order, word(refund_id=refund.id))

        assert (refund.state, refund.failure) == (RefundState.GIVEN, "")

    def test_is_told_from_another_of_the_same_amount(self, session: Session) -> None:
        order = make_order(session)
        ours = make_refund(session, of=order, amount=1_000)

        note(session, order, word("re_dashboard"))

        assert ours.provider_id is None
        assert order.refunded_amount == 1_000
        assert len(rows(session)) == 2


class TestMadeElsewhere:
    def test_becomes_one_of_the_orders(self, session: Session) -> None:
        order = make_order(session)

        note(session, order, word("re_1", 1_000, reason="duplicate"), word("re_2", 500))
        note(session, order, word("re_2", 500))

        first, second = rows(session)
        assert (first.order_id, first.reason) == (order.id, "duplicate")
        assert (first.asked_by, second.amount) == ("", 500)
        assert order.refunded_amount == 1_500

    def test_that_had_failed_before_we_heard_of_it_never_counts(
        self, session: Session
    ) -> None:
        order = make_order(session)

        note(session, order, word(stage=FAILED))

        assert order.refunded_amount == 0

    def test_is_never_forgotten_because_a_list_lacks_it(self, session: Session) -> None:
        order = make_order(session)

        note(session, order, word("re_1"), word("re_2"))
        note(session, order, word("re_1"))

        assert order.refunded_amount == 2_000

    def test_stands_for_what_was_owed_as_a_whole(self, session: Session) -> None:
        """Somebody gives a payment that came too late back before we do."""
        hold = make_hold(session, state=HoldState.RELEASED)
        owed = make_refund(session, hold, payment_id="pi_late")

        changes = note_refunds(
            session, "", "pi_late", [word(amount=hold.total.amount)], now=NOON
        )
        session.commit()

        assert changes is not None
        assert [change.refund.id for change in changes] == [owed.id]
        assert owed.state is RefundState.GIVEN

    def test_of_another_amount_does_not(self, session: Session) -> None:
        hold = make_hold(session, state=HoldState.RELEASED)
        owed = make_refund(session, hold, payment_id="pi_late")

        note_refunds(session, "", "pi_late", [word(amount=1)], now=NOON)
        session.commit()

        assert owed.state is RefundState.DUE
        assert len(rows(session)) == 2


class TestPayment:
    def test_of_nobody_is_left(self, session: Session) -> None:
        assert note_refunds(session, "", "pi_nobodys", [word()], now=NOON) is None

    def test_of_another_account_is_left(self, session: Session) -> None:
        """Whoever has a key of their own cannot touch what others sold."""
        order = make_order(session)
        late = make_refund(session, payment_id="pi_late")

        for payment_id in (order.payment_id, late.payment_id):
            words = [word(refund_id=late.id)]
            assert note_refunds(session, "pacc_2", payment_id, words, now=NOON) is None

        assert order.refunded_amount == 0
        assert late.provider_id is None

    def test_is_found_by_its_order_or_by_what_is_owed(self, session: Session) -> None:
        order = make_order(session)
        late = make_refund(session, payment_id="pi_late")

        sold = find_payment(session, "", order.payment_id)
        owed = find_payment(session, "", "pi_late")

        assert sold is not None
        assert (sold.hold_id, sold.order_id) == (order.hold_id, order.id)
        assert owed is not None
        assert (owed.hold_id, owed.order_id) == (late.hold_id, None)

    def test_paid_twice_leaves_its_order_alone(self, session: Session) -> None:
        order = make_order(session)
        make_refund(
            session,
            session.get_one(Hold, order.hold_id),
            payment_id="pi_second",
            amount=4_999,
        )

        note_refunds(session, "", "pi_second", [word(amount=4_999)], now=NOON + MINUTE)
        session.commit()
        session.expire_all()

        assert order.refunded_amount == 0
