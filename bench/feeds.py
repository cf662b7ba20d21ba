"""The import of a feed of many rows, against bare ``csv.reader`` over the same file.

Alone it writes its figures into those that are there: ``python bench/feeds.py``.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.postgres import PRIVATE, Server, running

TARGET = Path(__file__).parent / "latest.json"
READ = "import csv,sys\nfor row in csv.reader(open(sys.argv[1], newline='')): pass"
ROUNDS = 3

HEADER = (
    "sku,title,description,brand,category,list price,price,cost,quantity,"
    "condition,image,colour\n"
)
COLOURS = ("blue", "red", "black", "sand", "pine")


@dataclass(frozen=True, slots=True)
class Run:
    """Of one command: how long it took, and the most memory it had."""

    seconds: float
    megabytes: float
    said: str


def import_figures(folder: Path, server: Server, rows: int) -> dict[str, object]:
    """Return times as multiples of the baseline's, medians of three rounds."""
    feed, fifth = folder / "feed.csv", folder / "fifth.csv"
    _write_feed(feed, rows)
    _write_feed(fifth, rows // 5)
    bare, sqlite, postgres, again = [], [], [], []
    for number in range(ROUNDS):
        bare.append(_run([sys.executable, "-c", READ, str(feed)]))
        on_file = _place(f"sqlite:///{folder / f'{number}.db'}")
        sqlite.append(_import(on_file, feed, new=rows))
        again.append(_import(on_file, feed, new=0))
        postgres.append(_import(_place(server.create(f"import{number}")), feed, rows))
    small = _import(_place(f"sqlite:///{folder / 'fifth.db'}"), fifth, rows // 5)
    baseline = _median(bare)
    return {
        "import_rows": rows,
        "import_file_mb": round(feed.stat().st_size / 1e6),
        "csv_reader_seconds": round(baseline, 2),
        "import_sqlite_seconds": round(_median(sqlite), 2),
        "import_pg_seconds": round(_median(postgres), 2),
        "import_again_seconds": round(_median(again), 2),
        "import_sqlite_vs_csv": round(_median(sqlite) / baseline, 1),
        "import_pg_vs_csv": round(_median(postgres) / baseline, 1),
        "import_again_times_as_fast": round(_median(sqlite) / _median(again), 1),
        "import_peak_mb": round(max(run.megabytes for run in (*sqlite, *postgres))),
        "import_peak_mb_of_a_fifth": round(small.megabytes),
    }


def _write_feed(path: Path, rows: int) -> None:
    """Write *rows* of twelve columns; a million of them are about 180 MB."""
    chance = random.Random(5)
    with path.open("w") as feed:
        feed.write(HEADER)
        for n in range(rows):
            price = chance.randrange(990, 99_900)
            feed.write(
                f"SKU-{n:07},Product number {n},Last season's colour. Nothing wrong "
                f"with it at all.,Brand {n % 97},Home > Kitchen,"
                f"{(price + 2_000) / 100:.2f},{price / 100:.2f},{price // 2 / 100:.2f},"
                f"{chance.randrange(200)},new,https://img.example/pictures/{n}.jpg,"
                f"{COLOURS[n % 5]}\n"
            )


def _place(url: str) -> dict[str, str]:
    """Make a database with a retailer; return the environment that leads to it."""
    env = {"DATABASE_URL": url, "PATH": os.environ.get("PATH", "")}
    outletbot = [sys.executable, "-m", "outletbot"]
    _run([*outletbot, "migrate"], env)
    owner = ("add-retailer", "bench", "Bench", "--owner", "ana@example.com")
    _run([*outletbot, *owner], env)
    return env


def _import(env: Mapping[str, str], feed: Path, new: int) -> Run:
    words = ("import-feed", str(feed), "--retailer", "bench", "--json")
    run = _run([sys.executable, "-m", "outletbot", *words], env)
    found = json.loads(run.said)["new"]
    if found != new:
        msg = f"{found} rows were new, not {new}"
        raise SystemExit(msg)
    return run


def _run(command: list[str], env: Mapping[str, str] | None = None) -> Run:
    started = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = _wait(process)
    if status:
        msg = f"{' '.join(command)} failed"
        raise SystemExit(msg)
    return Run(time.perf_counter() - started, usage.ru_maxrss / 1024, said)


def _wait(process: subprocess.Popen[str]) -> tuple[int, int, resource.struct_rusage]:
    pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return pid, process.returncode, usage


def _median(runs: list[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def main() -> None:
    rows = int(os.environ.get("ROWS", "1000000"))
    with tempfile.TemporaryDirectory() as name, running(PRIVATE) as server:
        found = import_figures(Path(name), server, rows)
    figures = json.loads(TARGET.read_text())
    kept = {k: v for k, v in figures.items() if not k.startswith("import_")}
    TARGET.write_text(json.dumps(kept | found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
