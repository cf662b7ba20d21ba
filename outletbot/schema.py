"""The schema: imports every table, so that none is forgotten, and migrates it."""

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData
from sqlmodel import SQLModel

TABLES = (
    "offers.accounts",
    "offers.alarms",
    "offers.bad_rows",
    "offers.beats",
    "offers.catalog",
    "offers.clicks",
    "offers.deals",
    "offers.disputes",
    "offers.holds",
    "offers.imports",
    "offers.ledger",
    "offers.letters",
    "offers.merchants",
    "offers.orders",
    "offers.pacing",
    "offers.payment_accounts",
    "offers.pictures",
    "offers.pieces",
    "offers.posts",
    "offers.prices",
    "offers.readings",
    "offers.refunds",
    "offers.rehearsals",
    "offers.retailers",
    "offers.stock",
    "offers.templates",
    "webhooks.inbox",
    "webhooks.outbox",
)
"""Every module with tables: importing them is what makes the metadata whole."""

for _name in TABLES:
    import_module(_name)

MIGRATIONS = Path(__file__).parent / "migrations"


def metadata() -> MetaData:
    """Return every table there should be."""
    return SQLModel.metadata


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema; nothing happens if it is there."""
    writing = engine.execution_options(writing=True)
    with writing.begin() as connection:
        _wait_little(connection)
        command.upgrade(_config(connection), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest schema."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def is_known(revision: str) -> bool:
    """Whether *revision* is one of this version's, old or new."""
    scripts = ScriptDirectory.from_config(_config())
    return revision in {script.revision for script in scripts.walk_revisions()}


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata()
    return config


def _wait_little(connection: Connection) -> None:
    """On PostgreSQL a migration that cannot get its lock must not block the shop."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
