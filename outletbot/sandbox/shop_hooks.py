"""Webhooks as shops send them: signed, at least once, in no order, and late.

A shop hands over what is to be sent, its headers not signed yet. How the next ones are
treated can be told: sent more than once, held back to be released in another order,
dropped, or signed with another secret.
"""

import asyncio
import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=5, connect=1)  # Shopify's; WooCommerce waits 60 s


class Order(StrEnum):
    AS_HAPPENED = "as_happened"
    BACKWARDS = "backwards"


@dataclass(frozen=True, slots=True)
class Treatment:
    """*copies* of a message are sent: none drops it. *secret* replaces the real one."""

    copies: int = 1
    held: bool = False
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """*signed_by* is the header that holds the signature; empty if there is none."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str]
    signed_by: str


class Hooks:
    """Brings a shop's messages to one address, as it is told; close it when done.

    *secret* signs. *tried* hears of each try whether it was answered 2xx. What was sent
    is kept in *sent*, with the status of the answer, 0 if there was none.
    """

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.secret = secret
        self.tried: Callable[[bool], object] = bool
        self.sent: list[tuple[Message, int]] = []
        self._next: deque[Treatment] = deque()
        self._held: list[tuple[Message, Treatment]] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    @property
    def held(self) -> int:
        return len(self._held)

    def treat_next(self, *treatments: Treatment) -> None:
        """Treat the next messages differently, one for each of *treatments*."""
        self._next.extend(treatments)

    def hand_over(self, message: Message) -> None:
        """Send *message* in the background, or do with it what was asked for."""
        if not self.url:
            return
        treatment = self._next.popleft() if self._next else Treatment()
        if treatment.held:
            self._held.append((message, treatment))
            return
        task = asyncio.get_running_loop().create_task(self._send(message, treatment))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def release(self, order: Order = Order.AS_HAPPENED) -> int:
        """Send what was held back, one after the other. Return how many that were."""
        held, self._held = self._held, []
        for message, treatment in held[:: -1 if order is Order.BACKWARDS else 1]:
            await self._send(message, treatment)
        return len(held)

    async def settled(self) -> None:
        """Wait until what is under way has arrived."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    async def _send(self, message: Message, treatment: Treatment) -> None:
        secret = self.secret if treatment.secret is None else treatment.secret
        for _ in range(treatment.copies):
            status = await self._post(message, secret)
            self.sent.append((message, status))
            self.tried(200 <= status < 300)

    async def _post(self, message: Message, secret: str) -> int:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=TIMEOUT)
        headers = dict(message.headers)
        if message.signed_by:
            headers[message.signed_by] = signature(secret, message.body)
        try:
            async with self._http.post(
                self.url, data=message.body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


def signature(secret: str, body: bytes) -> str:
    """Return the signature that Shopify and WooCommerce both give a body."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return base64.b64encode(digest).decode()
