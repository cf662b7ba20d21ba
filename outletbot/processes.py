"""Processes: web and worker, each on its own or both in one.

A process stops when it is asked to (SIGTERM, Ctrl-C): requests and jobs under way are
finished, what was leased and not begun is left to the next.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from aiohttp import web

from outletbot.app import build_app
from outletbot.clock import Clock, utc_now
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.importing import work_on_import
from outletbot.jobs.delivering import Courier
from outletbot.jobs.handling import handle_arrivals
from outletbot.jobs.opening import open_and_close
from outletbot.jobs.paying import expire_holds, open_missing_pages
from outletbot.jobs.publishing import Publisher
from outletbot.jobs.refunding import give_due_refunds
from outletbot.jobs.retiring import retire_due_posts
from outletbot.jobs.running import Job, run_jobs
from outletbot.networks import Networks
from outletbot.outside import guarded_session
from outletbot.paying import Paying
from outletbot.payments import Gateways
from outletbot.sealing import Seal
from outletbot.stripe_client import stripe_gateways

log = structlog.get_logger(__name__)

Part = Callable[
    [Settings, Database, Gateways, asyncio.Event], Coroutine[None, None, None]
]

QUICK = timedelta(milliseconds=200)
SLOW = timedelta(seconds=1)


async def run(settings: Settings, *parts: Part) -> None:
    """Run *parts* until somebody asks to stop, or one of them fails.

    Raises:
        OSError: If the port is somebody else's.
    """
    stop = _stop_on_signals()
    async with AsyncExitStack() as stack:
        database = Database.connect(settings.database_url)
        stack.callback(database.close)
        gateways = await stack.enter_async_context(stripe_gateways(settings))
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(part(settings, database, gateways, stop))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from failures
    log.info("process_stopped")


async def until_stopped() -> None:
    """Wait until somebody asks to stop."""
    await _stop_on_signals().wait()


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return stop


async def serve_web(
    settings: Settings,
    database: Database,
    gateways: Gateways,
    stop: asyncio.Event,
) -> None:
    """Answer requests until *stop* is set."""
    app = build_app(settings, database, gateways, clock=utc_now)
    async with serving(app, settings.host, settings.port):
        log.info("web_started", url=settings.public_url, port=settings.port)
        await stop.wait()


async def work(
    settings: Settings,
    database: Database,
    gateways: Gateways,
    stop: asyncio.Event,
) -> None:
    """Run the jobs until *stop* is set."""
    private = settings.allow_private_addresses
    seal = Seal(settings.secret_key.get_secret_value())
    async with guarded_session(allow_private=private) as http:
        networks = Networks(http, seal, public_url=settings.public_url, clock=utc_now)
        publisher = Publisher(
            database, networks, utc_now, public_url=settings.public_url
        )
        courier = Courier(database, http, seal, utc_now)
        log.info("worker_started")
        await run_jobs(
            [
                Job("publishing", publisher.publish_due, QUICK),
                Job("delivering", courier.deliver_due),
                Job("retiring", partial(retire_due_posts, database, networks, utc_now)),
                *money_jobs(database, gateways, utc_now),
                Job("importing", partial(_import_next, database, utc_now)),
            ],
            stop,
        )
        await publisher.finish()


def money_jobs(database: Database, gateways: Gateways, clock: Clock) -> list[Job]:
    """Return the jobs that move deals, holds and money along."""
    paying = Paying(database, gateways, clock)
    return [
        Job("opening", partial(open_and_close, database, clock), QUICK),
        Job("handling", partial(handle_arrivals, database, gateways, clock), QUICK),
        Job("expiring", partial(expire_holds, database, paying, clock)),
        Job("paging", partial(open_missing_pages, database, paying, clock)),
        Job("refunding", partial(give_due_refunds, database, gateways, clock), SLOW),
    ]


async def _import_next(database: Database, clock: Clock) -> int:
    return int(await asyncio.to_thread(work_on_import, database, now=clock()))


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve *app* while the block runs. Yield the port, which is free if 0 was asked.

    Raises:
        OSError: If the port is somebody else's.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=10)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
