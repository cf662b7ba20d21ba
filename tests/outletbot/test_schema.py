"""
A database is brought to the newest schema, as often as one likes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect

from outletbot.db import Database
from outletbot.revisions import is_current
from outletbot.schema import metadata, migrate

BOTH_DATABASES = True


@pytest.fixture
def empty(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path
) -> Iterator[Database]:
    """A database in which there is nothing at all."""
    if database_kind == "sqlite":
        database = Database.connect(f"sqlite:///{tmp_path / 'empty.db'}")
        yield database
        database.close()
        return
    server = request.getfixturevalue("postgres_server")
    database = Database.connect(server.create("empty"))
    yield database
    database.close()
    server.drop("empty")


def test_migrating_makes_every_table_and_says_so(empty: Database) -> None:
    assert not is_current(empty.engine)

    migrate(empty.engine)

    tables = set(inspect(empty.engine).get_table_names())
    assert tables == set(metadata().tables) | {"alembic_version"}
    assert is_current(empty.engine)


def test_migrating_twice_is_migrating_once(empty: Database) -> None:
    migrate(empty.engine)

    migrate(empty.engine)

    assert is_current(empty.engine)
