"""
``outletbot backup`` and ``restore`` say what they did, and what to do next.
"""

from pathlib import Path

from sqlmodel import Session

from offers.retailers import find_retailer_by_slug
from outletbot.revisions import revisions
from tests.factories import make_retailer
from tests.outletbot.cli.conftest import Type

POSTGRES = "postgresql://ana:s3cret@db.example/outlet"


def test_a_backup_is_put_back(
    type_in: Type, database, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "monday.db"
    make_retailer(session, "monday")

    made = type_in("backup", str(file))
    make_retailer(session, "tuesday")
    session.close()
    database.close()
    restored = type_in("restore", str(file))

    assert (made.exit_code, restored.exit_code) == (0, 0)
    assert f"{file}: " in made.stdout
    assert f" MB, at schema {max(revisions())}, checked." in made.stdout
    assert "before-restore-" in restored.stdout
    assert "SECRET_KEY" in restored.stdout
    with Session(database.engine) as fresh:
        assert find_retailer_by_slug(fresh, "monday") is not None
        assert find_retailer_by_slug(fresh, "tuesday") is None


def test_a_file_that_is_there_is_replaced_on_request(
    type_in: Type, tmp_path: Path
) -> None:
    file = tmp_path / "monday.db"
    file.write_text("precious")

    refused = type_in("backup", str(file))
    kept = file.read_text()
    made = type_in("backup", str(file), "--force")

    assert (refused.exit_code, kept) == (1, "precious")
    assert "--force" in refused.stderr
    assert made.exit_code == 0


def test_a_running_service_is_not_pulled_from_under(
    type_in: Type, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "monday.db"
    type_in("backup", str(file))
    session.connection()

    refused = type_in("restore", str(file))

    assert refused.exit_code == 1
    assert "Stop the service first." in refused.stderr


def test_postgresql_has_tools_of_its_own(type_in: Type) -> None:
    said = [
        type_in(command, "monday.dump", DATABASE_URL=POSTGRES)
        for command in ("backup", "restore")
    ]

    assert [one.exit_code for one in said] == [2, 2]
    assert "pg_dump --format=custom --file=monday.dump" in said[0].stderr
    assert "pg_restore" in said[1].stderr
    assert all("s3cret" not in one.output for one in said)
