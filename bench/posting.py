"""How late a thousand posts are that are due at one instant, over all networks.

posting.py    prints its figures as JSON; ``QUICK=1``, ``ONLY=sqlite`` narrow it

The real worker posts to a newsstand: lateness is from the instant to the arrival of the
call after which a post is out, by this machine's one clock. Beside it a bare client
sends the very same bodies as fast as it can.
"""

import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # for the tests' PostgreSQL

import aiohttp  # noqa: E402
import uvloop  # noqa: E402
from announcing import Morning, build_morning, set_instant, states  # noqa: E402

from outletbot.clock import utc_now  # noqa: E402
from outletbot.demo.running import free_ports  # noqa: E402
from outletbot.sealing import Seal, new_key  # noqa: E402
from tests.postgres import PRIVATE, running  # noqa: E402

AHEAD = timedelta(seconds=8)
FIRST = 100
CONNECTIONS = 100
ENOUGH = 120.0  # seconds, after which what is not out is lost

Figures = dict[str, object]
Arrivals = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Rush:
    """When each post arrived, in seconds after the instant, the earliest first."""

    morning: Morning
    lateness: Sequence[tuple[float, str]]
    cpu_seconds: float

    def figures(self) -> Figures:
        late = [seconds for seconds, _ in self.lateness]
        rest = late[FIRST:]
        return {
            "post_lateness_p50_ms": _ms(_quantile(late[:FIRST], 0.5)),
            "post_lateness_p99_ms": _ms(_quantile(late[:FIRST], 0.99)),
            "post_lateness_max_ms": _ms(late[:FIRST][-1]),
            "post_earliest_ms": _ms(late[0]),
            "post_lateness_all_p50_ms": _ms(_quantile(late, 0.5)),
            "post_lateness_all_p99_ms": _ms(_quantile(late, 0.99)),
            "post_lateness_all_max_ms": _ms(late[-1]),
            "posts_per_second": round(_pace(late[FIRST - 1], rest), 1),
            "post_cpu_ms": _ms(self.cpu_seconds / len(late)),
            **self._fairness(),
        }

    def _fairness(self) -> Figures:
        owners = [self.morning.retailer_of[code] for _, code in self.lateness]
        shares = Counter(owners[:FIRST])
        everybody = set(self.morning.retailer_of.values())
        spread = [shares[retailer] for retailer in everybody]
        firsts = [owners.index(retailer) for retailer in everybody]
        return {
            "post_share_of_first_100": [min(spread), max(spread)],
            "post_last_retailers_first_ms": _ms(self.lateness[max(firsts)][0]),
        }


def posting_figures(folder: Path, url: str, *, posts: int = 1_000) -> Figures:
    """Let *posts* be due at once in the empty database at *url*.

    Raises:
        SystemExit: If one of them is not out in the end, or is out twice.
    """
    key, (port,) = new_key(), free_ports(23_000, 1)
    with _newsstand(port):
        morning = build_morning(
            url, Seal(key), port, retailers=min(40, posts), posts=posts
        )
        rush = _rush(folder, morning, key, port)
        figures = rush.figures()
        bare = _bare_per_second(folder, port)
    pace = figures["posts_per_second"]
    assert isinstance(pace, float)
    return {
        **figures,
        "post_baseline_per_second": round(bare, 1),
        "posts_vs_bare": round(pace / bare, 3),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _rush(folder: Path, morning: Morning, key: str, port: int) -> Rush:
    with _worker(folder, morning.url, key, port) as worker:
        instant = utc_now() + AHEAD
        before = _cpu_seconds(worker)
        set_instant(morning, instant)
        arrivals = _all_arrivals(port, len(morning.retailer_of))
        time.sleep(1.0)  # what is sent twice would be by now
        arrivals, spent = _arrivals(port), _cpu_seconds(worker) - before
    codes = Counter(code for code, _ in arrivals)
    if codes != Counter(morning.retailer_of.keys()):
        lost = len(morning.retailer_of.keys() - codes.keys())
        raise SystemExit(
            f"{lost} posts lost, {len(arrivals)} arrived, {states(morning)}"
            f"\n{(folder / 'worker.log').read_text()[-3000:]}"
        )
    begun = instant.timestamp()
    lateness = sorted((at - begun, code) for code, at in arrivals)
    return Rush(morning, lateness, spent)


def _all_arrivals(port: int, number: int) -> Arrivals:
    """Wait until as many posts are out; look seldom, for it takes their time."""
    give_up = time.monotonic() + AHEAD.total_seconds() + ENOUGH
    time.sleep(AHEAD.total_seconds() + 5)
    while len(arrivals := _arrivals(port)) < number and time.monotonic() < give_up:
        time.sleep(3.0)
    return arrivals


def _arrivals(port: int) -> Arrivals:
    with urlopen(f"http://127.0.0.1:{port}/arrivals") as answer:
        return [(code, at) for code, at in json.load(answer)]


@contextmanager
def _newsstand(port: int) -> Iterator[None]:
    command = [sys.executable, str(HERE / "newsstand.py"), str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit("the newsstand did not open")
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(timeout=30)


@contextmanager
def _worker(folder: Path, url: str, key: str, port: int) -> Iterator[int]:
    """Run ``outletbot worker`` while the block runs. Yield its process' number."""
    log = folder / "worker.log"
    command = [sys.executable, "-m", "outletbot", "worker"]
    with log.open("w") as lines:
        process = subprocess.Popen(
            _profiled(command),
            cwd=folder,
            env=_environment(url, key, port),
            stdout=lines,
            stderr=lines,
        )
        try:
            _wait_for(log, "worker_started", process)
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


def _cpu_seconds(pid: int) -> float:
    """Return what a process has worked so far, however busy the machine is."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _profiled(command: list[str]) -> list[str]:
    """``PROFILER="py-spy record …"`` looks at the worker."""
    return [*os.environ.get("PROFILER", "").split(), *command]


def _environment(url: str, key: str, port: int) -> Mapping[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(HERE.parent),
        "DATABASE_URL": url,
        "SECRET_KEY": key,
        "PUBLIC_URL": "https://outlet.example",
        "STRIPE_API_KEY": "sk_test_bench",
        "STRIPE_WEBHOOK_SECRET": "whsec_bench",
        "STRIPE_API_BASE": f"http://127.0.0.1:{port}/stripe",
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "LOG_FORMAT": "json",
    }


def _wait_for(log: Path, word: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while word not in log.read_text():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"the worker did not start: {log.read_text()[-3000:]}")
        time.sleep(0.05)


def _bare_per_second(folder: Path, port: int) -> float:
    """Send what the worker sent, and nothing else. Return posts a second."""
    kept = folder / "sent.json"
    with urlopen(Request(f"http://127.0.0.1:{port}/keep?file={kept}", method="POST")):
        pass
    calls = json.loads(kept.read_text())
    kept.unlink()
    posts = sum(1 for *_, code in calls if code)
    return statistics.median(
        posts / uvloop.run(_send_all(calls, port)) for _ in range(3)
    )


async def _send_all(calls: Sequence[Sequence[str]], port: int) -> float:
    """Send *calls* as fast as one client can. Return how many seconds it took."""
    ready = [
        (method, path, {"Content-Type": content_type}, base64.b64decode(body))
        for method, path, content_type, body, _ in calls
    ]
    waiting = iter(ready)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as http:

        async def send() -> None:
            for method, path, headers, body in waiting:
                address = f"http://127.0.0.1:{port}{path}"
                async with http.request(
                    method, address, data=body, headers=headers
                ) as answer:
                    await answer.read()

        begun = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
        return time.perf_counter() - begun


def _pace(begun: float, rest: Sequence[float]) -> float:
    """Return posts a second after the first; the last tenth waits for its network."""
    counted = rest[: len(rest) * 9 // 10]
    return len(counted) / (counted[-1] - begun) if counted else 0.0


def _quantile(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, round(share * len(values)))]


def _ms(seconds: float) -> float:
    return round(seconds * 1_000, 1)


def main() -> None:
    posts = 200 if os.environ.get("QUICK") else 1_000
    figures: Figures = {}
    only = os.environ.get("ONLY", "postgresql,sqlite")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "postgresql" in only:
            with running(PRIVATE) as server:
                url = server.create("posting")
                figures["postgresql"] = posting_figures(folder, url, posts=posts)
        if "sqlite" in only:
            url = f"sqlite:///{folder / 'posting.db'}"
            figures["sqlite"] = posting_figures(folder, url, posts=posts)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
