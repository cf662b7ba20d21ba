"""
The commands that an installation is run with exist, explain themselves, and complain in
sentences.
"""

import socket
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from outletbot.cli import build
from outletbot.db import Database
from outletbot.revisions import is_current
from tests.outletbot.cli.conftest import outletbot

ROOT = Path(__file__).parents[3]
COMMANDS = {
    "add-retailer",
    "backup",
    "check",
    "demo",
    "import-feed",
    "invite",
    "migrate",
    "new-key",
    "rehearse",
    "restore",
    "sandbox",
    "serve",
    "web",
    "worker",
}


def commands() -> dict[str, object]:
    group = typer.main.get_command(build())
    return dict(group.commands)  # type: ignore[attr-defined]


class TestCommands:
    def test_are_these(self) -> None:
        assert set(commands()) == COMMANDS

    @pytest.mark.parametrize("name", sorted(COMMANDS))
    def test_explain_themselves(self, name) -> None:
        shown = CliRunner().invoke(build(), [name, "--help"])

        assert shown.exit_code == 0
        explained = " ".join(shown.stdout.split())
        help_text = str(getattr(commands()[name], "help", ""))
        assert help_text.split(".", maxsplit=1)[0][:40] in explained

    def test_are_listed(self) -> None:
        shown = CliRunner().invoke(build(), ["--help"])

        assert all(name in shown.stdout for name in COMMANDS)

    def test_of_the_procfile_exist(self) -> None:
        lines = (ROOT / "Procfile").read_text().splitlines()

        processes = dict(line.split(": ", 1) for line in lines)
        assert set(processes) == {"release", "web", "worker"}
        for command in processes.values():
            program, name = command.split()
            assert (program, name in COMMANDS) == ("outletbot", True)


class TestMigrate:
    def test_makes_what_is_missing_and_may_be_repeated(
        self, environment, tmp_path
    ) -> None:
        url = f"sqlite:///{tmp_path}/deep/down/new.db"

        done = [
            outletbot("migrate", env={"DATABASE_URL": url}, folder=tmp_path)
            for _ in range(2)
        ]

        assert [one.returncode for one in done] == [0, 0]
        database = Database.connect(url)
        assert is_current(database.engine)
        database.close()

    def test_says_that_a_database_does_not_answer(self, tmp_path) -> None:
        url = "postgresql://nobody@127.0.0.1:1/nothing"

        done = outletbot("migrate", env={"DATABASE_URL": url}, folder=tmp_path)

        assert done.returncode == 1
        assert done.stderr.startswith("The database says: ")
        assert "Traceback" not in done.stderr


class TestServe:
    @pytest.mark.parametrize("name", ["serve", "web", "worker"])
    def test_names_all_that_is_missing(self, tmp_path, name) -> None:
        done = outletbot(name, env={}, folder=tmp_path)

        assert done.returncode == 2
        for setting in ("SECRET_KEY", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET"):
            assert f"{setting} is not set" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_names_what_is_malformed(self, environment, tmp_path) -> None:
        wrong = {"PORT": "high", "PUBLIC_URL": "outlet.example", "DATABASE_URL": "x"}

        done = outletbot("serve", env={**environment, **wrong}, folder=tmp_path)

        assert done.returncode == 2
        for setting in wrong:
            assert f"{setting}: " in done.stderr
        assert "Traceback" not in done.stderr

    def test_names_a_key_that_is_none(self, environment, tmp_path) -> None:
        wrong = {**environment, "SECRET_KEY": "swordfish"}

        done = outletbot("serve", env=wrong, folder=tmp_path)

        assert done.returncode == 2
        assert "SECRET_KEY is no key" in done.stderr
        assert "swordfish" not in done.stderr

    def test_says_that_its_port_is_taken(self, environment, tmp_path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])

            done = outletbot(
                "serve", env={**environment, "PORT": port}, folder=tmp_path
            )

        assert done.returncode == 1
        assert "address already in use" in done.stderr
        assert "Traceback" not in done.stderr
