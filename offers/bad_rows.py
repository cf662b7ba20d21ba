"""Bad rows: cells that could not be read, kept to be mended and sent again."""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Index, insert
from sqlmodel import Field, Session, SQLModel, col, delete, select

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
        }
        for number, error in enumerate(errors, first)
    ]
    if rows:
        session.exec(insert(BadRow), params=rows)


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
