"""
The rules of the house that no linter knows.
"""

import ast
import hashlib
import importlib
import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from sqlmodel import SQLModel
from typer.main import get_command

from outletbot import revisions, schema, tables
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.languages import FOLDER

BOTH_DATABASES = True

ROOT = Path(__file__).parents[1]
PACKAGES = ("offers", "webhooks", "outletbot")
SHARED_BY_ALL = {
    "retailer",
    "sign_in_attempt",
    "account_balance",
    "payment_pace",
    "reading",
    "worker_beat",
}
"""The tables that are nobody's in particular, or may be the whole house's."""

RELEASED: dict[str, str] = {
    "0001_the_first_schema.py": (
        "5c741c3a90ff4af7a3d99f47a2b5a61ecddf4e3f6676fa231194f1226f1bdedc"
    ),
}
"""What each released migration's file hashes to: it is never edited again."""

KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "Sentence": None,
    "trans": None,
}


def modules(package: str) -> Iterator[Path]:
    yield from sorted((ROOT / package).rglob("*.py"))


def test_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, schema.metadata())

    assert differences == []


def test_the_newest_revision_is_alembics_head() -> None:
    scripts = ScriptDirectory(str(revisions.MIGRATIONS))

    assert {s.revision for s in scripts.walk_revisions()} == revisions.revisions()
    assert scripts.get_current_head() == max(revisions.revisions())


def test_every_table_module_is_in_the_schema() -> None:
    known = {
        (ROOT / name.replace(".", "/")).with_suffix(".py") for name in tables.TABLES
    }
    holding_tables = re.compile(r"^class \w+\(SQLModel, table=True\):", re.MULTILINE)

    holding = {
        path.resolve()
        for package in PACKAGES
        for path in modules(package)
        if holding_tables.search(path.read_text())
    }

    assert holding == known


def test_every_row_belongs_to_a_retailer() -> None:
    nobodys = {
        table.name
        for table in SQLModel.metadata.sorted_tables
        if "retailer_id" not in table.columns
    }

    assert nobodys == SHARED_BY_ALL


class TestMigrations:
    def files(self) -> list[Path]:
        return sorted((schema.MIGRATIONS / "versions").glob("[0-9]*.py"))

    def test_are_numbered_once(self) -> None:
        numbers = [path.name[:4] for path in self.files()]

        assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]

    def test_follow_each_other(self) -> None:
        before = None
        for path in self.files():
            names = dict(re.findall(r'(?m)^(\w+) = "?(\w+)"?$', path.read_text()))
            assert names["revision"] == path.name[:4]
            assert names["down_revision"] == str(before)
            before = names["revision"]

    def test_are_not_edited_once_released(self) -> None:
        found = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.files()
            if path.name in RELEASED
        }

        assert found == RELEASED


class TestSettings:
    def test_are_those_of_the_readme(self) -> None:
        _, _, rest = (ROOT / "README.md").read_text().partition("\n## Settings\n")
        if not rest:
            pytest.skip('README.md has no section "## Settings" yet')
        section = rest.partition("\n## ")[0]

        told = set(re.findall(r"^\| *`([A-Z_]+)`", section, re.MULTILINE))

        assert told == {name.upper() for name in Settings.model_fields}


class TestProcfile:
    def commands(self) -> list[list[str]]:
        path = ROOT / "Procfile"
        if not path.exists():
            pytest.skip("there is no Procfile yet")
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        return [shlex.split(line.partition(":")[2]) for line in lines]

    def test_names_commands_that_there_are(self) -> None:
        wanted = [self.argument(command) for command in self.commands()]
        try:
            cli = importlib.import_module("outletbot.cli")
        except ModuleNotFoundError:
            pytest.skip("there is no outletbot.cli yet")

        assert set(wanted) <= set(getattr(get_command(cli.build()), "commands", {}))

    def argument(self, command: list[str]) -> str:
        """The word after ``outletbot`` or ``python -m outletbot``."""
        return command[command.index("outletbot") + 1]


def test_the_french_catalog_is_complete() -> None:
    path = FOLDER / "fr.po"
    if not path.exists():
        pytest.skip("locale/fr.po is not written yet")
    with path.open("rb") as text:
        catalog = read_po(text, locale="fr")
    said = {
        name
        for message in catalog
        for name in [message.id if isinstance(message.id, str) else message.id[0]]
        if message.string and all(message.string) and not message.fuzzy
    }

    assert sorted(sentences() - said) == []


def sentences() -> set[str]:
    """Everything that is said to people, in templates and in code."""
    found: set[str] = set()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix == ".py":
                found |= _extracted(path, "python")
            elif _is_page(path):
                found |= _extracted(path, "jinja2.ext:babel_extract")
    return found


def _is_page(path: Path) -> bool:
    """Whether it is a template; the sandbox's speak English alone."""
    markup = path.suffix in {".html", ".txt", ".xml"}
    return markup and "templates" in path.parts and "sandbox" not in path.parts


def _extracted(path: Path, method: str) -> set[str]:
    options = {"trimmed": "true", "silent": "false"} if "jinja2" in method else {}
    with path.open("rb") as text:
        messages = list(extract(method, text, keywords=KEYWORDS, options=options))
    ids = {
        message if isinstance(message, str) else message[0]
        for _, message, _, _ in messages
    }
    return {said for said in ids if said}


STATEMENTS = {"select", "update", "delete", "insert", "text", "func"}
ASKING = {"exec", "execute", "scalars", "scalar", "add", "add_all", "merge", "delete"}
THE_DATABASE = ("db.py", "revisions.py", "schema.py", "migrations/")


def test_the_service_asks_the_database_nothing_of_its_own() -> None:
    """Queries live with their tables; a lookup by id may stay where it is needed."""
    service = ROOT / "outletbot"
    others = [
        path
        for path in modules("outletbot")
        if not path.relative_to(service).as_posix().startswith(THE_DATABASE)
    ]

    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in others
        for line in queries(path.read_text())
    ]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "from sqlmodel import Session, select",
        "from sqlalchemy.dialects.postgresql import insert",
        "from sqlmodel import update as change",
        "import sqlmodel",
        "import sqlalchemy.sql as sql",
        "session.exec(statement)",
        "return self.session.add(row)",
    ],
)
def test_a_query_is_noticed(line: str) -> None:
    assert queries(f"from sqlmodel import Session\n{line}\n") == [2]


def queries(source: str) -> list[int]:
    """Return the lines that make a statement, or give one to a session."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if _makes_a_statement(node) or _asks(node)
    ]


def _makes_a_statement(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(_is_sql(alias.name) for alias in node.names)
    if isinstance(node, ast.ImportFrom) and _is_sql(node.module or ""):
        return any(alias.name in STATEMENTS for alias in node.names)
    return False


def _asks(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Attribute) and node.attr in ASKING):
        return False
    whom = node.value
    name = whom.id if isinstance(whom, ast.Name) else getattr(whom, "attr", "")
    return name.removeprefix("_") == "session"


def _is_sql(module: str) -> bool:
    return module.partition(".")[0] in {"sqlmodel", "sqlalchemy"}


def test_sentences_are_written_out_where_they_are_made() -> None:
    """What is composed at run time is in no catalog."""
    composed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in PACKAGES
        for path in modules(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Sentence"
        and node.args
        and isinstance(node.args[0], (ast.JoinedStr, ast.BinOp))
    ]

    assert composed == []


def test_every_dependency_at_run_time_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[~=<>]", name)[0] for name in project["dependencies"]}
    lines = (ROOT / "requirements.txt").read_text().splitlines()

    locked = {line.partition("==")[0].split("[")[0].strip() for line in lines}

    assert wanted <= locked


def test_nothing_names_this_machine() -> None:
    """A checkout works anywhere, so no path of the makers' machines is in it."""
    place = str(ROOT) + os.sep
    named = [
        str(path.relative_to(ROOT))
        for package in (*PACKAGES, "tests")
        for path in modules(package)
        if place in path.read_text()
    ]

    assert named == []
