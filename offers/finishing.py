"""Finishing: what is noted once a file is imported, and no longer needed."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select, update

from offers.comparing import Tally
from offers.imports import FeedImport, ImportState, end_import


def finish_import(
    session: Session, import_id: str, tally: Tally, *, now: datetime
) -> bool:
    """All good rows are in; the file is no longer needed. Return whether it was due."""
    return end_import(
        session,
        import_id,
        ImportState.IMPORTED,
        since=(ImportState.CONFIRMED,),
        new=tally.new,
        changed=tally.changed,
        same=tally.same,
        attempts=0,
        imported_at=_after_others(session, import_id, now),
    )


def check_again(session: Session, import_id: str) -> None:
    """A confirmed file is not what it was when it was checked: look at it once more."""
    session.exec(
        update(FeedImport)
        .where(
            col(FeedImport.id) == import_id,
            col(FeedImport.state) == ImportState.CONFIRMED,
        )
        .values(state=ImportState.UPLOADED, progress=0, attempts=0, leased_until=None)
    )


def note_outcome(
    session: Session, import_id: str, *, good: int, bad: int, emptied: int
) -> None:
    """Keep how many rows went in, and how many offers lost their stock by the others.

    Those are offers that a complete file does not mention.
    """
    entry = session.get_one(FeedImport, import_id)
    entry.good, entry.bad = good, bad
    if entry.complete:
        facts = json.loads(entry.facts)
        entry.facts = json.dumps({**facts, "taken_away": emptied}, ensure_ascii=False)
    session.add(entry)


def finish_local_import(
    session: Session,
    import_id: str,
    counts: Mapping[str, int],
    *,
    facts: Mapping[str, object],
    now: datetime,
) -> None:
    """A file that was never uploaded is through: it was imported, not refused."""
    end_import(
        session,
        import_id,
        ImportState.IMPORTED,
        since=(ImportState.REFUSED,),
        **counts,
        facts=json.dumps(facts, ensure_ascii=False),
        refusal="",
        imported_at=_after_others(session, import_id, now),
    )


def _after_others(session: Session, import_id: str, now: datetime) -> datetime:
    """Return when it was imported: what is through last is the last."""
    mine = select(FeedImport.retailer_id).where(FeedImport.id == import_id)
    latest = select(func.max(FeedImport.imported_at)).where(
        col(FeedImport.retailer_id) == mine.scalar_subquery()
    )
    last = session.exec(latest).one()
    return now if last is None or last < now else last + timedelta(microseconds=1)
