"""Rehearsals that were asked for are played, one at a time, each by its own command.

The command is a process of its own, so that its crowd keeps nobody waiting and ends
with all that it began when it is told to.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from offers.rehearsals import (
    LONGEST,
    Rehearsal,
    fail_rehearsal,
    finish_rehearsal,
    lease_rehearsal,
    load_progress,
    note_stage,
    put_back_rehearsal,
)
from outletbot.clock import Clock
from outletbot.db import Database

log = structlog.get_logger(__name__)

PATIENCE = LONGEST - timedelta(minutes=1)
ENDS_WITHIN = timedelta(seconds=10)
LONGEST_LINE = 1 << 20
LAST_WORDS = 5  # lines of what the command complained of

Command = Callable[[Rehearsal], Sequence[str]]


def rehearse(rehearsal: Rehearsal) -> list[str]:
    """Return the command that plays *rehearsal*, after everything else here."""
    wish = ["--shoppers", str(rehearsal.shoppers)]
    wish += ["--faults"] if rehearsal.faults else []
    mine = [sys.executable, "-m", "outletbot", "rehearse"]
    return [*mine, rehearsal.deal_id, *wish, "--gently", "--json"]


class Players:
    """Plays what is due in the background; ``finish`` before the process ends.

    The command has the installation's *environment*, which need not be ours.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        environment: Mapping[str, str],
        *,
        command: Command = rehearse,
        patience: timedelta = PATIENCE,
        ends_within: timedelta = ENDS_WITHIN,
    ) -> None:
        self._database = database
        self._clock = clock
        self._environment = environment
        self._command = command
        self._patience = patience.total_seconds()
        self._ends_within = ends_within.total_seconds()
        self._playing: asyncio.Task[None] | None = None

    async def play_next(self) -> int:
        """Begin to play what was asked for. Return how many rehearsals that is."""
        if self._playing is not None and not self._playing.done():
            return 0
        rehearsal = await self._database.transact(lease_rehearsal, now=self._clock())
        if rehearsal is None:
            return 0
        self._playing = asyncio.create_task(self._play(rehearsal))
        await asyncio.sleep(0)  # what has begun is put back when it is cancelled
        return 1

    async def finish(self) -> None:
        """Break off what is being played; the next process begins it afresh."""
        if self._playing is not None:
            self._playing.cancel()
            with suppress(asyncio.CancelledError):
                await self._playing

    async def wait(self) -> None:
        """Wait for the end of what is being played."""
        if self._playing is not None:
            await self._playing

    async def _play(self, rehearsal: Rehearsal) -> None:
        log.info("rehearsal_begun", rehearsal=rehearsal.id, deal=rehearsal.deal_id)
        try:
            report = await self._report_of(rehearsal)
        except asyncio.CancelledError:
            await self._database.transact(
                put_back_rehearsal, rehearsal.id, now=self._clock()
            )
            log.info("rehearsal_broken_off", rehearsal=rehearsal.id)
            raise
        except _NotPlayed as reason:
            await self._fail(rehearsal, str(reason))
        except Exception as error:
            log.exception("rehearsal_not_handled", rehearsal=rehearsal.id)
            await self._fail(rehearsal, type(error).__name__)
        else:
            await self._database.transact(
                finish_rehearsal, rehearsal.id, report, now=self._clock()
            )
            log.info("rehearsal_done", rehearsal=rehearsal.id)

    async def _fail(self, rehearsal: Rehearsal, reason: str) -> None:
        await self._database.transact(
            fail_rehearsal, rehearsal.id, reason, now=self._clock()
        )
        log.warning("rehearsal_failed", rehearsal=rehearsal.id, reason=reason)

    async def _report_of(self, rehearsal: Rehearsal) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *self._command(rehearsal),
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            limit=LONGEST_LINE,
            start_new_session=True,  # so that all that it begins can be ended with it
        )
        try:
            async with asyncio.timeout(self._patience):
                said, complaint = await self._hear(process, rehearsal)
        except TimeoutError as error:
            minutes = round(self._patience / 60)
            msg = f"It took longer than {minutes} min and was broken off."
            raise _NotPlayed(msg) from error
        finally:
            await self._end(process)
        return _read(said, complaint, process.returncode)

    async def _hear(self, process: Process, rehearsal: Rehearsal) -> tuple[bytes, str]:
        assert process.stdout is not None
        said, complaint = await asyncio.gather(
            process.stdout.read(), self._listen(process, rehearsal)
        )
        await process.wait()
        return said, complaint

    async def _listen(self, process: Process, rehearsal: Rehearsal) -> str:
        """Note each stage; return the last of what else was said."""
        assert process.stderr is not None
        others: deque[str] = deque(maxlen=LAST_WORDS)
        async for line in process.stderr:
            text = line.decode(errors="replace").strip()
            if load_progress(text) is not None:
                await self._database.transact(note_stage, rehearsal.id, text)
            elif text:
                others.append(text)
        return "\n".join(others)

    async def _end(self, process: Process) -> None:
        """Ask the command to end, and end whatever is left of it."""
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._ends_within):
                    await process.wait()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


class _NotPlayed(Exception):
    """There is no report; says why."""


def _read(said: bytes, complaint: str, code: int | None) -> dict[str, Any]:
    try:
        report = json.loads(said)
    except ValueError as error:
        raise _NotPlayed(complaint or f"It ended with {code}.") from error
    if not isinstance(report, dict):
        raise _NotPlayed(complaint or f"It ended with {code}.")
    return report
