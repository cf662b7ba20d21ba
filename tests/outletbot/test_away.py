"""
What a database says when it cannot work just now is told apart from what it says when
it was asked for nonsense.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlmodel import Session, text

from outletbot.away import is_away, is_full
from outletbot.db import Database


def said(orig: Exception) -> DBAPIError:
    return OperationalError("SELECT 1", {}, orig)


@pytest.mark.parametrize(
    "kind",
    [
        psycopg.errors.AdminShutdown,
        psycopg.errors.CannotConnectNow,
        psycopg.errors.ConnectionFailure,
        psycopg.errors.DiskFull,
        psycopg.errors.IoError,
        psycopg.errors.LockNotAvailable,
        psycopg.errors.QueryCanceled,
        psycopg.errors.TooManyConnections,
        psycopg.OperationalError,  # there is no connection to say more
    ],
)
def test_a_server_that_cannot_work_now(kind: type[psycopg.Error]) -> None:
    assert is_away(said(kind("no")))


@pytest.mark.parametrize(
    "kind", [psycopg.errors.UndefinedTable, psycopg.errors.DivisionByZero]
)
def test_a_server_that_was_asked_for_nonsense(kind: type[psycopg.Error]) -> None:
    assert not is_away(said(kind("no")))


def test_a_server_without_room() -> None:
    assert is_full(said(psycopg.errors.DiskFull("no")))
    assert not is_full(said(psycopg.errors.IoError("no")))
    assert not is_full(said(psycopg.OperationalError("no")))


def test_a_pool_with_nothing_left() -> None:
    assert is_away(NoConnectionFree("all of them wait"))
    assert not is_away(ArgumentError("what pool?"))


def test_a_file_that_is_full(database: Database) -> None:
    def fill(session: Session) -> None:
        session.connection().exec_driver_sql("PRAGMA max_page_count=1")
        for number in range(200):
            session.connection().execute(
                text("CREATE TABLE full_%d (a)" % number)  # noqa: UP031
            )

    with pytest.raises(OperationalError) as refusal:
        database.transact_here(fill)

    assert is_away(refusal.value)
    assert is_full(refusal.value)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()

    with (
        closing(Database.connect(f"sqlite:///{tmp_path}/folder.db")) as database,
        pytest.raises(OperationalError) as refusal,
    ):
        database.read_here(Session.connection)

    assert is_away(refusal.value)


def test_a_file_that_was_asked_for_nonsense(database: Database) -> None:
    with pytest.raises(OperationalError) as refusal:
        database.read_here(lambda s: s.connection().exec_driver_sql("SELECT nothing"))

    assert not is_away(refusal.value)
    assert not is_full(refusal.value)
    assert not is_away(said(sqlite3.ProgrammingError("closed")))
