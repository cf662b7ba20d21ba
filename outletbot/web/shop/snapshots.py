"""Snapshots: how things stood a moment ago, read once for everybody who asks.

A snapshot is read again when it is asked for and older than a quarter of a second, or
when the clock has passed an instant at which it changes by itself. Who asks while it is
being read waits for that reading; nobody starts another.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.web.shop.recent import Recent

REFRESH = timedelta(milliseconds=250)
KEEP = 2_000


class Changing(Protocol):
    """Something that time alone changes at *changes_at*, if at all."""

    @property
    def changes_at(self) -> datetime | None: ...


V = TypeVar("V", bound=Changing)


@dataclass(frozen=True, slots=True)
class _Reading(Generic[V]):
    value: V
    at: float  # the event loop's own seconds


class Snapshots(Generic[V]):
    """One for each kind of page and process; *read* gets ``(session, key, now=…)``."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        read: Callable[..., V],
        *,
        every: timedelta = REFRESH,
    ) -> None:
        self._database = database
        self._clock = clock
        self._read = read
        self._every = every.total_seconds()
        self._readings: Recent[str, _Reading[V]] = Recent(KEEP)
        self._running: dict[str, asyncio.Task[V]] = {}

    async def get(self, key: str) -> V:
        """Return how *key* stands.

        Raises:
            Missing: If there is no such thing.
        """
        value = self.peek(key)
        return await self._read_once(key) if value is None else value

    def peek(self, key: str) -> V | None:
        """Return how *key* stands if it need not be read for that."""
        reading = self._readings.find(key)
        if reading is not None and self._fresh(reading):
            return reading.value
        return None

    async def get_now(self, key: str) -> V:
        """Return how *key* stands now, after something that we did ourselves."""
        self._readings.forget(key)
        return await self.get(key)

    def _fresh(self, reading: _Reading[V]) -> bool:
        changes_at = reading.value.changes_at
        if changes_at is not None and self._clock() >= changes_at:
            return False
        return asyncio.get_running_loop().time() - reading.at < self._every

    async def _read_once(self, key: str) -> V:
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._refresh(key))
            self._running[key] = task
            task.add_done_callback(lambda done: self._finish(key, done))
        return await asyncio.shield(task)  # who gives up leaves it to the others

    async def _refresh(self, key: str) -> V:
        began = asyncio.get_running_loop().time()
        value = await self._database.read(self._read, key, now=self._clock())
        self._readings.keep(key, _Reading(value, began))
        return value

    def _finish(self, key: str, done: asyncio.Task[V]) -> None:
        self._running.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever still waits raises it
