"""
Four trials: the disk is full, the clock is ten minutes off, the database is gone for a
minute, Stripe is gone for an hour. Each is done to real processes, which have to get
over it by themselves; what was seen is printed.

``python -m tests.chaos.trials [disk|clock|database|stripe]``
"""

import asyncio
import json
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import uvloop

from offers.ids import new_code
from outletbot.clock import utc_now
from tests.chaos.disks import SmallDisk, small_disk
from tests.chaos.history import Plan
from tests.chaos.journal import Entry
from tests.chaos.line import Line, path_of
from tests.chaos.shoppers import CARD
from tests.chaos.stage import Stage, a_crowd, a_server, open_stage

PLAN = Plan(
    seconds=24, claims=1_000_000, kills=0, crashes=0, shoppers=8, openings=1, workers=1
)
OFF = 600.0
HOUR = 3_600.0
DISK = 64  # megabytes
PUT_OFF = 900.0  # seconds: so long a message may be put off that was asked about often
AT_ONCE = 180.0  # seconds of the clocks in one of ours
PAGE_WITHIN = 30.0
FULL_WITHIN, BACK_WITHIN, SETTLED_WITHIN = 120.0, 90.0, 240.0

# Holds for which Stripe was asked: only its word ends them.
RELEASED = "SELECT count(*) FROM hold WHERE state = 'released' AND request <> ''"
HELD = """SELECT count(*) FROM hold
    WHERE state IN ('creating', 'open', 'processing') AND request <> ''"""
PAID = (
    "SELECT count(*) FROM arrival WHERE type LIKE '%completed' AND handled_at IS NULL"
)

Report = dict[str, object]


@dataclass(frozen=True, slots=True)
class Length:
    """How long each part of a trial is, in seconds; *leave* is in bytes of the disk."""

    before: float = 5
    during: float = 60
    after: float = 10
    leave: int = 8 << 20
    goodbye: float = 30
    let_holds_end: bool = True


SHORT = Length(
    before=1, during=5, after=2, leave=2 << 20, goodbye=1, let_holds_end=False
)


async def try_disk(folder: Path, length: Length) -> Report:
    """A file on a small disk; claims go on until it is full, then there is room."""
    with small_disk(DISK) as disk:
        async with open_stage(PLAN, folder, data=disk.folder) as stage:
            await _fill(stage, disk, length, _nothing)
            stage.found["integrity"] = stage.ask("PRAGMA integrity_check")
            return await _conclude(stage, "disk", length)


async def try_servers_disk(folder: Path, length: Length) -> Report:
    """PostgreSQL on a small disk; who keeps it running does so once there is room."""
    with small_disk(2 * DISK) as disk, a_server(disk.folder) as server:

        async def keep_up() -> None:
            if server.process is not None and server.process.poll() is not None:
                stage.found["database_ended_with"] = server.process.returncode
                server.process = None
                await asyncio.to_thread(server.start)

        async with open_stage(PLAN, folder, server=server) as stage:
            await _fill(stage, disk, length, keep_up)
            return await _conclude(stage, "disk", length)


async def _nothing() -> None:
    """A file is there again by itself."""


async def _fill(
    stage: Stage,
    disk: SmallDisk,
    length: Length,
    keep_up: Callable[[], Awaitable[None]],
) -> None:
    disk.fill(leave=length.leave)
    async with a_crowd(stage, length.goodbye):
        await _until_full(stage)
        stage.watch.phase = "full"
        await asyncio.sleep(length.during)
        stage.found["free_bytes_when_full"] = disk.free
        stage.watch.phase = "room again"
        disk.make_room()
        await keep_up()
        await _back(stage)
        await asyncio.sleep(length.after)


async def _until_full(stage: Stage) -> None:
    """Wait until somebody was sent away for lack of room."""
    began = time.monotonic()
    while time.monotonic() - began < FULL_WITHIN:
        if stage.watch.seen("before")["claim 503 come back"]:
            break
        await asyncio.sleep(0.1)
    stage.found["full_after_seconds"] = round(time.monotonic() - began, 1)
    stage.found["acknowledged_when_full"] = stage.journal.counts[Entry.GRANTED]


async def try_database(folder: Path, length: Length) -> Report:
    """PostgreSQL is ended in the middle of everything, and is back later."""
    with a_server() as server:
        async with open_stage(PLAN, folder, server=server) as stage:
            async with a_crowd(stage, length.goodbye):
                await asyncio.sleep(length.before)
                stage.watch.phase = "gone"
                await asyncio.to_thread(server.crash)
                await asyncio.sleep(length.during)
                began = time.monotonic()
                await asyncio.to_thread(server.start)
                took = round(time.monotonic() - began, 1)
                stage.found["database_recovered_seconds"] = took
                stage.watch.phase = "back"
                await _back(stage)
                await asyncio.sleep(length.after)
            return await _conclude(stage, "database", length)


async def try_clock(
    folder: Path, length: Length, *, ahead: float = OFF, in_a_file: bool = False
) -> Report:
    """The clock of the shop is off, against Stripe's and against PostgreSQL's."""
    if in_a_file:
        async with open_stage(PLAN, folder, clocks=(ahead, 0)) as stage:
            return await _off(stage, length, ahead)
    with a_server() as server:
        async with open_stage(PLAN, folder, server=server, clocks=(ahead, 0)) as stage:
            return await _off(stage, length, ahead)


async def _off(stage: Stage, length: Length, ahead: float) -> Report:
    stage.found["ahead"] = ahead
    async with a_crowd(stage, length.goodbye):
        stage.watch.phase = "off"
        coming = asyncio.create_task(_come_early(stage))
        until = (stage.scenery.opening[0].opens_at - utc_now()).total_seconds()
        await asyncio.sleep(max(until + 1, length.during))
        stage.watch.phase = "set right"
        stage.set_clock(0)
        await asyncio.sleep(length.after)
        coming.cancel()
        stage.found["page_opened_after_seconds"] = await _page_opens(stage)
    if stage.server is None:
        stage.set_clock(OFF + 60)  # time passes for everybody
        stage.set_their_clock(OFF + 60)
    return await _conclude(stage, "clock", length)


async def _come_early(stage: Stage) -> None:
    """Note how long after its hour a deal's first unit was to be had."""
    deal, answer = stage.scenery.opening[0], None
    with closing(Line("10.81.0.1")) as line:
        while answer is None or answer.status != HTTPStatus.SEE_OTHER:
            form = f"key={new_code()}"
            answer = await line.post(stage.door, f"/d/{deal.code}/buy", form)
            await asyncio.sleep(0.05)
    late = (utc_now() - deal.opens_at).total_seconds()
    stage.found["opened_after_its_hour_seconds"] = round(late, 1)


async def _page_opens(stage: Stage) -> float | None:
    """Return how long a shopper waits for a payment page now."""
    began = time.monotonic()
    with closing(Line("10.82.0.1")) as line:
        token = await stage.watch.claim_one(line)
        while (waited := time.monotonic() - began) < PAGE_WITHIN:
            answer = await line.get(stage.door, f"/h/{token}/pay")
            if answer.location.startswith("http"):
                return round(waited, 1)
            await asyncio.sleep(0.5)
    return None


async def try_stripe(folder: Path, length: Length, *, away: float = HOUR) -> Report:
    """Stripe cannot be reached for an hour of the town's clocks.

    Shoppers who were on its pages pay there meanwhile, and Stripe tells us so; we
    cannot ask.
    """
    async with open_stage(PLAN, folder) as stage:
        pages = await _with_pages(stage, 4)
        async with a_crowd(stage, length.goodbye):
            await asyncio.sleep(length.before)
            stage.watch.phase = "gone"
            await stage.way.close()
            await _without_stripe(stage, pages, away, length.during)
            await stage.way.open()
            stage.watch.phase = "back"
            await asyncio.sleep(length.after)
            stage.found["page_opened_after_seconds"] = await _page_opens(stage)
        await _hours_pass(stage, away, away + PUT_OFF, PUT_OFF / AT_ONCE)
        return await _conclude(stage, "stripe", length)


async def _without_stripe(
    stage: Stage, pages: list[str], away: float, real: float
) -> None:
    """Two pay at once and two at the end; somebody claims, and waits for their page."""
    before = await _last_word(stage)
    with closing(Line("10.83.0.1")) as line:
        token = await stage.watch.claim_one(line)
    await _pay(stage, pages[:2])
    told = [await _standing(stage, token)]
    await _hours_pass(stage, 0, away, real)
    told.append(await _standing(stage, token))
    await _pay(stage, pages[2:])
    await asyncio.sleep(1)
    stage.found |= {
        "shopper_told": told,
        "held_when_back": stage.ask(HELD),
        "released_while_gone": stage.ask(RELEASED) - before,
        "paid_while_gone": stage.ask(PAID),
    }


async def _last_word(stage: Stage) -> int:
    """Return how many holds ended by answers that Stripe had given already."""
    last, count = -1, stage.ask(RELEASED)
    while count != last:
        await asyncio.sleep(1.5)
        last, count = count, stage.ask(RELEASED)
    return int(count)


async def _standing(stage: Stage, token: str) -> str:
    """Return in a word what a shopper's page says."""
    with closing(Line("10.83.0.2")) as line:
        answer = await line.get(stage.door, f"/h/{token}/line")
    return str(json.loads(answer.body)["standing"])


async def _hours_pass(stage: Stage, since: float, until: float, real: float) -> None:
    """Let the clocks of everybody go on from so far ahead to so far, step by step."""
    began, passed = time.monotonic(), 0.0
    while passed < real:
        passed = min(time.monotonic() - began, real)
        ahead = since + passed / real * (until - since)
        stage.set_clock(ahead)
        stage.set_their_clock(ahead)
        await asyncio.sleep(0.5)


async def _with_pages(stage: Stage, count: int) -> list[str]:
    """Return the payment pages of *count* shoppers."""
    pages = []
    for number in range(count):
        with closing(Line(f"10.79.0.{number}")) as line:
            token = await stage.watch.claim_one(line)
            answer = await line.get(stage.door, f"/h/{token}/pay")
        pages.append(answer.location)
    return pages


async def _pay(stage: Stage, pages: list[str]) -> None:
    for page in pages:
        with closing(Line("10.79.1.1")) as line:
            answer = await line.post(stage.town.stripe, path_of(page), CARD)
        if answer.status == HTTPStatus.SEE_OTHER:
            stage.journal.write(Entry.PAID, page.rsplit("/", 1)[1])


async def _back(stage: Stage) -> None:
    """Note how long it takes until a shopper gets a unit again, and all is ready."""
    began = time.monotonic()
    with closing(Line("10.80.0.1")) as line:
        await stage.watch.claim_one(line)
    stage.found["claims_back_after_seconds"] = round(time.monotonic() - began, 1)
    while time.monotonic() - began < BACK_WITHIN:
        answer = await stage.watch.ready()
        if answer is not None and answer.status == 200:
            break
        await asyncio.sleep(0.1)
    stage.found["ready_after_seconds"] = round(time.monotonic() - began, 1)


async def _conclude(stage: Stage, name: str, length: Length) -> Report:
    """Let everything come to its end, then compare."""
    began = time.monotonic()
    but = "" if length.let_holds_end else "holds"
    left = await stage.settle(SETTLED_WITHIN, but=but)
    stage.found["settled_seconds"] = round(time.monotonic() - began, 1)
    return await asyncio.to_thread(stage.report, name, left)


Trial = Callable[[Path, Length], Awaitable[Report]]

TRIALS: dict[str, list[Trial]] = {
    "disk": [try_disk, try_servers_disk],
    "clock": [
        lambda folder, length: try_clock(folder, length, ahead=OFF),
        lambda folder, length: try_clock(folder, length, ahead=-OFF),
        lambda folder, length: try_clock(folder, length, ahead=OFF, in_a_file=True),
        lambda folder, length: try_clock(folder, length, ahead=-OFF, in_a_file=True),
    ],
    "database": [try_database],
    "stripe": [try_stripe],
}
LENGTHS = {"stripe": Length(during=60), "clock": Length(during=20)}


def main() -> int:
    """Do what was asked for, or all; 1 if anything was wrong."""
    parser = ArgumentParser(prog="python -m tests.chaos.trials", description=__doc__)
    parser.add_argument("trial", nargs="?", choices=TRIALS)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder for logs and journals")
    asked = parser.parse_args()
    wrong = False
    for name in [asked.trial] if asked.trial else TRIALS:
        length = SHORT if asked.short else LENGTHS.get(name, Length())
        for number, trial in enumerate(TRIALS[name]):
            report = _do(trial, length, asked.keep and asked.keep / f"{name}{number}")
            print(json.dumps(report, indent=2), flush=True)  # noqa: T201
            wrong = wrong or bool(report["wrong"])
    return int(wrong)


def _do(trial: Trial, length: Length, keep: Path | None) -> Report:
    with tempfile.TemporaryDirectory(prefix="outletbot-trial-") as place:
        folder = keep.absolute() if keep else Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(trial(folder, length))


if __name__ == "__main__":
    sys.exit(main())
