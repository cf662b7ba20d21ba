"""
A backup is one instant of the database, whole or not there at all; it is put back only
where nobody is at work, and what was there before is kept.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlmodel import Session, select

from offers.claims import place_holds
from offers.deals import Deal
from offers.holds import Hold
from outletbot.backups import Backup, BackupError, back_up, inspect, restore
from outletbot.db import Database
from outletbot.revisions import is_current, revisions
from tests.factories import NOON, make_claim, make_deal, make_retailer

HEAD = max(revisions())


@pytest.fixture
def file(database: Database) -> Path:
    return Path(str(database.engine.url.database))


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "monday.db"


def slugs(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT slug FROM retailer ORDER BY slug").fetchall()
    return [slug for (slug,) in rows]


@contextmanager
def claiming(database: Database, session: Session, deal: Deal) -> Iterator[list[str]]:
    """Shoppers claim one unit each, as fast as they can, while the block runs."""
    over, keys = threading.Event(), list[str]()
    claims = [make_claim(session, deal) for _ in range(2_000)]
    session.rollback()

    def claim() -> None:
        for one in claims:
            if over.is_set():
                return
            database.transact_here(place_holds, [one], now=NOON)
            keys.append(one.key)

    thread = threading.Thread(target=claim)
    thread.start()
    try:
        while len(keys) < 5:
            assert thread.is_alive()
        yield keys
    finally:
        over.set()
        thread.join()


class TestBackUp:
    def test_is_one_instant_while_shoppers_claim(
        self, database, session, file, backup
    ) -> None:
        deal = make_deal(session, allotment=2_000)
        session.add_all(make_retailer(session, f"r{n}") for n in range(20))

        with claiming(database, session, deal) as keys:
            before = set(keys)
            told: list[float] = []
            back_up(file, backup, on_progress=told.append)

        with closing(Database.connect(f"sqlite:///{backup}")) as copy:
            held = copy.read_here(Session.get_one, Deal, deal.id).held
            kept = copy.read_here(lambda s: {h.key for h in s.exec(select(Hold))})
        assert before <= kept
        assert held == len(kept)
        assert told[-1] == 1.0

    def test_tells_how_large_and_of_what_schema(self, file, backup) -> None:
        done = back_up(file, backup)

        assert done == Backup(backup, backup.stat().st_size, HEAD)
        assert inspect(backup) == done

    def test_is_one_file_that_only_its_owner_reads(self, file, backup) -> None:
        back_up(file, backup)

        assert [path.name for path in backup.parent.iterdir()] == ["monday.db"]
        assert backup.stat().st_mode & 0o777 == 0o600

    def test_replaces_nothing_unless_it_is_told_to(self, session, file, backup) -> None:
        back_up(file, backup)
        make_retailer(session, "south")

        with pytest.raises(BackupError, match="--force"):
            back_up(file, backup)
        before = slugs(backup)
        back_up(file, backup, force=True)

        assert before == []
        assert slugs(backup) == ["south"]

    def test_leaves_nothing_behind_that_is_not_whole(self, tmp_path, backup) -> None:
        damaged = tmp_path / "damaged.db"
        damaged.write_bytes(b"no database at all" * 100)

        with pytest.raises(sqlite3.DatabaseError):
            back_up(damaged, backup)

        assert list(backup.parent.iterdir()) == []

    def test_needs_a_database(self, tmp_path, backup) -> None:
        with pytest.raises(BackupError, match="no database"):
            back_up(tmp_path / "none.db", backup)


class TestInspect:
    def damage(self, path: Path) -> None:
        """Wipe a page in the middle."""
        content = bytearray(path.read_bytes())
        size = int.from_bytes(content[16:18])  # https://www.sqlite.org/fileformat.html
        middle = len(content) // 2 // size * size
        content[middle : middle + size] = bytes(size)
        path.write_bytes(content)

    def test_finds_a_damaged_page(self, file, backup) -> None:
        back_up(file, backup)
        self.damage(backup)

        with pytest.raises(BackupError, match=r"damaged|cannot be read"):
            inspect(backup)

    def test_finds_a_reference_to_nothing(self, session, file, backup) -> None:
        make_deal(session)
        back_up(file, backup)
        with closing(sqlite3.connect(backup)) as connection:
            connection.execute("DELETE FROM offer")
            connection.commit()

        with pytest.raises(BackupError, match="refers to none of offer"):
            inspect(backup)

    def test_refuses_what_is_no_database(self, tmp_path) -> None:
        (tmp_path / "notes.txt").write_text("Buy milk. " * 200)

        with pytest.raises(BackupError, match="cannot be read"):
            inspect(tmp_path / "notes.txt")
        with pytest.raises(BackupError, match="no file"):
            inspect(tmp_path / "nothing.db")

    def test_refuses_somebody_elses_database(self, tmp_path) -> None:
        path = tmp_path / "other.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE song (id INTEGER)")

        with pytest.raises(BackupError, match="no database of outletbot's"):
            inspect(path)

    def test_refuses_one_of_a_newer_version(self, file, backup) -> None:
        back_up(file, backup)
        with closing(sqlite3.connect(backup)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.commit()

        with pytest.raises(BackupError, match="newer outletbot: its schema is 9999"):
            inspect(backup)


class TestRestore:
    def test_brings_back_what_was_and_keeps_what_is(
        self, database, session, file, backup
    ) -> None:
        make_retailer(session, "monday")
        back_up(file, backup)
        make_retailer(session, "tuesday")
        session.close()
        database.close()

        told: list[float] = []
        done = restore(backup, file, now=NOON, on_progress=told.append)

        assert slugs(file) == ["monday"]
        assert done.backup.path == backup
        assert done.aside == file.with_name("test.db.before-restore-20260302T120000Z")
        assert slugs(done.aside) == ["monday", "tuesday"]
        assert told[-1] == 1.0

    def test_touches_nothing_while_a_process_has_it_open(
        self, database, session, file, backup
    ) -> None:
        back_up(file, backup)
        make_retailer(session, "tuesday")
        database.read_here(Session.connection)  # and stays connected

        with pytest.raises(BackupError, match="in use"):
            restore(backup, file, now=NOON)

        session.rollback()
        assert slugs(file) == ["tuesday"]
        make_retailer(session, "wednesday")
        assert not list(file.parent.glob("*.before-restore-*"))

    def test_fills_a_place_where_nothing_is_yet(self, file, backup, tmp_path) -> None:
        back_up(file, backup)
        new = tmp_path / "elsewhere" / "outletbot.db"

        done = restore(backup, new, now=NOON)

        assert done.aside is None
        with closing(Database.connect(f"sqlite:///{new}")) as database:
            assert is_current(database.engine)

    def test_brings_an_old_schema_up(self, tmp_path, backup) -> None:
        old = first_schema(tmp_path / "old.db")
        back_up(old, backup)
        new = tmp_path / "new.db"

        done = restore(backup, new, now=NOON)

        assert done.backup.revision == "0001"
        with closing(Database.connect(f"sqlite:///{new}")) as database:
            assert is_current(database.engine)

    def test_refuses_a_damaged_backup_before_it_touches_anything(
        self, database, session, file, backup
    ) -> None:
        make_retailer(session, "monday")
        back_up(file, backup)
        TestInspect().damage(backup)
        session.close()
        database.close()

        with pytest.raises(BackupError):
            restore(backup, file, now=NOON)

        assert slugs(file) == ["monday"]


def first_schema(path: Path) -> Path:
    """Make a database as version 0.1.0 left it."""
    from alembic import command  # noqa: PLC0415  (of this helper alone)

    from outletbot import schema  # noqa: PLC0415

    with closing(Database.connect(f"sqlite:///{path}")) as database:
        writing = database.engine.execution_options(writing=True)
        with writing.begin() as connection:
            command.upgrade(schema._config(connection), "0001")  # noqa: SLF001
    return path
