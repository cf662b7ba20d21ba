"""What commands share: where they print, and how they get at the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from outletbot.config import ConfigError, Settings
from outletbot.db import Database
from outletbot.revisions import is_current

CACHE_MB = 2
"""A command is no rush."""

out = Console()
err = Console(stderr=True)


@contextmanager
def open_database() -> Iterator[Database]:
    """Yield the database of this installation.

    Raises:
        ConfigError: If it does not answer or was not migrated.
    """
    database = Database.connect(Settings.from_env().database_url, cache_mb=CACHE_MB)
    try:
        _check(database)
        yield database
    finally:
        database.close()


@contextmanager
def progress(what: str) -> Iterator[Callable[[float], None]]:
    """Yield a function that takes the share that is done, from 0 to 1."""
    columns = (TextColumn(what), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as shown:
        task = shown.add_task("", total=1.0)
        yield lambda share: shown.update(task, completed=share)


def _check(database: Database) -> None:
    try:
        current = is_current(database.engine)
    except SQLAlchemyError as error:
        msg = f"The database does not answer: {str(error).splitlines()[0]}"
        raise ConfigError(msg) from error
    if not current:
        msg = "The database is not at the newest schema. Run: outletbot migrate"
        raise ConfigError(msg)
