"""A Stripe to practise on: its API, its checkout page, its webhooks, and its bad days.

The real client talks to it, told only another base address::

    stripe.StripeClient(key, base_addresses={"api": "http://127.0.0.1:4242"})

It holds what Stripe is documented or was seen to do, as far as outletbot uses it, and
refuses what the installed stripe library does not know. It is our belief about
Stripe, not Stripe.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import stripe
import structlog
from aiohttp import web

from outletbot.clock import Clock
from outletbot.sandbox import (
    stripe_control,
    stripe_moves,
    stripe_onboarding,
    stripe_pages,
)
from outletbot.sandbox.faults import inject
from outletbot.sandbox.stripe_access import Door
from outletbot.sandbox.stripe_api import (
    add_api,
    answer_broken,
    answer_locked,
    answer_too_many,
    speak_stripe,
)
from outletbot.sandbox.stripe_books import OWN, Books
from outletbot.sandbox.stripe_endpoints import Endpoint
from outletbot.sandbox.stripe_state import SANDBOX, StripeSandbox
from outletbot.sandbox.stripe_webhooks import DeliveryPolicy, Postman

__all__ = ["SANDBOX", "StripeSandbox", "build_stripe_sandbox"]

log = structlog.get_logger()

SWEEP_EVERY = timedelta(seconds=1)


def build_stripe_sandbox(  # noqa: PLR0913 - what the command line knows, fact by fact
    *,
    clock: Clock,
    webhook_url: str | None,
    webhook_secret: str,
    public_url: str,
    api_key: str,
    seed: int | None = None,
    rate_limit: int | None = None,
    policy: DeliveryPolicy | None = None,
    state_path: Path | None = None,
    sweep_every: timedelta = SWEEP_EVERY,
) -> web.Application:
    """Make a Stripe that is nobody's yet; ``app[SANDBOX]`` is its object.

    The same *seed* makes the same ids in the same order; without one they differ from
    run to run, as they must where an older run's ids are still known. With
    *state_path* everything survives a restart. *public_url* is where a browser finds
    this application; events go to *webhook_url*, if there is one. An account may make
    *rate_limit* reads and as many writes in a second, or any number.

    Raises:
        ValueError: If events would be signed with an empty secret.
    """
    seed = int(clock().timestamp() * 1_000_000) if seed is None else seed
    books = Books(seed=seed, api_version=stripe.api_version, path=state_path)
    postman = Postman(
        books,
        Endpoint(webhook_url, webhook_secret),
        policy=policy or DeliveryPolicy(),
        clock=clock,
        seed=seed,
    )
    sandbox = StripeSandbox(
        books=books,
        postman=postman,
        clock=clock,
        public_url=public_url.rstrip("/"),
        door=Door(books, {api_key: OWN}, rate_limit),
    )
    return _build_app(sandbox, sweep_every)


def _build_app(sandbox: StripeSandbox, sweep_every: timedelta) -> web.Application:
    faults = inject(
        sandbox.faults,
        too_many=answer_too_many,
        error=answer_broken,
        locked=answer_locked,
    )
    app = web.Application(middlewares=[faults, speak_stripe])
    app[SANDBOX] = sandbox
    app[stripe_pages.TEMPLATES] = stripe_pages.load_templates()
    add_api(app)
    app.add_routes(stripe_pages.routes)
    app.add_routes(stripe_control.routes)
    app.add_routes(stripe_moves.routes)
    app.add_routes(stripe_onboarding.routes)

    async def live(_: web.Application) -> AsyncIterator[None]:
        sandbox.postman.open()
        sweeper = asyncio.create_task(_sweep(sandbox, sweep_every))
        yield
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper
        await sandbox.postman.close()
        sandbox.books.close()

    app.cleanup_ctx.append(live)
    return app


async def _sweep(sandbox: StripeSandbox, every: timedelta) -> None:
    """End the sessions whose time is up, without anybody asking for them."""
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            sandbox.sweep(now=sandbox.clock())
        except Exception:
            log.exception("sandbox_sweep_failed")
