"""
Each message is kept once, and acted on until somebody has.
"""

import pytest
from sqlmodel import Session, select

from tests.factories import MINUTE, NOON, SECOND, make_arrival
from webhooks.inbox import (
    LEASE,
    Arrival,
    lease_arrivals,
    mark_handled,
    new_arrival,
    put_off,
    receive,
    receive_all,
)


def arriving(message_id: str = "evt_1", **facts: str) -> Arrival:
    return new_arrival(
        facts.pop("source", "stripe"),
        message_id,
        facts.pop("kind", "charge.refunded"),
        {"id": "ch_1", "note": "é"},
        sent_at=NOON - SECOND,
        now=NOON,
        **facts,
    )


class TestReceive:
    def test_keeps_a_message_once(self, session: Session) -> None:
        assert receive(session, arriving())
        assert not receive(session, arriving())

        (kept,) = session.exec(select(Arrival)).all()
        assert (kept.message_id, kept.payload) == ("evt_1", {"id": "ch_1", "note": "é"})
        assert (kept.sent_at, kept.received_at) == (NOON - SECOND, NOON)

    def test_keeps_the_first_of_two_that_differ(self, session: Session) -> None:
        receive(session, arriving(kind="first"))
        receive(session, arriving(kind="second"))

        (kept,) = session.exec(select(Arrival)).all()
        assert kept.type == "first"

    @pytest.mark.parametrize(
        "facts", [{"source": "stock"}, {"retailer_id": "retailer_2"}]
    )
    def test_knows_an_id_by_its_sender(
        self, session: Session, facts: dict[str, str]
    ) -> None:
        receive(session, arriving())

        assert receive(session, arriving(**facts))


class TestReceiveAll:
    def test_tells_which_are_new(self, session: Session) -> None:
        receive(session, arriving("evt_2"))
        some = [arriving(name) for name in ("evt_3", "evt_2", "evt_1", "evt_3")]

        new = receive_all(session, some)

        assert new == {some[0].id, some[2].id}
        assert len(session.exec(select(Arrival)).all()) == 3

    def test_keeps_each_as_it_is(self, session: Session) -> None:
        one, other = arriving("evt_1"), arriving("evt_2", retailer_id="retailer_2")
        one.handled_at, one.outcome = NOON, 'a "test" event'
        one.payload = {"odd": "\x00 \ud800 \\u0000 é", "big": 10**30, "none": None}
        facts = [one.model_dump(), other.model_dump()]

        receive_all(session, [one, other])

        kept = session.exec(select(Arrival).order_by(Arrival.message_id)).all()
        assert [arrival.model_dump() for arrival in kept] == facts

    def test_of_nothing_is_nothing(self, session: Session) -> None:
        assert receive_all(session, []) == set()


class TestLease:
    def test_takes_each_once_the_oldest_first(self, session: Session) -> None:
        second = make_arrival(session, now=NOON)
        first = make_arrival(session, now=NOON - MINUTE)

        leased = lease_arrivals(session, now=NOON)

        assert [arrival.id for arrival in leased] == [first.id, second.id]
        assert [arrival.attempts for arrival in leased] == [1, 1]
        assert lease_arrivals(session, now=NOON) == []

    def test_passes_to_the_next_once_it_is_over(self, session: Session) -> None:
        make_arrival(session)
        lease_arrivals(session, now=NOON)

        assert lease_arrivals(session, now=NOON + LEASE - SECOND) == []
        (again,) = lease_arrivals(session, now=NOON + LEASE)
        assert again.attempts == 2

    def test_takes_what_was_put_off_when_its_time_comes(self, session: Session) -> None:
        arrival = make_arrival(session)
        lease_arrivals(session, now=NOON)

        until = NOON + 5 * MINUTE
        put_off(session, arrival.id, until=until, reason="Stripe is down")

        assert lease_arrivals(session, now=until - SECOND) == []
        (again,) = lease_arrivals(session, now=until)
        assert again.outcome == "Stripe is down"

    def test_takes_nothing_that_was_handled(self, session: Session) -> None:
        arrival = make_arrival(session)
        mark_handled(session, arrival.id, "done", now=NOON)

        assert lease_arrivals(session, now=NOON + MINUTE) == []


def test_handled_is_once(session: Session) -> None:
    arrival = make_arrival(session)

    assert mark_handled(session, arrival.id, "done", now=NOON)
    assert not mark_handled(session, arrival.id, "again", now=NOON + SECOND)

    session.refresh(arrival)
    assert (arrival.outcome, arrival.handled_at) == ("done", NOON)
