"""
A process that is asked to stop finishes what is under way; asked again it hurries.
"""

import asyncio
import os
import signal

import pytest

from outletbot.stopping import SIGNALS, Stop, run_until


class Part:
    """Works until it is told to stop, then takes *more* seconds to finish."""

    def __init__(self, stop: Stop, more: float = 0) -> None:
        self.stop, self.more = stop, more
        self.begun = asyncio.Event()
        self.finished = False

    async def __call__(self) -> None:
        self.begun.set()
        await self.stop.wait()
        await asyncio.sleep(self.more)
        self.finished = True


async def test_ends_when_its_parts_have_finished() -> None:
    stop = Stop()
    parts = [Part(stop), Part(stop, 0.01)]

    running = asyncio.create_task(run_until(stop, 60, *(part() for part in parts)))
    await parts[0].begun.wait()
    stop.ask()
    await running

    assert [part.finished for part in parts] == [True, True]


async def test_breaks_off_what_takes_too_long() -> None:
    stop = Stop()
    quick, slow = Part(stop), Part(stop, 3600)

    stop.ask()
    await run_until(stop, 0.05, quick(), slow())

    assert quick.finished
    assert not slow.finished


async def test_breaks_off_at_once_when_asked_again() -> None:
    stop = Stop()
    slow = Part(stop, 3600)

    running = asyncio.create_task(run_until(stop, 3600, slow()))
    await slow.begun.wait()
    stop.ask()
    stop.ask()
    await asyncio.wait_for(running, 10)

    assert not slow.finished


async def test_a_part_that_fails_ends_the_others_and_is_heard_of() -> None:
    stop = Stop()
    other = Part(stop, 3600)

    async def fail() -> None:
        await other.begun.wait()
        raise OSError(98, "the port is somebody else's")

    with pytest.raises(OSError, match="somebody else's"):
        await run_until(stop, 3600, other(), fail())

    assert not other.finished


async def test_whoever_breaks_it_off_breaks_off_the_parts() -> None:
    stop = Stop()
    part = Part(stop)

    running = asyncio.create_task(run_until(stop, 3600, part()))
    await part.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    stop.ask()

    assert not part.finished


async def test_hears_signals_and_leaves_the_third_to_the_system() -> None:
    stop = Stop.on_signals()
    loop = asyncio.get_running_loop()

    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(stop.wait(), 10)
    hurried_at_first = stop.hurry.is_set()
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.wait_for(stop.hurry.wait(), 10)

    assert not hurried_at_first
    assert [loop.remove_signal_handler(name) for name in SIGNALS] == [False, False]
