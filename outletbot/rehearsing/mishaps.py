"""Mishaps: what goes wrong during a rehearsal, from a seed.

Stripe does not answer before or after it acted, fails, asks for patience or is cut off;
its messages come twice, late, in another order, or never; the network loses the answer
to a post; and the worker is killed in the middle of the rush.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from outletbot.rehearsing.troupe import Actor
from outletbot.sandbox.faults import Fault, Faults
from outletbot.sandbox.stripe_state import StripeSandbox
from outletbot.sandbox.stripe_webhooks import Fate, Treatment

SESSIONS = "/v1/checkout/sessions"
CREATE, RETRIEVE = f"POST {SESSIONS}", f"GET {SESSIONS}/{{id}}"
EXPIRE, REFUND = f"POST {SESSIONS}/{{id}}/expire", "POST /v1/refunds"
POST = "POST /api/v1/statuses"
CALLS = {CREATE: 6, RETRIEVE: 4, EXPIRE: 3, REFUND: 1}
"""What goes wrong, and how often one rather than another."""

KINDS = (
    Fault.TIMEOUT_BEFORE,
    Fault.TIMEOUT_AFTER,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.TOO_MANY,
    Fault.LOCKED,
    Fault.CUT_BODY,
)
EVERY = 1.0  # seconds between two of them
FOR = 60.0  # seconds after the opening
KILL_AFTER, DEAD_FOR = 6.0, 1.0  # seconds
EVENTS = 20_000  # messages of which each has its fate
TWICE, LATE, NEVER = 0.10, 0.10, 0.02


@dataclass(slots=True)
class Mishaps:
    """*happened* counts what was made to go wrong, by its name."""

    seed: int
    stripe: StripeSandbox
    network: Faults
    worker: Actor
    happened: Counter[str] = field(default_factory=Counter)

    def prepare(self) -> None:
        """Settle the fate of each message, and lose the answer to the first post."""
        dice = random.Random(f"messages/{self.seed}")  # noqa: S311  (no secret)
        for _ in range(EVENTS):
            self.stripe.postman.treat_next(fate(dice))
        self.network.next(POST, Fault.TIMEOUT_AFTER)
        self.happened["lost_post_answers"] += 1

    async def happen(self, opened: Callable[[], float]) -> None:
        """Let things go wrong from the opening on, which was *opened* seconds ago."""
        await asyncio.sleep(max(0.0, -opened()))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._trouble_stripe())
            group.create_task(self._kill_worker())

    async def _trouble_stripe(self) -> None:
        dice = random.Random(f"calls/{self.seed}")  # noqa: S311  (no secret)
        for _ in range(round(FOR / EVERY)):
            (call,) = dice.choices(list(CALLS), list(CALLS.values()))
            kind = dice.choice(KINDS)
            if call not in self.stripe.faults.waiting:  # a quiet deal makes few calls
                self.stripe.faults.next(call, kind)
                self.happened[kind] += 1
            await asyncio.sleep(EVERY)

    async def _kill_worker(self) -> None:
        await asyncio.sleep(KILL_AFTER)
        await self.worker.kill()
        self.happened["workers_killed"] += 1
        await asyncio.sleep(DEAD_FOR)
        await self.worker.start()


def fate(dice: random.Random, *, never: float = NEVER) -> Treatment:
    """Return what becomes of a message; *never* is the share of those that get lost."""
    chance = dice.random()
    if chance < TWICE:
        return Treatment(copies=2)
    if chance < TWICE + LATE:
        return Treatment(delay=timedelta(seconds=dice.uniform(1, 20)))
    if chance < TWICE + LATE + never:
        return Treatment(fate=Fate.DROPPED)
    return Treatment()
