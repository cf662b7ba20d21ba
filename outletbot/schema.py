"""The schema: what every table together should be, and the way there."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, MetaData
from sqlmodel import SQLModel

import outletbot.tables  # noqa: F401  (what is imported is what there is)
from outletbot.revisions import MIGRATIONS


def metadata() -> MetaData:
    """Return every table there should be."""
    return SQLModel.metadata


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema; nothing happens if it is there."""
    writing = engine.execution_options(writing=True)
    with writing.begin() as connection:
        _wait_little(connection)
        command.upgrade(_config(connection), "head")


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
