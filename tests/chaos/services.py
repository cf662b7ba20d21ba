"""
Services: web and worker processes, each started again whenever it is gone, as systemd
and every platform do.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.chaos.journal import Entry, Journal

READY_WITHIN = 90.0
BACK_AFTER = 0.5


@dataclass(slots=True)
class Service:
    """*launcher* is how Python is told to run the program."""

    name: str
    words: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    launcher: tuple[str, ...] = ("-m", "outletbot")
    process: Process | None = None
    killed: bool = False

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.launcher,
                *self.words,
                env={"PATH": os.defpath, "PYTHONPATH": _path(), **self.env},
                stdout=log,
                stderr=log,
            )
        self.killed = False

    def kill(self) -> None:
        """End it as a power cut would, whatever it is doing."""
        self.send(signal.SIGKILL)
        self.killed = True

    def send(self, how: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(how)

    async def keep_up(self, journal: Journal) -> None:
        """Start it again whenever it ends, until cancelled."""
        while True:
            if self.process is not None:
                await self.process.wait()
                if not self.killed:
                    journal.write(Entry.ENDED, self.name)
            await asyncio.sleep(BACK_AFTER)
            await self.start()

    async def stop(self) -> int:
        """Ask it to end, and insist after a while. Return its code."""
        if self.process is None:
            return 0
        self.send(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.process.wait(), 40)
        except TimeoutError:
            self.send(signal.SIGKILL)
            return await self.process.wait()


async def until_ready(port: int) -> None:
    """Wait until a web process says that it can serve."""
    async with asyncio.timeout(READY_WITHIN), aiohttp.ClientSession() as http:
        while not await is_ready(http, port):  # noqa: ASYNC110  (it cannot tell us)
            await asyncio.sleep(0.1)


async def is_ready(http: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def _path() -> str:
    """The very code that we are."""
    return os.pathsep.join(filter(None, sys.path))
