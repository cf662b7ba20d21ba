"""Sources: where a retailer's feeds come from when nobody uploads them.

An address that is asked on a schedule, a folder that is watched, or a program that
brings files with a token. What a source brings is an import like any other. It is
confirmed by itself if it is like the one before (``offers.judging``); else the source
halts until a person has looked, and no stock has changed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, delete, func, select

from offers.columns import Moment, word
from offers.errors import InvalidField
from offers.ids import new_id
from offers.scope import get_own
from offers.sentences import Sentence, dump_sentence

EVERY = (15, 30, 60, 180, 360, 720, 1_440)
"""So many minutes can lie between two looks at an address."""

MOST_SOURCES = 20
DAY = 1_440  # minutes


class SourceKind(StrEnum):
    ADDRESS = "address"
    FOLDER = "folder"
    TOKEN = "token"  # noqa: S105


class Halt(StrEnum):
    """Why a source brings nothing: a person, its first file, or a file in doubt."""

    NONE = "none"
    PAUSED = "paused"
    FIRST = "first"
    DOUBT = "doubt"


class Standing(StrEnum):
    """How far a file of a source is: to be judged, before a person, or over."""

    WAITING = "waiting"
    DOUBTED = "doubted"
    SETTLED = "settled"


class FeedSource(SQLModel, table=True):
    """*minute* of the local day is when an address is asked, and *every* so many.

    *fingerprint* and *rows* are those of what was imported last; *sha256* stands for
    the file that came last, *etag* and *last_modified* are what its server said of it.
    *seen* is how large and old files of a folder were, as JSON. *halt_reason* and
    *result* are sentences. Of a token only what it hashes to and its end are kept.
    """

    __tablename__ = "feed_source"
    __table_args__ = (
        Index("ix_feed_source_due", "kind", "due_at"),
        Index("ix_feed_source_retailer", "retailer_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    kind: SourceKind = Field(sa_type=word(SourceKind))
    name: str
    url: str = ""
    sealed_login: str = Field(default="", repr=False)
    currency: str = Field(max_length=3)
    every: int = 60
    minute: int = 0
    token_hash: str | None = Field(default=None, unique=True, repr=False)
    token_end: str = ""
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    halt: Halt = Field(default=Halt.NONE, sa_type=word(Halt))
    halt_reason: str = ""
    halted_at: datetime | None = Field(default=None, sa_type=Moment)
    etag: str = ""
    last_modified: str = ""
    sha256: str = ""
    seen: str = "{}"
    fingerprint: str = ""
    rows: int = 0
    import_id: str | None = Field(default=None, foreign_key="feed_import.id")
    result: str = ""
    result_at: datetime | None = Field(default=None, sa_type=Moment)
    failing_since: datetime | None = Field(default=None, sa_type=Moment)
    failures: int = 0
    created_at: datetime = Field(sa_type=Moment)


class SourceImport(SQLModel, table=True):
    """Which source an import came from."""

    __tablename__ = "source_import"
    __table_args__ = (Index("ix_source_import_standing", "standing"),)

    import_id: str = Field(primary_key=True, foreign_key="feed_import.id")
    retailer_id: str = Field(foreign_key="retailer.id")
    source_id: str = Field(foreign_key="feed_source.id", index=True)
    standing: Standing = Field(default=Standing.WAITING, sa_type=word(Standing))
    came_at: datetime = Field(sa_type=Moment)


@dataclass(frozen=True, slots=True)
class Address:
    """What a person says of an address; *login* is sealed."""

    name: str
    url: str
    login: str
    currency: str
    every: int
    minute: int


def add_address(
    session: Session, retailer_id: str, address: Address, *, now: datetime
) -> FeedSource:
    """Ask an address on a schedule, for the first time at once.

    Raises:
        InvalidField: If its schedule is none, or there are many sources.
    """
    if address.every not in EVERY or not 0 <= address.minute < DAY:
        problem = Sentence("Choose from the list.")
        raise InvalidField("every", problem, str(address.every))
    return add_source(
        session,
        FeedSource(
            id=new_id("source", now),
            retailer_id=retailer_id,
            kind=SourceKind.ADDRESS,
            name=address.name,
            url=address.url,
            sealed_login=address.login,
            currency=address.currency,
            every=address.every,
            minute=address.minute,
            due_at=now,
            created_at=now,
        ),
    )


def add_source(session: Session, source: FeedSource) -> FeedSource:
    """Enter a source.

    Raises:
        InvalidField: If its retailer has many already.
    """
    mine = select(func.count(col(FeedSource.id))).where(
        FeedSource.retailer_id == source.retailer_id
    )
    if session.exec(mine).one() >= MOST_SOURCES:
        raise InvalidField(
            "name",
            Sentence(
                "You have {most} sources already. Delete one first.", most=MOST_SOURCES
            ),
        )
    session.add(source)
    session.flush()
    return source


def watch_folder(
    session: Session, retailer_id: str, *, currency: str, now: datetime
) -> FeedSource:
    """Watch the retailer's folder; there is one, and it is watched once."""
    watched = select(FeedSource).where(
        FeedSource.retailer_id == retailer_id, FeedSource.kind == SourceKind.FOLDER
    )
    found = session.exec(watched).first()
    return found or add_source(
        session,
        FeedSource(
            id=new_id("source", now),
            retailer_id=retailer_id,
            kind=SourceKind.FOLDER,
            name="",
            currency=currency,
            due_at=now,
            created_at=now,
        ),
    )


def pause_source(
    session: Session, retailer_id: str, source_id: str, *, now: datetime
) -> None:
    """Take nothing from a source until a person resumes it."""
    source = get_own(session, FeedSource, retailer_id, source_id)
    halt(source, Halt.PAUSED, None, now=now)
    session.add(source)


def resume_source(
    session: Session, retailer_id: str, source_id: str, *, now: datetime
) -> None:
    """Take files again, and the present one anew."""
    source = get_own(session, FeedSource, retailer_id, source_id)
    go_on(source)
    ask_now(session, retailer_id, source_id, now=now)


def ask_now(
    session: Session, retailer_id: str, source_id: str, *, now: datetime
) -> None:
    """Look at once, and at the whole file, whatever was there before.

    Raises:
        Missing: If the source is not this retailer's.
    """
    source = get_own(session, FeedSource, retailer_id, source_id)
    source.etag = source.last_modified = source.sha256 = ""
    source.failing_since, source.failures = None, 0
    if source.kind is not SourceKind.TOKEN:
        source.due_at = now
    session.add(source)


def delete_source(session: Session, retailer_id: str, source_id: str) -> None:
    """Forget a source; what it brought stays.

    Raises:
        Missing: If the source is not this retailer's.
    """
    source = get_own(session, FeedSource, retailer_id, source_id)
    session.refresh(source, with_for_update=True)  # nothing comes from it meanwhile
    session.exec(delete(SourceImport).where(col(SourceImport.source_id) == source.id))
    session.delete(source)


def sources(session: Session, retailer_id: str) -> list[FeedSource]:
    """Return a retailer's sources, the oldest first."""
    statement = (
        select(FeedSource)
        .where(FeedSource.retailer_id == retailer_id)
        .order_by(col(FeedSource.created_at), col(FeedSource.id))
    )
    return list(session.exec(statement))


def halt(
    source: FeedSource, why: Halt, reason: Sentence | None, *, now: datetime
) -> None:
    """Let nothing more come from *source*."""
    source.halt, source.halted_at = why, now
    source.halt_reason = dump_sentence(reason) if reason else ""


def go_on(source: FeedSource) -> None:
    source.halt, source.halted_at, source.halt_reason = Halt.NONE, None, ""


def next_turn(source: FeedSource, zone: tzinfo, now: datetime) -> datetime:
    """Return when an address is to be asked after *now*, by its schedule."""
    local = now.astimezone(zone).replace(second=0, microsecond=0)
    passed = local.hour * 60 + local.minute
    wait = (source.minute - passed) % source.every or source.every
    turn = (local + timedelta(minutes=wait)).astimezone(UTC)
    return turn if turn > now else turn + timedelta(minutes=source.every)


def seen_files(source: FeedSource) -> Mapping[str, list[int]]:
    return dict(json.loads(source.seen))
