"""
The loop of a worker: jobs at their own pace or at a hint, one's bug nobody else's, and
an end when it is asked for.
"""

import asyncio
from datetime import timedelta

import pytest

from outletbot.hints import Hints
from outletbot.jobs.running import LEAST, TROUBLE, Job, _once, run_jobs

NEVER = timedelta(hours=1)


async def run_until(
    stop: asyncio.Event, *jobs: Job, hints: Hints | None = None
) -> None:
    async with asyncio.timeout(4):
        await run_jobs(jobs, stop, hints)


async def test_calls_again_at_once_while_there_was_something() -> None:
    stop, left = asyncio.Event(), [3, 2, 1, 0]

    async def work() -> int:
        if len(left) == 1:
            stop.set()
        return left.pop(0)

    await run_until(stop, Job("busy", work, rest=NEVER))

    assert left == []


async def test_rests_while_there_is_nothing() -> None:
    async def nothing() -> int:
        return 0

    async def something() -> int:
        return 2

    assert await _once(Job("idle", nothing, rest=NEVER), Hints()) == NEVER
    assert await _once(Job("busy", something, rest=NEVER), Hints()) == timedelta()


async def test_one_jobs_bug_does_not_stop_the_others() -> None:
    stop, calls = asyncio.Event(), []

    async def buggy() -> int:
        calls.append("buggy")
        raise KeyError

    async def good() -> int:
        await asyncio.sleep(0)
        calls.append("good")
        if calls.count("good") == 3:
            stop.set()
        return 1

    await run_until(stop, Job("buggy", buggy), Job("good", good))

    assert calls.count("good") == 3
    assert calls.count("buggy") == 1  # it waits out its trouble
    assert await _once(Job("buggy", buggy), Hints()) == TROUBLE


async def test_finishes_what_is_under_way_when_asked_to_stop() -> None:
    stop, done = asyncio.Event(), []

    async def slow() -> int:
        stop.set()
        await asyncio.sleep(0.05)
        done.append("to the end")
        return 1

    await run_until(stop, Job("slow", slow))

    assert done == ["to the end"]


async def test_does_not_sit_out_a_rest_when_asked_to_stop() -> None:
    stop = asyncio.Event()

    async def nothing() -> int:
        asyncio.get_running_loop().call_soon(stop.set)
        return 0

    await run_until(stop, Job("idle", nothing, rest=NEVER))

    assert stop.is_set()


async def test_ends_at_once_if_it_is_killed() -> None:
    """A cancellation is no bug to be logged and lived with."""

    async def forever() -> int:
        await asyncio.Event().wait()
        return 0

    running = asyncio.create_task(run_jobs([Job("x", forever)], asyncio.Event()))
    await asyncio.sleep(0.01)
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running


class Sleeper:
    """Finds nothing to do, tells *topics* while it rests, and stops at its last call.

    *at* is when it was called, in seconds that nobody sets.
    """

    def __init__(
        self, hints: Hints, stop: asyncio.Event, *topics: str, last: int = 2
    ) -> None:
        self._hints = hints
        self._stop = stop
        self._topics = topics
        self._last = last
        self.at: list[float] = []

    async def work(self) -> int:
        loop = asyncio.get_running_loop()
        self.at.append(loop.time())
        loop.call_soon(self._hints.tell, *self._topics)
        if len(self.at) == self._last:
            self._stop.set()
        return 0


class TestHints:
    async def test_wake_a_job_that_rests(self) -> None:
        hints, stop = Hints(), asyncio.Event()
        sleeper = Sleeper(hints, stop, "posts")
        job = Job("sleeper", sleeper.work, rest=NEVER, wakes=("deals", "posts"))

        await run_until(stop, job, hints=hints)

        assert len(sleeper.at) == 2

    async def test_wake_nobody_before_a_moment_of_rest(self) -> None:
        hints, stop = Hints(), asyncio.Event()
        sleeper = Sleeper(hints, stop, "posts", last=3)
        job = Job("sleeper", sleeper.work, rest=NEVER, wakes=("posts",))

        await run_until(stop, job, hints=hints)

        first, second, third = sleeper.at
        assert min(second - first, third - second) >= LEAST.total_seconds() * 0.99

    async def test_of_something_else_wake_nobody(self) -> None:
        hints, stop = Hints(), asyncio.Event()
        sleeper = Sleeper(hints, stop, "posts")
        other = Sleeper(hints, stop)

        await run_until(
            stop,
            Job("sleeper", sleeper.work, rest=NEVER, wakes=("posts",)),
            Job("other", other.work, rest=NEVER, wakes=("deals",)),
            hints=hints,
        )

        assert len(other.at) == 1

    async def test_do_not_wake_a_job_in_trouble(self) -> None:
        hints, stop, calls = Hints(), asyncio.Event(), []

        async def buggy() -> int:
            calls.append("buggy")
            raise KeyError

        sleeper = Sleeper(hints, stop, "posts", last=3)

        await run_until(
            stop,
            Job("buggy", buggy, rest=NEVER, wakes=("posts",)),
            Job("sleeper", sleeper.work, rest=NEVER, wakes=("posts",)),
            hints=hints,
        )

        assert calls == ["buggy"]

    async def test_tell_others_what_a_job_did(self) -> None:
        hints, stop, left = Hints(), asyncio.Event(), [0, 1]
        waiting = Sleeper(hints, stop)

        async def work() -> int:
            return left.pop()

        await run_until(
            stop,
            Job("waiting", waiting.work, rest=NEVER, wakes=("deals",)),
            Job("working", work, rest=NEVER, tells=("deals",)),
            hints=hints,
        )

        assert (left, len(waiting.at)) == ([], 2)

    @pytest.mark.parametrize("did", [0, 1, KeyError()], ids=["nothing", "much", "bug"])
    async def test_are_given_of_what_was_done_alone(self, did: int | Exception) -> None:
        hints = Hints()

        async def work() -> int:
            if isinstance(did, Exception):
                raise did
            return did

        with hints.listening("deals") as listener:
            await _once(Job("working", work, tells=("deals", "posts")), hints)

            assert await listener.wait(0) is (did == 1)
