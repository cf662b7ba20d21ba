"""Commands that keep a copy of everything, and put it back."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from outletbot.backups import Backup, BackupError, back_up, restore
from outletbot.cli.common import err, out, progress
from outletbot.clock import utc_now
from outletbot.config import Settings

ON_POSTGRES = """\
This installation's database is PostgreSQL, which has tools for this. {what}:

  {command}

docs/deploying.md says what else there is to it."""
DUMP = 'pg_dump --format=custom --file={file} "$DATABASE_URL"'
LOAD = (
    "pg_restore --clean --if-exists --no-owner --single-transaction "
    '--dbname="$DATABASE_URL" {file}'
)
AFTERWARDS = """\
{path} is back, at the newest schema.{aside}

Start the service with the SECRET_KEY it had when the backup was made, or the secrets in
it stay closed; outletbot check says whether they open. What was paid since then is
asked of Stripe within minutes: see the summary for what agrees and what does not."""


def add_to(cli: typer.Typer) -> None:
    cli.command("backup")(back_up_database)
    cli.command("restore")(restore_database)


def back_up_database(
    file: Annotated[Path, typer.Argument(help="Where to write it.", dir_okay=False)],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file if it is there.")
    ] = False,
) -> None:
    """Copy the database into FILE while the service runs, and check the copy."""
    database = _file_of_database("To back it up while it runs", DUMP, file)
    with _said(), progress("Copying") as on_progress:
        backup = back_up(database, file, force=force, on_progress=on_progress)
    _say(f"{file}: {_size(backup)}, at schema {backup.revision}, checked.")


def restore_database(
    file: Annotated[Path, typer.Argument(help="What backup wrote.")],
) -> None:
    """Put a backup in the place of the database; the service must be stopped."""
    database = _file_of_database("To restore it while no process runs", LOAD, file)
    with _said(), progress("Restoring") as on_progress:
        done = restore(file, database, now=utc_now(), on_progress=on_progress)
    kept = f"\nWhat was there before is kept at {done.aside}." if done.aside else ""
    _say(AFTERWARDS.format(path=database, aside=kept))


def _file_of_database(what: str, command: str, file: Path) -> Path:
    """Return the file, or say what else to do and end."""
    database = Settings.from_env().database_file
    if database is None:
        err.print(
            ON_POSTGRES.format(what=what, command=command.format(file=file)),
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(2)
    return database


@contextmanager
def _said() -> Iterator[None]:
    """What goes wrong is said in a sentence."""
    try:
        yield
    except (BackupError, sqlite3.Error) as error:
        err.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _size(backup: Backup) -> str:
    return f"{backup.size / 1_000_000:,.1f} MB"


def _say(words: str) -> None:
    out.print(words, markup=False, highlight=False, soft_wrap=True)
