"""The troupe: the real processes, web and worker, that serve the copy."""

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp

HOST = "127.0.0.1"
READY_WITHIN = 60.0  # seconds: a busy machine may have only two cores
STOPPED_WITHIN = 15.0
LOOK_EVERY = 0.2
LAST_WORDS = 600  # characters of a log


class Broken(Exception):
    """The rehearsal cannot go on; says why."""


@dataclass(slots=True)
class Actor:
    """A process of ours: how it is started, and where it logs."""

    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    process: Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "outletbot", *self.words),
                env=dict(self.environment),
                cwd=self.log.parent,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def check(self) -> None:
        """Raise ``Broken`` if the process has ended by itself."""
        if self.process is not None and self.process.returncode is not None:
            code = self.process.returncode
            last = self.log.read_text(errors="replace")[-LAST_WORDS:].strip()
            msg = f"The {self.name} process ended with {code}. Its last words:\n{last}"
            raise Broken(msg)

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self.process = None

    async def stop(self) -> None:
        """Ask it to end, and insist if it does not."""
        if self.process is None or self.process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            async with asyncio.timeout(STOPPED_WITHIN):
                await self.process.wait()
        except TimeoutError:
            await self.kill()

    @property
    def errors(self) -> int:
        """How many errors it has logged."""
        if not self.log.exists():
            return 0
        lines = self.log.read_text(errors="replace").splitlines()
        return sum('"level": "error"' in line for line in lines)


@dataclass(slots=True)
class Troupe:
    """As many web processes as ports, and a worker."""

    environment: Mapping[str, str]
    ports: tuple[int, ...]
    folder: Path
    webs: list[Actor] = field(default_factory=list)
    worker: Actor = field(init=False)

    def __post_init__(self) -> None:
        for number, port in enumerate(self.ports, start=1):
            environment = {**self.environment, "PORT": str(port)}
            log = self.folder / f"web-{number}.log"
            self.webs.append(Actor("web", ("web",), environment, log))
        log = self.folder / "worker.log"
        self.worker = Actor("worker", ("worker",), self.environment, log)

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(f"http://{HOST}:{port}" for port in self.ports)

    @property
    def errors(self) -> int:
        return sum(actor.errors for actor in (*self.webs, self.worker))

    async def __aenter__(self) -> Self:
        try:
            for actor in (*self.webs, self.worker):
                await actor.start()
            await self._until_ready()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    def check(self) -> None:
        """Raise ``Broken`` if a process has ended by itself."""
        for actor in (*self.webs, self.worker):
            actor.check()

    async def _until_ready(self) -> None:
        try:
            async with aiohttp.ClientSession() as http, asyncio.timeout(READY_WITHIN):
                for address in self.addresses:
                    while not await _is_ready(http, address):
                        self.check()
                        await asyncio.sleep(LOOK_EVERY)
        except TimeoutError as error:
            msg = f"The web process was not ready within {READY_WITHIN:.0f} s."
            raise Broken(msg) from error

    async def _stop(self) -> None:
        await asyncio.gather(*(actor.stop() for actor in (*self.webs, self.worker)))


async def _is_ready(http: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with http.get(f"{address}/readyz") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def free_ports(count: int) -> tuple[int, ...]:
    """Return ports that nobody listens at just now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return tuple(probe.getsockname()[1] for probe in probes)
    finally:
        for probe in probes:
            probe.close()
