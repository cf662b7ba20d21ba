"""
The loop of a worker: jobs at their own pace, one's bug nobody else's, and an end when
it is asked for.
"""

import asyncio
from datetime import timedelta

import pytest

from outletbot.hints import Hints
from outletbot.jobs.running import TROUBLE, Job, _once, run_jobs

NEVER = timedelta(hours=1)


async def run_until(stop: asyncio.Event, *jobs: Job) -> None:
    async with asyncio.timeout(5):
        await run_jobs(jobs, stop)


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
