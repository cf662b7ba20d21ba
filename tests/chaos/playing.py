"""
Playing: the installation is set up, the crowd let in, the mischief let loose; then
everything is left to settle, ended in good order, and audited.
"""

import asyncio
import json
import os
import random
import secrets
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError

from outletbot.clock import utc_now
from outletbot.db import Database
from outletbot.demo.running import free_ports
from outletbot.schema import migrate
from outletbot.sealing import Seal, new_key
from tests.chaos import companies
from tests.chaos.audit import audit, look, waiting
from tests.chaos.cluster import Cluster
from tests.chaos.history import Plan, Report
from tests.chaos.journal import Entry, Journal, Told
from tests.chaos.mischief import Mischief
from tests.chaos.scenery import Scenery, set_up
from tests.chaos.services import Service, until_ready
from tests.chaos.shoppers import Crowd

LOOK_EVERY = 5.0
QUIET_FOR = 5.0
HOME = "http://127.0.0.1"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Town:
    """Where everything is; kept in a file, so that a history can go on."""

    stripe: int
    mastodon: int
    cluster: int
    webs: tuple[int, ...]
    secret_key: str
    whsec: str
    token: str

    @classmethod
    def found(cls, folder: Path, webs: int) -> "Town":
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "town.json"
        if not path.exists():
            stripe, mastodon, cluster, *doors = free_ports(_first_port(), 3 + webs)
            whsec, token = f"whsec_{secrets.token_hex(24)}", secrets.token_hex(16)
            town = cls(stripe, mastodon, cluster, tuple(doors), new_key(), whsec, token)
            path.write_text(json.dumps(asdict(town)))
        kept = json.loads(path.read_text())
        return cls(**{**kept, "webs": tuple(kept["webs"])})

    def env(self, url: str, door: int) -> dict[str, str]:
        return {
            "DATABASE_URL": url,
            "PUBLIC_URL": f"{HOME}:{self.webs[0]}",
            "PORT": str(door),
            "SECRET_KEY": self.secret_key,
            "STRIPE_API_KEY": "sk_test_chaos",
            "STRIPE_WEBHOOK_SECRET": self.whsec,
            "STRIPE_API_BASE": f"{HOME}:{self.stripe}",
            "STRIPE_WRITES_PER_SECOND_TEST": str(companies.RATE),
            "ALLOW_PRIVATE_ADDRESSES": "true",
            "TRUSTED_PROXIES": "1",
            "LOG_FORMAT": "json",
        }


async def play(
    plan: Plan, folder: Path, *, in_a_file: bool, cluster: Path | None, say: Say
) -> Report:
    """Play a history in *folder*, or the rest of the one that is there already.

    Raises:
        CannotRun: If it needs a PostgreSQL and this machine has none.
    """
    town = Town.found(folder, 1 if in_a_file else plan.webs)
    server = None if in_a_file else Cluster(cluster or folder / "cluster", town.cluster)
    url = f"sqlite:///{folder / 'chaos.db'}" if server is None else server.url
    async with AsyncExitStack() as stack:
        if server is not None:
            await asyncio.to_thread(server.make)
            stack.callback(server.stop)
            await asyncio.to_thread(server.start)
        journal = Journal(folder / "journal")
        stack.callback(journal.close)
        scenery = prepare(plan, url, town)
        services = _services(plan, folder, town, url)
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        stack.callback(engine.dispose)
        async with (
            _open(folder, town, plan) as others,
            _kept_up(services, journal, town),
        ):
            await _act(plan, journal, scenery, town, services, server, engine, say)
            others.send_signal(signal.SIGUSR1)
            began = time.monotonic()
            unsettled = await _settle(engine, plan.settle_within, say)
            settled = time.monotonic() - began
        told = Told.read(folder / "journal")
        found = await asyncio.to_thread(audit, engine, told, folder)
    kind = "sqlite" if in_a_file else "postgresql"
    return _report(kind, told, found, unsettled, settled)


def prepare(plan: Plan, url: str, town: Town) -> Scenery:
    """Migrate the database at *url*, and make there what this part plays with."""
    database = Database.connect(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        migrate(database.engine)
        mastodon = (f"{HOME}:{town.mastodon}", town.token)
        return set_up(database, plan, Seal(town.secret_key), mastodon, utc_now())
    finally:
        database.close()


def _services(plan: Plan, folder: Path, town: Town, url: str) -> list[Service]:
    if url.startswith("sqlite"):
        return [Service("serve", ("serve",), town.env(url, town.webs[0]), folder)]
    webs = [
        Service(f"web{number}", ("web",), town.env(url, door), folder)
        for number, door in enumerate(town.webs)
    ]
    workers = [
        Service(f"worker{number}", ("worker",), town.env(url, 0), folder)
        for number in range(plan.workers)
    ]
    return webs + workers


@asynccontextmanager
async def _open(folder: Path, town: Town, plan: Plan) -> AsyncIterator[Process]:
    """Yield the companies, which are there as long as the block runs."""
    told = companies.Told(
        folder=str(folder),
        stripe_port=town.stripe,
        mastodon_port=town.mastodon,
        shop=f"{HOME}:{town.webs[0]}",
        key="sk_test_chaos",
        secret=town.whsec,
        token=town.token,
        seed=plan.seed,
    )
    with (folder / "companies.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.companies"),
            json.dumps(asdict(told)),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=Path(__file__).parents[2],
        )
    try:
        assert process.stdout is not None
        assert (await process.stdout.readline()).strip() == b"open"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@asynccontextmanager
async def _kept_up(
    services: list[Service], journal: Journal, town: Town
) -> AsyncIterator[None]:
    for service in services:
        await service.start()
    try:
        for door in town.webs:
            await until_ready(door)
        keeping = [asyncio.create_task(one.keep_up(journal)) for one in services]
        yield
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
    finally:
        await asyncio.gather(*(service.stop() for service in services))


async def _act(
    plan: Plan,
    journal: Journal,
    scenery: Scenery,
    town: Town,
    services: list[Service],
    server: Cluster | None,
    engine: Engine,
    say: Say,
) -> None:
    """Let the crowd in and the mischief loose, until the history is over."""
    began, before = time.monotonic(), _share(plan, journal)
    part = random.Random(f"{plan.seed}/{journal.counts[Entry.TIME]}")  # noqa: S311

    def progress() -> float:
        timed = before + (time.monotonic() - began) / plan.seconds
        return max(timed, _share(plan, journal))

    crowd = Crowd(
        scenery, town.webs, journal, lambda: progress() < 1, payers=plan.payers
    )
    mischief = Mischief(plan, journal, services, server, progress)
    telling = asyncio.create_task(_tell(plan, journal, progress, say))
    looking = asyncio.create_task(_look_now_and_then(engine, journal))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(mischief.reign())
            seed = part.random()
            for number in range(plan.shoppers):
                group.create_task(crowd.shop(number, seed))
    finally:
        for task in (telling, looking):
            task.cancel()
        await asyncio.gather(telling, looking, return_exceptions=True)
        journal.write(Entry.TIME, round(time.monotonic() - began, 1))


def _share(plan: Plan, journal: Journal) -> float:
    return journal.counts[Entry.ASKED] / plan.claims


async def _look_now_and_then(engine: Engine, journal: Journal) -> None:
    """A look takes longer with each hold; it shall not be what the time goes to."""
    while True:
        began = time.monotonic()
        with suppress(SQLAlchemyError):  # it is down: that is what this is about
            looked = await asyncio.to_thread(look, engine)
            journal.write(Entry.LOOKED, looked.adrift + looked.oversold)
        await asyncio.sleep(max(LOOK_EVERY, 20 * (time.monotonic() - began)))


async def _tell(
    plan: Plan, journal: Journal, progress: Callable[[], float], say: Say
) -> None:
    began, before = time.monotonic(), journal.counts[Entry.ASKED]
    while True:
        await asyncio.sleep(10)
        counts, took = journal.counts, time.monotonic() - began
        pace = (counts[Entry.ASKED] - before) / took
        left = took / max(progress(), 0.001) * (1 - progress())
        say(
            f"{progress():4.0%}  {counts[Entry.ASKED]:,} claims, {pace:,.0f}/s, "
            f"{counts[Entry.GRANTED]:,} granted, {counts[Entry.PAID]:,} paid, "
            f"{counts[Entry.KILLED]} of {plan.kills} kills, "
            f"{counts[Entry.CRASHED]} of {plan.crashes} crashes, "
            f"some {left / 60:.0f} min to go"
        )


async def _settle(engine: Engine, within: float, say: Say) -> dict[str, int]:
    """Wait until nothing waits any more, for a while. Return what still does."""
    until, quiet_since = time.monotonic() + within, None
    left: dict[str, int] = {}
    while time.monotonic() < until:
        before, left = left, await asyncio.to_thread(waiting, engine)
        if left != before:
            say(f"settling: {left}")
        if left:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > QUIET_FOR:
            break
        await asyncio.sleep(2)
    return left


def _report(
    kind: str, told: Told, found: dict[str, int], left: dict[str, int], settled: float
) -> Report:
    counts = told.counts
    return Report(
        database=kind,
        seconds=round(told.seconds),
        claims=len(told.asked),
        acknowledged=len(told.granted),
        refused=len(told.refused),
        unanswered=len(set(told.asked) - set(told.granted) - told.refused),
        kills=counts[Entry.KILLED],
        database_crashes=counts[Entry.CRASHED],
        ended_by_themselves=counts[Entry.ENDED],
        looks=counts[Entry.LOOKED],
        unexpected_answers=dict(told.failed),
        settled_seconds=round(settled, 1),
        unsettled=left,
        **found,
    )


def _first_port() -> int:
    return 26_000 + os.getpid() * 8 % 4_000  # another run's town is elsewhere


def shortened(plan: Plan, share: float) -> Plan:
    """Return a plan of the same kind, *share* as long."""
    return replace(
        plan,
        seconds=plan.seconds * share,
        kills=max(1, round(plan.kills * share)),
        crashes=round(plan.crashes * share),
    )
