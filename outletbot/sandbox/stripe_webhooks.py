"""Webhooks as Stripe sends them: signed, at least once, in no order, and repeated.

Each event is one delivery. It is tried until the receiver answers 2xx, at the times
that the policy says, and then given up. How the next ones are treated can be told:
twice, late, held back to be released in another order, or never.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import aiohttp
import stripe
import structlog

from outletbot.clock import Clock
from outletbot.sandbox.stripe_books import Account, Books, Json

log = structlog.get_logger()

SECONDS = timedelta(seconds=1)


class Fate(StrEnum):
    SENT = "sent"
    HELD = "held"
    DROPPED = "dropped"


class Order(StrEnum):
    AS_HAPPENED = "as_happened"
    BACKWARDS = "backwards"
    SHUFFLED = "shuffled"


@dataclass(frozen=True, slots=True)
class Treatment:
    """What becomes of an event: sent, *copies* times, *delay* late; held; dropped."""

    fate: Fate = Fate.SENT
    copies: int = 1
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """When a delivery is tried again after each failure, and how long one may take.

    Stripe itself goes on for three days; the default is for somebody who watches.
    """

    retries: Sequence[timedelta] = tuple(
        timedelta(seconds=seconds) for seconds in (1, 2, 5, 15, 60, 300)
    )
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go, and the secret that only the two ends know."""

    url: str | None
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if self.url and not self.secret.strip():
            message = "an empty webhook secret would sign what anybody can sign"
            raise ValueError(message)


class Postman:
    """Brings events to the one endpoint, in the background."""

    def __init__(
        self,
        books: Books,
        endpoint: Endpoint,
        *,
        policy: DeliveryPolicy,
        clock: Clock,
        seed: int,
    ) -> None:
        self.policy = policy
        self.usual = Treatment()
        self._books = books
        self._endpoint = endpoint
        self._clock = clock
        self._dice = random.Random(seed)  # noqa: S311 - for disorder, not for secrets
        self._next: deque[tuple[str | None, Treatment]] = deque()
        self._http: aiohttp.ClientSession | None = None
        self._rounds: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str | None:
        return self._endpoint.url

    def treat_next(
        self, treatment: Treatment, *, times: int = 1, event_type: str | None = None
    ) -> None:
        """Treat the next events differently; those of *event_type* only, if given."""
        self._next.extend([(event_type, treatment)] * times)

    def open(self) -> None:
        """Begin to deliver, first of all what an earlier run left over."""
        self._http = aiohttp.ClientSession()
        for account in self._books.accounts.values():
            for delivery in account.all("delivery"):
                if delivery["state"] == "pending":
                    self._start(account, delivery, Treatment())

    async def close(self) -> None:
        for task in self._rounds:
            task.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)
        if self._http:
            await self._http.close()

    def take_news(self) -> None:
        """Take what the books have to tell, and be on the way with it."""
        news, self._books.news = self._books.news, []
        for account, event in news:
            if self.url:
                self._accept(account, event, self._treatment_of(event["type"]))

    def send_again(self, account: Account, event_id: str) -> None:
        """Send an event once more, whatever became of it before.

        Raises:
            StripeRefusal: If there is no such event.
        """
        event = account.get("event", event_id)
        delivery = account.find("delivery", event_id) or _new_delivery(event)
        self._start(account, delivery, Treatment())

    async def release(self, order: Order = Order.AS_HAPPENED) -> int:
        """Send what was held back, one after the other. Return how many that were.

        What is not taken is tried again later, and no longer in this order.
        """
        held = [
            (account, delivery)
            for account in self._books.accounts.values()
            for delivery in account.all("delivery")
            if delivery["state"] == Fate.HELD
        ]
        if order is Order.BACKWARDS:
            held.reverse()
        if order is Order.SHUFFLED:
            self._dice.shuffle(held)
        for account, delivery in held:
            if await self._attempt(account, delivery):
                self._conclude(account, delivery, "taken")
            else:
                first = next(iter(self.policy.retries), timedelta())
                self._start(account, delivery, Treatment(delay=first))
        return len(held)

    async def settle(self) -> None:
        """Wait until every delivery that is on its way was taken or given up."""
        while self._rounds:
            await asyncio.wait(self._rounds)

    def sign(self, payload: str, *, timestamp: int | None = None) -> str:
        """Return the ``Stripe-Signature`` of *payload*, by the library itself.

        Receivers compare its time with the machine's clock, so that is what the
        library takes, and not the sandbox's own.
        """
        signature: str = stripe.WebhookSignature.generate_signature_header(
            payload, self._endpoint.secret, timestamp
        )
        return signature

    def _treatment_of(self, event_type: str) -> Treatment:
        for waiting in self._next:
            if waiting[0] in (None, event_type):
                self._next.remove(waiting)
                return waiting[1]
        return self.usual

    def _accept(self, account: Account, event: Json, treatment: Treatment) -> None:
        delivery = _new_delivery(event)
        event["pending_webhooks"] = 1
        account.keep(event)
        if treatment.fate is Fate.SENT:
            self._start(account, delivery, treatment)
        else:
            delivery["state"] = treatment.fate
        account.keep(delivery)

    def _start(self, account: Account, delivery: Json, treatment: Treatment) -> None:
        delivery["state"] = "pending"
        account.keep(delivery)
        for _ in range(treatment.copies):
            task = asyncio.create_task(
                self._bring(account, delivery, after=treatment.delay)
            )
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)

    async def _bring(
        self, account: Account, delivery: Json, *, after: timedelta = timedelta()
    ) -> None:
        """Try until it is taken; a closed sandbox goes on where it was, later."""
        await asyncio.sleep(after / SECONDS)
        for wait in (*self.policy.retries, None):
            if await self._attempt(account, delivery):
                return self._conclude(account, delivery, "taken")
            if wait is not None:
                self._books.note(account, delivery)
                self._books.commit()
                await asyncio.sleep(wait / SECONDS)
        return self._conclude(account, delivery, "given_up")

    async def _attempt(self, account: Account, delivery: Json) -> bool:
        attempt = await self._try(account.get("event", delivery["id"]))
        delivery["attempts"].append(attempt)
        return bool(200 <= attempt["status"] < 300)

    def _conclude(self, account: Account, delivery: Json, state: str) -> None:
        if delivery["state"] != "taken":
            delivery["state"] = state
        event = account.get("event", delivery["id"])
        event["pending_webhooks"] = 0 if delivery["state"] == "taken" else 1
        account.keep(event)
        account.keep(delivery)
        self._books.commit()
        log.info("sandbox_event_delivered", id=event["id"], state=delivery["state"])

    async def _try(self, event: Json) -> Json:
        assert self._http is not None
        assert self.url is not None
        payload = json.dumps(event, indent=2)
        attempt: Json = {"at": self._clock().isoformat(), "status": 0, "error": None}
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": self.sign(payload),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            async with asyncio.timeout(self.policy.timeout / SECONDS):
                async with self._http.post(
                    self.url, data=payload, headers=headers, allow_redirects=False
                ) as response:
                    attempt["status"] = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            attempt["error"] = str(error) or type(error).__name__
        return attempt


def _new_delivery(event: Json) -> Json:
    return {
        "id": event["id"],
        "object": "delivery",
        "state": "pending",
        "attempts": [],
    }
