"""Servers in processes of their own, for as long as they are measured."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from outletbot.demo.running import free_ports

HERE = Path(__file__).parent


@contextmanager
def served(
    kind: str, what: str, log: Path, *, processes: int = 1
) -> Iterator[tuple[int, ...]]:
    """Run *processes* servers of a *kind* while the block runs. Yield their ports."""
    with ExitStack() as stack:
        ports = tuple(free_ports(21_000, processes))
        for port in ports:
            stack.enter_context(_server(kind, port, what, log))
        yield ports


@contextmanager
def _server(kind: str, port: int, what: str, log: Path) -> Iterator[None]:
    command = [sys.executable, str(HERE / "servers.py"), kind, str(port), what]
    with (
        log.open("a") as lines,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        if not process.stdout.readline():
            msg = f"the {kind} server did not start: {log.read_text()[-2000:]}"
            raise SystemExit(msg)
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(timeout=30)
