"""
The stage of a trial: a shop of real processes and its companies, all of which are left
alone. Nobody is started again here, so that whoever recovers does it by themselves.
"""

import asyncio
import json
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text

from outletbot.demo.running import free_ports
from tests.chaos import companies
from tests.chaos.audit import audit, waiting
from tests.chaos.cluster import Cluster
from tests.chaos.history import WRONG, Plan
from tests.chaos.journal import Entry, Journal, Told
from tests.chaos.playing import HOME, Town, prepare
from tests.chaos.probes import Watch
from tests.chaos.scenery import Scenery
from tests.chaos.services import Service, until_ready
from tests.chaos.shifted import set_clock
from tests.chaos.shoppers import Crowd
from tests.chaos.ways import Way

OUR_SHIFT, THEIR_SHIFT = "shop.clock", "companies.clock"
SHIFTED = ("-m", "tests.chaos.shifted", "outletbot")
QUIET_FOR = 2.0


@dataclass
class Stage:
    """*server* is there if the database is PostgreSQL's; *url* is the database's."""

    folder: Path
    plan: Plan
    town: Town
    url: str
    scenery: Scenery
    journal: Journal
    watch: Watch
    engine: Engine
    services: list[Service]
    way: Way
    server: Cluster | None
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def door(self) -> int:
        return self.town.webs[0]

    @property
    def living(self) -> int:
        return sum(service.lives for service in self.services)

    def set_clock(self, seconds: float) -> None:
        """Set the clock of the shop's processes that many seconds ahead."""
        set_clock(self.folder / OUR_SHIFT, seconds)

    def set_their_clock(self, seconds: float) -> None:
        set_clock(self.folder / THEIR_SHIFT, seconds)

    def ask(self, query: str) -> Any:
        """Return what the database says to *query*."""
        with self.engine.connect() as connection:
            return connection.execute(text(query)).scalar_one()

    def events(self) -> Counter[str]:
        """Return what the processes logged that is worth a look, by level and name."""
        counts: Counter[str] = Counter()
        for service in self.services:
            for line in service.log.read_text().splitlines():
                if not line.startswith("{"):
                    counts["lines that are no event"] += 1
                    continue
                said = json.loads(line)
                if said.get("level") in {"warning", "error", "critical"}:
                    counts[f"{said['level']}: {said['event']}"] += 1
        return counts

    async def settle(self, within: float, *, but: str = "") -> dict[str, int]:
        """Wait until nothing waits any more, for a while. Return what still does.

        What is called *but* may wait.
        """
        until, quiet_since = time.monotonic() + within, 0.0
        left: dict[str, int] = {}
        while (now := time.monotonic()) < until:
            left = await asyncio.to_thread(waiting, self.engine)
            left.pop(but, None)
            quiet_since = 0.0 if left else quiet_since or now
            if not left and now - quiet_since > QUIET_FOR:
                break
            await asyncio.sleep(0.5)
        return left

    def report(self, name: str, left: dict[str, int]) -> dict[str, object]:
        """Return what was seen, and under ``wrong`` what should not have been."""
        told = Told.read(self.journal.path)
        found = audit(self.engine, told, self.folder)
        kind = "sqlite" if self.server is None else "postgresql"
        wrong = {one: found[one] for one in WRONG if found[one]}
        wrong |= {f"waiting {one}": count for one, count in left.items()}
        wrong |= {f"answer {status}": count for status, count in told.failed.items()}
        wrong |= +self.watch.wrong
        gone = len(self.services) - self.living
        return {
            "trial": name,
            "database": kind,
            **self.found,
            "claims": len(told.asked),
            "acknowledged": len(told.granted),
            "refused": len(told.refused),
            **found,
            "seen": self.watch.told(),
            "log": dict(sorted(self.events().items())),
            "wrong": wrong | ({"processes gone": gone} if gone else {}),
        }


@asynccontextmanager
async def open_stage(
    plan: Plan,
    folder: Path,
    *,
    data: Path | None = None,
    server: Cluster | None = None,
    clocks: tuple[float, float] = (0, 0),
) -> AsyncIterator[Stage]:
    """Yield a shop that is open; *clocks* are its own and the companies', ahead.

    With a *server* it is on PostgreSQL, else in a file in *data*, or in *folder*.
    """
    town = Town.found(folder, 1 if server is None else plan.webs)
    data = data or folder
    url = f"sqlite:///{data / 'shop.db'}"
    if server is not None:
        url = server.url.replace("postgresql:", "postgresql+psycopg:")
    set_clock(folder / OUR_SHIFT, clocks[0])
    set_clock(folder / THEIR_SHIFT, clocks[1])
    async with AsyncExitStack() as stack:
        scenery = prepare(plan, url, town)
        journal = Journal(folder / "journal")
        stack.callback(journal.close)
        engine = create_engine(url)
        stack.callback(engine.dispose)
        (bypass,) = free_ports(town.stripe - 4_000, 1)  # none that the system lends
        way = Way(bypass, town.stripe)
        await way.open()
        stack.push_async_callback(way.close)
        await stack.enter_async_context(_companies(folder, town, plan))
        services = _services(plan, folder, town, url, bypass)
        await stack.enter_async_context(_running(services, town))
        watch = Watch(scenery, town.webs, journal)
        yield Stage(
            *(folder, plan, town, url, scenery, journal, watch, engine),
            *(services, way, server),
        )


@asynccontextmanager
async def a_crowd(stage: Stage, goodbye: float) -> AsyncIterator[None]:
    """Let shoppers in as long as the block runs; they go within *goodbye* seconds."""
    here = [True]
    crowd = Crowd(stage.scenery, stage.town.webs, stage.journal, lambda: here[0])
    shoppers = [
        asyncio.create_task(crowd.shop(number, stage.plan.seed))
        for number in range(stage.plan.shoppers)
    ]
    try:
        async with stage.watch.looking():
            yield
            here[0] = False
            await asyncio.wait(shoppers, timeout=goodbye)
    finally:
        for shopper in shoppers:
            shopper.cancel()
        await asyncio.gather(*shoppers, return_exceptions=True)
        stage.journal.write(Entry.TIME, 0)


@contextmanager
def a_server(folder: Path | None = None) -> Iterator[Cluster]:
    """Yield a PostgreSQL that may be crashed, in *folder* or one that is removed.

    Raises:
        CannotRun: If there is none here.
    """
    with tempfile.TemporaryDirectory(prefix="outletbot-trial-") as place:
        Path(place).chmod(0o755)
        (port,) = free_ports(23_000, 1)
        server = Cluster((folder or Path(place)) / "cluster", port)
        server.make()
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _services(
    plan: Plan, folder: Path, town: Town, url: str, bypass: int
) -> list[Service]:
    """Stripe is asked by a way that can be closed."""
    more = {
        "CLOCK_FILE": str(folder / OUR_SHIFT),
        "STRIPE_API_BASE": f"{HOME}:{bypass}",
    }
    if url.startswith("sqlite"):
        env = town.env(url, town.webs[0]) | more
        return [Service("serve", ("serve",), env, folder, SHIFTED)]
    doors = [("web", door) for door in town.webs] + [("worker", 0)] * plan.workers
    return [
        Service(f"{word}{number}", (word,), town.env(url, door) | more, folder, SHIFTED)
        for number, (word, door) in enumerate(doors)
    ]


@asynccontextmanager
async def _companies(folder: Path, town: Town, plan: Plan) -> AsyncIterator[Process]:
    """Yield the companies, without bad days of their own."""
    told = companies.Told(
        folder=str(folder),
        stripe_port=town.stripe,
        mastodon_port=town.mastodon,
        shop=f"{HOME}:{town.webs[0]}",
        key="sk_test_chaos",
        secret=town.whsec,
        token=town.token,
        seed=plan.seed,
        faults=False,
    )
    service = Service("companies", (), {}, folder)
    with service.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.shifted", "tests.chaos.companies"),
            json.dumps(asdict(told)),
            stdout=log,
            stderr=log,
            cwd=Path(__file__).parents[2],
            env={"CLOCK_FILE": str(folder / THEIR_SHIFT)},
        )
    try:
        while b"open\n" not in service.log.read_bytes():
            assert process.returncode is None, service.log.read_text()
            await asyncio.sleep(0.1)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@asynccontextmanager
async def _running(services: list[Service], town: Town) -> AsyncIterator[None]:
    try:
        for service in services:
            await service.start()
        for door in town.webs:
            await until_ready(door)
        yield
    finally:
        await asyncio.gather(*(service.stop() for service in services))
