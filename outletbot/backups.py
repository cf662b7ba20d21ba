"""Backups of an installation on SQLite: taken while it runs, put back while it rests.

What a backup does not have is what happened after it: whoever paid meanwhile is found
in the payment provider's books. PostgreSQL has tools of its own (docs/deploying.md).
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from outletbot.db import Database
from outletbot.revisions import is_known
from outletbot.schema import migrate

PAGES = 2_000  # 8 MB at a time between two words of the progress
OWNER_ONLY = 0o600

OnProgress = Callable[[float], None]


class BackupError(Exception):
    """Why it was not done, in a sentence; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A file that was checked from its first to its last page."""

    path: Path
    size: int
    revision: str


@dataclass(frozen=True, slots=True)
class Restored:
    """*aside* is where the database is that was there before, if one was."""

    backup: Backup
    aside: Path | None


def ignore(_share: float) -> None:
    """For callers who do not want to hear."""


def back_up(
    database: Path,
    target: Path,
    *,
    force: bool = False,
    on_progress: OnProgress = ignore,
) -> Backup:
    """Copy *database* into *target* as it is at this instant, whoever writes meanwhile.

    *target* is there whole or not at all, is only its owner's to read, and replaces
    another file if *force* says so. *on_progress* is told the share that is copied.

    Raises:
        BackupError: If there is nothing to copy, or *target* is in the way.
        sqlite3.Error: If the database cannot be read, or the disk is full.
    """
    if not database.is_file():
        msg = f"There is no database at {database}."
        raise BackupError(msg)
    if target.exists() and not force:
        msg = f"{target} is there already; --force replaces it."
        raise BackupError(msg)
    with _made_whole(target) as partial:
        _copy(database, partial, on_progress)
        found = inspect(partial)
    return Backup(target, found.size, found.revision)


def inspect(path: Path) -> Backup:
    """Check a backup, every page and every reference in it.

    Raises:
        BackupError: If it is damaged, no backup of ours, or of a newer version.
    """
    if not path.is_file():
        msg = f"There is no file {path}."
        raise BackupError(msg)
    try:
        with closing(_open(path, "ro")) as file:
            if trouble := _trouble(file):
                msg = f"{path} is damaged: {trouble}."
                raise BackupError(msg)
            found = _known_revision(file, path)
    except sqlite3.DatabaseError as error:
        msg = f"{path} cannot be read: {error}."
        raise BackupError(msg) from error
    return Backup(path, path.stat().st_size, found)


def restore(
    path: Path, database: Path, *, now: datetime, on_progress: OnProgress = ignore
) -> Restored:
    """Put the backup at *path* in the place of *database*, and bring its schema up.

    What was there is kept beside it, under a name with the time *now*.

    Raises:
        BackupError: If the backup is not good, or a process has the database open.
    """
    backup = inspect(path)
    database.parent.mkdir(parents=True, exist_ok=True)
    existed = database.is_file()
    with _alone_with(database) as file:
        aside = _keep_aside(file, database, now) if existed else None
        with closing(_open(path, "ro")) as source:
            source.backup(file, pages=PAGES, progress=_telling(on_progress))
    _migrate(database)
    return Restored(backup, aside)


def _copy(source: Path, target: Path, on_progress: OnProgress) -> None:
    with closing(_open(source, "rw")) as old, closing(_open(target, "rw")) as new:
        # A copy begins anew whenever somebody writes, unless it looks at one instant.
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        old.backup(new, pages=PAGES, progress=_telling(on_progress))
        old.execute("ROLLBACK")
        # One file, with no log beside it.
        new.execute("PRAGMA journal_mode=DELETE")


def _telling(on_progress: OnProgress) -> Callable[[int, int, int], None]:
    def tell(_status: int, remaining: int, total: int) -> None:
        on_progress(1 - remaining / total if total else 1)

    return tell


@contextmanager
def _made_whole(target: Path) -> Iterator[Path]:
    """Yield a file to fill, which then is *target*, durably; or nothing is left."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
    try:
        yield partial
        _sync(partial)
        partial.replace(target)
        _sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone_with(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield the database at *path*, with everybody else locked out."""
    with closing(_open(path, "rwc")) as file:
        try:
            file.execute("PRAGMA locking_mode=EXCLUSIVE")
            # Only who is alone may leave the log; whoever only waits is noticed, too.
            file.execute("PRAGMA journal_mode=DELETE").fetchone()
            file.execute("BEGIN EXCLUSIVE")
            file.execute("COMMIT")
        except sqlite3.OperationalError as error:
            msg = f"{path} is in use ({error}). Stop the service first."
            raise BackupError(msg) from error
        yield file


def _keep_aside(file: sqlite3.Connection, path: Path, now: datetime) -> Path:
    aside = path.with_name(f"{path.name}.before-restore-{now:%Y%m%dT%H%M%SZ}")
    with _made_whole(aside) as partial, closing(_open(partial, "rw")) as kept:
        file.backup(kept)
    return aside


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=1,
        isolation_level=None,
    )


def _trouble(file: sqlite3.Connection) -> str:
    (said,) = file.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        return str(said)
    dangling = file.execute("PRAGMA foreign_key_check").fetchone()
    return f"a row of {dangling[0]} refers to none of {dangling[2]}" if dangling else ""


def _known_revision(file: sqlite3.Connection, path: Path) -> str:
    try:
        (found,) = file.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.OperationalError, TypeError) as error:  # no table, or no row
        msg = f"{path} is no database of outletbot's."
        raise BackupError(msg) from error
    if not is_known(found):
        msg = f"{path} was made by a newer outletbot: its schema is {found}."
        raise BackupError(msg)
    return str(found)


def _migrate(path: Path) -> None:
    with closing(Database.connect(f"sqlite:///{path}")) as database:
        migrate(database.engine)
