"""
The companies: a Stripe and a Mastodon in a process of their own, which remember what
they did in files, and have bad days: answers are late, lost before or after the effect,
cut or errors; messages come twice, late, or never.

Run by ``playing``; what it is told comes as one argument of JSON. After SIGUSR1 they
have no more bad days.
"""

import asyncio
import json
import logging
import random
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop

from outletbot.clock import utc_now
from outletbot.logs import set_up_logs
from outletbot.processes import serving
from outletbot.rehearsing.mishaps import fate
from outletbot.sandbox import mastodon, stripe
from outletbot.sandbox.faults import Fault, Faults
from outletbot.sandbox.mastodon_objects import Account
from outletbot.sandbox.stripe_webhooks import DeliveryPolicy
from tests.chaos.scenery import HANDLE

SESSIONS = "/v1/checkout/sessions"
STRIPE_CALLS = (
    f"POST {SESSIONS}",
    f"GET {SESSIONS}/{{id}}",
    f"POST {SESSIONS}/{{id}}/expire",
    "POST /v1/refunds",
)
MASTODON_CALLS = ("POST /api/v1/statuses", "PUT /api/v1/statuses/{id}")
KINDS = tuple(kind for kind in Fault if kind is not Fault.SLOW)
EVERY = 1.0
NEVER = 0.05
RATE = 100
SOON = DeliveryPolicy(
    retries=tuple(timedelta(seconds=s) for s in (1, 2, 4, 8, 15, 30)),
    timeout=timedelta(seconds=5),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What ``playing`` decides."""

    folder: str
    stripe_port: int
    mastodon_port: int
    shop: str
    key: str
    secret: str
    token: str
    seed: int
    faults: bool = True


async def keep_shop(told: Told) -> None:
    """Serve both until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    folder, home = Path(told.folder), "http://127.0.0.1"
    bank = stripe.build_stripe_sandbox(
        clock=utc_now,
        webhook_url=f"{told.shop}/webhooks/stripe",
        webhook_secret=told.secret,
        public_url=f"{home}:{told.stripe_port}",
        api_key=told.key,
        policy=SOON,
        state_path=folder / "stripe.db",
    )
    network = mastodon.build_mastodon_sandbox(
        clock=utc_now,
        public_url=f"{home}:{told.mastodon_port}",
        accounts=[Account(HANDLE, told.token)],
        looks_until_ready=0,
        state_path=folder / "mastodon.db",
    )
    sandbox = bank[stripe.SANDBOX]
    sandbox.rate_limit = RATE
    sandbox.faults.hold_for = timedelta(seconds=3)
    async with AsyncExitStack() as stack:
        for app, port in ((bank, told.stripe_port), (network, told.mastodon_port)):
            await stack.enter_async_context(serving(app, "127.0.0.1", port))
        bad_days = asyncio.create_task(
            _have_bad_days(told, sandbox, network[mastodon.FAULTS])
        )
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGUSR1, _be_good, bad_days, sandbox, network[mastodon.FAULTS]
        )
        print("open", flush=True)  # noqa: T201  (playing waits for it)
        await stop.wait()
        bad_days.cancel()


async def _have_bad_days(told: Told, sandbox: Any, network: Faults) -> None:
    dice = random.Random(f"companies/{told.seed}")  # noqa: S311  (no secret)
    while told.faults:
        sandbox.faults.next(dice.choice(STRIPE_CALLS), dice.choice(KINDS))
        sandbox.postman.treat_next(fate(dice, never=NEVER))
        if dice.random() < 0.3:
            network.next(dice.choice(MASTODON_CALLS), dice.choice(KINDS))
        await asyncio.sleep(dice.uniform(0, 2 * EVERY))


def _be_good(bad_days: asyncio.Task[None], sandbox: Any, network: Faults) -> None:
    bad_days.cancel()
    for faults in (sandbox.faults, network):
        for call in list(faults.waiting):
            while faults.take(call):
                pass


if __name__ == "__main__":
    # Standard output is a pipe that nobody empties: a full one would stop everything.
    set_up_logs("json", least=logging.WARNING)
    uvloop.run(keep_shop(Told(**json.loads(sys.argv[1]))))
