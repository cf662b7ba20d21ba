"""
A unit of work is one transaction: kept if it returns, gone if it raises.
"""

import asyncio
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session, select

from offers.retailers import Retailer, retailers
from outletbot.db import TRIES, Database
from tests.factories import NOON

BOTH_DATABASES = True


class Broken(Exception):
    """What goes wrong."""


def add(session: Session, slug: str) -> str:
    return make_row(session, slug).slug


def make_row(session: Session, slug: str) -> Retailer:
    retailer = Retailer(
        id=f"retailer_{slug}",
        slug=slug,
        name=slug,
        country="IE",
        currency="eur",
        created_at=NOON,
    )
    session.add(retailer)
    session.flush()
    return retailer


def add_and_break(session: Session, slug: str) -> None:
    add(session, slug)
    raise Broken


def slugs(session: Session) -> list[str]:
    return sorted(retailer.slug for retailer in retailers(session))


class TestTransact:
    async def test_keeps_what_returns(self, database: Database) -> None:
        assert await database.transact(add, "one") == "one"

        assert await database.read(slugs) == ["one"]

    async def test_forgets_what_raises(self, database: Database) -> None:
        with pytest.raises(Broken):
            await database.transact(add_and_break, "one")

        assert await database.read(slugs) == []

    async def test_returns_rows_that_can_be_read_afterwards(
        self, database: Database
    ) -> None:
        retailer = await database.transact(make_row, "one")

        assert retailer.name == "one"

    async def test_works_in_threads_of_its_own(self, database: Database) -> None:
        def where(_session: Session) -> str:
            return threading.current_thread().name

        assert (await database.transact(where)).startswith("db-write")
        assert (await database.read(where)).startswith("db-read")

    async def test_loses_no_update_of_many_at_once(self, database: Database) -> None:
        await database.transact(add, "one")

        def lengthen(session: Session) -> None:
            statement = select(Retailer).with_for_update()
            retailer = session.exec(statement).one()
            retailer.name += "."

        await asyncio.gather(*(database.transact(lengthen) for _ in range(40)))

        (row,) = await database.read(retailers)
        assert row.name == "one" + "." * 40

    def test_is_repeated_when_the_database_asks_for_it(
        self, database: Database
    ) -> None:
        tried = []

        def deadlock_once(session: Session) -> str:
            tried.append(add(session, "one"))
            if len(tried) == 1:
                raise OperationalError("", {}, psycopg.errors.DeadlockDetected())
            return "done"

        assert database.transact_here(deadlock_once) == "done"

        assert len(tried) == 2
        assert database.read_here(slugs) == ["one"]

    @pytest.mark.parametrize(
        ("trouble", "tries"),
        [
            (psycopg.errors.SerializationFailure(), TRIES),
            (psycopg.errors.LockNotAvailable(), 1),
        ],
    )
    def test_is_repeated_a_few_times_and_for_that_only(
        self, database: Database, trouble: Exception, tries: int
    ) -> None:
        tried = []

        def fail(_session: Session) -> None:
            tried.append(1)
            raise OperationalError("", {}, trouble)

        with pytest.raises(OperationalError):
            database.transact_here(fail)

        assert len(tried) == tries


class TestRead:
    async def test_cannot_change_anything(self, database: Database) -> None:
        with pytest.raises(DBAPIError):
            await database.read(add, "one")

        assert await database.read(slugs) == []

    async def test_does_not_wait_for_a_writer(self, database: Database) -> None:
        reading, done = threading.Event(), threading.Event()

        def write_slowly(session: Session) -> None:
            add(session, "one")
            reading.set()
            assert done.wait(10)

        writing = asyncio.create_task(database.transact(write_slowly))
        await asyncio.to_thread(reading.wait, 10)
        seen = await database.read(slugs)
        done.set()
        await writing

        assert seen == []
        assert await database.read(slugs) == ["one"]


def test_makes_the_folder_of_a_sqlite_file(tmp_path: Path) -> None:
    database = Database.connect(f"sqlite:///{tmp_path}/a/b/outletbot.db")
    with database.engine.connect() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        keys = connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
    database.close()

    assert (mode, synchronous, keys) == ("wal", 2, 1)  # 2 is FULL
