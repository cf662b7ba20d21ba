"""
``outletbot import-feed``: goods in by the terminal, told to people or to a program.
"""

import json
from pathlib import Path

import pytest
from sqlmodel import Session, func, select

from offers.catalog import Offer
from offers.imports import FeedImport, ImportState
from tests.factories import make_offer, make_retailer
from tests.outletbot.cli.conftest import Type, outletbot

KEYS = [
    "dialect",
    "encoding",
    "delimiter",
    "rows",
    "good",
    "new",
    "changed",
    "same",
    "errors",
]
FEED = "sku;title;price;quantity\nA1;Parka;49,90;3\nA2;Kettle [bold]red[/];19,90;5\n"
BAD = FEED + "A3;Lamp;cheap;1\n"


@pytest.fixture(autouse=True)
def north(session: Session) -> str:
    return make_retailer(session, "north").id


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "overstock.csv"
    path.write_text(FEED)
    return path


def offers(session: Session) -> int:
    session.rollback()
    return session.exec(select(func.count()).select_from(Offer)).one()


class TestPeople:
    def test_are_told_what_happened(self, type_in: Type, session, feed) -> None:
        done = type_in("import-feed", str(feed), "--retailer", "north")

        assert done.exit_code == 0
        words = " ".join(done.stdout.split())
        assert "2 rows, 2 good, 2 new, 0 changed, 0 the same." in words
        assert offers(session) == 2
        (entry,) = session.exec(select(FeedImport)).all()
        assert entry.state is ImportState.IMPORTED

    def test_may_do_it_twice(self, type_in: Type, session, feed) -> None:
        type_in("import-feed", str(feed), "--retailer", "north")

        again = type_in("import-feed", str(feed), "--retailer", "north")

        assert "0 new, 0 changed, 2 the same." in " ".join(again.stdout.split())
        assert offers(session) == 2

    def test_are_shown_what_to_mend(self, type_in: Type, session, feed) -> None:
        feed.write_text(BAD)

        done = type_in("import-feed", str(feed), "--retailer", "north")

        assert done.exit_code == 0
        assert "cheap" in done.stdout
        assert "1 cells to mend in 1 rows." in done.stdout
        assert offers(session) == 2

    def test_are_shown_values_as_they_are(self, type_in: Type, feed) -> None:
        """A cell that looks like the terminal's own markup is a cell."""
        feed.write_text("sku;title;price;quantity\nA1;x;[red]1[/red];1\n")

        done = type_in("import-feed", str(feed), "--retailer", "north")

        assert "[red]1[/red]" in done.stdout

    def test_may_ask_what_would_happen(self, type_in: Type, session, feed) -> None:
        done = type_in("import-feed", str(feed), "--retailer", "north", "--dry-run")

        assert "would be 2 new" in " ".join(done.stdout.split())
        assert offers(session) == 0
        assert session.exec(select(FeedImport)).all() == []


class TestPrograms:
    def test_get_json_and_nothing_else(self, type_in: Type, feed) -> None:
        feed.write_text(BAD)

        done = type_in("import-feed", str(feed), "--retailer", "north", "--json")

        told = json.loads(done.stdout)
        assert list(told) == KEYS
        assert (told["rows"], told["good"], told["new"]) == (3, 2, 2)
        assert told["delimiter"] == ";"
        (error,) = told["errors"]
        assert list(error) == ["line", "column", "value", "message", "remedy"]
        assert (error["line"], error["column"], error["value"]) == (4, "price", "cheap")
        assert error["message"]
        assert error["remedy"]

    def test_get_it_of_a_trial_too(self, type_in: Type, session, feed) -> None:
        done = type_in(
            "import-feed", str(feed), "--retailer", "north", "--json", "--dry-run"
        )

        assert json.loads(done.stdout)["new"] == 2
        assert offers(session) == 0


class TestCurrency:
    def test_is_the_retailers(self, type_in: Type, session, feed) -> None:
        type_in("import-feed", str(feed), "--retailer", "north")

        session.rollback()
        assert set(session.exec(select(Offer.currency))) == {"eur"}

    @pytest.mark.parametrize("currency", ["GBP", "gbp"])
    def test_may_be_another(self, type_in: Type, session, feed, currency) -> None:
        type_in("import-feed", str(feed), "--retailer", "north", "--currency", currency)

        session.rollback()
        assert set(session.exec(select(Offer.currency))) == {"gbp"}

    def test_must_be_one(self, type_in: Type, session, feed) -> None:
        done = type_in(
            "import-feed", str(feed), "--retailer", "north", "--currency", "EURO"
        )

        assert "EURO is no currency" in str(done.exception)
        assert offers(session) == 0


def test_goods_of_one_retailer_are_not_anothers(type_in: Type, session, feed) -> None:
    south = make_retailer(session, "south")
    make_offer(session, sku="A1", title="Old", retailer_id=south.id)
    session.rollback()

    type_in("import-feed", str(feed), "--retailer", "north")

    session.rollback()
    titles = session.exec(select(Offer.title).where(Offer.retailer_id == south.id))
    assert list(titles) == ["Old"]


class TestRefusal:
    def test_of_a_file_that_is_not_there(self, type_in: Type, tmp_path) -> None:
        done = type_in("import-feed", str(tmp_path / "no.csv"), "--retailer", "north")

        assert done.exit_code == 2
        assert "does not exist" in " ".join(done.stderr.split())

    @pytest.mark.parametrize(
        ("name", "words", "code"),
        [
            ("nowhere", "There is no retailer nowhere.", 1),
            ("", "There is no retailer .", 1),
        ],
    )
    def test_of_a_retailer_that_is_not_there(
        self, environment, database, tmp_path, feed, name, words, code
    ) -> None:
        done = outletbot(
            "import-feed",
            str(feed),
            "--retailer",
            name,
            "--json",
            env=environment,
            folder=tmp_path,
        )

        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.strip() == words
        assert database.engine.url.database in environment["DATABASE_URL"]

    def test_of_what_is_no_feed(self, environment, database, tmp_path) -> None:
        picture = tmp_path / "renamed.csv"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))

        done = outletbot(
            "import-feed",
            str(picture),
            "--retailer",
            "north",
            env=environment,
            folder=tmp_path,
        )

        assert (done.returncode, done.stdout) == (1, "")
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert database.engine.url.database in environment["DATABASE_URL"]

    def test_before_it_is_migrated(self, environment, tmp_path, feed) -> None:
        done = outletbot(
            "import-feed",
            str(feed),
            "--retailer",
            "north",
            env={**environment, "DATABASE_URL": f"sqlite:///{tmp_path}/new.db"},
            folder=tmp_path,
        )

        assert done.returncode == 2
        assert "outletbot migrate" in done.stderr
