"""
Money owed back is owed once, and asked for until it was given.
"""

from sqlmodel import Session

from offers.money import Money
from offers.refunds import (
    LEASE,
    STUCK_AFTER,
    RefundStage,
    RefundState,
    fail_refund,
    find_refund,
    find_refund_of_hold,
    lease_due_refunds,
    put_off_refund,
    refunds_of_order,
    request_refund,
    troubled_refunds,
)
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_hold,
    make_order,
    make_refund,
    make_retailer,
    north,
)


def test_asking_twice_changes_nothing(session: Session) -> None:
    hold = make_hold(session)
    money = Money(4_999, "eur")

    first, second = (
        request_refund(
            session, hold.retailer_id, hold.id, "pi_1", money, reason=reason, now=NOON
        )
        for reason in ("paid_too_late", "paid_twice")
    )

    assert first.id == second.id
    assert (second.money, second.reason) == (money, "paid_too_late")
    assert (second.asked_at, second.key) == (NOON, "pi_1:whole")
    assert find_refund(session, "pi_1") is first
    assert find_refund_of_hold(session, hold.id) is first


def test_it_goes_back_by_the_account_that_took_it(session: Session) -> None:
    hold = make_hold(session)

    refund = request_refund(
        session,
        hold.retailer_id,
        hold.id,
        "pi_1",
        hold.total,
        reason="paid_too_late",
        account_id="pacc_1",
        now=NOON,
    )

    assert refund.account_id == "pacc_1"


def test_what_a_merchant_gave_back_of_an_order_is_owed_to_nobody(
    session: Session,
) -> None:
    order = make_order(session)
    refund = make_refund(session, of=order, amount=100)

    assert find_refund(session, order.payment_id) is None
    assert find_refund_of_hold(session, order.hold_id) is None
    assert refunds_of_order(session, order.retailer_id, order.id) == [refund]
    assert refunds_of_order(session, make_retailer(session).id, order.id) == []


class TestLease:
    def test_takes_what_is_due_once(self, session: Session) -> None:
        refund = make_refund(session)
        make_refund(session, due_at=NOON + SECOND)

        (leased,) = lease_due_refunds(session, now=NOON)

        assert (leased.id, leased.attempts) == (refund.id, 1)
        assert lease_due_refunds(session, now=NOON) == []

    def test_passes_to_the_next_once_it_is_over(self, session: Session) -> None:
        make_refund(session)
        lease_due_refunds(session, now=NOON)

        assert lease_due_refunds(session, now=NOON + LEASE - SECOND) == []
        assert len(lease_due_refunds(session, now=NOON + LEASE)) == 1

    def test_leaves_what_was_given_or_failed(self, session: Session) -> None:
        make_refund(session, provider_id="re_1", given_at=NOON)
        make_refund(session, failed_at=NOON)

        assert lease_due_refunds(session, now=NOON + MINUTE) == []


class TestPutOff:
    def test_is_asked_for_when_its_time_comes(self, session: Session) -> None:
        refund = make_refund(session)
        until = NOON + MINUTE

        put_off_refund(session, refund.id, until=until, reason="Stripe is down")

        assert lease_due_refunds(session, now=NOON + MINUTE - SECOND) == []
        (again,) = lease_due_refunds(session, now=NOON + MINUTE)
        assert (again.failure, again.refusals) == ("Stripe is down", 0)

    def test_counts_refusals_alone(self, session: Session) -> None:
        refund = make_refund(session)

        for refused in (True, False, True):
            put_off_refund(session, refund.id, until=NOON, reason="", refused=refused)

        session.refresh(refund)
        assert refund.refusals == 2

    def test_leaves_what_was_given_meanwhile(self, session: Session) -> None:
        refund = make_refund(session, provider_id="re_1", given_at=NOON)

        put_off_refund(session, refund.id, until=NOON, reason="no answer")

        session.refresh(refund)
        assert refund.failure == ""


class TestFail:
    def test_is_said_once_and_why(self, session: Session) -> None:
        refund = make_refund(session)

        news = [
            fail_refund(
                session, refund.id, code="charge_disputed", reason="Disputed.", now=NOON
            )
            for _ in range(2)
        ]

        session.refresh(refund)
        assert news == [True, False]
        assert (refund.failed_at, refund.failure) == (NOON, "Disputed.")
        assert (refund.failure_code, refund.state) == (
            "charge_disputed",
            RefundState.FAILED,
        )

    def test_leaves_what_was_given_meanwhile(self, session: Session) -> None:
        refund = make_refund(session, provider_id="re_1", given_at=NOON)

        assert not fail_refund(session, refund.id, code="", reason="no", now=NOON)


class TestState:
    def test_follows_its_life(self, session: Session) -> None:
        refund = make_refund(session)
        seen = [(refund.state, refund.counts)]

        refund.given_at, refund.stage = NOON, RefundStage.PENDING
        seen.append((refund.state, refund.counts))
        refund.stage = RefundStage.SUCCEEDED
        seen.append((refund.state, refund.counts))
        refund.failed_at, refund.stage = NOON, RefundStage.FAILED
        seen.append((refund.state, refund.counts))

        assert seen == [
            (RefundState.DUE, False),
            (RefundState.PENDING, True),
            (RefundState.GIVEN, True),
            (RefundState.FAILED, False),
        ]


class TestTroubled:
    def test_are_those_that_failed_and_nobody_dealt_with(
        self, session: Session
    ) -> None:
        failed = make_refund(session, failed_at=NOON)
        make_refund(session, failed_at=NOON, cleared_at=NOON)
        make_refund(session, provider_id="re_1", given_at=NOON)

        found = troubled_refunds(session, north(session).id, now=NOON)

        assert found == [failed]

    def test_are_those_that_were_tried_for_an_hour(self, session: Session) -> None:
        stuck = make_refund(session, asked_at=NOON - STUCK_AFTER, failure="no answer")
        make_refund(session, asked_at=NOON - HOUR + SECOND, failure="no answer")
        make_refund(session, asked_at=NOON - HOUR)

        found = troubled_refunds(session, north(session).id, now=NOON)

        assert found == [stuck]

    def test_are_the_retailers_own(self, session: Session) -> None:
        make_refund(session, failed_at=NOON)

        assert troubled_refunds(session, make_retailer(session).id, now=NOON) == []
