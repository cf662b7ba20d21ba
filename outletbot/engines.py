"""Engines: how connections are opened, for each database and each purpose.

Reads, writes and claims have connections of their own: a queue for a hot row keeps no
reader waiting, and a long report no claim. On SQLite there is one writer, so claims
are written where everything is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from offers.drivers import ARRIVING

READERS = 8
WRITERS = 8
CLAIMERS = 2
PAGE = 8_192
"""Bytes of a page of a file of SQLite; of 4,096 many new rows take a tenth longer."""

PATIENCE = 5
"""Seconds to wait for a connection, or for somebody's lock."""


@dataclass(frozen=True, slots=True)
class Engines:
    """What is written through *reading* is refused."""

    reading: Engine
    writing: Engine
    claiming: Engine

    def dispose(self) -> None:
        """Close what is open; on SQLite who writes last tidies up."""
        for engine in (self.reading, self.claiming, self.writing):
            engine.dispose()


def open_engines(url: str, *, cache_mb: int = 32) -> Engines:
    """Return the engines for *url*; a SQLite file's folder is made if needed.

    A rush looks all over the indexes: a cache of *cache_mb* for each connection keeps
    them at hand. PostgreSQL has its own.
    """
    if url.startswith("sqlite:///"):
        return _open_file(url, cache_mb)
    return Engines(
        _open_postgres(
            url,
            READERS,
            {"default_transaction_read_only": "on"},
            isolation_level="AUTOCOMMIT",  # a statement at a time: nothing to begin
        ),
        _open_postgres(url, WRITERS, {"lock_timeout": f"{PATIENCE}s"}),
        _open_postgres(
            url,
            CLAIMERS,
            {
                "lock_timeout": "2s",
                "statement_timeout": f"{PATIENCE}s",
                "enable_seqscan": "off",  # a plan made for few rows serves many, too
            },
            pool_pre_ping=False,  # a claim that finds its connection dead is repeated
        ),
    )


def connection_facts(url: URL) -> dict[str, Any]:
    """Return what psycopg connects with by itself, as patiently as our pools do."""
    where = url.translate_connect_args(username="user", database="dbname")
    return {**_CONNECTING, **where, **url.query}


def asks_to_repeat(error: DBAPIError) -> bool:
    """Whether the database wants a transaction to be begun anew."""
    return getattr(error.orig, "sqlstate", None) in _REPEATABLE


def is_lost(error: DBAPIError) -> bool:
    """Whether there is no connection any more, or never was one.

    Of what was asked last, a commit perhaps, nobody knows then whether it happened.
    """
    state = getattr(error.orig, "sqlstate", "")  # SQLite's errors have none
    return state is None or error.connection_invalidated or state[:3] in _GONE


_REPEATABLE = {"40001", "40P01"}  # serialization failure, deadlock
_GONE = {"080", "57P"}  # connection exceptions; shutting down, starting up

_OPTIONS = {
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}

# A server that vanishes without a word is noticed within 15 s or so.
_CONNECTING = {
    "connect_timeout": PATIENCE,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def _open_postgres(
    url: str, size: int, options: Mapping[str, str], **pool: Any
) -> Engine:
    asked = make_url(url).query
    connecting = {name: n for name, n in _CONNECTING.items() if name not in asked}
    facts: dict[str, Any] = {
        "pool_size": size,
        "max_overflow": 0,
        "pool_timeout": PATIENCE,
        "pool_pre_ping": True,
        "connect_args": {**connecting, "options": _options(url, options)},
    }
    return create_engine(url, **(facts | pool))


def _options(url: str, options: Mapping[str, str]) -> str:
    """Return our options and those that *url* asks for, such as a ``search_path``."""
    ours = [f"-c {name}={value}" for name, value in {**_OPTIONS, **options}.items()]
    asked = make_url(url).query.get("options", ())
    return " ".join([*ours, *([asked] if isinstance(asked, str) else asked)])


def _open_file(url: str, cache_mb: int) -> Engines:
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    writing = create_engine(url)
    event.listen(writing, "connect", partial(_set_up, cache_mb=cache_mb))
    event.listen(writing, "begin", _begin)
    reading = create_engine(
        url, pool_size=READERS, max_overflow=0, pool_timeout=PATIENCE
    )
    event.listen(reading, "connect", partial(_set_up_reader, cache_mb=cache_mb))
    event.listen(reading, "begin", _begin)
    return Engines(reading, writing, writing)


def _set_up(connection: Any, _record: object, *, cache_mb: int) -> None:
    connection.isolation_level = None  # BEGIN is ours, below
    for pragma in (
        f"page_size={PAGE}",  # of a new file; one that is there keeps its own
        "journal_mode=WAL",
        "synchronous=FULL",  # what was answered must survive a power cut
        "foreign_keys=ON",
        "busy_timeout=15000",
        f"cache_size=-{cache_mb * 1024}",  # KiB
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"ATTACH ':memory:' AS {ARRIVING}")


def _set_up_reader(connection: Any, record: object, *, cache_mb: int) -> None:
    _set_up(connection, record, cache_mb=cache_mb)
    connection.execute("PRAGMA query_only=ON")


def _begin(connection: Connection) -> None:
    """Take the write lock before reading what the write depends on."""
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
