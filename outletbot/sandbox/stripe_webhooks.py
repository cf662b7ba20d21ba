"""Webhooks as Stripe sends them: signed, at least once, in no order, and repeated.

Each event is one delivery to each endpoint that hears it. It is tried until the
receiver answers 2xx, at the times that the policy says, and then given up. How the next
ones are treated can be told: twice, late, held back to be released in another order, or
never.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import aiohttp
import stripe
import structlog

from outletbot.clock import Clock
from outletbot.sandbox.stripe_books import Account, Books, Json
from outletbot.sandbox.stripe_endpoints import (
    FIRST,
    Endpoint,
    find_endpoint,
    hearers,
)

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


class Postman:
    """Brings events to whoever hears them, in the background."""

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
            if endpoints := hearers(self._endpoint, account, event["type"]):
                treatment = self._treatment_of(event["type"])
                self._accept(account, event, endpoints, treatment)

    def send_again(self, account: Account, event_id: str) -> None:
        """Send an event once more to all who hear it, whatever became of it before.

        Raises:
            StripeRefusal: If there is no such event.
        """
        event = account.get("event", event_id)
        for endpoint in hearers(self._endpoint, account, event["type"]):
            new = _new_delivery(event, endpoint)
            delivery = account.find("delivery", new["id"]) or new
            self._start(account, delivery, Treatment())

    def deliveries(self, account: Account, event: Json) -> list[Json]:
        """Return what became of an event with each who hears it."""
        heard = hearers(self._endpoint, account, event["type"])
        ids = [_new_delivery(event, endpoint)["id"] for endpoint in heard]
        found = [account.find("delivery", each) for each in ids]
        return [each for each in found if each is not None]

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
        return _sign(payload, self._endpoint.secret, timestamp)

    def _treatment_of(self, event_type: str) -> Treatment:
        for waiting in self._next:
            if waiting[0] in (None, event_type):
                self._next.remove(waiting)
                return waiting[1]
        return self.usual

    def _accept(
        self,
        account: Account,
        event: Json,
        endpoints: Sequence[Endpoint],
        treatment: Treatment,
    ) -> None:
        event["pending_webhooks"] = len(endpoints)
        account.keep(event)
        for endpoint in endpoints:
            delivery = account.keep(_new_delivery(event, endpoint))
            if treatment.fate is Fate.SENT:
                self._start(account, delivery, treatment)
            else:
                delivery["state"] = treatment.fate

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
        event = _event_of(account, delivery)
        told = delivery.get("endpoint", FIRST)
        endpoint = find_endpoint(self._endpoint, account, told)
        if endpoint is None:
            delivery["attempts"].append(self._note("there is no such endpoint now"))
            return False
        attempt = await self._try(event, endpoint)
        delivery["attempts"].append(attempt)
        return bool(200 <= attempt["status"] < 300)

    def _conclude(self, account: Account, delivery: Json, state: str) -> None:
        event = _event_of(account, delivery)
        if delivery["state"] != "taken":
            delivery["state"] = state
            event["pending_webhooks"] -= state == "taken"
        account.keep(event)
        account.keep(delivery)
        self._books.commit()
        log.info("sandbox_event_delivered", id=event["id"], state=delivery["state"])

    def _note(self, error: str | None = None) -> Json:
        return {"at": self._clock().isoformat(), "status": 0, "error": error}

    async def _try(self, event: Json, endpoint: Endpoint) -> Json:
        assert self._http is not None
        assert endpoint.url is not None
        payload, attempt = json.dumps(event, indent=2), self._note()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": _sign(payload, endpoint.secret),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            async with asyncio.timeout(self.policy.timeout / SECONDS):
                async with self._http.post(
                    endpoint.url, data=payload, headers=headers, allow_redirects=False
                ) as response:
                    attempt["status"] = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            attempt["error"] = str(error) or type(error).__name__
        return attempt


def _event_of(account: Account, delivery: Json) -> Json:
    # An older sandbox's file knows of one endpoint, and names deliveries after events.
    return account.get("event", str(delivery.get("event", delivery["id"])))


def _sign(payload: str, secret: str, timestamp: int | None = None) -> str:
    signature: str = stripe.WebhookSignature.generate_signature_header(
        payload, secret, timestamp
    )
    return signature


def _new_delivery(event: Json, endpoint: Endpoint) -> Json:
    is_first = endpoint.id == FIRST
    return {
        "id": event["id"] if is_first else f"{event['id']}/{endpoint.id}",
        "object": "delivery",
        "event": event["id"],
        "endpoint": endpoint.id,
        "state": "pending",
        "attempts": [],
    }
