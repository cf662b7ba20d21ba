"""What is said to a database's driver itself: SQLAlchemy would take longer than it.

That is for claims, of which a rush makes thousands a second, and for the rows of large
files.
"""

import re
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from offers.loads import Load, kept, row_end

ARRIVING = "arriving"
"""What each connection to SQLite that writes calls the database of rows to enter."""

_PIECE = 1 << 16
"""Bytes of a load that are sent at once: PostgreSQL's client keeps room for so many."""

Words = Mapping[str, tuple[str, ...]]
"""What is said to each database, one statement after the other."""


def words(*, postgresql: tuple[str, ...], sqlite: tuple[str, ...]) -> Words:
    """Return statements with values such as ``:name`` as the drivers want them."""
    driven = tuple(re.sub(r"(?<!:):(\w+)", r"%(\1)s", each) for each in postgresql)
    return {"postgresql": driven, "sqlite": sqlite}


def ask(session: Session, said: Words, values: Mapping[str, Any]) -> list[Any]:
    """Return the rows that are found.

    Raises:
        DBAPIError: As SQLAlchemy does.
    """
    return _speak(session, said, values, listen=True)


def tell(session: Session, said: Words, values: Mapping[str, Any]) -> None:
    """Change something.

    Raises:
        DBAPIError: As SQLAlchemy does.
    """
    _speak(session, said, values, listen=False)


def enter(session: Session, table: str, load: Load) -> None:
    """Enter the rows of *load* into *table*, in their order.

    Raises:
        IntegrityError: As SQLAlchemy does; then the transaction is to be rolled back.
    """
    connection = session.connection()
    dialect = connection.dialect
    names = ", ".join((*load.names, *load.same))
    try:
        with closing(connection.connection.cursor()) as cursor:
            if dialect.name == "sqlite":
                cursor.connection.deserialize(load.data, name=ARRIVING)
                cursor.execute(
                    f"INSERT INTO {table} ({names}) SELECT {_selected(load)} "  # noqa: S608
                    f"FROM {ARRIVING}.load ORDER BY rowid"
                )
            else:
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    end = row_end(load.same.values())
                    for i in range(0, len(load.data), _PIECE):
                        copy.write(load.data[i : i + _PIECE].replace(b"\n", end))
    except dialect.loaded_dbapi.Error as error:
        raise as_usual(dialect, error) from error


def _selected(load: Load) -> str:
    columns = [f"c{i}" for i in range(len(load.names))]
    return ", ".join([*columns, *map(_quoted, load.same.values())])


def _quoted(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def moment_of(kept: Any) -> Any:
    """Return a moment as it is in Python, from what a driver says of it."""
    if isinstance(kept, str):
        return datetime.fromisoformat(kept).replace(tzinfo=UTC)
    return kept


def _speak(
    session: Session, said: Words, values: Mapping[str, Any], *, listen: bool
) -> list[Any]:
    connection = session.connection()
    dialect = connection.dialect
    if dialect.name == "sqlite":
        values = {name: _plain(value) for name, value in values.items()}
    try:
        with closing(connection.connection.cursor()) as cursor:
            for statement in said[dialect.name]:
                cursor.execute(statement, values)
            return list(cursor.fetchall()) if listen else []
    except dialect.loaded_dbapi.Error as error:
        raise as_usual(dialect, error) from error


def as_usual(dialect: Dialect, error: Exception) -> BaseException:
    """Return a driver's error as SQLAlchemy's."""
    kind = dialect.loaded_dbapi.Error
    return DBAPIError.instance(None, None, error, kind, dialect=dialect)


def _plain(value: Any) -> Any:
    """Return a moment as ``Moment`` keeps it in SQLite."""
    return kept(value) if isinstance(value, datetime) else value
