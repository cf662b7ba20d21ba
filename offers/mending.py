"""Mending: bad rows that a person put right on the page, instead of in the file.

A mended row takes the place of the line that it comes from, or leaves it out. It is
kept until its file is imported, and read again with it, so that whatever is chosen for
the file is true for it too.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, delete, func, select

from offers.bad_rows import BadRow
from offers.columns import Moment
from offers.ids import new_id
from offers.imports import FeedImport


class MendedRow(SQLModel, table=True):
    """*cells* are JSON; a row that is *left_out* is no offer, and no error either."""

    __tablename__ = "mended_row"
    __table_args__ = (UniqueConstraint("import_id", "line"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    import_id: str = Field(foreign_key="feed_import.id")
    line: int
    sku: str = ""
    cells: str
    left_out: bool = False
    mended_by: str | None = Field(default=None, foreign_key="merchant.id")
    mended_at: datetime = Field(sa_type=Moment)


def keep_mended_row(
    session: Session,
    entry: FeedImport,
    line: int,
    cells: Sequence[str],
    *,
    sku: str = "",
    left_out: bool = False,
    by: str | None,
    now: datetime,
) -> None:
    """Keep a row that is good now, and forget what was wrong with it."""
    forget_mended_row(session, entry, line)
    session.add(
        MendedRow(
            id=new_id("mended", now),
            retailer_id=entry.retailer_id,
            import_id=entry.id,
            line=line,
            sku=sku,
            cells=json.dumps(cells, ensure_ascii=False),
            left_out=left_out,
            mended_by=by,
            mended_at=now,
        )
    )
    mine = (col(BadRow.import_id) == entry.id, col(BadRow.line) == line)
    session.exec(delete(BadRow).where(*mine))
    session.flush()


def mended_rows(session: Session, retailer_id: str, import_id: str) -> list[MendedRow]:
    """Return the mended rows of an import, in the order of the file."""
    statement = (
        select(MendedRow)
        .where(MendedRow.retailer_id == retailer_id, MendedRow.import_id == import_id)
        .order_by(col(MendedRow.line))
    )
    return list(session.exec(statement))


def count_mended(session: Session, retailer_id: str, import_id: str) -> int:
    statement = select(func.count(col(MendedRow.id))).where(
        MendedRow.retailer_id == retailer_id, MendedRow.import_id == import_id
    )
    return session.exec(statement).one()


def forget_mended_row(session: Session, entry: FeedImport, line: int) -> None:
    mine = (col(MendedRow.import_id) == entry.id, col(MendedRow.line) == line)
    session.exec(delete(MendedRow).where(*mine))


def forget_mended_rows(session: Session, import_id: str) -> None:
    session.exec(delete(MendedRow).where(col(MendedRow.import_id) == import_id))
