"""The benchmark: figures as ratios against a bare baseline in the same run.

Writes ``bench/latest.json``. Rounds of the real thing and of the baseline alternate,
and the median round counts, since machines are noisy.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop
from load import Result, get, load, posts, same

from outletbot.demo.running import free_ports

HERE = Path(__file__).parent
ROUNDS = 3
SECONDS = 4.0
CONNECTIONS = 64
ROWS = 200_000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = {
            "machine": {"python": platform.python_version(), "cpus": _cpus()},
            **_serving(folder),
            **_importing(folder),
        }
    target = HERE / "latest.json"
    target.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def _cpus() -> int:
    return len(os.sched_getaffinity(0))


def _serving(folder: Path) -> dict[str, object]:
    """Pages and claims of the service, and the same of a bare handler."""
    shop_port, bare_port = free_ports(21_000, 2)
    with _server("shop", shop_port, folder, "-") as path:
        page = folder / "page.html"
        page.write_bytes(_fetch(shop_port, path))
        with _server("bare", bare_port, folder, str(page)) as bare_path:
            return _rounds(shop_port, path, bare_port, bare_path)


def _rounds(
    shop_port: int, path: str, bare_port: int, bare_path: str
) -> dict[str, object]:
    runs: dict[str, list[Result]] = {
        "page": [],
        "bare_page": [],
        "claim": [],
        "bare_claim": [],
    }
    for _ in range(ROUNDS):
        runs["page"].append(_load(shop_port, same(get(path)), {200}))
        runs["bare_page"].append(_load(bare_port, same(get(bare_path)), {200}))
        claims = posts(f"{path}/buy", _claim)
        runs["claim"].append(_load(shop_port, claims, {303}))
        forms = posts(bare_path, _claim)
        runs["bare_claim"].append(_load(bare_port, forms, {303}))
    median = {
        name: statistics.median(run.per_second for run in results)
        for name, results in runs.items()
    }
    return {
        "page_per_second": round(median["page"]),
        "bare_page_per_second": round(median["bare_page"]),
        "page_ratio": round(median["page"] / median["bare_page"], 3),
        "page_p99_ms": round(_p99(runs["page"]), 1),
        "claim_per_second": round(median["claim"]),
        "bare_claim_per_second": round(median["bare_claim"]),
        "claim_ratio": round(median["claim"] / median["bare_claim"], 3),
        "claim_p99_ms": round(_p99(runs["claim"]), 1),
    }


def _p99(results: list[Result]) -> float:
    return statistics.median(run.percentile(0.99) for run in results)


def _load(port: int, requests: Iterator[bytes], expected: set[int]) -> Result:
    result = uvloop.run(load(port, requests, connections=CONNECTIONS, seconds=SECONDS))
    if set(result.statuses) != expected:
        msg = f"expected only {expected}, got {result.statuses}"
        raise SystemExit(msg)
    return result


def _claim(_number: int) -> str:
    return f"key={time.time_ns() // 1_000_000:x}-{uuid.uuid4()}&quantity=1"


def _fetch(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        content: bytes = answer.read()
        return content


@contextmanager
def _server(kind: str, port: int, folder: Path, page: str) -> Iterator[str]:
    """Run a server while the block runs. Yield the path to ask for."""
    command = [sys.executable, str(HERE / "servers.py"), kind, str(port)]
    with subprocess.Popen(
        [*command, str(folder), page],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        path = process.stdout.readline().strip()
        if not path:
            msg = f"the {kind} server did not start"
            raise SystemExit(msg)
        yield path
        process.stdin.close()
        process.wait(timeout=15)


def _importing(folder: Path) -> dict[str, object]:
    """Rows a second and peak memory of an import, against bare ``csv.reader``."""
    feed = folder / "feed.csv"
    _write_feed(feed)
    baseline = _timed([sys.executable, "-c", READ, str(feed)])
    env = {"DATABASE_URL": f"sqlite:///{folder / 'import.db'}", "PATH": ""}
    outletbot = [sys.executable, "-m", "outletbot"]
    _timed([*outletbot, "migrate"], env)
    adding = ("add-retailer", "bench", "Bench", "--owner", "ana@example.com")
    _timed([*outletbot, *adding], env)
    importing = ("import-feed", str(feed), "--retailer", "bench", "--json")
    fresh = _timed([*outletbot, *importing], env)
    again = _timed([*outletbot, *importing], env)
    return {
        "import_rows": ROWS,
        "import_rows_per_second": round(ROWS / fresh[0]),
        "import_again_rows_per_second": round(ROWS / again[0]),
        "csv_reader_rows_per_second": round(ROWS / baseline[0]),
        "import_times_csv_reader": round(fresh[0] / baseline[0], 1),
        "import_peak_mb": round(max(fresh[1], again[1])),
    }


READ = "import csv,sys; [None for row in csv.reader(open(sys.argv[1], newline=''))]"


def _write_feed(path: Path) -> None:
    head = (
        "sku,title,description,brand,category,list price,price,cost,quantity,condition"
    )
    with path.open("w") as feed:
        feed.write(f"{head},image,colour\n")
        for n in range(ROWS):
            price = 10 + n % 490
            feed.write(
                f"SKU-{n:06},Product number {n},Last season's colour. Nothing wrong "
                f"with it.,Brand {n % 97},Home > Kitchen,{price + 20}.00,{price}.50,"
                f"{price // 2}.25,{n % 200},new,https://img.example/{n}.jpg,blue\n"
            )


def _timed(
    command: list[str], env: dict[str, str] | None = None
) -> tuple[float, float]:
    """Return the seconds and the peak megabytes of *command*."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = _wait(process)
    if status:
        msg = f"{' '.join(command)} failed"
        raise SystemExit(msg)
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, int, resource.struct_rusage]:
    pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return pid, process.returncode, usage


if __name__ == "__main__":
    main()
