"""
Messages that come in at once are committed at once, and nobody is answered before.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
import stripe
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.exc import DataError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlmodel import Session, select
from structlog.testing import capture_logs

from outletbot.app import build_app
from outletbot.arrivals import COME_BACK, MAX_BATCH, MOST_WAITING, Arrivals
from outletbot.claim_lines import Busy
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.hints import Hints
from outletbot.keys import ARRIVALS
from outletbot.stripe_client import StripeGateways
from outletbot.stripe_gateway import StripeGateway
from tests.conftest import Connect
from tests.factories import NOON
from webhooks.inbox import Arrival, new_arrival

BOTH_DATABASES = True

SECRET = "whsec_north"
AWAY = NoConnectionFree("all of them wait")
UNWRITABLE = "\ud800"


class Watched:
    """A database that keeps what it was given; it waits, and breaks, if it is told."""

    def __init__(self, database: Database) -> None:
        self.batches: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.trouble: Exception | None = None
        self._database = database

    async def transact(self, work: Any, arrivals: Sequence[Arrival]) -> Any:
        self.batches.append([arrival.message_id for arrival in arrivals])
        await self.open.wait()
        if self.trouble:
            raise self.trouble
        return await self._database.transact(work, arrivals)


@pytest.fixture
def watched(database: Database) -> Watched:
    return Watched(database)


@pytest.fixture
def arrivals(watched: Watched) -> Arrivals:
    return Arrivals(watched)  # type: ignore[arg-type]


def message(name: str, kind: str = "charge.refunded") -> Arrival:
    payload = {"id": "ch_1"}
    return new_arrival("stripe", name, kind, payload, sent_at=NOON, now=NOON)


def names(number: int) -> list[str]:
    return [f"evt_{n:04}" for n in range(number)]


def kept(session: Session) -> dict[str, str]:
    """The kind of each message that was kept, by its id."""
    session.rollback()
    return {one.message_id: one.type for one in session.exec(select(Arrival))}


async def all_of(arrivals: Arrivals, wanted: Sequence[Arrival]) -> list[Any]:
    keeping = [arrivals.keep(arrival) for arrival in wanted]
    return await asyncio.gather(*keeping, return_exceptions=True)


async def starts(arrivals: Arrivals, *wanted: str) -> "list[asyncio.Task[bool]]":
    """Send messages and let them get as far as they come."""
    tasks = [asyncio.create_task(arrivals.keep(message(name))) for name in wanted]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


class TestBatches:
    async def test_are_committed_when_they_are_answered(
        self, arrivals: Arrivals, database: Database
    ) -> None:
        found = []

        async def send(name: str) -> None:
            assert await arrivals.keep(message(name))
            ids = select(Arrival.message_id)
            found.append(name in database.read_here(lambda other: other.exec(ids)))

        await asyncio.gather(*map(send, names(10)))

        assert found == [True] * 10

    async def test_are_what_came_while_another_was_written(
        self, arrivals: Arrivals, watched: Watched
    ) -> None:
        watched.open.clear()
        first = await starts(arrivals, "evt_1")
        others = await starts(arrivals, "evt_2", "evt_3", "evt_4")
        assert not any(task.done() for task in (*first, *others))
        watched.open.set()

        assert await asyncio.gather(*first, *others) == [True] * 4
        assert watched.batches == [["evt_1"], ["evt_2", "evt_3", "evt_4"]]

    async def test_are_no_larger_than_they_may_be_and_in_order(
        self, arrivals: Arrivals, watched: Watched, session: Session
    ) -> None:
        wanted, told = names(MAX_BATCH + 10), []

        async def send(name: str) -> None:
            assert await arrivals.keep(message(name))
            told.append(name)

        await asyncio.gather(*map(send, wanted))

        assert watched.batches == [wanted[:MAX_BATCH], wanted[MAX_BATCH:]]
        assert told == wanted
        assert sorted(kept(session)) == wanted

    async def test_are_news_to_who_handles_them(self, database: Database) -> None:
        hints = Hints()
        with hints.listening("arrivals") as listener:
            await Arrivals(database, hints).keep(message("evt_1"))

            assert await listener.wait(0)


class TestDuplicates:
    async def test_within_a_batch_are_kept_once_as_they_came_first(
        self, arrivals: Arrivals, watched: Watched, session: Session
    ) -> None:
        wanted = [message("evt_1", "first"), message("evt_2"), message("evt_1", "then")]

        assert await all_of(arrivals, wanted) == [True, True, False]
        assert len(watched.batches) == 1
        assert kept(session) == {"evt_1": "first", "evt_2": "charge.refunded"}

    async def test_of_another_batch_are_kept_once(
        self, arrivals: Arrivals, session: Session
    ) -> None:
        assert await arrivals.keep(message("evt_2", "first"))

        wanted = [message(name, "then") for name in ("evt_1", "evt_2", "evt_3")]

        assert await all_of(arrivals, wanted) == [True, False, True]
        assert kept(session)["evt_2"] == "first"

    async def test_of_another_process_are_kept_once(
        self, connect: Connect, session: Session
    ) -> None:
        """Neither waits for the other in a circle, whatever the order."""
        one, other = Arrivals(connect()), Arrivals(connect())
        with capture_logs() as logs:
            for number in range(10):
                wanted = [message(f"{number}_{name}") for name in names(200)]
                again = [message(arrival.message_id) for arrival in reversed(wanted)]
                ours, theirs = await asyncio.gather(
                    all_of(one, wanted), all_of(other, again)
                )
                assert sorted(ours + theirs) == [False] * 200 + [True] * 200

        assert len(kept(session)) == 2_000
        assert logs == []


class TestTrouble:
    @pytest.mark.parametrize("place", [0, 3, 7])
    async def test_with_one_is_no_reason_to_refuse_the_others(
        self, arrivals: Arrivals, session: Session, place: int
    ) -> None:
        wanted = [message(name) for name in names(8)]
        wanted[place] = message("evt_bad", UNWRITABLE)

        answers = await all_of(arrivals, wanted)

        assert isinstance(answers.pop(place), (DataError, UnicodeError))
        assert answers == [True] * 7
        assert sorted(kept(session)) == [n for n in names(8) if n != names(8)[place]]

    async def test_of_the_database_is_heard_by_everybody_in_line(
        self, arrivals: Arrivals, watched: Watched
    ) -> None:
        watched.open.clear()
        under_way = await starts(arrivals, "evt_1", "evt_2")
        in_line = await starts(arrivals, "evt_3")
        watched.trouble = AWAY
        watched.open.set()

        told = await asyncio.gather(*under_way, *in_line, return_exceptions=True)

        assert told == [AWAY] * 3
        assert len(watched.batches) == 1

    async def test_is_over_when_the_database_is_back(
        self, arrivals: Arrivals, watched: Watched
    ) -> None:
        watched.trouble = AWAY
        with pytest.raises(NoConnectionFree):
            await arrivals.keep(message("evt_1"))
        watched.trouble = None

        assert await arrivals.keep(message("evt_1"))

    async def test_of_one_who_goes_does_not_stop_the_others(
        self, arrivals: Arrivals, session: Session
    ) -> None:
        impatient, patient = await starts(arrivals, "evt_1", "evt_2")

        impatient.cancel()

        assert await patient
        assert sorted(kept(session)) == ["evt_1", "evt_2"]

    async def test_is_refused_before_too_many_wait(
        self, arrivals: Arrivals, watched: Watched
    ) -> None:
        watched.open.clear()
        under_way = await starts(arrivals, "evt_first")
        in_line = await starts(arrivals, *names(MOST_WAITING))

        with pytest.raises(Busy) as refusal:
            await arrivals.keep(message("evt_last"))
        watched.open.set()

        assert refusal.value.seconds == COME_BACK
        assert all(await asyncio.gather(*under_way, *in_line))
        assert await arrivals.keep(message("evt_last"))


@pytest.fixture
async def hook(
    aiohttp_client: Any, settings: Settings, database: Database, arrivals: Arrivals
) -> TestClient[Any, Any]:
    gateway = StripeGateway(
        stripe.StripeClient("sk_test_1"),
        public_url=settings.public_url,
        webhook_secret=SECRET,
        livemode=False,
    )
    app = build_app(settings, database, StripeGateways(gateway), clock=lambda: NOON)
    app[ARRIVALS] = arrivals
    client: TestClient[Any, Any] = await aiohttp_client(
        TestServer(app, host="127.0.0.1")
    )
    return client


async def tell(hook: TestClient[Any, Any], name: str) -> ClientResponse:
    """Send an event as Stripe does."""
    event = {"id": name, "type": "charge.refunded", "created": 1, "livemode": False}
    body = json.dumps({**event, "data": {"object": {"id": "ch_1"}}})
    now = int(time.time())  # noqa: TID251  (so does the library)
    sign = stripe.WebhookSignature.generate_signature_header
    headers = {"Stripe-Signature": sign(body, SECRET, now)}
    return await hook.post("/webhooks/stripe", data=body, headers=headers)


class TestSender:
    async def test_is_answered_when_it_is_kept(
        self, hook: TestClient[Any, Any], session: Session
    ) -> None:
        with capture_logs() as logs:
            statuses = [(await tell(hook, "evt_1")).status for _ in range(2)]

        assert statuses == [204, 204]
        assert [line["new"] for line in logs] == [True, False]
        assert sorted(kept(session)) == ["evt_1"]

    async def test_is_asked_to_come_back_when_the_database_is_away(
        self, hook: TestClient[Any, Any], watched: Watched
    ) -> None:
        watched.trouble = AWAY

        answers = await asyncio.gather(*(tell(hook, name) for name in names(3)))

        assert [answer.status for answer in answers] == [503] * 3
        assert {answer.headers["Retry-After"] for answer in answers} == {"3"}

    async def test_is_asked_to_come_back_when_too_many_wait(
        self, hook: TestClient[Any, Any], arrivals: Arrivals, watched: Watched
    ) -> None:
        watched.open.clear()
        under_way = await starts(arrivals, "evt_first")
        in_line = await starts(arrivals, *names(MOST_WAITING))

        answer = await tell(hook, "evt_last")
        watched.open.set()

        assert answer.status == 503
        assert answer.headers["Retry-After"] == str(COME_BACK)
        assert all(await asyncio.gather(*under_way, *in_line))
