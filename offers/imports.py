"""Imports: a feed on its way in.

    uploaded → checked → confirmed → imported
        │         └→ discarded
        └→ refused

The file is kept, in pieces, from the upload until it is imported, so that any process
can read it and a killed one leaves nothing half done: importing twice equals importing
once. Rows with errors are kept to be mended and sent again.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, delete, select, update

from offers.columns import Moment, word
from offers.errors import WrongState
from offers.feed.rows import FeedRow
from offers.leases import lease
from offers.pieces import forget_pieces
from offers.scope import get_own
from offers.sentences import Sentence, dump_sentence
from offers.shelving import Change, Tally, import_rows
from offers.stock import log_recounts

LEASE = timedelta(minutes=2)
SHOWN_CHANGES = 200


class ImportState(StrEnum):
    UPLOADED = "uploaded"
    CHECKED = "checked"
    CONFIRMED = "confirmed"
    IMPORTED = "imported"
    REFUSED = "refused"
    DISCARDED = "discarded"


WAITING = (ImportState.UPLOADED, ImportState.CONFIRMED)


class FeedImport(SQLModel, table=True):
    """*facts* is what was detected, as JSON; *progress* runs from 0 to 100."""

    __tablename__ = "feed_import"
    __table_args__ = (Index("ix_feed_import_retailer", "retailer_id", "created_at"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    merchant_id: str | None = Field(default=None, foreign_key="merchant.id")
    file_name: str
    sha256: str
    size: int
    currency: str = Field(max_length=3)
    overrides: str = "{}"  # JSON: encoding, delimiter, mapping chosen by a person
    facts: str = "{}"
    changes: str = "[]"  # JSON: the first changes, to be shown
    state: ImportState = Field(default=ImportState.UPLOADED, sa_type=word(ImportState))
    refusal: str = ""
    rows: int = 0
    good: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    bad: int = 0
    skipped: int = 0
    progress: int = 0
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    imported_at: datetime | None = Field(default=None, sa_type=Moment)


def add_import(session: Session, feed: FeedImport) -> None:
    """Enter a feed into the history."""
    session.add(feed)
    session.flush()


def finish_upload(session: Session, feed: FeedImport) -> None:
    """The file is here whole: keep what is known of it now."""
    session.merge(feed)


def forget_upload(session: Session, retailer_id: str, import_id: str) -> None:
    """The file never arrived whole: nothing of it remains."""
    forget_pieces(session, import_id)
    ours = (col(FeedImport.id) == import_id, col(FeedImport.retailer_id) == retailer_id)
    session.exec(delete(FeedImport).where(*ours))


def lease_import(session: Session, *, now: datetime) -> FeedImport | None:
    """Take the import that waits longest, so that nobody else takes it for a while."""
    waiting = (
        col(FeedImport.state).in_(WAITING),
        col(FeedImport.leased_until).is_(None) | (col(FeedImport.leased_until) <= now),
    )
    values = {"leased_until": now + LEASE}
    order = FeedImport.created_at
    leased = lease(session, FeedImport, waiting, values, order=order, limit=1)
    return leased[0] if leased else None


def give_back_import(session: Session, import_id: str) -> None:
    """Let the next who asks take it, at once."""
    session.exec(
        update(FeedImport)
        .where(col(FeedImport.id) == import_id)
        .values(leased_until=None)
    )


def note_progress(
    session: Session, import_id: str, percent: int, *, now: datetime
) -> None:
    session.exec(
        update(FeedImport)
        .where(col(FeedImport.id) == import_id)
        .values(progress=percent, leased_until=now + LEASE)
    )


def finish_check(
    session: Session,
    import_id: str,
    counts: Mapping[str, int],
    *,
    facts: Mapping[str, object],
    changes: Sequence[Change],
) -> None:
    """Note what was found; the import now waits for a person to confirm it.

    Nothing happens to one that was discarded or confirmed meanwhile.
    """
    shown = [
        [c.sku, c.title, c.field, c.before, c.after] for c in changes[:SHOWN_CHANGES]
    ]
    session.exec(
        update(FeedImport)
        .where(
            col(FeedImport.id) == import_id,
            col(FeedImport.state).in_([ImportState.UPLOADED, ImportState.CHECKED]),
        )
        .values(
            **counts,
            state=ImportState.CHECKED,
            facts=json.dumps(facts, ensure_ascii=False),
            changes=json.dumps(shown, ensure_ascii=False),
            progress=100,
            leased_until=None,
        )
    )


def refuse_import(session: Session, import_id: str, reason: Sentence) -> None:
    """The file is no feed, or cannot be read: say why and forget it."""
    refusal = dump_sentence(reason)
    _end(session, import_id, ImportState.REFUSED, since=WAITING, refusal=refusal)


def discard_import(session: Session, retailer_id: str, import_id: str) -> None:
    """Forget a file that was checked and is not wanted.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If it is imported, or being imported.
    """
    feed = get_own(session, FeedImport, retailer_id, import_id)
    since = (ImportState.UPLOADED, ImportState.CHECKED)
    if not _end(session, feed.id, ImportState.DISCARDED, since=since):
        raise WrongState(Sentence("This file is past being discarded."))


def confirm_import(session: Session, retailer_id: str, import_id: str) -> None:
    """Let the worker import a checked file; confirming twice is fine.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If it was refused, discarded or not checked yet.
    """
    feed = get_own(session, FeedImport, retailer_id, import_id)
    if feed.state in {ImportState.CONFIRMED, ImportState.IMPORTED}:
        return
    if feed.state is not ImportState.CHECKED:
        raise WrongState(Sentence("This file has not been checked, or was refused."))
    feed.state, feed.progress, feed.leased_until = ImportState.CONFIRMED, 0, None
    session.add(feed)


def recheck_import(
    session: Session, retailer_id: str, import_id: str, overrides: Mapping[str, object]
) -> None:
    """Check a file again, read in the way that a person chose.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If its file is no longer here.
    """
    feed = get_own(session, FeedImport, retailer_id, import_id)
    if feed.state not in {ImportState.CHECKED, ImportState.UPLOADED}:
        raise WrongState(Sentence("This file is no longer here. Upload it again."))
    feed.state, feed.progress, feed.leased_until = ImportState.UPLOADED, 0, None
    feed.overrides = json.dumps(overrides, ensure_ascii=False)
    session.add(feed)


def import_batch(
    session: Session,
    retailer_id: str,
    import_id: str,
    rows: Sequence[FeedRow],
    *,
    now: datetime,
) -> tuple[Tally, list[str]]:
    """Bring some rows in. Return what they did and the known offers counted anew."""
    tally, recounts = import_rows(session, retailer_id, rows, source=import_id, now=now)
    log_recounts(session, retailer_id, recounts, source_id=import_id, now=now)
    return tally, [recount.offer_id for recount in recounts if not recount.new]


def finish_import(
    session: Session, import_id: str, tally: Tally, *, now: datetime
) -> None:
    """All good rows are in; the file is no longer needed."""
    _end(
        session,
        import_id,
        ImportState.IMPORTED,
        since=(ImportState.CONFIRMED,),
        new=tally.new,
        changed=tally.changed,
        same=tally.same,
        imported_at=now,
    )


def finish_local_import(
    session: Session,
    import_id: str,
    counts: Mapping[str, int],
    *,
    facts: Mapping[str, object],
    now: datetime,
) -> None:
    """A file that was never uploaded is through: it was imported, not refused."""
    _end(
        session,
        import_id,
        ImportState.IMPORTED,
        since=(ImportState.REFUSED,),
        **counts,
        facts=json.dumps(facts, ensure_ascii=False),
        refusal="",
        imported_at=now,
    )


def imports(session: Session, retailer_id: str, *, limit: int = 50) -> list[FeedImport]:
    """Return a retailer's imports, the newest first."""
    statement = (
        select(FeedImport)
        .where(FeedImport.retailer_id == retailer_id)
        .order_by(col(FeedImport.created_at).desc())
        .limit(limit)
    )
    return list(session.exec(statement))


def _end(
    session: Session,
    import_id: str,
    state: ImportState,
    *,
    since: Sequence[ImportState],
    **values: object,
) -> bool:
    """Forget the file and enter *state*, if it was in one of *since*."""
    ended = session.exec(
        update(FeedImport)
        .where(col(FeedImport.id) == import_id, col(FeedImport.state).in_(since))
        .values(state=state, progress=100, leased_until=None, **values)
    )
    if ended.rowcount == 0:
        return False
    forget_pieces(session, import_id)
    return True
