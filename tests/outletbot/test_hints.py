"""
Hints wake who listens to their topic, in every process where there is PostgreSQL; one
that is lost costs nothing but time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from sqlmodel import Session, text
from structlog.testing import capture_logs
from structlog.typing import EventDict

from offers.ids import new_id
from outletbot.db import Database
from outletbot.engines import connection_facts
from outletbot.hints import AT_ONCE, CHANNEL, Hints, SharedHints, open_hints
from tests.factories import NOON

BOTH_DATABASES = True

PATIENCE = 5.0  # seconds, and never so many
AT_ONE_GO = 0.05  # seconds between two tries


class TestInOneProcess:
    async def test_wake_who_listens_to_their_topic_and_nobody_else(self) -> None:
        hints = Hints()
        with hints.listening("posts") as posts, hints.listening("deals") as deals:
            waiting = asyncio.create_task(posts.wait(PATIENCE))
            await asyncio.sleep(0)

            hints.tell("posts")

            assert await waiting
            assert not await deals.wait(0)

    async def test_are_heard_by_everybody_who_listens(self) -> None:
        hints = Hints()
        with hints.listening("posts") as one, hints.listening("posts", "x") as other:
            hints.tell("deals", "posts")

            assert await one.wait(PATIENCE)
            assert await other.wait(PATIENCE)

    async def test_count_once_if_they_came_while_nobody_waited(self) -> None:
        hints = Hints()
        with hints.listening("posts") as listener:
            hints.tell("posts")
            hints.tell("posts")

            assert await listener.wait(PATIENCE)
            assert not await listener.wait(0)

    async def test_are_not_waited_for_for_ever(self) -> None:
        with Hints().listening("posts") as listener:
            assert not await listener.wait(0.01)

    async def test_are_not_waited_for_when_it_is_time_to_stop(self) -> None:
        stop = asyncio.Event()
        with Hints().listening("posts") as listener:
            waiting = asyncio.create_task(listener.wait(PATIENCE, stop=stop))
            await asyncio.sleep(0)

            stop.set()

            assert not await asyncio.wait_for(waiting, PATIENCE / 2)

    async def test_end_a_wait_that_could_be_stopped_too(self) -> None:
        hints = Hints()
        with hints.listening("posts") as listener:
            hints.tell("posts")

            assert await listener.wait(PATIENCE, stop=asyncio.Event())

    async def test_leave_nothing_behind_of_who_gave_up(self) -> None:
        with Hints().listening("posts") as listener:
            waiting = asyncio.create_task(listener.wait(PATIENCE))
            await asyncio.sleep(0)

            waiting.cancel()
            await asyncio.wait([waiting])
            await asyncio.sleep(0)

            assert asyncio.all_tasks() == {asyncio.current_task()}

    async def test_are_not_heard_by_who_no_longer_listens(self) -> None:
        hints = Hints()
        with hints.listening("posts") as listener:
            pass

        hints.tell("posts")

        assert not await listener.wait(0)


async def test_reach_as_far_as_the_database_allows(database: Database) -> None:
    async with open_hints(database) as hints:
        assert isinstance(hints, SharedHints) is not database.is_file

        with hints.listening("posts") as listener:
            hints.tell("posts")
            assert await listener.wait(PATIENCE)


@pytest.fixture
def connect_again(postgres_url: str) -> Iterator[Callable[[], Database]]:
    """Connects to one PostgreSQL, as each process does."""
    with ExitStack() as stack:

        def again() -> Database:
            database = Database.connect(postgres_url)
            stack.callback(database.close)
            return database

        yield again


@pytest.fixture
async def pair(
    connect_again: Callable[[], Database],
) -> AsyncIterator[tuple[Hints, Hints]]:
    """The hints of two processes that hear each other."""
    async with (
        open_hints(connect_again()) as here,
        open_hints(connect_again()) as there,
    ):
        await reach(here, there)
        await reach(there, here)
        yield here, there


async def reach(here: Hints, there: Hints) -> None:
    """Call until it is heard: nobody listens yet when they have just begun."""
    async with asyncio.timeout(PATIENCE):
        with there.listening("hello") as listener:
            while not await listener.wait(AT_ONE_GO):
                here.tell("hello")


class TestBetweenProcesses:
    async def test_are_heard_in_the_other_one(self, pair: tuple[Hints, Hints]) -> None:
        for here, there in (pair, pair[::-1]):
            with there.listening("posts") as posts, there.listening("deals") as deals:
                here.tell("posts")

                assert await posts.wait(PATIENCE)
                assert not await deals.wait(0)

    async def test_are_told_all_however_many_at_once(
        self, pair: tuple[Hints, Hints]
    ) -> None:
        here, there = pair
        deals = [new_id("deal", NOON) for _ in range(3 * AT_ONCE + 1)]
        with ExitStack() as stack:
            listeners = [stack.enter_context(there.listening(deal)) for deal in deals]

            here.tell(*deals)

            heard = [listener.wait(PATIENCE) for listener in listeners]
            assert all(await asyncio.gather(*heard))

    async def test_go_together_if_they_come_together(
        self, connect_again: Callable[[], Database]
    ) -> None:
        database = connect_again()
        facts = connection_facts(database.engine.url)
        async with (
            await psycopg.AsyncConnection.connect(**facts, autocommit=True) as other,
            open_hints(database) as hints,
        ):
            await other.execute(f"LISTEN {CHANNEL}".encode())

            hints.tell("posts")
            hints.tell("deals")
            hints.tell("posts")

            heard = other.notifies(timeout=PATIENCE, stop_after=1)
            assert [message.payload async for message in heard] == ["deals posts"]

    async def test_are_heard_again_after_a_connection_was_lost(
        self, pair: tuple[Hints, Hints], connect_again: Callable[[], Database]
    ) -> None:
        here, there = pair
        with capture_logs() as logs:
            deaf = await connect_again().transact(break_off_listening)

            await reach(here, there)
            await reach(there, here)

        assert deaf >= len(pair)  # one of an earlier test may be on its way out
        assert [line["event"] for line in logs] == ["hints_interrupted"] * len(pair)

    async def test_are_only_hints_while_the_database_is_away(self) -> None:
        url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=1"
        away = Database.connect(url)
        with capture_logs() as logs:
            async with open_hints(away) as hints:
                with hints.listening("posts") as listener:
                    hints.tell("posts")
                    assert await listener.wait(PATIENCE)
                await until_logged(logs, "hints_not_told")
        away.close()

        assert {line["log_level"] for line in logs} == {"info"}
        assert "hints_interrupted" in {line["event"] for line in logs}

    async def test_end_with_the_process(
        self, connect_again: Callable[[], Database]
    ) -> None:
        before = asyncio.all_tasks()

        async with open_hints(connect_again()) as hints:
            hints.tell("posts")

        assert asyncio.all_tasks() == before


async def until_logged(logs: list[EventDict], event: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while event not in {line["event"] for line in logs}:  # noqa: ASYNC110  (a list)
            await asyncio.sleep(AT_ONE_GO)


def break_off_listening(session: Session) -> int:
    """End every connection that listens. Return how many there were."""
    ending = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query = :listening"
    )
    return int(session.scalar(ending, {"listening": f"LISTEN {CHANNEL}"}))
