"""Memories: how a retailer wants files of one shape to be read.

What was chosen for a file is used for the next one with the same header, and said. A
memory is never changed: another choice makes another version, and forgetting leaves
them all to be looked up.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment
from offers.feed import ERROR_COLUMN
from offers.feed.headers import normalise
from offers.ids import new_id
from offers.imports import FeedImport


class FeedMemory(SQLModel, table=True):
    """*choices* are JSON, made for *file_name*, which was the import *import_id*."""

    __tablename__ = "feed_memory"
    __table_args__ = (UniqueConstraint("retailer_id", "fingerprint", "version"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    fingerprint: str
    version: int
    choices: str
    import_id: str
    file_name: str
    remembered_at: datetime = Field(sa_type=Moment)
    forgotten_at: datetime | None = Field(default=None, sa_type=Moment)


def fingerprint_of(columns: Sequence[str]) -> str:
    """Return what stands for a header: the same however its names are written.

    Nothing if the file has no header to know it by.
    """
    names = [normalise(column) for column in columns if not is_ours(column)]
    if not any(names):
        return ""
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()


def fitted(choices: Mapping[str, Any], header: Sequence[str]) -> dict[str, Any]:
    """Return *choices* with the columns' names as *header* writes them."""
    names = {normalise(name): name for name in reversed(header)}

    def name_of(column: str) -> str:
        return names.get(normalise(column), column)

    fit = dict(choices)
    if mapping := choices.get("mapping"):
        fit["mapping"] = {name_of(column): field for column, field in mapping.items()}
    if answers := choices.get("answers"):
        fit["answers"] = {
            _fitted_key(key, name_of): name_of(text) if key == "clearance" else text
            for key, text in answers.items()
        }
    return fit


def _fitted_key(key: str, name_of: Callable[[str], str]) -> str:
    """Return the key of an answer; that of a decimal mark names its column."""
    kind, colon, column = key.partition(":")
    return f"{kind}:{name_of(column)}" if colon else key


def is_ours(column: str) -> bool:
    """Whether it is the column that a file of bad rows has beside its own."""
    return normalise(column) == ERROR_COLUMN


def find_memory(
    session: Session, retailer_id: str, fingerprint: str
) -> FeedMemory | None:
    """Return the newest version that is not forgotten."""
    last = _last(session, retailer_id, fingerprint)
    return last if last is not None and last.forgotten_at is None else None


def remember(
    session: Session, entry: FeedImport, choices: Mapping[str, Any], *, now: datetime
) -> bool:
    """Keep *choices* for the next file like *entry*. Return whether they are news."""
    if not entry.fingerprint:
        return False
    last = _last(session, entry.retailer_id, entry.fingerprint)
    known = last is not None and last.forgotten_at is None
    before = json.loads(last.choices) if last is not None and known else {}
    if choices == before:
        return False
    session.add(
        FeedMemory(
            id=new_id("memory", now),
            retailer_id=entry.retailer_id,
            fingerprint=entry.fingerprint,
            version=last.version + 1 if last is not None else 1,
            choices=json.dumps(choices, ensure_ascii=False, sort_keys=True),
            import_id=entry.id,
            file_name=entry.file_name,
            remembered_at=now,
        )
    )
    session.flush()
    return True


def forget(
    session: Session, retailer_id: str, fingerprint: str, *, now: datetime
) -> bool:
    """Use it no more. Return whether there was something to forget."""
    forgotten = session.exec(
        update(FeedMemory)
        .where(
            col(FeedMemory.retailer_id) == retailer_id,
            col(FeedMemory.fingerprint) == fingerprint,
            col(FeedMemory.forgotten_at).is_(None),
        )
        .values(forgotten_at=now)
    )
    return forgotten.rowcount > 0


def _last(session: Session, retailer_id: str, fingerprint: str) -> FeedMemory | None:
    statement = (
        select(FeedMemory)
        .where(
            FeedMemory.retailer_id == retailer_id,
            FeedMemory.fingerprint == fingerprint,
        )
        .order_by(col(FeedMemory.version).desc())
        .limit(1)
    )
    return session.exec(statement).one_or_none()
