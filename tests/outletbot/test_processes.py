"""
The service as a process: it starts, answers, and ends within seconds when it is asked
to, with nothing half done.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from aiohttp.test_utils import unused_port

from outletbot.demo.running import free_ports
from tests.factories import KEY

PATIENCE = 60.0


@contextmanager
def started(
    *words: str, folder: Path, **env: str
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run a command until the block is left; yield it and the file it writes to."""
    written = folder / "written"
    with written.open("w") as out:
        process = subprocess.Popen(  # noqa: S603  (it is our own)
            [sys.executable, "-m", "outletbot", *words],
            stdout=out,
            stderr=out,
            text=True,
            cwd=folder,
            env={"PATH": os.defpath, **env},
        )
    try:
        yield process, written
    finally:
        process.kill()
        process.wait()


def await_answer(url: str, process: subprocess.Popen[str], written: Path) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url, timeout=5) as answer:  # noqa: S310  (it is loopback)
                return str(answer.read().decode())
        except (HTTPError, URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(written.read_text())


def await_words(written: Path, words: str, times: int = 1) -> None:
    until = time.monotonic() + PATIENCE
    while written.read_text().count(words) < times:
        assert time.monotonic() < until, written.read_text()
        time.sleep(0.02)


def installation(folder: Path, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{folder / 'outletbot.db'}",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": KEY,
        "STRIPE_API_KEY": "sk_test_51north",
        "STRIPE_WEBHOOK_SECRET": "whsec_north",
        "STRIPE_API_BASE": "http://127.0.0.1:1",
        "LOG_FORMAT": "json",
    }


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_when_it_is_asked_to(tmp_path: Path, asked: signal.Signals) -> None:
    port = unused_port()
    with started("serve", folder=tmp_path, **installation(tmp_path, port)) as (
        process,
        written,
    ):
        ready = await_answer(f"http://127.0.0.1:{port}/readyz", process, written)

        process.send_signal(asked)
        code = process.wait(10)

    log = written.read_text()
    assert ready == "ok"
    assert code == 0
    assert '"process_stopped"' in log
    assert "Traceback" not in log
    # What the last connection closed leaves no unwritten log behind.
    assert not (tmp_path / "outletbot.db-wal").exists()


def test_web_and_worker_run_apart(tmp_path: Path) -> None:
    port = unused_port()
    env = installation(tmp_path, port)
    subprocess.run(
        [sys.executable, "-m", "outletbot", "migrate"],
        check=True,
        capture_output=True,
        env={"PATH": os.defpath, **env},
        cwd=tmp_path,
    )
    (tmp_path / "worker").mkdir()
    with (
        started("web", folder=tmp_path, **env) as (web, written),
        started("worker", folder=tmp_path / "worker", **env) as (worker, worked),
    ):
        await_answer(f"http://127.0.0.1:{port}/readyz", web, written)
        await_words(worked, "worker_started")

        for process in (web, worker):
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(10) for process in (web, worker)]

    assert codes == [0, 0]
    assert "job_failed" not in worked.read_text()


class TestDemo:
    def start(self, folder: Path, port: int) -> tuple[float, str]:
        """Run the demo until its outlet answers. Return how long that took."""
        begun = time.monotonic()
        with started("demo", "--port", str(port), folder=folder) as (
            process,
            written,
        ):
            until = begun + 2 * PATIENCE
            while "/o/fjordlight" not in (said := written.read_text()):
                assert process.poll() is None, said
                assert time.monotonic() < until, said
                time.sleep(0.05)
            (wall,) = re.findall(r"http://\S+/o/fjordlight", said)
            page = await_answer(wall, process, written)
            took = time.monotonic() - begun
            assert "Fjordlight Outlet" in page
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 0
            assert "Stopped. Everything is kept" in written.read_text()
        return took, said

    @pytest.mark.timeout(240)
    def test_prepares_its_outlet_once_and_starts_quickly_then(
        self, tmp_path: Path
    ) -> None:
        port = free_ports(20_000 + os.getpid() % 20_000, 3)[0]

        first, said = self.start(tmp_path, port)
        second, again = self.start(tmp_path, port)

        assert "Drawing pictures" in said
        assert "Drawing pictures" not in again
        assert second < first
        for what in ("/invitations/", "/@fjordlight", "/sandbox"):
            assert what in said
        for name in ("secret-key", "webhook-secret"):
            secret = tmp_path / "var/demo" / name
            assert secret.stat().st_mode & 0o077 == 0
