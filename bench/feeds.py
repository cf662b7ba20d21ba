"""The import of a feed, against bare ``csv.reader``."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

READ = "import csv,sys; [None for row in csv.reader(open(sys.argv[1], newline=''))]"


def import_figures(folder: Path, rows: int) -> dict[str, object]:
    """Return rows a second and peak memory."""
    feed = folder / "feed.csv"
    _write_feed(feed, rows)
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
        "import_rows": rows,
        "import_rows_per_second": round(rows / fresh[0]),
        "import_again_rows_per_second": round(rows / again[0]),
        "csv_reader_rows_per_second": round(rows / baseline[0]),
        "import_times_csv_reader": round(fresh[0] / baseline[0], 1),
        "import_peak_mb": round(max(fresh[1], again[1])),
    }


def _write_feed(path: Path, rows: int) -> None:
    head = (
        "sku,title,description,brand,category,list price,price,cost,quantity,condition"
    )
    with path.open("w") as feed:
        feed.write(f"{head},image,colour\n")
        for n in range(rows):
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
