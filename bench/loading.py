"""Load: as many requests as are answered, from wrk, or from our own where it is not.

An answer counts if it is the right one: the page to the byte, the way to a hold, thanks
for an event.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
WRK = shutil.which("wrk")


@dataclass(frozen=True, slots=True)
class Job:
    """Who is asked for what, how hard and how long.

    *folder* has what ``load.lua`` reads; each of the *ports* gets the same share of the
    *connections*.
    """

    kind: str
    ports: tuple[int, ...]
    paths: tuple[str, ...]
    folder: Path
    connections: int
    seconds: float
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """How many answers were right, within how long, and what they led to."""

    right: int
    seconds: float
    p50_ms: float
    p99_ms: float
    holds: list[str] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.right / self.seconds


class WrongAnswers(Exception):
    """Some answers were not the right ones: nothing was measured."""


def run_job(job: Job) -> Result:
    """Send the load.

    Raises:
        WrongAnswers: If one was wrong, or none came.
    """
    _write(job, "ports.txt", map(str, job.ports))
    _write(job, "paths.txt", job.paths)
    _write(job, "prefix.txt", [job.prefix])
    for old in job.folder.glob("holds-*.txt"):
        old.unlink()
    result = _read(job, _send(job))
    if job.kind == "claim" and len(set(result.holds)) != result.right:
        msg = f"{result.right} claims were led to {len(set(result.holds))} holds"
        raise WrongAnswers(msg)
    return result


def _write(job: Job, name: str, lines: object) -> None:
    (job.folder / name).write_text("".join(f"{line}\n" for line in lines))  # type: ignore[attr-defined]


def _send(job: Job) -> str:
    made = subprocess.run(
        _command(job),
        env={**os.environ, "BENCH_KIND": job.kind, "BENCH_FOLDER": str(job.folder)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if "\nRESULT\t" not in made.stdout:
        msg = f"no load was sent: {made.stdout}{made.stderr}"
        raise WrongAnswers(msg)
    return made.stdout


def _command(job: Job) -> list[str]:
    connections, seconds = str(job.connections), str(job.seconds)
    if WRK is None:
        return [sys.executable, str(HERE / "load.py"), connections, seconds]
    threads = str(len(job.ports))
    script, url = str(HERE / "load.lua"), f"http://127.0.0.1:{job.ports[0]}/"
    options = ["-t", threads, "-c", connections, "-d", f"{round(job.seconds)}s"]
    return [WRK, *options, "--timeout", "15s", "-s", script, url]


def _read(job: Job, output: str) -> Result:
    line = output.partition("\nRESULT\t")[2].partition("\n")[0]
    right, wrong, lost, seconds, p50, p99, sample = line.split("\t")
    if int(wrong) or int(lost) or not int(right):
        msg = f"{job.kind} at {job.paths[0]}: {right} right, {wrong} wrong, {lost} lost"
        raise WrongAnswers(f"{msg}: {sample}")
    holds = [
        token
        for path in sorted(job.folder.glob("holds-*.txt"))
        for token in path.read_text().split()
    ]
    return Result(int(right), float(seconds), float(p50), float(p99), holds)


def name_of_load() -> str:
    """Return what sends the load."""
    if WRK is None:
        return "bench/load.py"
    said = subprocess.run([WRK, "-v"], capture_output=True, text=True, check=False)
    return " ".join(said.stdout.split()[:2])
