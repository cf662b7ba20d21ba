"""
What was leased and not begun goes back at once, unless somebody else has it by now.
"""

from sqlmodel import Session

from offers.leases import give_back
from tests.factories import MINUTE, NOON, SECOND, make_arrival
from webhooks.inbox import LEASE, lease_arrivals


def test_gives_back_what_was_not_begun(session: Session) -> None:
    make_arrival(session)
    leased = lease_arrivals(session, now=NOON)

    given = give_back(session, leased, now=NOON + SECOND)

    (again,) = lease_arrivals(session, now=NOON + SECOND)
    assert given == 1
    assert again.id == leased[0].id
    assert again.attempts == 1


def test_leaves_to_another_what_they_have_taken_since(session: Session) -> None:
    make_arrival(session)
    leased = lease_arrivals(session, now=NOON)
    session.expunge_all()
    (taken,) = lease_arrivals(session, now=NOON + LEASE)

    given = give_back(session, leased, now=NOON + LEASE + SECOND)

    session.refresh(taken)
    assert given == 0
    assert taken.due_at == NOON + 2 * LEASE
    assert lease_arrivals(session, now=NOON + LEASE + MINUTE / 2) == []
