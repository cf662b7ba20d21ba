"""Rounds: loads that take turns, each answer checked, each hold looked for."""

import secrets
import statistics
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

from events import write_events
from loading import WRK, Job, Result, WrongAnswers, run_job
from pgbench import transactions_per_second
from serving import served
from towns import Town, arrivals, audit_holds, build_town

from tests.postgres import Server

Ports = tuple[int, ...]
Case = Callable[[float], Result]
Served = AbstractContextManager[Ports]

WARM_UP = 1.0  # seconds, not counted
EVENTS = 12_000  # a second, more than are ever kept


@dataclass(slots=True)
class Bench:
    """How long and how often is measured, and what was found so far.

    Of the claims that were *answered* each hold was found; *untold* holds were placed
    when the load ended and nobody waited for the answer any more.
    """

    folder: Path
    server: Server
    seconds: float
    rounds: int
    rates: dict[str, int] = field(default_factory=dict)
    p99_ms: dict[str, float] = field(default_factory=dict)
    answered: int = 0
    untold: int = 0

    def town(self, name: str, *, deals: int = 1) -> Town:
        return build_town(self.server.create(name), deals=deals)

    def shop(self, town: Town, processes: int = 1) -> Served:
        return served("shop", town.url, self.folder / "log", processes=processes)

    def bare(self, processes: int = 1) -> Served:
        page = self.folder / "page.bin"
        page.touch()
        return served("bare", str(page), self.folder / "log", processes=processes)

    def keep_page(self, port: int, path: str) -> None:
        """Keep the page as it is sent, for the bare server to send the same bytes."""
        asked = Request(f"http://127.0.0.1:{port}{path}")
        asked.add_header("Accept-Encoding", "gzip, deflate, br")
        asked.add_header("Accept-Language", "en-GB,en;q=0.9")
        with urlopen(asked) as answer:
            (self.folder / "page.bin").write_bytes(answer.read())

    def measure(self, cases: Mapping[str, Case]) -> None:
        """Let *cases* take turns; the median round counts."""
        for case in cases.values():
            case(WARM_UP)
        found: dict[str, list[Result]] = {name: [] for name in cases}
        for _ in range(self.rounds):
            for name, case in cases.items():
                found[name].append(case(self.seconds))
        for name, results in found.items():
            self.rates[name] = round(_median(result.per_second for result in results))
            self.p99_ms[name] = round(_median(result.p99_ms for result in results), 1)
            print(f"{name:28}{self.rates[name]:>8} /s", flush=True)

    def ratio(self, what: str, baseline: str) -> float:
        return round(self.rates[what] / self.rates[baseline], 3)

    def claims(
        self, town: Town, ports: Ports, connections: int, *, deals: int = 1
    ) -> Case:
        """Return a load of claims on the first *deals* of *town*."""
        paths = tuple(f"{deal.path}/buy" for deal in town.deals[:deals])

        def run(seconds: float) -> Result:
            prefix = secrets.token_hex(8)
            job = self._job("claim", ports, paths, connections, seconds, prefix)
            result = run_job(job)
            cut_off = connections if WRK else 0
            self.untold += audit_holds(town, prefix, result.holds, cut_off)
            self.answered += result.right
            return result

        return run

    def noops(self, ports: Ports, connections: int) -> Case:
        """Return the same forms, for a handler that reads them and redirects."""
        prefix = secrets.token_hex(8)
        return lambda seconds: run_job(
            self._job("claim", ports, ("/",), connections, seconds, prefix)
        )

    def pages(self, ports: Ports, path: str, connections: int) -> Case:
        return lambda seconds: run_job(
            self._job("page", ports, (path,), connections, seconds)
        )

    def events(self, town: Town, ports: Ports, connections: int) -> Case:
        """Return a load of signed events, each new and kept."""

        def run(seconds: float) -> Result:
            write_events(self.folder, round(EVENTS * seconds))
            before, paths = arrivals(town), ("/webhooks/stripe",)
            job = self._job("event", ports, paths, connections, seconds)
            result = run_job(job)
            kept = arrivals(town) - before
            if not result.right <= kept <= result.right + connections:
                msg = f"{result.right} events were taken, and {kept} kept"
                raise WrongAnswers(msg)
            return result

        return run

    def verifications(self, ports: Ports, connections: int) -> Case:
        """Return the same events, for a handler that checks the signature."""

        def run(seconds: float) -> Result:
            write_events(self.folder, round(EVENTS * seconds))
            paths = ("/event",)
            return run_job(self._job("event", ports, paths, connections, seconds))

        return run

    def transactions(self, town: Town, clients: int) -> Case:
        """Return what ``pgbench`` does by itself."""

        def run(seconds: float) -> Result:
            rate = transactions_per_second(town, self.folder, clients, seconds)
            return Result(round(rate * seconds), seconds, 0.0, 0.0)

        return run

    def _job(
        self,
        kind: str,
        ports: Ports,
        paths: tuple[str, ...],
        connections: int,
        seconds: float,
        prefix: str = "",
    ) -> Job:
        return Job(kind, ports, paths, self.folder, connections, seconds, prefix)


def _median(values: object) -> float:
    return statistics.median(values)  # type: ignore[arg-type]
