"""
What we owe is written with the change, repeated on a schedule, and given up loudly.
"""

import json
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from tests.factories import HOUR, MINUTE, NOON, SECOND, make_delivery, make_retailer
from webhooks.outbox import (
    LEASE,
    SCHEDULE,
    Delivery,
    DeliveryState,
    attempts,
    attempts_by_delivery,
    deliver_again,
    deliveries,
    enqueue,
    lease_due_deliveries,
    record_attempt,
)


def attempt(
    session: Session, status: int | None, *, now: datetime = NOON
) -> DeliveryState:
    (delivery,) = lease_due_deliveries(session, now=now)
    return record_attempt(session, delivery, status=status, answer="said", now=now)


class TestEnqueue:
    def test_owes_who_has_an_endpoint(self, session: Session) -> None:
        retailer = make_retailer(session, webhook_url="https://south.example/hook")

        enqueue(
            session, retailer.id, "order.paid", {"title": "Manteau d'été"}, now=NOON
        )

        (delivery,) = deliveries(session, retailer.id)
        assert (delivery.state, delivery.due_at) == (DeliveryState.DUE, NOON)
        assert json.loads(delivery.body) == {
            "type": "order.paid",
            "timestamp": "2026-03-02T12:00:00+00:00",
            "data": {"title": "Manteau d'été"},
        }

    def test_owes_nothing_to_who_has_none(self, session: Session) -> None:
        retailer = make_retailer(session)

        assert enqueue(session, retailer.id, "order.paid", {}, now=NOON) is None

        assert deliveries(session, retailer.id) == []


class TestLease:
    def test_takes_what_is_due_once(self, session: Session) -> None:
        delivery = make_delivery(session)
        make_delivery(session, due_at=NOON + SECOND)

        (leased,) = lease_due_deliveries(session, now=NOON)

        assert (leased.id, leased.attempts) == (delivery.id, 1)
        assert lease_due_deliveries(session, now=NOON) == []

    def test_passes_to_the_next_once_it_is_over(self, session: Session) -> None:
        make_delivery(session)
        lease_due_deliveries(session, now=NOON)

        assert lease_due_deliveries(session, now=NOON + LEASE - SECOND) == []
        assert len(lease_due_deliveries(session, now=NOON + LEASE)) == 1


class TestRecordAttempt:
    @pytest.mark.parametrize("status", [200, 202, 204, 299])
    def test_any_2xx_is_thanks(self, session: Session, status: int) -> None:
        delivery = make_delivery(session)

        assert attempt(session, status) is DeliveryState.DELIVERED

        session.refresh(delivery)
        assert (delivery.state, delivery.delivered_at) == (
            DeliveryState.DELIVERED,
            NOON,
        )
        assert lease_due_deliveries(session, now=NOON + HOUR) == []

    @pytest.mark.parametrize("status", [None, 199, 300, 400, 404, 409, 429, 500, 503])
    def test_anything_else_is_tried_again(
        self, session: Session, status: int | None
    ) -> None:
        delivery = make_delivery(session)

        assert attempt(session, status) is DeliveryState.DUE

        session.refresh(delivery)
        assert delivery.due_at == NOON + 5 * SECOND

    def test_410_asks_to_stop(self, session: Session) -> None:
        make_delivery(session)

        assert attempt(session, 410) is DeliveryState.GIVEN_UP

        assert lease_due_deliveries(session, now=NOON + HOUR) == []

    def test_keeps_to_the_schedule_and_then_gives_up(self, session: Session) -> None:
        delivery = make_delivery(session)
        now, waits = NOON, []
        while attempt(session, 500, now=now) is DeliveryState.DUE:
            session.refresh(delivery)
            waits.append(delivery.due_at - now)
            now = delivery.due_at

        hours = [2, 5, 10, 14, 20, 24]
        assert waits == [
            5 * SECOND,
            5 * MINUTE,
            30 * MINUTE,
            *(timedelta(hours=hour) for hour in hours),
        ]
        assert tuple(waits) == SCHEDULE
        session.refresh(delivery)
        assert (delivery.state, delivery.attempts) == (DeliveryState.GIVEN_UP, 10)

    def test_keeps_what_was_said(self, session: Session) -> None:
        delivery = make_delivery(session)
        (leased,) = lease_due_deliveries(session, now=NOON)

        record_attempt(session, leased, status=500, answer="x" * 600, now=NOON)

        (tried,) = attempts(session, delivery.retailer_id, delivery.id)
        assert (tried.status, tried.answer, tried.tried_at) == (500, "x" * 500, NOON)
        assert attempts(session, make_retailer(session).id, delivery.id) == []

    def test_a_slow_failure_cannot_undo_thanks(self, session: Session) -> None:
        delivery = make_delivery(session)
        (slow,) = lease_due_deliveries(session, now=NOON)
        session.expunge(slow)
        attempt(session, 200, now=NOON + LEASE)

        record_attempt(session, slow, status=None, answer="", now=NOON + LEASE)

        found = session.get_one(Delivery, delivery.id)
        session.refresh(found)
        assert found.state is DeliveryState.DELIVERED


class TestDeliverAgain:
    def test_begins_anew(self, session: Session) -> None:
        delivery = make_delivery(session)
        attempt(session, 410)

        deliver_again(session, delivery.retailer_id, delivery.id, now=NOON + HOUR)

        assert attempt(session, 500, now=NOON + HOUR) is DeliveryState.DUE
        session.refresh(delivery)
        assert delivery.due_at == NOON + HOUR + 5 * SECOND

    def test_is_for_its_retailer_only(self, session: Session) -> None:
        delivery = make_delivery(session)
        attempt(session, 410)

        deliver_again(session, make_retailer(session).id, delivery.id, now=NOON)

        assert lease_due_deliveries(session, now=NOON + HOUR) == []


def test_shows_the_latest_first(session: Session) -> None:
    older = make_delivery(session)
    newer = make_delivery(session, retailer_id=older.retailer_id)
    make_delivery(session, retailer_id=make_retailer(session).id)

    found = [one.id for one in deliveries(session, older.retailer_id)]

    assert found == sorted([older.id, newer.id], reverse=True)


def test_shows_the_attempts_of_each_the_last_first(session: Session) -> None:
    first, second, fresh = (
        make_delivery(session, due_at=NOON + n * HOUR) for n in range(3)
    )
    for status, at in ((500, NOON), (200, NOON + 5 * SECOND), (410, NOON + HOUR)):
        attempt(session, status, now=at)

    ids = [first.id, second.id, fresh.id]
    found = attempts_by_delivery(session, first.retailer_id, ids)

    told = {key: [one.status for one in tried] for key, tried in found.items()}
    assert told == {first.id: [200, 500], second.id: [410]}
    assert attempts_by_delivery(session, first.retailer_id, [fresh.id]) == {}
    assert attempts_by_delivery(session, make_retailer(session).id, ids) == {}
