"""Judging: whether what a source brought may go in without a person.

It may if it is like what that source brought before: the same columns, not half of it
gone, not a third of the stock emptied, hardly a bad row. Anything else halts the source
until somebody has looked, and until then no stock changes: the shop's export was cut
off more often than its shelves were cleared overnight.

The files of one source are judged in the order they came, each when the one before is
over: a small one is read sooner than a large one, and would be undone by it.
"""

import json
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, or_, select

from offers.deciding import confirm_import, discard_import
from offers.errors import Refused
from offers.imports import FeedImport, ImportState, lock_import
from offers.scope import get_own
from offers.sentences import Sentence, dump_sentence, load_sentence
from offers.shrinking import shrinkage_of
from offers.sources import (
    FeedSource,
    Halt,
    SourceImport,
    SourceKind,
    Standing,
    go_on,
    halt,
    resume_source,
)

LEAST_ROWS = 0.5
MOST_BAD = 0.1
AT_ONCE = 50

OVER = (
    ImportState.IMPORTED,
    ImportState.REFUSED,
    ImportState.REPEATED,
    ImportState.DISCARDED,
    ImportState.UNDOING,
    ImportState.UNDONE,
)


def judge_imports(session: Session, *, now: datetime) -> list[FeedSource]:
    """Decide on the files of sources that were read. Return the sources concerned."""
    statement = (
        select(SourceImport, FeedImport, FeedSource)
        .join(FeedImport, col(FeedImport.id) == col(SourceImport.import_id))
        .join(FeedSource, col(FeedSource.id) == col(SourceImport.source_id))
        .where(
            col(SourceImport.standing) != Standing.SETTLED,
            or_(col(FeedImport.state).in_(OVER), _to_be_judged()),
        )
        .order_by(col(SourceImport.import_id))
        .limit(AT_ONCE)
    )
    found = session.exec(statement).all()
    return [
        source
        for brought, entry, source in found
        if _judge(session, brought, entry, source, now=now)
    ]


def drop_doubted(
    session: Session, retailer_id: str, source_id: str, *, now: datetime
) -> None:
    """Discard what is in doubt, and go on: an address is asked at once, and anew.

    Raises:
        Missing: If the source is not this retailer's.
    """
    source = get_own(session, FeedSource, retailer_id, source_id)
    doubted = (
        select(FeedImport)
        .join(SourceImport, col(SourceImport.import_id) == col(FeedImport.id))
        .where(
            SourceImport.source_id == source.id,
            SourceImport.standing == Standing.DOUBTED,
            FeedImport.state == ImportState.CHECKED,
        )
    )
    for entry in session.exec(doubted).all():
        discard_import(session, retailer_id, entry.id)
    resume_source(session, retailer_id, source.id, now=now)


def doubt_about(source: FeedSource, entry: FeedImport) -> Sentence | None:
    """Return why a person should look at a file before it goes in, if one should."""
    gone = shrinkage_of(json.loads(entry.facts))
    if entry.fingerprint != source.fingerprint:
        return Sentence("Its columns are not those of the file before.")
    if entry.rows < source.rows * LEAST_ROWS:
        return Sentence(
            "It has {rows} rows, and the file before had {before}.",
            rows=entry.rows,
            before=source.rows,
        )
    if gone.is_doubtful(complete=False):
        return Sentence(
            "{emptied} of the {stocked} offers that have stock would have none.",
            emptied=gone.emptied,
            stocked=gone.stocked,
        )
    if entry.bad > entry.rows * MOST_BAD:
        return Sentence(
            "{bad} of its {rows} rows cannot be read.", bad=entry.bad, rows=entry.rows
        )
    return None


def _to_be_judged() -> ColumnElement[bool]:
    return and_(
        col(FeedImport.state) == ImportState.CHECKED,
        col(SourceImport.standing) == Standing.WAITING,
        col(FeedSource.halt) == Halt.NONE,
        ~_is_behind_another(),
    )


def _is_behind_another() -> ColumnElement[bool]:
    """Whether a file that came sooner from the same source is not over."""
    sooner = aliased(SourceImport)
    return (
        select(sooner.import_id)
        .where(
            sooner.source_id == SourceImport.source_id,
            sooner.standing == Standing.WAITING,
            sooner.import_id < col(SourceImport.import_id),
        )
        .exists()
    )


def _judge(
    session: Session,
    brought: SourceImport,
    entry: FeedImport,
    source: FeedSource,
    *,
    now: datetime,
) -> bool:
    """Return whether anything was decided."""
    entry = lock_import(session, entry.retailer_id, entry.id)
    if entry.state is ImportState.CHECKED:
        if source.halt is not Halt.NONE:  # since a moment ago
            return False
        _confirm_or_halt(session, brought, entry, source, now=now)
    elif entry.state in OVER:
        _settle(source, entry, now=now)
        brought.standing = Standing.SETTLED
    else:  # somebody was quicker
        return False
    session.add(brought)
    session.add(source)
    session.flush()
    return True


def _confirm_or_halt(
    session: Session,
    brought: SourceImport,
    entry: FeedImport,
    source: FeedSource,
    *,
    now: datetime,
) -> None:
    if not source.fingerprint:
        first = Sentence("This is its first file. Look at it, and confirm it.")
        _halt_over(source, brought, entry, Halt.FIRST, first, now=now)
        return
    doubt = doubt_about(source, entry)
    if doubt is None:
        try:
            confirm_import(session, entry.retailer_id, entry.id)
        except Refused as refusal:
            doubt = refusal.sentence
    if doubt is not None:
        _halt_over(source, brought, entry, Halt.DOUBT, doubt, now=now)


def _halt_over(
    source: FeedSource,
    brought: SourceImport,
    entry: FeedImport,
    why: Halt,
    reason: Sentence,
    *,
    now: datetime,
) -> None:
    """Let a person look at this very file, though others may have come after it."""
    halt(source, why, reason, now=now)
    source.import_id, source.sha256 = entry.id, entry.sha256
    brought.standing = Standing.DOUBTED


def _settle(source: FeedSource, entry: FeedImport, *, now: datetime) -> None:
    """Note how a file of *source* ended, and go on if a person has let it in."""
    source.result, source.result_at = dump_sentence(_outcome(entry)), now
    if entry.state in {ImportState.IMPORTED, ImportState.REPEATED}:
        if entry.state is ImportState.IMPORTED:
            source.fingerprint, source.rows = entry.fingerprint, entry.rows
        source.failing_since, source.failures = None, 0
        if source.halt in {Halt.FIRST, Halt.DOUBT} and source.import_id == entry.id:
            go_on(source)
            source.due_at = now if source.kind is SourceKind.ADDRESS else source.due_at
    elif entry.state is ImportState.REFUSED:
        source.failing_since = source.failing_since or now


def _outcome(entry: FeedImport) -> Sentence:
    match entry.state:
        case ImportState.REFUSED:
            return load_sentence(entry.refusal)
        case ImportState.DISCARDED:
            return Sentence("Somebody discarded the file.")
        case ImportState.REPEATED:
            return Sentence("Nothing new.")
    return Sentence(
        "{new} new, {changed} changed, {same} the same, {bad} bad rows.",
        new=entry.new,
        changed=entry.changed,
        same=entry.same,
        bad=entry.bad,
    )
