"""Bad rows: cells that could not be read, kept to be mended and sent again."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, insert
from sqlmodel import (
    Field,
    Session,
    SQLModel,
    case,
    col,
    delete,
    distinct,
    func,
    select,
)

from offers.feed.rows import RowError
from offers.ids import new_id
from offers.imports import FeedImport
from offers.sentences import dump_sentence


class BadRow(SQLModel, table=True):
    """One wrong cell; *message* and *remedy* are sentences, as JSON."""

    __tablename__ = "bad_row"
    __table_args__ = (Index("ix_bad_row_import", "import_id", "line", "number"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    import_id: str = Field(foreign_key="feed_import.id")
    number: int
    line: int
    column: str
    value: str
    message: str
    remedy: str
    cells: str  # JSON: the row as it was
    sku: str = ""


def keep_bad_rows(
    session: Session,
    feed: FeedImport,
    errors: Iterable[RowError],
    *,
    first: int,
    now: datetime,
) -> None:
    """Keep *errors*, numbered from *first*."""
    rows = [
        {
            "id": new_id("bad", now),
            "retailer_id": feed.retailer_id,
            "import_id": feed.id,
            "number": number,
            "line": error.line,
            "column": error.column,
            "value": error.value,
            "message": dump_sentence(error.message),
            "remedy": dump_sentence(error.remedy),
            "cells": json.dumps(error.cells, ensure_ascii=False),
            "sku": error.sku,
        }
        for number, error in enumerate(errors, first)
    ]
    if rows:
        session.exec(insert(BadRow), params=rows)


def replace_bad_row(
    session: Session,
    feed: FeedImport,
    line: int,
    errors: Iterable[RowError],
    *,
    now: datetime,
) -> None:
    """Keep other *errors* of a line than before, or none."""
    mine = (col(BadRow.import_id) == feed.id, col(BadRow.line) == line)
    session.exec(delete(BadRow).where(*mine))
    last = select(func.max(BadRow.number)).where(BadRow.import_id == feed.id)
    first = (session.exec(last).one() or 0) + 1
    keep_bad_rows(session, feed, errors, first=first, now=now)


def bad_lines(
    session: Session, retailer_id: str, import_id: str, *, limit: int, offset: int
) -> list[BadRow]:
    """Return the wrong cells of *limit* rows in the order of the file."""
    lines = (
        select(BadRow.line)
        .where(BadRow.retailer_id == retailer_id, BadRow.import_id == import_id)
        .distinct()
        .order_by(col(BadRow.line))
        .limit(limit)
        .offset(offset)
    )
    wanted = session.exec(lines).all()
    return wrong_cells(session, retailer_id, import_id, wanted)


def wrong_cells(
    session: Session, retailer_id: str, import_id: str, lines: Sequence[int]
) -> list[BadRow]:
    """Return the wrong cells of these *lines*."""
    statement = (
        select(BadRow)
        .where(
            BadRow.retailer_id == retailer_id,
            BadRow.import_id == import_id,
            col(BadRow.line).in_(lines),
        )
        .order_by(col(BadRow.line), col(BadRow.number))
    )
    return list(session.exec(statement))


def lines_of_skus(
    session: Session,
    retailer_id: str,
    import_id: str,
    skus: Sequence[str],
    *,
    beside: Sequence[int],
) -> dict[str, int]:
    """Return which of *skus* are on other bad lines than *beside*, and on which."""
    statement = select(BadRow.sku, BadRow.line).where(
        BadRow.retailer_id == retailer_id,
        BadRow.import_id == import_id,
        col(BadRow.sku).in_(skus),
        col(BadRow.line).not_in(beside),
    )
    return dict(session.exec(statement).all())


@dataclass(frozen=True, slots=True)
class BadCounts:
    """Bad *rows*, *wrong* cells in them, and rows *unplaced*: of no known sku."""

    rows: int
    wrong: int
    unplaced: int


def count_bad_rows(session: Session, retailer_id: str, import_id: str) -> BadCounts:
    unplaced = case((col(BadRow.sku) == "", col(BadRow.line)))
    statement = select(
        func.count(distinct(col(BadRow.line))),
        func.count(col(BadRow.id)),
        func.count(distinct(unplaced)),
    ).where(BadRow.retailer_id == retailer_id, BadRow.import_id == import_id)
    return BadCounts(*session.exec(statement).one())


def forget_bad_rows(session: Session, import_id: str) -> None:
    """Start a check afresh."""
    session.exec(delete(BadRow).where(col(BadRow.import_id) == import_id))


def bad_rows(
    session: Session, retailer_id: str, import_id: str, *, limit: int, after: int = -1
) -> list[BadRow]:
    """Return wrong cells in the order of the file, those numbered beyond *after*."""
    statement = (
        select(BadRow)
        .where(
            BadRow.retailer_id == retailer_id,
            BadRow.import_id == import_id,
            BadRow.number > after,
        )
        .order_by(col(BadRow.number))
        .limit(limit)
    )
    return list(session.exec(statement))
