"""Loads: rows by the thousand, packed as the database takes them quickest.

Any process can pack them; the one that enters them (``offers.drivers``) has next to
nothing left to do. For PostgreSQL they are the text of a COPY, for SQLite a small
database of one table, which it reads as it stands
(https://www.sqlite.org/c3ref/deserialize.html).
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_PAGE = 32_768  # bytes: the rows of a load are read once, one after the other


@dataclass(frozen=True, slots=True)
class Load:
    """Rows of the columns *names*, for one kind of database; *same* is in every row."""

    names: tuple[str, ...]
    same: Mapping[str, str | int]
    data: bytes


def pack(
    kind: str, columns: Mapping[str, Sequence[Any]], same: Mapping[str, str | int]
) -> Load:
    """Pack *columns* of texts, numbers and nothing, all of one length above zero.

    *kind* is the database's, as SQLAlchemy calls it.
    """
    _, *others = columns  # of one row everything else is the same in all
    constant = {name: columns[name][0] for name in others if _is_same(columns[name])}
    varying = {name: column for name, column in columns.items() if name not in constant}
    told = {name: value for name, value in constant.items() if value is not None}
    same = {**same, **told}
    make = _as_database if kind == "sqlite" else _as_copied
    return Load(tuple(varying), same, make(list(varying.values())))


def row_end(values: Iterable[str | int]) -> bytes:
    """Return the end of a row of PostgreSQL's COPY whose last columns are *values*."""
    return "".join([*(f"\t{_escaped(str(value))}" for value in values), "\n"]).encode()


def kept(moment: datetime) -> str:
    """Return *moment* as the text that SQLite keeps; PostgreSQL takes it, too."""
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    return plain.isoformat(" ", "microseconds")


def _is_same(column: Sequence[Any]) -> bool:
    first = column[0]
    return column[-1] == first and column.count(first) == len(column)


def _as_database(columns: Sequence[Sequence[Any]]) -> bytes:
    names = ", ".join(f"c{i}" for i in range(len(columns)))
    values = ", ".join("?" * len(columns))
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"PRAGMA page_size={_PAGE}")
        database.execute(f"CREATE TABLE load ({names})")
        rows = zip(*columns, strict=True)
        database.executemany(f"INSERT INTO load VALUES ({values})", rows)  # noqa: S608
        database.commit()
        return database.serialize()


def _as_copied(columns: Sequence[Sequence[Any]]) -> bytes:
    """Return rows in the text format of PostgreSQL's COPY."""
    texts = [_texts(column) for column in columns]
    return "\n".join([*map("\t".join, zip(*texts, strict=True)), ""]).encode()


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
