"""Snapshots: how things stood a moment ago, read once for everybody who asks.

A snapshot is read again when it is asked for and older than a quarter of a second, or
when the clock has passed an instant at which it changes by itself. Who asks while it is
being read waits for that reading; nobody starts another. While the database is away
what was read last stands, but not beyond such an instant.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from outletbot.away import is_away
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.web.shop.recent import Recent

REFRESH = timedelta(milliseconds=250)
STALE = 8  # times as old as that is too old even for a moment
AT_ONCE = 2
"""So many are read at once: a hundred deals at the same time are read less often, and
take no time from those who buy them."""

KEEP = 2_000

OUTLASTS = timedelta(minutes=10)
"""So long the last reading stands while the database is away, as pages do in caches."""


class Changing(Protocol):
    """Something that time alone changes at *changes_at*, if at all."""

    @property
    def changes_at(self) -> datetime | None: ...


V = TypeVar("V", bound=Changing)


@dataclass(frozen=True, slots=True)
class _Reading(Generic[V]):
    value: V
    at: float  # seconds that nobody sets
    stands_since: float  # earlier, if it was asked for again in vain


class Snapshots(Generic[V]):
    """One for each kind of page and process; *read* gets ``(session, key, now=…)``."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        read: Callable[..., V],
        *,
        every: timedelta = REFRESH,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._read = read
        self._every = every.total_seconds()
        self._ticks = ticks
        self._readings: Recent[str, _Reading[V]] = Recent(KEEP)
        self._running: dict[str, asyncio.Task[V]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def get(self, key: str) -> V:
        """Return how *key* stands.

        Raises:
            Missing: If there is no such thing.
        """
        reading = self._readings.find(key)
        if reading is not None and self._holds(reading) and self._age(reading) < 1:
            return reading.value
        return await asyncio.shield(self._reading(key))  # who gives up leaves it

    def peek(self, key: str) -> V | None:
        """Return how *key* stands, or stood a moment ago, if nobody need wait for that.

        What is no longer fresh is read again meanwhile.
        """
        reading = self._readings.find(key)
        if reading is None or not self._holds(reading):
            return None
        age = self._age(reading)
        if age >= 1:
            if age >= STALE:
                return None
            self._reading(key)
        return reading.value

    async def get_now(self, key: str) -> V:
        """Return how *key* stands now, after something that we did ourselves."""
        self._readings.forget(key)
        return await self.get(key)

    def _holds(self, reading: _Reading[V]) -> bool:
        """Whether it is not yet the time at which it changes by itself."""
        changes_at = reading.value.changes_at
        return changes_at is None or self._clock() < changes_at

    def _age(self, reading: _Reading[V]) -> float:
        """Return its age, 1 being when it should be read again."""
        seconds = self._ticks() - reading.at
        return seconds / self._every if self._every else STALE

    def _reading(self, key: str) -> asyncio.Task[V]:
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._refresh(key))
            self._running[key] = task
            task.add_done_callback(lambda done: self._finish(key, done))
        return task

    async def _refresh(self, key: str) -> V:
        try:
            async with self._turns:
                began = self._ticks()
                value = await self._database.read(self._read, key, now=self._clock())
        except SQLAlchemyError as error:
            return self._prolong(key, error)
        last = self._readings.find(key)
        if last is not None and last.value == value:
            value = last.value  # what was made of it stays good
        self._readings.keep(key, _Reading(value, began, began))
        return value

    def _prolong(self, key: str, error: SQLAlchemyError) -> V:
        """Return what was read last, if that is the best there is.

        Raises:
            SQLAlchemyError: The one that there was, if not.
        """
        last, now = self._readings.find(key), self._ticks()
        if last is None or not is_away(error) or not self._holds(last):
            raise error
        if now - last.stands_since > OUTLASTS.total_seconds():
            raise error
        self._readings.keep(key, replace(last, at=now))
        return last.value

    def _finish(self, key: str, done: asyncio.Task[V]) -> None:
        self._running.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever still waits raises it
