"""The loop of a worker: every job at its own pace, one's trouble nobody else's."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from structlog.contextvars import bound_contextvars

from outletbot.hints import Hints, Listener

log = structlog.get_logger(__name__)

TROUBLE = timedelta(seconds=5)

LEAST = timedelta(milliseconds=100)
"""So long a job rests that found nothing to do, however many hints there are."""


@dataclass(frozen=True, slots=True)
class Job:
    """*work* does what is due now and returns how much that was.

    It is called again at once while there was something, else after *rest*, or sooner
    when one of the topics *wakes* is hinted at. What it did is hinted at as *tells*.
    """

    name: str
    work: Callable[[], Awaitable[int]]
    rest: timedelta = timedelta(milliseconds=500)
    wakes: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()


async def run_jobs(
    jobs: Sequence[Job], stop: asyncio.Event, hints: Hints | None = None
) -> None:
    """Run every job again and again until *stop* is set; finish what is under way."""
    hints = hints or Hints()
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_repeat(job, stop, hints), name=job.name)


async def _repeat(job: Job, stop: asyncio.Event, hints: Hints) -> None:
    with bound_contextvars(job=job.name), hints.listening(*job.wakes) as listener:
        while not stop.is_set():
            pause = await _once(job, hints)
            if pause:
                deaf = pause is TROUBLE  # hints do not end it
                await _rest(pause, stop, Listener(()) if deaf else listener)


async def _once(job: Job, hints: Hints) -> timedelta:
    """One job's bug is no reason to stop the others."""
    try:
        done = await job.work()
    except Exception:
        log.exception("job_failed")
        return TROUBLE
    if done:
        hints.tell(*job.tells)
    return timedelta() if done else job.rest


async def _rest(pause: timedelta, stop: asyncio.Event, listener: Listener) -> None:
    """Wait until there may be work again, or it is time to stop."""
    least = min(LEAST, pause)
    await Listener(()).wait(least.total_seconds(), stop=stop)
    if not stop.is_set():
        await listener.wait((pause - least).total_seconds(), stop=stop)
