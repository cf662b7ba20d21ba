"""
Money owed back is owed once, and asked for until it was given.
"""

from sqlmodel import Session

from offers.money import Money
from offers.refunds import (
    LEASE,
    find_refund,
    find_refund_of_hold,
    lease_due_refunds,
    mark_given,
    put_off_refund,
    request_refund,
)
from tests.factories import MINUTE, NOON, SECOND, make_hold, make_refund


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
    assert find_refund(session, "pi_1") is first
    assert find_refund_of_hold(session, hold.id) is first


def test_a_lease_takes_what_is_due_once(session: Session) -> None:
    refund = make_refund(session)
    make_refund(session, due_at=NOON + SECOND)

    (leased,) = lease_due_refunds(session, now=NOON)

    assert (leased.id, leased.attempts) == (refund.id, 1)
    assert lease_due_refunds(session, now=NOON) == []


def test_a_lease_passes_to_the_next_once_it_is_over(session: Session) -> None:
    make_refund(session)
    lease_due_refunds(session, now=NOON)

    assert lease_due_refunds(session, now=NOON + LEASE - SECOND) == []
    assert len(lease_due_refunds(session, now=NOON + LEASE)) == 1


def test_what_was_given_is_not_asked_for_again(session: Session) -> None:
    refund = make_refund(session, failure="no answer")

    mark_given(session, refund.id, "re_1", now=NOON)

    session.refresh(refund)
    assert (refund.provider_id, refund.given_at, refund.failure) == ("re_1", NOON, "")
    assert lease_due_refunds(session, now=NOON + MINUTE) == []


def test_what_was_put_off_is_asked_for_when_its_time_comes(session: Session) -> None:
    refund = make_refund(session)

    put_off_refund(session, refund.id, until=NOON + MINUTE, reason="Stripe is down")

    assert lease_due_refunds(session, now=NOON + MINUTE - SECOND) == []
    (again,) = lease_due_refunds(session, now=NOON + MINUTE)
    assert again.failure == "Stripe is down"
