"""The loop of a worker: every job at its own pace, one's trouble nobody else's."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from structlog.contextvars import bound_contextvars

log = structlog.get_logger(__name__)

TROUBLE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Job:
    """*work* does what is due now and returns how much that was.

    It is called again at once while there was something, else after *rest*.
    """

    name: str
    work: Callable[[], Awaitable[int]]
    rest: timedelta = timedelta(milliseconds=500)


async def run_jobs(jobs: Sequence[Job], stop: asyncio.Event) -> None:
    """Run every job again and again until *stop* is set; finish what is under way."""
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_repeat(job, stop), name=job.name)


async def _repeat(job: Job, stop: asyncio.Event) -> None:
    with bound_contextvars(job=job.name):
        while not stop.is_set():
            pause = await _once(job)
            if pause:
                await _rest(pause, stop)


async def _once(job: Job) -> timedelta:
    """One job's bug is no reason to stop the others."""
    try:
        done = await job.work()
    except Exception:
        log.exception("job_failed")
        return TROUBLE
    return timedelta() if done else job.rest


async def _rest(pause: timedelta, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(pause.total_seconds()):
            await stop.wait()
    except TimeoutError:
        return
