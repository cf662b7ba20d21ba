"""What is said to a database's driver itself: SQLAlchemy would take longer than it.

That is for claims alone, of which a rush makes thousands a second.
"""

import re
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

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
        raise _as_usual(dialect, error) from error


def _as_usual(dialect: Dialect, error: Exception) -> BaseException:
    kind = dialect.loaded_dbapi.Error
    return DBAPIError.instance(None, None, error, kind, dialect=dialect)


def _plain(value: Any) -> Any:
    """Return a moment as ``Moment`` keeps it in SQLite."""
    if isinstance(value, datetime):
        plain = value.astimezone(UTC).replace(tzinfo=None)
        return plain.isoformat(" ", "microseconds")
    return value
