"""Messages that we owe go out to the retailers' endpoints, signed."""

import asyncio

import aiohttp
import structlog

from offers.retailers import Retailer, get_retailer
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.sealing import CannotOpen, Seal
from webhooks.outbox import (
    Delivery,
    DeliveryState,
    lease_due_deliveries,
    record_attempt,
)
from webhooks.signing import sign

log = structlog.get_logger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=15)


class Courier:
    def __init__(
        self, database: Database, http: aiohttp.ClientSession, seal: Seal, clock: Clock
    ) -> None:
        self._database = database
        self._http = http
        self._seal = seal
        self._clock = clock

    async def deliver_due(self) -> int:
        """Send what is due. Return how many messages were tried."""
        due = await self._database.transact(lease_due_deliveries, now=self._clock())
        await asyncio.gather(*(self._deliver(delivery) for delivery in due))
        return len(due)

    async def _deliver(self, delivery: Delivery) -> None:
        retailer = await self._database.read(get_retailer, delivery.retailer_id)
        status, answer = await self._send(delivery, retailer)
        state = await self._database.transact(
            record_attempt, delivery, status=status, answer=answer, now=self._clock()
        )
        level = log.error if state is DeliveryState.GIVEN_UP else log.info
        level("delivery_tried", delivery=delivery.id, status=status, state=state)

    async def _send(
        self, delivery: Delivery, retailer: Retailer
    ) -> tuple[int | None, str]:
        """Return the endpoint's status and the beginning of its answer."""
        try:
            secret = self._seal.open(retailer.sealed_webhook_secret)
        except CannotOpen as error:
            return None, str(error)
        if not secret:
            return None, "there is no secret to sign with"
        headers = sign(delivery.id, delivery.body, secret=secret, now=self._clock())
        try:
            async with self._http.post(
                retailer.webhook_url,
                data=delivery.body.encode(),
                headers={**headers, "Content-Type": "application/json"},
                allow_redirects=False,
                timeout=TIMEOUT,
            ) as response:
                start = await response.content.read(500)
                return response.status, start.decode(errors="replace")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return None, str(error) or type(error).__name__
