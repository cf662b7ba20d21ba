"""
What tests are given: a database with the newest schema and nothing in it, a session
there, a payment provider and settings.

Tests of the goods and of the wire run on both databases, others on SQLite, unless their
module says ``BOTH_DATABASES = True``. ``TEST_DATABASES=sqlite`` narrows that, and
``OUTLETBOT_REQUIRE_POSTGRES=1`` makes a missing PostgreSQL a failure.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine, event
from sqlmodel import Session

from outletbot.config import Settings
from outletbot.db import Database
from outletbot.schema import metadata, migrate
from outletbot.sealing import Seal
from tests import postgres
from tests.factories import KEY
from tests.fakes import FakePayments

# A deadline in wall time fails on a busy machine, not on a bug. Examples share the
# test's database, and each rolls back what it did. They are the same in each run: what
# is new is looked for by `make fuzz`.
hypothesis_settings.register_profile(
    "outletbot",
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
hypothesis_settings.load_profile("outletbot")

KINDS = ("sqlite", "postgresql")
ON_BOTH = ("offers", "webhooks")

Connect = Callable[[], Database]
Passing = Callable[[], AbstractContextManager[Session]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        kinds = _kinds(metafunc)
        metafunc.parametrize("database_kind", kinds, indirect=True, scope="session")


def _kinds(metafunc: pytest.Metafunc) -> list[str]:
    below = metafunc.definition.path.relative_to(Path(__file__).parent).parts[0]
    both = below in ON_BOTH or getattr(metafunc.module, "BOTH_DATABASES", False)
    wished = os.getenv("TEST_DATABASES", ",".join(KINDS)).split(",")
    kinds = [kind for kind in KINDS if kind in wished]
    return kinds if both else kinds[:1]


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL for this test run, or this worker of it."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres.running())
        except postgres.CannotRun as reason:
            if os.getenv("OUTLETBOT_REQUIRE_POSTGRES"):
                raise
            pytest.skip(str(reason))
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    database = Database.connect(f"sqlite:///{path}")
    migrate(database.engine)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_url(postgres_server: postgres.Server) -> str:
    """A database with the newest schema, emptied after each test."""
    url = postgres_server.create("tests")
    database = Database.connect(url)
    migrate(database.engine)
    database.close()
    return url


@pytest.fixture
def connect(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path
) -> Iterator[Connect]:
    """Connects to this test's database once more, as another process would."""
    opened: list[Database] = []
    url = _prepare(request, database_kind, tmp_path)

    def again() -> Database:
        opened.append(Database.connect(url))
        if database_kind == "sqlite":
            event.listen(opened[-1].engine, "connect", _hurry)
        return opened[-1]

    yield again
    if opened and database_kind == "postgresql":
        _empty(opened[0].engine)
    for database in opened:
        database.close()


def _prepare(request: pytest.FixtureRequest, kind: str, folder: Path) -> str:
    if kind == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    shutil.copy(request.getfixturevalue("sqlite_template"), folder / "test.db")
    return f"sqlite:///{folder / 'test.db'}"


def _hurry(connection: Any, _record: object) -> None:
    """Tests need not survive a power cut."""
    connection.execute("PRAGMA synchronous=OFF")


def _empty(engine: Engine) -> None:
    """Deleting a few rows is ten times as quick as TRUNCATE."""
    with engine.begin() as connection:
        # What is evidence lets nobody delete it, but this is the server's owner.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for table in reversed(metadata().sorted_tables):
            connection.execute(table.delete())


@pytest.fixture
def database(connect: Connect) -> Database:
    return connect()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session to make and to look with; factories commit what they make.

    It sees what others committed since its last ``commit`` or ``rollback``.
    """
    with Session(database.engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def passing(database: Database) -> Passing:
    """Gives sessions of which nothing remains, one for each example of a property."""

    @contextmanager
    def session() -> Iterator[Session]:
        with database.engine.connect() as connection:
            kept = connection.begin()
            mode: Any = "create_savepoint"
            with Session(
                connection, expire_on_commit=False, join_transaction_mode=mode
            ) as session:
                yield session
            kept.rollback()

    return session


@pytest.fixture
def payments() -> FakePayments:
    return FakePayments()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{tmp_path / 'outletbot.db'}",
        public_url="http://outlet.example",
        secret_key=KEY,
        stripe_api_key="sk_test_51north",
        stripe_webhook_secret="whsec_north",
        stripe_api_base="http://127.0.0.1:1",
        log_format="json",
    )


@pytest.fixture
def seal() -> Seal:
    return Seal(KEY)
