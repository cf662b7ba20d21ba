"""The database: the only place that opens sessions, commits, and knows of threads."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Concatenate, ParamSpec, Self, TypeVar

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, text

from outletbot.away import is_full
from outletbot.engines import (
    CLAIMERS,
    READERS,
    WRITERS,
    Engines,
    asks_to_repeat,
    is_lost,
    open_engines,
)

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger(__name__)

Ticks = Callable[[], float]

TRIES = 5
BREATH = 0.02  # seconds, before what met others in a deadlock is tried again
PAUSE = 0.1  # seconds, before a lost connection is looked for again
FULL_FOR = 10.0  # seconds, after a write for which there was no room


class Database:
    """Runs units of work, each in one transaction and one thread.

    Reads, writes and claims have threads and connections of their own, so that a queue
    for a hot row does not keep readers waiting. *ticks* are seconds that nobody sets.
    """

    def __init__(self, engines: Engines, *, ticks: Ticks = time.monotonic) -> None:
        self.engine = engines.writing
        self._engines = engines
        self._writing = engines.writing.execution_options(writing=True)
        self._claiming = engines.claiming.execution_options(writing=True)
        self._ticks = ticks
        self._full_at: float | None = None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")
        if self.is_file:
            # SQLite has one writer; a queue before it beats "database is locked".
            self._writers = ThreadPoolExecutor(1, thread_name_prefix="db-write")
            self._claimers = self._writers
        else:
            self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="db-write")
            self._claimers = ThreadPoolExecutor(CLAIMERS, thread_name_prefix="db-claim")

    @classmethod
    def connect(
        cls, url: str, *, ticks: Ticks = time.monotonic, cache_mb: int = 32
    ) -> Self:
        """Open the database at *url*; a SQLite file's folder is made if needed."""
        return cls(open_engines(url, cache_mb=cache_mb), ticks=ticks)

    @property
    def is_file(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def claimers(self) -> int:
        """How many claims' transactions can be under way at once."""
        return 1 if self.is_file else CLAIMERS

    @property
    def lacks_room(self) -> bool:
        """Whether there was no room for something that was to be written just now."""
        return self._full_at is not None and self._ticks() - self._full_at < FULL_FOR

    async def transact(
        self,
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call ``work(session, …)``; commit if it returns, roll back if it raises.

        It is called again if the database asks for that (a deadlock), or was lost
        before anything could be committed, which it can be, since domain functions do
        nothing but queries.
        """

        def run() -> T:
            return self.transact_here(work, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._writers, run)

    async def claim(
        self,
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do as ``transact``, by connections that nothing else waits for.

        *work* must come to the same if it is done twice: it is called again, too, if
        the database was lost and nobody knows whether it committed.
        """

        def run() -> T:
            def once(session: Session) -> T:
                return work(session, *args, **kwargs)

            return self._persist(self._claiming, once, twice=True)

        return await asyncio.get_running_loop().run_in_executor(self._claimers, run)

    async def read(
        self,
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call ``work(session, …)``, which cannot change anything."""

        def run() -> T:
            return self.read_here(work, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    def transact_here(
        self,
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do as ``transact``, in the thread of the caller."""

        def once(session: Session) -> T:
            return work(session, *args, **kwargs)

        return self._persist(self._writing, once, twice=False)

    def read_here(
        self,
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do as ``read``, in the thread of the caller."""
        with Session(self._engines.reading, expire_on_commit=False) as session:
            return work(session, *args, **kwargs)

    def _persist(
        self, engine: Engine, work: Callable[[Session], T], *, twice: bool
    ) -> T:
        try:
            return _persist(engine, work, twice=twice)
        except DBAPIError as error:
            if is_full(error):
                self._full_at = self._ticks()
            raise

    def close(self) -> None:
        for threads in (self._readers, self._claimers, self._writers):
            threads.shutdown()
        self._engines.dispose()


def _persist(engine: Engine, work: Callable[[Session], T], *, twice: bool) -> T:
    """Try a few times; with *twice* also what may have been committed already."""
    for attempt in range(1, TRIES + 1):
        try:
            return _attempt(engine, work, twice=twice)
        except _Again as again:
            if attempt == TRIES:
                raise again.error from None
            log.info("transaction_repeated", attempt=attempt, reason=str(again))
            time.sleep(attempt * (PAUSE if is_lost(again.error) else BREATH))
    raise AssertionError


class _Again(Exception):
    """The same work may be tried again."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__(str(error.orig))
        self.error = error


def _attempt(engine: Engine, work: Callable[[Session], T], *, twice: bool) -> T:
    committing = False
    try:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            result = work(session)
            session.flush()
            committing = True
    except DBAPIError as error:
        if asks_to_repeat(error) or (is_lost(error) and (twice or not committing)):
            raise _Again(error) from error
        raise
    else:
        return result


def ping(session: Session) -> None:
    """Ask something of the database that it can always answer."""
    session.exec(text("SELECT 1"))  # type: ignore[call-overload]  # plain SQL


def notify(session: Session, channel: str, message: str) -> None:
    """Wake who listens on a *channel* of PostgreSQL's, once this is committed."""
    telling = text("SELECT pg_notify(:channel, :message)")
    session.connection().execute(telling, {"channel": channel, "message": message})


def time_there(session: Session) -> datetime | None:
    """Return what time it is for the database, if it may live on another machine."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    now: datetime = session.scalar(text("SELECT clock_timestamp()"))
    return now
