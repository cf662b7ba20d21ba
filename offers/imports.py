"""Imports: a feed on its way in.

    uploaded → checked → confirmed → imported → undoing → undone
        │         └→ discarded
        ├→ repeated: the same file, read in the same way, is what was imported last
        └→ refused

The file is kept, in pieces, from the upload until it is imported, so that any process
can read it and a killed one leaves nothing half done: importing twice equals importing
once. Rows with errors are kept to be mended, on the page or as a file sent again.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index, exists
from sqlalchemy.orm import aliased, defer
from sqlmodel import Field, Session, SQLModel, col, delete, func, select, update

from offers.columns import Moment, word
from offers.comparing import Change, Tally
from offers.feed.facts import Facts
from offers.leases import lease
from offers.pieces import forget_pieces
from offers.placing import Places
from offers.scope import get_own
from offers.sentences import Sentence, dump_sentence
from offers.shelving import import_facts
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
    REPEATED = "repeated"
    UNDOING = "undoing"
    UNDONE = "undone"


WAITING = (ImportState.UPLOADED, ImportState.CONFIRMED, ImportState.UNDOING)
CHANGING = (ImportState.CONFIRMED, ImportState.UNDOING)
"""The states in which a worker changes offers."""

HERE = (ImportState.UPLOADED, ImportState.CHECKED, ImportState.REPEATED)
"""The states in which the file is still here, to be read otherwise."""

WAYS = ("encoding", "delimiter", "mapping", "answers")
"""What a person can choose of how a file is read, as ``overrides`` keeps it."""


class FeedImport(SQLModel, table=True):
    """*facts* is what was detected, as JSON; *progress* runs from 0 to 100.

    *complete*: what the file does not mention has no stock. *whole*: all rows go in or
    none. *fingerprint* stands for its header, *repeats* names the import that it is the
    same as, *attempts* counts how often it was begun. *head* is the beginning of the
    file as text, for as long as bad rows can be mended. *undone* is what undoing did.
    """

    __tablename__ = "feed_import"
    __table_args__ = (Index("ix_feed_import_retailer", "retailer_id", "created_at"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    merchant_id: str | None = Field(default=None, foreign_key="merchant.id")
    file_name: str
    sha256: str
    size: int
    currency: str = Field(max_length=3)
    overrides: str = "{}"  # JSON: how a person wants it read, see ``WAYS``
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
    missing: int = 0
    complete: bool = False
    whole: bool = False
    fingerprint: str = ""
    repeats: str = ""
    attempts: int = 0
    head: str = Field(default="", repr=False)
    confirmed_by: str | None = Field(default=None, foreign_key="merchant.id")
    undone_by: str | None = Field(default=None, foreign_key="merchant.id")
    undone_at: datetime | None = Field(default=None, sa_type=Moment)
    undone: str = "{}"
    progress: int = 0
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    imported_at: datetime | None = Field(default=None, sa_type=Moment)


def add_import(session: Session, feed: FeedImport) -> None:
    """Enter a feed into the history."""
    session.add(feed)
    session.flush()


def lock_import(session: Session, retailer_id: str, import_id: str) -> FeedImport:
    """Return an import that nobody else changes until this is done.

    Raises:
        Missing: If it is not this retailer's.
    """
    feed = get_own(session, FeedImport, retailer_id, import_id)
    session.refresh(feed, with_for_update={"key_share": True})
    return feed


def finish_upload(session: Session, feed: FeedImport) -> None:
    """The file is here whole: keep what is known of it now."""
    session.merge(feed)


def forget_upload(session: Session, retailer_id: str, import_id: str) -> None:
    """The file never arrived whole: nothing of it remains."""
    forget_pieces(session, import_id)
    ours = (col(FeedImport.id) == import_id, col(FeedImport.retailer_id) == retailer_id)
    session.exec(delete(FeedImport).where(*ours))


def lease_import(session: Session, *, now: datetime) -> FeedImport | None:
    """Take the import that waits longest, so that nobody else takes it for a while.

    Of what changes one retailer's offers, one goes on at a time: undoing an import
    would remove what the next one is bringing.
    """
    other = aliased(FeedImport)
    under_way = exists().where(
        col(other.retailer_id) == col(FeedImport.retailer_id),
        col(other.id) != col(FeedImport.id),
        col(other.state).in_(CHANGING),
        col(other.leased_until) > now,
    )
    waiting = (
        col(FeedImport.state).in_(WAITING),
        col(FeedImport.leased_until).is_(None) | (col(FeedImport.leased_until) <= now),
        col(FeedImport.state).not_in(CHANGING) | ~under_way,
    )
    values = {"leased_until": now + LEASE, "attempts": col(FeedImport.attempts) + 1}
    order = FeedImport.created_at
    leased = lease(session, FeedImport, waiting, values, order=order, limit=1)
    return leased[0] if leased else None


def give_back_import(session: Session, import_id: str) -> None:
    """Let the next who asks take it, at once, and see that it was begun."""
    begun = func.coalesce(func.nullif(col(FeedImport.progress), 0), 1)
    session.exec(
        update(FeedImport)
        .where(col(FeedImport.id) == import_id)
        .values(
            leased_until=None, attempts=col(FeedImport.attempts) - 1, progress=begun
        )
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
            attempts=0,
            leased_until=None,
        )
    )


def note_choices(
    session: Session,
    import_id: str,
    *,
    fingerprint: str,
    overrides: Mapping[str, object],
    currency: str,
) -> None:
    """Note what the header is, and how the file is read because of what is remembered.

    Nothing happens to an import that somebody has changed meanwhile.
    """
    session.exec(
        update(FeedImport)
        .where(
            col(FeedImport.id) == import_id,
            col(FeedImport.state) == ImportState.UPLOADED,
        )
        .values(
            fingerprint=fingerprint,
            overrides=json.dumps(overrides, ensure_ascii=False),
            currency=currency,
        )
    )


def keep_head(session: Session, import_id: str, head: str) -> None:
    """Keep the beginning of a file, by which its bad rows can be read again.

    Its zero bytes are left out: PostgreSQL keeps none, and rows with them are bad.
    """
    head = head.replace("\0", "")
    session.exec(
        update(FeedImport).where(col(FeedImport.id) == import_id).values(head=head)
    )


def refuse_import(session: Session, import_id: str, reason: Sentence) -> None:
    """The file is no feed, or cannot be read: say why and forget it."""
    refusal = dump_sentence(reason)
    end_import(session, import_id, ImportState.REFUSED, since=WAITING, refusal=refusal)


def import_batch(
    session: Session,
    retailer_id: str,
    import_id: str,
    facts: Sequence[Facts],
    *,
    places: Places = (),
    now: datetime,
    minted_at: datetime | None = None,
) -> Tally:
    """Bring some rows in, and log what they count anew. Return what they did."""
    tally, recounts = import_facts(
        session,
        retailer_id,
        facts,
        places=places,
        source=import_id,
        now=now,
        minted_at=minted_at,
    )
    log_recounts(session, retailer_id, recounts, source_id=import_id, now=now)
    return tally


def imports(session: Session, retailer_id: str, *, limit: int = 50) -> list[FeedImport]:
    """Return a retailer's imports, the newest first, without their heads."""
    statement = (
        select(FeedImport)
        .where(FeedImport.retailer_id == retailer_id)
        .order_by(col(FeedImport.created_at).desc())
        .limit(limit)
        .options(defer(FeedImport.head))  # type: ignore[arg-type]  # it is an attribute
    )
    return list(session.exec(statement))


def end_import(
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
