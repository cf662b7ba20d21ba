"""Processes: web and worker, each on its own or both in one.

A process stops when it is asked to (SIGTERM, Ctrl-C): it says that it is not ready,
then takes on nothing new; requests and jobs under way are finished, what was leased and
not begun is given back for the next.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from aiohttp import ClientSession, web

from offers.beats import EVERY
from outletbot.app import build_app
from outletbot.clock import Clock
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.fetching import Fetcher
from outletbot.hints import Hints, open_hints
from outletbot.importing import work_on_import
from outletbot.jobs.alarming import sound_alarms
from outletbot.jobs.beating import Heart
from outletbot.jobs.bookkeeping import keep_books
from outletbot.jobs.delivering import Courier
from outletbot.jobs.explaining import explain_refunds
from outletbot.jobs.following import follow_up_deals
from outletbot.jobs.gathering import Gatherer, judge_feeds
from outletbot.jobs.handling import handle_arrivals
from outletbot.jobs.keeping import keep_accounts
from outletbot.jobs.learning import take_known_counts
from outletbot.jobs.mailing import send_letters
from outletbot.jobs.marking_down import mark_down
from outletbot.jobs.measuring import measure_posts
from outletbot.jobs.opening import open_and_close
from outletbot.jobs.paying import expire_holds, open_missing_pages
from outletbot.jobs.publishing import Publisher
from outletbot.jobs.reconciling import ask_about_holds, walk_events
from outletbot.jobs.refunding import give_due_refunds
from outletbot.jobs.rehearsing import Players
from outletbot.jobs.retiring import Retirer
from outletbot.jobs.running import Job, run_jobs
from outletbot.jobs.telling import Teller
from outletbot.keys import STOP
from outletbot.mail import open_transport
from outletbot.networks import Networks
from outletbot.outside import guarded_session
from outletbot.paying import Paying
from outletbot.payments import Gateways
from outletbot.referee import refereed_clock
from outletbot.sealing import Seal
from outletbot.shops.opening import Shops
from outletbot.stopping import Stop, run_until
from outletbot.stripe_client import stripe_gateways
from outletbot.tokens import Keeper
from outletbot.web.shop.fast_lane import open_fast_lane

log = structlog.get_logger(__name__)

QUICK = timedelta(milliseconds=200)
SLOW = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Process:
    """What the parts of a process share."""

    settings: Settings
    database: Database
    gateways: Gateways
    clock: Clock
    stop: Stop
    hints: Hints


Part = Callable[[Process], Coroutine[None, None, None]]


async def run(settings: Settings, *parts: Part) -> None:
    """Run *parts* until somebody asks to stop, or one of them fails.

    Raises:
        OSError: If the port is somebody else's.
    """
    stop = Stop.on_signals()
    async with AsyncExitStack() as stack:
        database = Database.connect(settings.database_url)
        stack.callback(database.close)
        clock = await stack.enter_async_context(refereed_clock(database))
        gateways = await stack.enter_async_context(
            stripe_gateways(settings, database, clock)
        )
        hints = await stack.enter_async_context(open_hints(database))
        process = Process(settings, database, gateways, clock, stop, hints)
        await run_until(stop, settings.stop_seconds, *(part(process) for part in parts))
    log.info("process_stopped")


async def until_stopped() -> None:
    """Wait until somebody asks to stop."""
    await Stop.on_signals().wait()


async def serve_web(process: Process) -> None:
    """Answer requests until it is time to stop."""
    settings, stop = process.settings, process.stop
    app = build_app(
        settings,
        process.database,
        process.gateways,
        clock=process.clock,
        hints=process.hints,
    )
    app[STOP] = stop
    patience = settings.stop_seconds / 2  # the other half is for what remains then
    async with serving(app, settings.host, settings.port, patience=patience):
        log.info("web_started", url=settings.public_url, port=settings.port)
        await stop.wait()
        await _let_others_notice(settings.drain_seconds, stop)


async def _let_others_notice(seconds: float, stop: Stop) -> None:
    """Go on answering while whoever asks ``/readyz`` finds out that we are leaving."""
    if seconds:
        log.info("web_draining", seconds=seconds)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.hurry.wait(), seconds)


async def work(process: Process) -> None:
    """Run the jobs until it is time to stop."""
    settings, database, clock = process.settings, process.database, process.clock
    seal = Seal(settings.secret_key.get_secret_value())
    async with guarded_session(allow_private=settings.allow_private_addresses) as http:
        networks = Networks.of(settings, http, seal, clock)
        keeper = Keeper(database, networks, seal, clock)
        publisher = Publisher(database, keeper, clock, public_url=settings.public_url)
        retirer = Retirer(database, keeper, clock, public_url=settings.public_url)
        courier = Courier(database, http, seal, clock)
        teller = Teller(database, Shops(http, seal, clock), clock)
        players = Players(database, clock, settings.environment())
        heart = Heart(database, clock)
        keep_what_is()
        log.info("worker_started")
        await run_jobs(
            [
                Job("beating", heart.beat, EVERY),
                Job("publishing", publisher.publish_due, QUICK, wakes=("posts",)),
                *account_jobs(database, networks, keeper, clock),
                Job("delivering", courier.deliver_due, wakes=("deliveries",)),
                Job("telling", teller.tell_due, wakes=("deliveries",)),
                Job("retiring", retirer.retire_due, wakes=("deals",)),
                *money_jobs(database, process.gateways, clock, process.stop),
                Job("importing", partial(_import_next, process), wakes=("imports",)),
                *feed_jobs(process, http, seal),
                Job("rehearsing", players.play_next, SLOW, wakes=("rehearsals",)),
            ],
            process.stop,
            process.hints,
        )
        await asyncio.gather(publisher.finish(), retirer.finish(), players.finish())
        await keeper.finish()
        await heart.stop()


def feed_jobs(process: Process, http: ClientSession, seal: Seal) -> list[Job]:
    """Return the jobs by which feeds come in without anybody."""
    settings, database, clock = process.settings, process.database, process.clock
    most = settings.max_upload_mb * 1024 * 1024
    plain = settings.allow_private_addresses
    fetcher = Fetcher(http, seal, most=most, plain=plain)
    base = Path(settings.feed_folder) if settings.feed_folder else None
    gatherer = Gatherer(database, fetcher, clock, base=base, most=most)
    judge = partial(judge_feeds, database, clock)
    return [
        Job(
            "gathering",
            gatherer.gather_due,
            SLOW,
            wakes=("sources",),
            tells=("imports",),
        ),
        Job("judging", judge, wakes=("imports",), tells=("imports", "sources")),
    ]


def account_jobs(
    database: Database, networks: Networks, keeper: Keeper, clock: Clock
) -> list[Job]:
    """Return the jobs that keep accounts open, and what is posted there followed."""
    return [
        Job(
            "following",
            partial(follow_up_deals, database, clock),
            SLOW,
            tells=("posts",),
        ),
        Job(
            "keeping",
            partial(keep_accounts, database, keeper, clock),
            timedelta(seconds=10),
        ),
        Job(
            "measuring",
            partial(measure_posts, database, networks, keeper, clock),
            timedelta(seconds=30),
        ),
    ]


async def watch(process: Process) -> None:
    """Tell retailers what is late or broken; a dead worker cannot do so itself."""
    settings, database, clock = process.settings, process.database, process.clock
    transport = open_transport(settings.smtp_url.get_secret_value(), settings.mail_from)
    alarms = partial(
        sound_alarms,
        database,
        clock,
        public_url=settings.public_url,
        mails=transport is not None,
    )
    letters = partial(send_letters, database, transport, clock)
    public_url = settings.public_url
    refunds = partial(explain_refunds, database, clock, public_url=public_url)
    jobs = [
        Job("alarming", alarms, 2 * SLOW, tells=("deliveries", "letters")),
        Job("mailing", letters, SLOW, wakes=("letters",)),
    ]
    if transport is not None:
        jobs.append(Job("explaining", refunds, 2 * SLOW, tells=("letters",)))
    await run_jobs(jobs, process.stop, process.hints)


def money_jobs(
    database: Database,
    gateways: Gateways,
    clock: Clock,
    stop: asyncio.Event | None = None,
) -> list[Job]:
    """Return the jobs that move deals, holds and money along, until *stop* is set."""
    paying = Paying(database, gateways, clock)
    return [
        Job(
            "opening",
            partial(open_and_close, database, clock),
            QUICK,
            tells=("deals", "posts", "deliveries"),
        ),
        Job(
            "marking_down",
            partial(mark_down, database, clock),
            tells=("deals",),
        ),
        Job(
            "handling",
            partial(handle_arrivals, database, gateways, clock, stop),
            QUICK,
            wakes=("arrivals",),
            tells=("deals", "refunds", "deliveries"),
        ),
        Job(
            "learning",
            partial(take_known_counts, database, clock),
            timedelta(seconds=10),
            tells=("deals",),
        ),
        Job(
            "expiring", partial(expire_holds, database, paying, clock), tells=("deals",)
        ),
        Job("paging", partial(open_missing_pages, database, paying, clock, stop)),
        Job(
            "refunding",
            partial(give_due_refunds, database, gateways, clock),
            SLOW,
            wakes=("refunds",),
            tells=("deliveries",),
        ),
        Job("reconciling", partial(ask_about_holds, database, paying, clock), SLOW),
        Job("walking", partial(walk_events, database, gateways, clock), SLOW),
        Job("bookkeeping", partial(keep_books, database, gateways, clock), SLOW),
    ]


async def _import_next(process: Process) -> int:
    work = partial(work_on_import, now=process.clock(), stopping=process.stop.is_set)
    return int(await asyncio.to_thread(work, process.database))


def keep_what_is() -> None:
    """Let what was made so far stay.

    Looking through it for garbage, again and again, would keep everybody waiting for a
    tenth of a second, and posts past their instant.
    """
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def serving(
    app: web.Application, host: str, port: int, *, patience: float = 10
) -> AsyncIterator[int]:
    """Serve *app* while the block runs. Yield the port, which is free if 0 was asked.

    Requests under way when it is left have *patience* seconds to be answered.

    Raises:
        OSError: If the port is somebody else's.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=patience)
    await runner.setup()
    open_fast_lane(runner)
    keep_what_is()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
