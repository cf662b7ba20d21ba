"""Intake: a file that came by itself becomes an import, as an upload does."""

from datetime import datetime, timedelta
from typing import BinaryIO

from sqlmodel import Session

from offers.bringing import find_brought, note_brought, note_nothing_new
from offers.ids import new_id
from offers.imports import FeedImport, add_import, finish_upload
from offers.pieces import keep_piece
from offers.sources import FeedSource
from outletbot.db import Database
from outletbot.fetching import Brought

PIECE = 256 * 1024
UPLOAD_FOR = timedelta(hours=1)


def take_in(
    database: Database,
    source: FeedSource,
    stream: BinaryIO,
    brought: Brought,
    *,
    now: datetime,
) -> tuple[FeedImport, bool]:
    """Keep the file in *stream*. Return its import, and whether it is a new one.

    The file that *source* brought last is kept once, however often it comes.
    """
    known = database.transact_here(_find, source, brought, now=now)
    if known is not None:
        return known, False
    entry = FeedImport(
        id=new_id("feed", now),
        retailer_id=source.retailer_id,
        file_name=brought.name,
        sha256="",
        size=brought.size,
        currency=source.currency,
        leased_until=now + UPLOAD_FOR,
        created_at=now,
    )
    database.transact_here(add_import, entry)
    _keep_pieces(database, entry, stream)
    database.transact_here(_finish, source, entry, brought, now=now)
    return entry, True


def _find(
    session: Session, source: FeedSource, brought: Brought, *, now: datetime
) -> FeedImport | None:
    current = session.get(FeedSource, source.id)
    known = find_brought(session, current, brought.sha256) if current else None
    if current is not None and known is not None:
        note_nothing_new(session, current, now=now)
    return known


def _keep_pieces(database: Database, entry: FeedImport, stream: BinaryIO) -> None:
    number = 0
    stream.seek(0)
    while content := stream.read(PIECE):
        database.transact_here(keep_piece, entry.retailer_id, entry.id, number, content)
        number += 1


def _finish(
    session: Session,
    source: FeedSource,
    entry: FeedImport,
    brought: Brought,
    *,
    now: datetime,
) -> None:
    entry.sha256, entry.leased_until = brought.sha256, None
    finish_upload(session, entry)
    note_brought(
        session,
        source,
        entry.id,
        sha256=brought.sha256,
        etag=brought.etag,
        last_modified=brought.last_modified,
        now=now,
    )
