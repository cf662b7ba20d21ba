"""Bringing: what came of looking at a source, and when it is looked at again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from json import dumps

from sqlmodel import Session, col, func, or_, select

from offers.errors import TooManyAttempts
from offers.imports import FeedImport, ImportState
from offers.leases import lease
from offers.retailers import get_retailer
from offers.sentences import Sentence, dump_sentence
from offers.sources import (
    FeedSource,
    Halt,
    SourceImport,
    SourceKind,
    next_turn,
)

LEASE = timedelta(minutes=10)
"""Longer than any fetching lasts."""

FOLDER_REST = timedelta(seconds=20)
BACKOFF = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
)
HOURLY = 60
"""So many files a token may bring within an hour."""

NOTHING_NEW = Sentence("Nothing new.")


def lease_due_sources(
    session: Session, *, now: datetime, limit: int = 5
) -> list[FeedSource]:
    """Take sources that are due, so that nobody else looks at them for a while.

    A folder is looked at even while nothing is taken from it: what was decided of
    files that were taken before is done there.
    """
    due = (
        col(FeedSource.due_at) <= now,
        or_(
            col(FeedSource.kind) == SourceKind.FOLDER,
            col(FeedSource.halt) == Halt.NONE,
        ),
    )
    values = {"due_at": now + LEASE}
    order = FeedSource.due_at
    leased = lease(session, FeedSource, due, values, order=order, limit=limit)
    return sorted(leased, key=lambda source: source.id)


def note_brought(
    session: Session,
    source: FeedSource,
    import_id: str,
    *,
    sha256: str,
    now: datetime,
    etag: str = "",
    last_modified: str = "",
) -> None:
    """A file has come whole, and its import waits to be looked at."""
    kept = _kept(session, source)
    if kept is None:
        return
    session.add(
        SourceImport(
            import_id=import_id,
            retailer_id=source.retailer_id,
            source_id=source.id,
            came_at=now,
        )
    )
    kept.import_id, kept.sha256 = import_id, sha256
    kept.etag, kept.last_modified = etag, last_modified
    _say(kept, Sentence("A file has come."), now=now)
    _wait_for_turn(session, kept, now=now)


def note_nothing_new(session: Session, source: FeedSource, *, now: datetime) -> None:
    """The file is the one that came last; if that was refused, nothing is better."""
    kept = _kept(session, source)
    if kept is None:
        return
    last = session.get(FeedImport, kept.import_id) if kept.import_id else None
    if last is None or last.state is not ImportState.REFUSED:
        _say(kept, NOTHING_NEW, now=now)
        kept.failing_since = None
    _wait_for_turn(session, kept, now=now)


def note_failure(
    session: Session, source: FeedSource, reason: Sentence, *, now: datetime
) -> None:
    """Nothing could be got; it is tried again sooner or later, ever more seldom."""
    kept = _kept(session, source)
    if kept is None:
        return
    _say(kept, reason, now=now)
    kept.failing_since = kept.failing_since or now
    wait = BACKOFF[min(kept.failures, len(BACKOFF) - 1)]
    kept.failures += 1
    if kept.kind is not SourceKind.TOKEN:
        kept.due_at = now + wait
    session.add(kept)


def note_seen(
    session: Session,
    source: FeedSource,
    seen: Mapping[str, tuple[int, int]],
    *,
    now: datetime,
) -> None:
    """Remember how large and old the files of a folder were; it can be read."""
    kept = _kept(session, source)
    if kept is None:
        return
    kept.seen, kept.due_at = dumps(seen), now + FOLDER_REST
    if kept.failures:
        _say(kept, NOTHING_NEW, now=now)
        kept.failures, kept.failing_since = 0, None
    session.add(kept)


def find_brought(
    session: Session, source: FeedSource, sha256: str
) -> FeedImport | None:
    """Return the import of this very file, if it is what *source* brought last."""
    if source.import_id is None or not sha256 or source.sha256 != sha256:
        return None
    return session.get(FeedImport, source.import_id)


def refuse_flood(session: Session, source: FeedSource, *, now: datetime) -> None:
    """Let a program bring files now and then, not all the time.

    Raises:
        TooManyAttempts: If it has brought very many lately.
    """
    lately = select(func.count(col(SourceImport.import_id))).where(
        SourceImport.source_id == source.id,
        col(SourceImport.came_at) > now - timedelta(hours=1),
    )
    if session.exec(lately).one() >= HOURLY:
        raise TooManyAttempts(after=timedelta(minutes=15))


def _kept(session: Session, source: FeedSource) -> FeedSource | None:
    """Return *source* as it is now, unless somebody has deleted it meanwhile."""
    statement = (
        select(FeedSource)
        .where(FeedSource.id == source.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).one_or_none()


def _wait_for_turn(session: Session, source: FeedSource, *, now: datetime) -> None:
    source.failures = 0
    if source.kind is SourceKind.ADDRESS:
        zone = get_retailer(session, source.retailer_id).zone
        source.due_at = next_turn(source, zone, now)
    session.add(source)


def _say(source: FeedSource, result: Sentence, *, now: datetime) -> None:
    source.result, source.result_at = dump_sentence(result), now
