"""
How far the provider's lists were read: which there are, who reads them, and from where.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, select

from offers.holds import HoldState
from offers.readings import (
    LEASE,
    LEEWAY,
    Reading,
    Subject,
    advance_reading,
    began_at,
    find_reading,
    finish_reading,
    lease_due_readings,
    put_off_reading,
)
from tests.factories import (
    DAY,
    MINUTE,
    NOON,
    make_hold,
    make_payment_account,
    make_reading,
    north,
)


def due(session: Session, now: datetime = NOON) -> list[str]:
    leased = lease_due_readings(session, Subject.EVENTS, now=now)
    return sorted(reading.account_id for reading in leased)


class TestWhatIsRead:
    def test_nothing_before_anybody_was_asked_for_anything(self, session):
        make_hold(session)

        assert due(session) == []

    def test_the_houses_account_once_it_was_asked(self, session):
        make_hold(session, state=HoldState.CREATING)

        assert due(session) == [""]

    def test_an_account_that_was_proved(self, session):
        proved = make_payment_account(session)
        make_payment_account(session, proved_at=None)

        assert due(session) == [proved.id]

    def test_an_account_that_ended_too(self, session):
        ended = make_payment_account(session, ended_at=NOON - DAY)

        assert due(session) == [ended.id]

    def test_two_lists_for_each(self, session):
        make_payment_account(session)
        due(session)
        due(session)

        found = session.exec(select(Reading.subject)).all()
        assert sorted(found) == ["books", "events"]

    def test_a_hold_of_an_account_says_nothing_of_the_house(self, session):
        account = make_payment_account(session)
        make_hold(session, state=HoldState.OPEN, account_id=account.id)

        assert due(session) == [account.id]


class TestLeases:
    def test_one_reads_at_a_time(self, session):
        make_reading(session, subject=Subject.EVENTS, due_at=NOON)

        assert due(session) == [""]
        assert due(session) == []
        assert due(session, NOON + LEASE) == [""]

    def test_what_was_read_is_due_when_that_was_said(self, session):
        reading = make_reading(session, subject=Subject.EVENTS, trouble="gone")
        again = NOON + MINUTE
        finish_reading(session, reading.id, began_at=NOON, again_at=again)
        session.refresh(reading)

        assert (reading.read_at, reading.trouble, reading.attempts) == (NOON, "", 0)
        assert due(session, NOON) == []
        assert due(session, again) == [""]

    def test_what_could_not_be_read_says_why(self, session):
        reading = make_reading(session, subject=Subject.EVENTS)
        put_off_reading(session, reading.id, until=NOON, reason="no answer")
        session.refresh(reading)

        assert reading.trouble == "no answer"
        assert due(session, NOON) == [""]

    def test_the_position_moves_on(self, session):
        reading = make_reading(session)
        advance_reading(session, reading.id, "evt_2")
        session.refresh(reading)

        found = find_reading(session, "", Subject.BOOKS)
        assert found is not None
        assert found.position == "evt_2"
        assert find_reading(session, "", Subject.EVENTS) is None


class TestTheBeginning:
    def test_of_the_house_is_that_of_its_first_retailer(self, session):
        retailer = north(session)

        assert began_at(session, "", now=NOON) == retailer.created_at - LEEWAY

    def test_of_a_house_without_retailers_is_now(self, session):
        assert began_at(session, "", now=NOON) == NOON - LEEWAY

    def test_of_an_account_is_its_connection(self, session):
        since = NOON - timedelta(days=9)
        account = make_payment_account(session, connected_at=since)

        assert began_at(session, account.id, now=NOON) == since - LEEWAY
