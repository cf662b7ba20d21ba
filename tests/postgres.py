"""
A PostgreSQL server of the test run's own: on a free port of this machine, in a folder
that is removed, and careless of power cuts, which makes it quick.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

UNPRIVILEGED = ("postgres", "nobody")
PATIENCE = 30.0
PRIVATE = {
    "max_connections": "120",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}
CARELESS = PRIVATE | {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
}


class CannotRun(Exception):
    """Why there is no PostgreSQL here."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; every database in it is ours."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://outletbot@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, template: str = "template0") -> str:
        """Make a database. Return its address."""
        self._tell(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self._tell(f'DROP DATABASE "{database}" WITH (FORCE)')

    def _tell(self, command: str) -> None:
        address = f"host=127.0.0.1 port={self.port} user=outletbot dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(command.encode())


@contextmanager
def running(settings: Mapping[str, str] = CARELESS) -> Iterator[Server]:
    """Start a server with *settings*; end it afterwards and leave nothing.

    Raises:
        CannotRun: If this machine lacks its programs, or nobody may run them.
    """
    programs = find_programs()
    who = whoever_may()
    folder = Path(tempfile.mkdtemp(prefix="outletbot-pg-"))
    try:
        if who:
            shutil.chown(folder, **who)
        make_cluster(programs, folder / "data", who)
        with _started(programs, folder, who, settings) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """Return the folder of the newest server programs here."""
    on_path = shutil.which("initdb")
    if on_path and (Path(on_path).resolve().parent / "postgres").exists():
        return Path(on_path).resolve().parent  # a link leads to where its like are
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted(installed, key=lambda program: float(program.parts[-3]))
    if not found:
        msg = "PostgreSQL's server programs (initdb, postgres) are not on this machine"
        raise CannotRun(msg)
    return found[-1].parent


def whoever_may() -> dict[str, str]:
    """PostgreSQL refuses to be run by root, so root lends it to somebody."""
    if os.geteuid() != 0:
        return {}
    for user in UNPRIVILEGED:
        if shutil.which("id") and _run(["id", user]).returncode == 0:
            return {"user": user}
    msg = f"root may not run PostgreSQL, and there is none of {UNPRIVILEGED}"
    raise CannotRun(msg)


def _run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  (the programs are named above)
        command, capture_output=True, text=True, check=False, **options
    )


def make_cluster(programs: Path, data: Path, who: dict[str, str]) -> None:
    command = [str(programs / "initdb"), "--pgdata", str(data), "--auth=trust"]
    command += ["--username=outletbot", "--no-sync", "--encoding=UTF8", "--no-locale"]
    made = _run(command, cwd=data.parent, **run_as(who))
    if made.returncode != 0:
        msg = f"initdb failed: {made.stderr.strip()}"
        raise CannotRun(msg)


def run_as(who: dict[str, str]) -> dict[str, Any]:
    return {**who, "extra_groups": []} if who else {}


@contextmanager
def _started(
    programs: Path, folder: Path, who: dict[str, str], settings: Mapping[str, str]
) -> Iterator[Server]:
    server = Server(_free_port())
    command = [str(programs / "postgres"), "-D", str(folder / "data")]
    command += ["-p", str(server.port)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603  (as above)
            command, cwd=folder, stdout=log, stderr=log, **run_as(who)
        )
    try:
        _await_answer(server, process, folder / "log")
        yield server
    finally:
        process.send_signal(2)  # SIGINT: break connections off and end
        process.wait(PATIENCE)


def _await_answer(server: Server, process: Any, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            server._tell("SELECT 1")  # noqa: SLF001  (of the same module)
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    msg = f"PostgreSQL did not start: {log.read_text()}"
    raise CannotRun(msg)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
