"""Copies: a retailer's scenery in a database of its own, gone when it was used.

On SQLite that is a file in a temporary folder, on PostgreSQL a schema beside the real
one, which only a ``search_path`` leads to. The original is read in one transaction and
never written; what a killed rehearsal left behind is swept by the next one.
"""

import re
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.schema import CreateSchema, DropSchema
from sqlmodel import Session

from offers.rehearsals import LONGEST
from offers.stages import copy_scenery
from outletbot.db import Database
from outletbot.schema import migrate

PREFIX = "rehearsal_"
STAMP = "%Y%m%d%H%M%S"
NAMED = re.compile(PREFIX + r"(\d{14})_[0-9a-f]{8}")
FORGOTTEN = 2 * LONGEST
ORIGINAL = "original"


@contextmanager
def copied(original: Database, retailer_id: str, *, now: datetime) -> Iterator[str]:
    """Yield the address of a copy that holds a retailer's scenery and nothing else."""
    name = f"{PREFIX}{now:{STAMP}}_{secrets.token_hex(4)}"
    on_file = original.engine.dialect.name == "sqlite"
    copying = _in_a_file if on_file else _in_a_schema
    with copying(original, retailer_id, name, now) as url:
        yield url


@contextmanager
def _in_a_file(
    original: Database, retailer_id: str, name: str, now: datetime
) -> Iterator[str]:
    home = Path(tempfile.gettempdir())
    for left in home.glob(f"{PREFIX}*"):
        if _is_forgotten(left.name, now):
            shutil.rmtree(left, ignore_errors=True)
    folder = home / name
    folder.mkdir(mode=0o700)
    try:
        path = folder / "outletbot.db"
        _fill_file(path, Path(original.engine.url.database or ""), retailer_id)
        yield f"sqlite:///{path}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill_file(path: Path, source: Path, retailer_id: str) -> None:
    _migrate(f"sqlite:///{path}")

    def attach() -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(path))}", uri=True)
        address = f"file:{quote(str(source.resolve()))}?mode=ro"
        connection.execute(f"ATTACH DATABASE ? AS {ORIGINAL}", (address,))
        return connection

    engine = create_engine("sqlite://", creator=attach)
    _fill(engine, retailer_id, ORIGINAL)


@contextmanager
def _in_a_schema(
    original: Database, retailer_id: str, name: str, now: datetime
) -> Iterator[str]:
    engine = original.engine
    inspector = inspect(engine)
    home = str(inspector.default_schema_name)
    for left in inspector.get_schema_names():
        if _is_forgotten(left, now):
            _drop(engine, left)
    with engine.begin() as connection:
        connection.execute(CreateSchema(name))
    try:
        url = _address(engine, name)
        _migrate(url)
        with closing(Database.connect(url)) as copy:
            snapshot = copy.engine.execution_options(isolation_level="REPEATABLE READ")
            _fill(snapshot, retailer_id, home)
        yield url
    finally:
        _drop(engine, name)


def _address(engine: Engine, schema: str) -> str:
    url = engine.url
    asked = url.query.get("options", ())
    options = [asked] if isinstance(asked, str) else list(asked)
    path = " ".join([*options, f"-csearch_path={schema}"])
    told = url.update_query_dict({"options": path})
    return told.render_as_string(hide_password=False)


def _drop(engine: Engine, schema: str) -> None:
    with engine.begin() as connection:
        connection.execute(DropSchema(schema, cascade=True, if_exists=True))


def _migrate(url: str) -> None:
    with closing(Database.connect(url)) as copy:
        migrate(copy.engine)


def _fill(engine: Engine, retailer_id: str, source: str) -> None:
    with Session(engine) as session, session.begin():
        copy_scenery(session, retailer_id, source=source)
    engine.dispose()


def _is_forgotten(name: str, now: datetime) -> bool:
    found = NAMED.fullmatch(name)
    if found is None:
        return False
    made = datetime.strptime(found[1], STAMP).replace(tzinfo=now.tzinfo)
    return now - made > FORGOTTEN
