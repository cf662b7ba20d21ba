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
    "bad",
    "passed_over",
    "unknown",
    "missing",
    "remembered",
    "repeats",
    "questions",
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
        assert "does not exist" in " ".join(done.stderr.replace("│", "").split())

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


class TestWhatTheFileDoesNotSay:
    NET = "sku;title;Prix HT;quantity\nA1;Parka;50,00;3\nA2;Kettle;20,00;5\n"

    def test_stops_and_says_how_to_answer(self, type_in: Type, session, feed) -> None:
        feed.write_text(self.NET)

        done = type_in("import-feed", str(feed), "--retailer", "north")

        assert done.exit_code == 3
        assert "--tax-rate" in done.stderr
        assert "Nothing was imported." in done.stderr
        assert offers(session) == 0

    def test_is_answered_and_remembered(self, type_in: Type, session, feed) -> None:
        feed.write_text(self.NET)
        words = ("import-feed", str(feed), "--retailer", "north")

        assert type_in(*words, "--tax-rate", "20").exit_code == 0
        feed.write_text(f"{self.NET}A3;Lamp;10,00;1\n")
        again = type_in(*words)

        assert again.exit_code == 0
        assert "Read as overstock.csv was" in again.stderr
        session.rollback()
        prices = dict(session.exec(select(Offer.sku, Offer.price_amount)).all())
        assert prices == {"A1": 6_000, "A2": 2_400, "A3": 1_200}
        feed.write_text(f"{self.NET}A4;Lamp;10,00;1\n")
        assert type_in(*words, "--forget").exit_code == 3

    def test_may_be_what_the_columns_are(self, type_in: Type, session, feed) -> None:
        feed.write_text("code;what;amount\nA1;Parka;50,00\nA2;Kettle;20,00\n")
        words = ("import-feed", str(feed), "--retailer", "north")
        mapping = ("--map", "what=title", "--map", "amount=price")

        assert type_in(*words).exception is not None
        assert type_in(*words, *mapping).exit_code == 0
        assert offers(session) == 2

    @pytest.mark.parametrize(
        ("option", "value", "words"),
        [
            ("--map", "what=nothing", "nothing is no field"),
            ("--map", "what", "name=value"),
            ("--tax", "perhaps", "no answer to tax"),
            ("--tax-rate", "much", "no answer to tax-rate"),
            ("--encoding", "rot13", "none of these"),
            ("--delimiter", "x", "none of these"),
        ],
    )
    def test_cannot_be_just_anything(
        self, type_in: Type, feed, option, value, words
    ) -> None:
        done = type_in("import-feed", str(feed), "--retailer", "north", option, value)

        assert words in str(done.exception)


class TestWishes:
    TEN = "sku;title;price;quantity\n" + "".join(
        f"S{n};Thing;9,90;5\n" for n in range(10)
    )

    @pytest.fixture
    def words(self, type_in: Type, feed) -> tuple[str, ...]:
        feed.write_text(self.TEN)
        words = ("import-feed", str(feed), "--retailer", "north")
        assert type_in(*words).exit_code == 0
        return words

    def test_complete_empties_what_is_missing(
        self, type_in: Type, session, feed, words
    ) -> None:
        feed.write_text("".join(self.TEN.splitlines(keepends=True)[:-2]))

        assert type_in(*words, "--complete").exit_code == 0

        assert emptied(session) == {"S8", "S9"}

    def test_complete_needs_the_number_when_much_is_missing(
        self, type_in: Type, session, feed, words
    ) -> None:
        feed.write_text("".join(self.TEN.splitlines(keepends=True)[:4]))

        done = type_in(*words, "--complete")

        assert done.exit_code == 3
        assert "7 of your 10 offers are not in this file" in done.stderr
        assert "--agree 7" in done.stderr
        assert emptied(session) == set()
        assert type_in(*words, "--complete", "--agree", "7").exit_code == 0
        assert len(emptied(session)) == 7

    def test_all_or_nothing(self, type_in: Type, session, feed, words) -> None:
        feed.write_text(f"{self.TEN}X1;Lamp;9,90;1\nX2;Lamp;cheap;1\n")

        done = type_in(*words, "--all-or-nothing")

        assert done.exit_code == 3
        assert "Nothing was imported." in done.stderr
        assert offers(session) == 10

    def test_the_same_file_is_said_to_be_the_same(
        self, type_in: Type, session, words
    ) -> None:
        done = type_in(*words)

        assert "This file was imported last" in " ".join(done.stdout.split())
        assert len(session.exec(select(FeedImport)).all()) == 1
        assert "10 the same" in " ".join(type_in(*words, "--again").stdout.split())

    def test_the_bad_rows_go_to_a_file_that_can_be_sent_again(
        self, type_in: Type, session, feed, words, tmp_path
    ) -> None:
        feed.write_text(f"{self.TEN}X1;Lamp;cheap;1\n")
        bad = tmp_path / "bad.csv"

        assert type_in(*words, "--errors", str(bad)).exit_code == 0
        mended = bad.read_text("utf-8-sig")
        assert mended.startswith("sku;title;price;quantity;error")
        bad.write_text(mended.replace(";cheap;", ";4,90;"), "utf-8-sig")

        again = type_in("import-feed", str(bad), "--retailer", "north")
        assert "1 rows, 1 good, 1 new" in " ".join(again.stdout.split())

    def test_a_trial_tells_what_is_missing(self, type_in: Type, feed, words) -> None:
        feed.write_text("".join(self.TEN.splitlines(keepends=True)[:4]))

        done = type_in(*words, "--dry-run")

        assert "7 of 10 known offers are not in the file." in done.stdout


def emptied(session: Session) -> set[str]:
    session.rollback()
    return set(session.exec(select(Offer.sku).where(Offer.quantity == 0)))
