"""
Holds that the provider is asked about now and then, whether it told us or not.
"""

from datetime import timedelta

import pytest
from sqlmodel import Session

from offers.holds import HoldState
from offers.reconciling import lease_unchecked_holds, oldest_unfinished
from tests.factories import DAY, HOUR, MINUTE, NOON, make_deal, make_hold

SECOND = timedelta(seconds=1)


def asked_about(session: Session, after: timedelta) -> int:
    return len(lease_unchecked_holds(session, now=NOON + after))


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (HoldState.OPEN, 5 * MINUTE),
        (HoldState.PROCESSING, HOUR),
    ],
)
def test_a_hold_is_asked_about_after_a_while(session, state, after):
    make_hold(session, state=state)

    assert asked_about(session, after - SECOND) == 0
    assert asked_about(session, after) == 1
    assert asked_about(session, 2 * after - SECOND) == 0
    assert asked_about(session, 2 * after) == 1


def test_what_takes_days_is_asked_about_daily(session):
    make_hold(session, state=HoldState.PROCESSING, checked_at=NOON + DAY)

    assert asked_about(session, DAY + 23 * HOUR) == 0
    assert asked_about(session, 2 * DAY) == 1


@pytest.mark.parametrize(
    "state",
    [
        HoldState.HELD,
        HoldState.RESERVED,
        HoldState.CREATING,
        HoldState.PAID,
        HoldState.RELEASED,
        HoldState.REVIEW,
    ],
)
def test_no_other_hold_is_asked_about(session, state):
    ended_at = NOON if state in {HoldState.PAID, HoldState.RELEASED} else None
    make_hold(session, state=state, ended_at=ended_at)

    assert asked_about(session, 2 * DAY) == 0


def test_no_more_are_taken_than_were_asked_for(session):
    deal = make_deal(session, allotment=9)
    for _ in range(9):
        make_hold(session, deal, state=HoldState.OPEN)

    leased = lease_unchecked_holds(session, now=NOON + HOUR, limit=4)
    rest = lease_unchecked_holds(session, now=NOON + HOUR, limit=9)

    assert (len(leased), len(rest)) == (4, 5)


def test_the_oldest_unfinished_hold_is_known(session):
    deal = make_deal(session)
    make_hold(session, deal, state=HoldState.PAID, held_at=NOON - HOUR, ended_at=NOON)
    make_hold(session, deal, state=HoldState.REVIEW, held_at=NOON - HOUR)
    make_hold(session, deal, state=HoldState.OPEN, held_at=NOON - MINUTE)
    make_hold(session, deal, state=HoldState.PROCESSING, held_at=NOON)

    assert oldest_unfinished(session) == NOON - MINUTE


def test_there_may_be_none(session):
    assert oldest_unfinished(session) is None
