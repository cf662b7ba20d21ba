"""What is said to a database's driver itself: SQLAlchemy would take longer than it.

That is for claims, of which a rush makes thousands a second, and for the rows of large
files.
"""

import re
from collections.abc import Mapping, Sequence
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


def enter(
    session: Session,
    table: str,
    columns: Mapping[str, Sequence[Any]],
    same: Mapping[str, str],
) -> None:
    """Enter rows into *table*: *columns* of texts, numbers and nothing, of one length.

    *same* is what every row has.

    Raises:
        IntegrityError: As SQLAlchemy does; then the transaction is to be rolled back.
    """
    connection = session.connection()
    dialect = connection.dialect
    said = {name: column for name, column in columns.items() if not _is_empty(column)}
    names = ", ".join((*said, *same))
    try:
        with closing(connection.connection.cursor()) as cursor:
            if dialect.name == "sqlite":
                values = ", ".join(
                    ["?"] * len(said) + [_quoted(v) for v in same.values()]
                )
                statement = f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608
                rows: Any = zip(*said.values(), strict=True)
                cursor.executemany(statement, rows)
            else:
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    copy.write(_as_copied(list(said.values()), list(same.values())))
    except dialect.loaded_dbapi.Error as error:
        raise _as_usual(dialect, error) from error


def kept(moment: datetime) -> str:
    """Return *moment* as the text that SQLite keeps; PostgreSQL takes it, too."""
    return str(_plain(moment))


def _is_empty(column: Sequence[Any]) -> bool:
    return column[0] is None and column.count(None) == len(column)


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _as_copied(columns: Sequence[Sequence[Any]], same: Sequence[str]) -> str:
    """Return rows in the text format of PostgreSQL's COPY."""
    texts = [_texts(column) for column in columns]
    end = "".join(f"\t{_escaped(text)}" for text in same) + "\n"
    return end.join([*map("\t".join, zip(*texts, strict=True)), ""])


def _texts(column: Sequence[Any]) -> Sequence[str]:
    if None in column:
        return [r"\N" if each is None else _escaped(str(each)) for each in column]
    if not isinstance(column[0], str):
        return [str(each) for each in column]
    together = "".join(column)
    if any(sign in together for sign in "\\\t\n\r"):
        return [_escaped(each) for each in column]
    return column


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


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
