"""Revisions: which schema a database has, and whether it is the newest.

It is told by the names of the migrations alone, since every process asks, and alembic
with all that it needs takes longer to load than to answer.
"""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest schema."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        found = connection.execute(text("SELECT version_num FROM alembic_version"))
        return found.scalar() == max(revisions())


def is_known(revision: str) -> bool:
    """Whether *revision* is one of this version's, old or new."""
    return revision in revisions()


def revisions() -> set[str]:
    """Return every revision there is; later ones sort behind earlier ones."""
    files = (MIGRATIONS / "versions").glob("[0-9]*_*.py")
    return {path.name.partition("_")[0] for path in files}
