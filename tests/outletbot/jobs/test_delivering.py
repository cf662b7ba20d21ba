"""
What we owe a retailer's endpoint is signed, brought, repeated on a schedule and given
up loudly; each attempt can be seen.
"""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from sqlmodel import Session
from standardwebhooks import Webhook

from offers.retailers import Retailer
from outletbot.db import Database
from outletbot.jobs.delivering import Courier
from outletbot.outside import guarded_session
from outletbot.sealing import Seal
from tests.factories import MINUTE, NOON, SECOND, make_delivery, north
from webhooks.outbox import (
    LEASE,
    SCHEDULE,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    attempts,
    lease_due_deliveries,
)
from webhooks.signing import new_secret

BOTH_DATABASES = True

SECRET = new_secret()


@dataclass
class Endpoint:
    """A retailer's endpoint: answers with *answers* in turn, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    words: str = "thanks"
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    elsewhere: int = 0

    async def receive(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.text()))
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(
            status=status, text=self.words, headers={"Location": "/elsewhere"}
        )

    async def trap(self, _request: web.Request) -> web.Response:
        self.elsewhere += 1
        return web.Response()


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    endpoint, app = Endpoint(), web.Application()
    app.router.add_post("/hooks", endpoint.receive)
    app.router.add_route("*", "/elsewhere", endpoint.trap)
    async with TestServer(app, host="127.0.0.1") as server:
        endpoint.url = str(server.make_url("/hooks"))
        yield endpoint


@pytest.fixture(autouse=True)
def retailer(session: Session, endpoint: Endpoint, seal: Seal) -> Retailer:
    retailer = north(session)
    retailer.webhook_url = endpoint.url
    retailer.sealed_webhook_secret = seal.close(SECRET)
    session.add(retailer)
    session.commit()
    return retailer


Deliver = Callable[..., object]


@pytest.fixture
async def deliver(
    database: Database, session: Session, seal: Seal
) -> AsyncIterator[Deliver]:
    """Let the courier do what is due at a moment."""
    async with (
        guarded_session(allow_private=True) as http,
        guarded_session(allow_private=False) as guarded,
    ):

        async def once(*, at: datetime = NOON, outside: bool = False) -> int:
            session.rollback()
            way = guarded if outside else http
            return await Courier(database, way, seal, lambda: at).deliver_due()

        yield once


def now(session: Session, delivery: Delivery) -> Delivery:
    session.rollback()
    found = session.get_one(Delivery, delivery.id, populate_existing=True)
    session.rollback()
    return found


def tried(session: Session, delivery: Delivery) -> list[DeliveryAttempt]:
    found = attempts(session, delivery.retailer_id, delivery.id)
    session.rollback()
    return found


class TestDeliver:
    async def test_brings_what_is_due(self, deliver, session, endpoint) -> None:
        delivery = make_delivery(session, body='{"title": "Été: ½ prix 🧥"}')

        count = await deliver()

        assert count == 1
        ((headers, body),) = endpoint.got
        assert json.loads(body) == {"title": "Été: ½ prix 🧥"}
        assert headers["Content-Type"] == "application/json"
        assert headers["webhook-id"] == delivery.id
        assert now(session, delivery).state is DeliveryState.DELIVERED
        assert now(session, delivery).delivered_at == NOON
        (attempt,) = tried(session, delivery)
        assert (attempt.status, attempt.answer) == (200, "thanks")
        assert attempt.tried_at == NOON

    async def test_signs_as_the_standards_own_library_verifies(
        self, deliver, session, endpoint
    ) -> None:
        """Which looks at the machine's clock."""
        make_delivery(session, body='{"title": "Été"}')
        real_time = datetime.now(UTC)  # noqa: TID251  (the library does the same)

        await deliver(at=real_time)

        ((headers, body),) = endpoint.got
        assert Webhook(SECRET).verify(body, headers) == {"title": "Été"}

    async def test_brings_it_once(self, deliver, session, endpoint) -> None:
        make_delivery(session)

        await deliver()

        assert await deliver(at=NOON + LEASE) == 0
        assert len(endpoint.got) == 1

    async def test_leaves_what_is_not_due(self, deliver, session, endpoint) -> None:
        make_delivery(session, due_at=NOON + SECOND)

        assert await deliver() == 0
        assert endpoint.got == []


class TestRetry:
    async def test_keeps_to_the_schedule_and_then_gives_up(
        self, deliver, session, endpoint
    ) -> None:
        endpoint.answers = [500] * 20
        delivery = make_delivery(session)

        at = NOON
        for wait in SCHEDULE:
            assert await deliver(at=at) == 1
            assert now(session, delivery).due_at == at + wait
            assert await deliver(at=at + wait - SECOND) == 0
            at += wait
        await deliver(at=at)

        assert now(session, delivery).state is DeliveryState.GIVEN_UP
        assert await deliver(at=at + timedelta(days=30)) == 0
        assert len(tried(session, delivery)) == len(endpoint.got) == 10
        assert at - NOON == timedelta(days=3, hours=3, minutes=35, seconds=5)

    async def test_sends_the_same_letter_again_with_a_new_date(
        self, deliver, session, endpoint
    ) -> None:
        endpoint.answers = [503]
        make_delivery(session)

        await deliver()
        await deliver(at=NOON + 5 * SECOND)

        (first, body), (second, same) = endpoint.got
        assert (first["webhook-id"], body) == (second["webhook-id"], same)
        assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5

    async def test_stops_when_the_endpoint_is_gone(
        self, deliver, session, endpoint
    ) -> None:
        endpoint.answers = [410]
        delivery = make_delivery(session)

        await deliver()

        assert now(session, delivery).state is DeliveryState.GIVEN_UP

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_follows_nobody_elsewhere(
        self, deliver, session, endpoint, status
    ) -> None:
        endpoint.answers = [status]
        delivery = make_delivery(session)

        await deliver()

        assert endpoint.elsewhere == 0
        assert now(session, delivery).state is DeliveryState.DUE
        assert tried(session, delivery)[0].status == status

    async def test_an_endpoint_that_is_away_is_an_attempt_too(
        self, deliver, session, retailer
    ) -> None:
        retailer.webhook_url = f"http://127.0.0.1:{unused_port()}/"
        session.add(retailer)
        session.commit()
        delivery = make_delivery(session)

        await deliver()

        (attempt,) = tried(session, delivery)
        assert attempt.status is None
        assert "Cannot connect" in attempt.answer

    @pytest.mark.parametrize("url", ["no address", "ftp://x", "http://[", "http://"])
    async def test_so_is_an_address_that_is_none(
        self, deliver, session, retailer, url
    ) -> None:
        retailer.webhook_url = url
        session.add(retailer)
        session.commit()
        delivery = make_delivery(session)

        await deliver()

        assert [attempt.status for attempt in tried(session, delivery)] == [None]

    async def test_lets_nobody_look_into_our_own_network(
        self, deliver, session, endpoint
    ) -> None:
        delivery = make_delivery(session)

        await deliver(outside=True)

        assert endpoint.got == []
        assert [attempt.status for attempt in tried(session, delivery)] == [None]

    async def test_keeps_the_beginning_of_a_long_answer(
        self, deliver, session, endpoint
    ) -> None:
        endpoint.words = "é" * 10_000
        delivery = make_delivery(session)

        await deliver()

        assert len(tried(session, delivery)[0].answer) <= 500

    @pytest.mark.parametrize("sealed", ["", "sealed with another key"])
    async def test_says_so_when_it_cannot_sign(
        self, deliver, session, endpoint, retailer, sealed
    ) -> None:
        retailer.sealed_webhook_secret = sealed
        session.add(retailer)
        session.commit()
        delivery = make_delivery(session)

        await deliver()

        assert endpoint.got == []
        (attempt,) = tried(session, delivery)
        assert "secret" in attempt.answer
        assert now(session, delivery).due_at == NOON + 5 * SECOND

    async def test_one_endpoints_trouble_is_nobody_elses(
        self, deliver, session, endpoint
    ) -> None:
        endpoint.answers = [500, 200]
        first, second = make_delivery(session), make_delivery(session)

        await deliver()

        states = {now(session, one).state for one in (first, second)}
        assert states == {DeliveryState.DUE, DeliveryState.DELIVERED}

    async def test_is_left_to_the_next_courier_by_one_that_died(
        self, deliver, session, database
    ) -> None:
        delivery = make_delivery(session)
        session.rollback()
        await database.transact(lease_due_deliveries, now=NOON)

        at_once = await deliver()
        later = await deliver(at=NOON + MINUTE)

        assert (at_once, later) == (0, 1)
        assert now(session, delivery).state is DeliveryState.DELIVERED
