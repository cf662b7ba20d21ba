"""
A PostgreSQL that keeps its word, and can be crashed: with fsync on, ended in the middle
of whatever it does, and started again on what it has written.
"""

import asyncio
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.postgres import (
    CannotRun,
    find_programs,
    make_cluster,
    run_as,
    whoever_may,
)

CAREFUL = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "150",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}
RECOVERY = 120.0


@dataclass
class Cluster:
    """*folder* is kept: a cluster that is there already goes on."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://outletbot@127.0.0.1:{self.port}/chaos"

    def make(self) -> None:
        """Make it, unless it is there.

        Raises:
            CannotRun: If this machine has no PostgreSQL.
        """
        programs, who = find_programs(), whoever_may()
        if (self.folder / "data" / "PG_VERSION").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if who:
            shutil.chown(self.folder, **who)
        make_cluster(programs, self.folder / "data", who)
        self.start()
        self._tell("CREATE DATABASE chaos")

    def start(self) -> None:
        """Start it, and wait until it has recovered."""
        if self.process is not None:
            return
        command = [str(find_programs() / "postgres"), "-D", str(self.folder / "data")]
        command += ["-p", str(self.port)]
        for name, value in CAREFUL.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  (it was found above)
                command, cwd=self.folder, stdout=log, stderr=log, **_who()
            )
        self._await_answer()

    def crash(self) -> None:
        """End it as ``pg_ctl stop -m immediate`` does: nothing more is written."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGINT)

    async def crash_and_come_back(self, after: float) -> None:
        await asyncio.to_thread(self.crash)
        await asyncio.sleep(after)
        await asyncio.to_thread(self.start)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(RECOVERY)
            self.process = None

    def _await_answer(self) -> None:
        until = time.monotonic() + RECOVERY
        while time.monotonic() < until:
            try:
                self._tell("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise CannotRun((self.folder / "log").read_text()[-2_000:])

    def _tell(self, command: str) -> None:
        address = f"host=127.0.0.1 port={self.port} user=outletbot dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(command.encode())


def _who() -> dict[str, Any]:
    return run_as(whoever_may())
