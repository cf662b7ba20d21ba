"""
Fuzzes the reader of feeds from the command line; see ``tests.fuzz``.

    python -m tests.fuzz --inputs 1000000 --workers 2
    python -m tests.fuzz --only 4711             # that one again, in this process
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.corpus import seeds
from tests.fuzz.running import Report, Worker, labour, spoilt
from tests.fuzz.tasting import taste

FOLDER = Path("var/fuzz")


def main() -> int:
    if sys.argv[1:2] == ["labour"]:
        seed, start, stop = map(int, sys.argv[2:5])
        labour(seed, start, stop, Path(sys.argv[5]))
        return 0
    asked = _asked()
    if asked.only is not None:
        dice, data = spoilt(seeds(), asked.seed, asked.only)
        print(taste(dice, data), len(data), data[:400])  # noqa: T201
        return 0
    report, seconds = _fuzz(asked)
    _keep(asked, report, seconds)
    return 1 if report.faults else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", type=int)
    return parser.parse_args()


def _fuzz(asked: argparse.Namespace) -> tuple[Report, float]:
    share = -(-asked.inputs // asked.workers)
    starts = range(asked.start, asked.start + asked.inputs, share)
    stop = asked.start + asked.inputs
    begun = time.monotonic()
    with TemporaryDirectory() as folder:
        workers = [
            Worker(asked.seed, range(start, min(start + share, stop)), Path(folder))
            for start in starts
        ]
        threads = [threading.Thread(target=_see_through, args=(w,)) for w in workers]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(timeout=30)
            threads[-1].join(timeout=30)
            _show(_together(workers), time.monotonic() - begun)
    return _together(workers), time.monotonic() - begun


def _see_through(worker: Worker) -> None:
    while worker.step():
        pass


def _together(workers: list[Worker]) -> Report:
    report = Report()
    for worker in workers:
        report.add(worker.report)
    return report


def _show(report: Report, seconds: float) -> None:
    print(  # noqa: T201
        f"{report.inputs:>9,} inputs  {seconds:7.0f} s  {len(report.faults)} faults  "
        f"slowest {report.slowest:.2f} s  peak {report.peak_kb // 1024} MB",
        flush=True,
    )


def _keep(asked: argparse.Namespace, report: Report, seconds: float) -> None:
    """Write the report, and every input at fault with what it led to."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    corpus = seeds()
    for number, told in sorted(report.faults.items()):
        name = f"{asked.seed}-{number}"
        (FOLDER / f"{name}.input").write_bytes(spoilt(corpus, asked.seed, number)[1])
        (FOLDER / f"{name}.txt").write_text(told)
    summary = {
        "seed": asked.seed,
        "inputs": report.inputs,
        "seconds": round(seconds),
        "verdicts": dict(report.verdicts),
        "rows": dict(report.rows),
        "slowest_seconds": round(report.slowest, 2),
        "slowest_input": report.slowest_input,
        "peak_mb": report.peak_kb // 1024,
        "faults": sorted(report.faults),
    }
    (FOLDER / "latest.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary, indent=2))  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
