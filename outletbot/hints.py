"""Hints: something changed, so it may be worth looking before the usual time.

Whoever waits for work, or for news, looks now and then anyway: that is the truth, and a
hint that is lost costs nothing but that time. Hints reach everybody in the same
process, and other processes where there is PostgreSQL (``LISTEN`` and ``NOTIFY``).

A topic is a word (``arrivals``, ``holds``, ``deals``, ``posts``, ``refunds``,
``deliveries``, ``imports``, ``rehearsals``), or the id of a deal whose numbers changed.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from outletbot.db import Database, notify
from outletbot.engines import connection_facts

log = structlog.get_logger(__name__)

CHANNEL = "outletbot"

GATHER = 0.05
"""Seconds between two messages to other processes; hints in between go together."""

RECONNECT = 1.0  # seconds, before a lost connection is made anew
AT_ONCE = 100  # topics: a message has room for 8,000 bytes


class Listener:
    """Waits for hints on some topics; one that came while nobody waited counts."""

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = frozenset(topics)
        self._heard = asyncio.Event()

    def hear(self, topics: frozenset[str]) -> None:
        if topics & self._topics:
            self._heard.set()

    async def wait(self, seconds: float, *, stop: asyncio.Event | None = None) -> bool:
        """Return at a hint, when *stop* is set, or after *seconds*.

        Return whether there was a hint.
        """
        events = [self._heard] if stop is None else [self._heard, stop]
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait(waits, timeout=seconds, return_when=first)
        finally:
            for wait in waits:
                wait.cancel()
        heard = self._heard.is_set()
        self._heard.clear()
        return heard


class Hints:
    """Hints within one process."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def tell(self, *topics: str) -> None:
        """Say that something changed; call it when that is committed."""
        self._pass_on(topics)

    @contextmanager
    def listening(self, *topics: str) -> Iterator[Listener]:
        listener = Listener(topics)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def _pass_on(self, topics: Iterable[str]) -> None:
        told = frozenset(topics)
        for listener in self._listeners:
            listener.hear(told)


class SharedHints(Hints):
    """Hints between all processes that use one PostgreSQL."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._untold: set[str] = set()
        self._news = asyncio.Event()

    def tell(self, *topics: str) -> None:
        super().tell(*topics)
        self._untold.update(topics)
        self._news.set()

    async def listen(self) -> None:
        """Pass on what other processes tell, for as long as this is awaited."""
        while True:
            try:
                await self._listen_once()
            except (OSError, psycopg.Error) as error:
                log.info("hints_interrupted", reason=str(error))
            await asyncio.sleep(RECONNECT)

    async def talk(self) -> None:
        """Tell other processes, for as long as this is awaited."""
        while True:
            await self._news.wait()
            self._news.clear()
            topics = sorted(self._untold)
            self._untold.clear()
            try:
                for first in range(0, len(topics), AT_ONCE):
                    said = " ".join(topics[first : first + AT_ONCE])
                    await self._database.transact(notify, CHANNEL, said)
            except SQLAlchemyError as error:
                log.info("hints_not_told", reason=str(error))
            await asyncio.sleep(GATHER)

    async def _listen_once(self) -> None:
        facts = connection_facts(self._database.engine.url)
        connecting = psycopg.AsyncConnection.connect(**facts, autocommit=True)
        async with await connecting as connection:
            await connection.execute(f"LISTEN {CHANNEL}".encode())
            async for message in connection.notifies():
                self._pass_on(message.payload.split())


@asynccontextmanager
async def open_hints(database: Database) -> AsyncIterator[Hints]:
    """Yield hints that reach as far as *database* allows."""
    if database.is_file:
        yield Hints()
        return
    hints = SharedHints(database)
    tasks = [asyncio.create_task(hints.listen()), asyncio.create_task(hints.talk())]
    try:
        yield hints
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
