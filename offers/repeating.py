"""Repeating: the same file once more, which changes nothing."""

import json

from sqlmodel import Session, col, select, update

from offers.imports import WAYS, FeedImport, ImportState


def find_last_import(session: Session, retailer_id: str) -> FeedImport | None:
    """Return what was imported last and is not undone."""
    statement = (
        select(FeedImport)
        .where(
            FeedImport.retailer_id == retailer_id,
            FeedImport.state == ImportState.IMPORTED,
        )
        .order_by(col(FeedImport.imported_at).desc(), col(FeedImport.id).desc())
        .limit(1)
    )
    return session.exec(statement).one_or_none()


def find_same(session: Session, entry: FeedImport) -> FeedImport | None:
    """Return the last import, if it was this very file, read in the same way."""
    last = find_last_import(session, entry.retailer_id)
    if last is None or last.sha256 != entry.sha256 or not entry.sha256:
        return None
    return last if _ways(last) == _ways(entry) else None


def _ways(feed: FeedImport) -> tuple[object, ...]:
    """Return how a file is read; what nobody chose is no part of it."""
    chosen = json.loads(feed.overrides)
    ways = {name: chosen.get(name) for name in WAYS if chosen.get(name)}
    return feed.currency, ways


def repeat_import(session: Session, entry: FeedImport, same: FeedImport) -> None:
    """The file is what was imported last: there is nothing to do, and that is said.

    The file is kept for a while, in case it is to be read all the same.
    """
    session.exec(
        update(FeedImport)
        .where(
            col(FeedImport.id) == entry.id,
            col(FeedImport.state) == ImportState.UPLOADED,
        )
        .values(
            state=ImportState.REPEATED,
            repeats=same.id,
            facts=same.facts,
            rows=same.rows,
            good=same.good,
            bad=same.bad,
            skipped=same.skipped,
            same=same.new + same.changed + same.same,
            progress=100,
            attempts=0,
            leased_until=None,
        )
    )
