"""
Does it a million times: spoils a file, has it read, and watches time and memory.

The file of each number follows from the seed and the corpus alone. A worker that dies
is found with the number at which it died, and another goes on behind it: the kernel
ends whoever computes too long over one file, also within a library.
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.corpus import Seed, seeds
from tests.fuzz.mutating import mutate
from tests.fuzz.shapes import misshape
from tests.fuzz.tasting import Tasted, taste

PATIENCE = 2.0
"""How many seconds of computing one file may take."""

MOST_MEMORY = 200 * 1024
"""How many kilobytes a worker may hold at its peak, Python and libraries included."""

MOST_ADDRESSES = 1024 * 1024 * 1024
REPORT_EVERY = 500

Taste = Callable[[Random, bytes], Tasted]


@dataclass
class Report:
    """What came of a stretch of inputs; *faults* by their number."""

    inputs: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    faults: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0
    slowest_input: int = 0
    peak_kb: int = 0

    def add(self, other: "Report") -> None:
        self.inputs += other.inputs
        self.verdicts += other.verdicts
        self.rows += other.rows
        self.faults |= other.faults
        self.peak_kb = max(self.peak_kb, other.peak_kb)
        if other.slowest > self.slowest:
            self.slowest, self.slowest_input = other.slowest, other.slowest_input


def spoilt(corpus: list[Seed], seed: int, number: int) -> tuple[Random, bytes]:
    """Return the input of that number, and the dice with which it is to be read."""
    dice = Random(f"{seed}/{number}")  # noqa: S311 — the same every time
    first, other = dice.choice(corpus), dice.choice(corpus)
    kind, data = first.kind, first.data
    for _ in range(dice.choice((1, 1, 2, 3, 6))):
        within = kind != "text" and dice.random() < 0.75
        data = data or b"\n"
        data = (
            misshape(dice, kind, data, other.data)
            if within
            else mutate(dice, data, other.data)
        )
    return dice, data


def work(corpus: list[Seed], seed: int, numbers: range, read: Taste = taste) -> Report:
    """Read the inputs of those *numbers* within this process."""
    report = Report()
    for number in numbers:
        dice, data = spoilt(corpus, seed, number)
        begun = time.process_time()
        try:
            tasted = read(dice, data)
            report.verdicts[tasted.verdict] += 1
            for kind in ("good", "bad", "skipped"):
                report.rows[kind] += getattr(tasted, kind)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001 — a panic of Rust is no Exception
            report.faults[number] = traceback.format_exc()
        spent = time.process_time() - begun
        report.inputs += 1
        if spent > report.slowest:
            report.slowest, report.slowest_input = spent, number
        report.peak_kb = max(report.peak_kb, peak_kb())
    return report


def peak_kb() -> int:
    """Return the most memory that this process has had, and not who started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def labour(
    seed: int, start: int, stop: int, mark: Path, *, read: Taste = taste
) -> None:
    """Be a worker: print what came of each stretch, and end where a limit is passed.

    The number of the input at hand stands in *mark*, for whoever finds this process
    dead. What is a fault is told at once, so that it does not die with it.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    corpus = seeds()
    stretch = Report()
    with mark.open("r+b", buffering=0) as place:
        for number in range(start, stop):
            os.pwrite(place.fileno(), str(number).ljust(20).encode(), 0)
            signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
            stretch.add(work(corpus, seed, range(number, number + 1), read))
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            full = stretch.peak_kb > MOST_MEMORY
            if full:
                stretch.faults[number] = f"took {stretch.peak_kb // 1024} MB"
            if full or stretch.faults or stretch.inputs >= REPORT_EVERY:
                _tell(stretch)
                stretch = Report()
            if full:
                sys.exit(1)
    _tell(stretch)


def _tell(report: Report) -> None:
    sys.stdout.write(json.dumps(vars(report)) + "\n")
    sys.stdout.flush()


class Worker:
    """A process that works through a stretch of numbers, and is replaced if it dies."""

    def __init__(
        self, seed: int, numbers: range, folder: Path, module: str = "tests.fuzz"
    ) -> None:
        self._seed, self._stop = seed, numbers.stop
        self._mark = folder / f"at-{numbers.start}"
        self._next, self._module = numbers.start, module
        self.report = Report()
        self._process = self._start()

    def step(self) -> bool:
        """Take the next line of the process. Return whether there is more to come."""
        assert self._process.stdout is not None
        if line := self._process.stdout.readline():
            part = _heard(line)
            self.report.add(part)
            self._next += part.inputs
            return True
        code = self._process.wait()
        self._process.stdout.close()
        if code:
            self._bury(code)
        if self._next >= self._stop:
            return False
        self._process = self._start()
        return True

    def _bury(self, code: int) -> None:
        """Note at which input the process died, and go on behind it."""
        died_at = int(self._mark.read_text() or self._next)
        if died_at not in self.report.faults:
            cause = signal.Signals(-code).name if code < 0 else f"exit {code}"
            self.report.faults[died_at] = f"the process died: {cause}"
            self.report.inputs += died_at + 1 - self._next
        self._next = died_at + 1

    def _start(self) -> "subprocess.Popen[str]":
        self._mark.write_text("")
        numbers = (str(number) for number in (self._seed, self._next, self._stop))
        return subprocess.Popen(  # noqa: S603 — our own module, by our own Python
            [sys.executable, "-m", self._module, "labour", *numbers, str(self._mark)],
            stdout=subprocess.PIPE,
            text=True,
        )


def _heard(line: str) -> Report:
    said = json.loads(line)
    said["faults"] = {int(number): text for number, text in said["faults"].items()}
    counters = {name: Counter(said[name]) for name in ("verdicts", "rows")}
    return Report(**said | counters)
