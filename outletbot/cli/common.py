"""What commands share: where they print, and how they get at the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
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


def _check(database: Database) -> None:
    try:
        current = is_current(database.engine)
    except SQLAlchemyError as error:
        msg = f"The database does not answer: {str(error).splitlines()[0]}"
        raise ConfigError(msg) from error
    if not current:
        msg = "The database is not at the newest schema. Run: outletbot migrate"
        raise ConfigError(msg)
