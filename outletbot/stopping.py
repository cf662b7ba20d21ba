"""Stopping: a process that is asked to stop finishes what is under way, within a time.

Asked once (SIGTERM, Ctrl-C), it takes on nothing new and ends when it is done. Asked
again, or when its time is over, it drops what is left, which is safe: all of it is
written down and taken up by the next. Asked a third time, the system ends it.
"""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Self

import structlog

log = structlog.get_logger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop(asyncio.Event):
    """Set when somebody asked to stop; *hurry* is set when they asked again."""

    def __init__(self) -> None:
        super().__init__()
        self.hurry = asyncio.Event()

    @classmethod
    def on_signals(cls) -> Self:
        """Return one that the signals of this process set."""
        stop = cls()
        loop = asyncio.get_running_loop()
        for name in SIGNALS:
            loop.add_signal_handler(name, stop.ask)
        return stop

    def ask(self) -> None:
        log.info("stop_asked")
        if self.is_set():
            self.hurry.set()
            _forget_signals()
        self.set()

    async def impatient(self, seconds: float) -> None:
        """Return when somebody hurries, or *seconds* after they asked to stop."""
        await self.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hurry.wait()


async def run_until(
    stop: Stop, seconds: float, *parts: Coroutine[Any, Any, None]
) -> None:
    """Run *parts* to their ends, which they come to once *stop* is set.

    What has not ended *seconds* after that, or when somebody hurries, is broken off. If
    a part fails the others are broken off, too.

    Raises:
        Exception: What the first part that failed raised.
    """
    running = asyncio.ensure_future(_all(parts))
    patience = asyncio.ensure_future(stop.impatient(seconds))
    try:
        await asyncio.wait({running, patience}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            log.warning("stop_hurried")
    finally:
        patience.cancel()
        running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _all(parts: tuple[Coroutine[Any, Any, None], ...]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures


def _forget_signals() -> None:
    loop = asyncio.get_running_loop()
    for name in SIGNALS:
        loop.remove_signal_handler(name)
