"""The database: the only place that opens sessions, commits, and knows of threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, text

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger(__name__)

READERS = 8
WRITERS = 8
TRIES = 3
REPEATABLE = {"40001", "40P01"}  # serialization failure, deadlock


class Database:
    """Runs units of work, each in one transaction and one thread.

    Reads and writes have threads and connections of their own, so that a queue for a
    hot row does not keep readers waiting.
    """

    def __init__(self, engine: Engine) -> None:
        # SQLite has one writer; a queue before it beats "database is locked".
        writers = 1 if engine.dialect.name == "sqlite" else WRITERS
        self.engine = engine
        self._writing = engine.execution_options(writing=True)
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="db-write")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")

    @classmethod
    def connect(cls, url: str) -> Self:
        """Open the database at *url*; a SQLite file's folder is made if needed."""
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(
                parents=True, exist_ok=True
            )
            engine = create_engine(url, pool_size=READERS + 1, max_overflow=2)
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = create_engine(
                url,
                pool_size=READERS + WRITERS,
                max_overflow=4,
                pool_pre_ping=True,
                connect_args={"options": _options(url)},
            )
        return cls(engine)

    async def transact(
        self,
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call ``work(session, …)``; commit if it returns, roll back if it raises.

        It is called again if the database asks for that (a deadlock), which it can be,
        since domain functions do nothing but queries.
        """

        def run() -> T:
            return self.transact_here(work, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._writers, run)

    async def read(
        self,
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call ``work(session, …)`` and keep nothing that it changed."""

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
        for attempt in range(1, TRIES + 1):
            try:
                with (
                    Session(self._writing, expire_on_commit=False) as session,
                    session.begin(),
                ):
                    return work(session, *args, **kwargs)
            except OperationalError as error:
                if attempt == TRIES or not _repeatable(error):
                    raise
                log.info("transaction_repeated", attempt=attempt)
        raise AssertionError

    def read_here(
        self,
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do as ``read``, in the thread of the caller."""
        with Session(self.engine, expire_on_commit=False) as session:
            return work(session, *args, **kwargs)

    def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self.engine.dispose()


def ping(session: Session) -> None:
    """Ask something of the database that it can always answer."""
    session.exec(text("SELECT 1"))  # type: ignore[call-overload]  # plain SQL


def time_there(session: Session) -> datetime | None:
    """Return what time it is for the database, if it may live on another machine."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    now: datetime = session.scalar(text("SELECT clock_timestamp()"))
    return now


_POSTGRES_OPTIONS = (
    "-c statement_timeout=30s -c lock_timeout=5s "
    "-c idle_in_transaction_session_timeout=60s -c timezone=UTC"
)


def _options(url: str) -> str:
    """Return our options and those that *url* asks for, such as a ``search_path``."""
    asked = make_url(url).query.get("options", ())
    return " ".join(
        [_POSTGRES_OPTIONS, *([asked] if isinstance(asked, str) else asked)]
    )


def _repeatable(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) in REPEATABLE


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, below
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # what was answered must survive a power cut
        "foreign_keys=ON",
        "busy_timeout=15000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock before reading what the write depends on."""
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
