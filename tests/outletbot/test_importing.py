"""
A feed is brought in batch by batch: every good row once, every bad one told, and
whoever is killed in between starts over without harm.
"""

import json
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from offers.bad_rows import BadRow
from offers.catalog import Offer
from offers.deciding import confirm_import, recheck_import
from offers.feed import NotAFeed, blocks, open_feed
from offers.imports import (
    FeedImport,
    ImportState,
    give_back_import,
)
from offers.pieces import FeedPiece
from offers.posts import Post
from offers.prices import PricePoint
from offers.sentences import load_sentence
from offers.undoing import Undone, begin_undo
from outletbot.db import Database
from outletbot.importing import bring_in, check_feed, import_file, work_on_import
from outletbot.importing.command import Wishes
from outletbot.importing.keeping import ProgressNoter
from tests.factories import NOON, make_deal, make_import, make_offer, north

BOTH_DATABASES = True

TODAY = date(2026, 3, 2)
HEADER = "sku,title,price,quantity"


def feed_of(*lines: str):
    content = "\n".join([HEADER, *lines]).encode()
    return open_feed(BytesIO(content), currency="eur", today=TODAY)


def many(count: int) -> list[str]:
    return [f"S{n},Thing {n},{n + 1}.50,{n % 7}" for n in range(count)]


def upload(session: Session, content: bytes, **facts: Any) -> FeedImport:
    """Make an upload that has arrived, in pieces of a few bytes."""
    feed = make_import(session, size=len(content), **facts)
    for number in range(0, len(content), 40):
        session.add(
            FeedPiece(
                import_id=feed.id,
                number=number // 40,
                retailer_id=feed.retailer_id,
                content=content[number : number + 40],
            )
        )
    session.commit()
    return feed


def count(session: Session, column: Any) -> int:
    session.rollback()
    return session.exec(select(func.count(col(column)))).one()


class TestCheckFeed:
    def test_says_what_would_happen_and_changes_nothing(self, database, session):
        make_offer(session, sku="S1", title="Thing 1", price_amount=250, quantity=5)
        make_offer(session, sku="S2", title="Thing 2", price_amount=350, quantity=2)

        report = check_feed(database, feed_of(*many(4)), north(session).id)

        assert (report.rows, report.good) == (4, 4)
        assert (report.new, report.changed, report.same) == (2, 1, 1)
        assert [(c.sku, c.field, c.before, c.after) for c in report.changes] == [
            ("S1", "quantity", 5, 1)
        ]
        assert count(session, Offer.id) == 2

    def test_tells_prices_with_their_currency(self, database, session):
        make_offer(session, sku="A", title="Ant", price_amount=100_050, quantity=1)

        report = check_feed(database, feed_of("A,Ant,900,1"), north(session).id)

        [change] = report.changes
        assert (change.before, change.after) == ("1,000.50 EUR", "900.00 EUR")

    def test_tells_texts_and_options_as_people_read_them(self, database, session):
        options = json.dumps([["Colour", "Blue"], ["Size", "M"]])
        make_offer(
            session, sku="A", title="Ant", description="x" * 500, options=options
        )
        lines = "sku,title,description,colour,price", f"A,Ant,{'y' * 500},Red,99"
        stream = BytesIO("\n".join(lines).encode())
        chosen = {"colour": "option"}
        feed = open_feed(stream, currency="eur", today=TODAY, mapping=chosen)

        report = check_feed(database, feed, north(session).id)

        changes = {change.field: change for change in report.changes}
        assert changes["options"].before == "Blue / M"
        assert changes["options"].after == "Red"
        assert changes["description"].after == "y" * 119 + "…"

    def test_counts_offers_that_would_lose_all_their_stock(self, database, session):
        make_offer(session, sku="A", title="Ant", quantity=3)
        make_offer(session, sku="B", title="Bee", quantity=0)

        feed = feed_of("A,Ant,99,0", "B,Bee,99,0")
        report = check_feed(database, feed, north(session).id)

        assert report.emptied == 1

    def test_tells_every_error_and_counts_a_row_once(self, database, session):
        told: list[int] = []
        feed = feed_of("A,Ant,x,y", "B,Bee,2,1", "B,Bee,2,1", "C,,3,1")

        report = check_feed(
            database,
            feed,
            north(session).id,
            on_errors=lambda errors: told.extend(e.line for e in errors),
        )

        assert told == [2, 2, 5]
        assert (report.rows, report.good, report.bad, report.passed) == (4, 1, 2, 1)
        assert report.wrong == 3
        assert [error.column for error in report.errors][-1] == "title"

    def test_tells_how_far_it_is(self, database, session, monkeypatch):
        monkeypatch.setattr(blocks, "BLOCK", 20_000)
        shares: list[float] = []

        check_feed(
            database,
            feed_of(*many(5_000)),
            north(session).id,
            on_progress=shares.append,
        )

        assert len(shares) > 4
        assert shares == sorted(shares)
        assert 0 < shares[0] < 1
        assert shares[-1] == 1.0

    def test_reports_to_programs_in_one_form(self, database, session):
        report = check_feed(database, feed_of("A,Ant,x,1"), north(session).id)

        told = json.loads(json.dumps(report.as_json()))

        assert list(told) == [
            *("dialect", "encoding", "delimiter"),
            *("rows", "good", "new", "changed", "same", "errors"),
            *(
                "bad",
                "passed_over",
                "unknown",
                "missing",
                "remembered",
                "repeats",
                "questions",
            ),
        ]
        [error] = told["errors"]
        assert list(error) == ["line", "column", "value", "message", "remedy"]
        assert (error["line"], error["column"], error["value"]) == (2, "price", "x")
        assert error["remedy"]


class TestBringIn:
    @pytest.mark.parametrize("size", [1, 7, 100, 1_000])
    def test_loses_no_row_at_the_edge_of_a_block(
        self, database, session, monkeypatch, size
    ):
        monkeypatch.setattr(blocks, "BLOCK", size)
        feed, retailer = feed_of(*many(100)), north(session)

        report = bring_in(database, feed, retailer.id, "feed_1", now=NOON)

        assert (report.good, report.new) == (100, 100)
        assert count(session, Offer.id) == 100

    def test_twice_equals_once(self, database, session):
        retailer = north(session)
        bring_in(database, feed_of(*many(20)), retailer.id, "feed_1", now=NOON)

        feed = feed_of(*many(20))
        report = bring_in(database, feed, retailer.id, "feed_2", now=NOON)

        assert (report.new, report.changed, report.same) == (0, 0, 20)
        assert count(session, PricePoint.id) == 20

    def test_brings_good_rows_in_although_others_are_bad(self, database, session):
        feed = feed_of("A,Ant,x,1", "B,Bee,2,1")

        report = bring_in(database, feed, north(session).id, "feed_1", now=NOON)

        assert (report.good, report.bad) == (1, 1)
        assert count(session, Offer.id) == 1

    def test_withholds_from_deals_what_the_stock_no_longer_has(self, database, session):
        offer = make_offer(session, sku="A", title="Ant", quantity=10)
        deal = make_deal(session, offer, allotment=8)

        feed = feed_of("A,Ant,99,3")
        bring_in(database, feed, offer.retailer_id, "feed_1", now=NOON)

        session.refresh(deal)
        assert deal.left == 3
        assert deal.sold_out_at is None

    def test_says_in_the_posts_that_nothing_is_left(self, database, session):
        offer = make_offer(session, sku="A", title="Ant", quantity=10)
        deal = make_deal(session, offer, allotment=8)

        feed = feed_of("A,Ant,99,0")
        bring_in(database, feed, offer.retailer_id, "feed_1", now=NOON)

        session.refresh(deal)
        [post] = session.exec(select(Post).where(Post.deal_id == deal.id)).all()
        assert deal.sold_out_at == NOON
        assert post.retire_at == NOON

    def test_gives_deals_their_units_back_when_stock_returns(self, database, session):
        offer = make_offer(session, sku="A", title="Ant", quantity=8)
        deal = make_deal(session, offer, allotment=8)
        for number, quantity in enumerate((0, 8)):
            feed = feed_of(f"A,Ant,99,{quantity}")
            bring_in(database, feed, offer.retailer_id, f"feed_{number}", now=NOON)

        session.refresh(deal)
        assert (deal.left, deal.sold_out_at) == (8, None)


class TestImportFile:
    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "stock.csv"
        path.write_text(f"{HEADER}\nA,Ant,1,1\nB,Bee,x,1")
        return path

    def test_enters_the_file_into_the_history(self, database, session, path):
        report = run(database, session, path)

        assert (report.new, report.bad) == (1, 1)
        [entry] = session.exec(select(FeedImport)).all()
        assert (entry.file_name, entry.state) == ("stock.csv", ImportState.IMPORTED)
        assert (entry.rows, entry.new, entry.bad) == (2, 1, 1)
        assert entry.imported_at == NOON
        [bad] = session.exec(select(BadRow)).all()
        assert (bad.import_id, bad.line, bad.column) == (entry.id, 3, "price")

    def test_leaves_no_trace_of_a_dry_run(self, database, session, path):
        report = run(database, session, path, wishes=Wishes(dry_run=True))

        assert report.new == 1
        assert count(session, Offer.id) == 0
        assert count(session, FeedImport.id) == 0

    def test_says_so_if_it_was_killed(self, database, session, path):
        def die(_share: float) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(database, session, path, on_progress=die)

        [entry] = session.exec(select(FeedImport)).all()
        assert entry.state is ImportState.REFUSED
        assert "interrupted" in str(load_sentence(entry.refusal))

    def test_refuses_what_is_no_feed(self, database, session, tmp_path):
        path = tmp_path / "notes.csv"
        path.write_text("Dear all,\nhello\n")

        with pytest.raises(NotAFeed):
            run(database, session, path)

        assert count(session, FeedImport.id) == 0


def run(database: Database, session: Session, path, **more: Any):
    retailer = north(session)
    return import_file(
        database, path, retailer, currency="eur", today=TODAY, now=NOON, **more
    )


class TestWorkOnImport:
    CONTENT = f"{HEADER}\nA,Ant,1,1\nB,Bee,x,1\nA,Ant,1,1".encode()

    def test_has_nothing_to_do_while_nothing_waits(self, database):
        assert work_on_import(database, now=NOON) is False

    def test_checks_what_was_uploaded_and_waits_for_a_person(self, database, session):
        feed = upload(session, self.CONTENT)

        assert work_on_import(database, now=NOON) is True

        session.refresh(feed)
        assert feed.state is ImportState.CHECKED
        assert (feed.rows, feed.good, feed.bad, feed.skipped) == (3, 1, 1, 1)
        facts = json.loads(feed.facts)
        assert (facts["encoding"], facts["delimiter"]) == ("utf-8", ",")
        assert [c["field"] for c in facts["columns"]] == [
            *("sku", "title", "price", "quantity")
        ]
        assert facts["preview"][0] == ["A", "Ant", "1", "1"]
        assert facts["skipped"][0][0] == 4
        assert count(session, Offer.id) == 0
        assert work_on_import(database, now=NOON) is False

    def test_keeps_bad_rows_of_a_file_with_zero_bytes(self, database, session):
        content = f"{HEADER}\nA,Ant,1.00,2\nB,B\x00ee,1.00,2\nC,Cat,x,2\n"
        feed = upload(session, content.encode(), sha256="x")

        work_on_import(database, now=NOON)

        session.refresh(feed)
        assert (feed.state, feed.good, feed.bad) == (ImportState.CHECKED, 1, 2)
        assert feed.head.startswith(HEADER)

    def test_imports_what_was_confirmed_and_forgets_the_file(self, database, session):
        feed = upload(session, self.CONTENT)
        work_on_import(database, now=NOON)
        database.transact_here(confirm_import, feed.retailer_id, feed.id)

        assert work_on_import(database, now=NOON) is True

        session.refresh(feed)
        assert (feed.state, feed.new) == (ImportState.IMPORTED, 1)
        assert count(session, Offer.id) == 1
        assert count(session, FeedPiece.number) == 0
        assert count(session, BadRow.id) == 1

    def test_refuses_what_is_no_feed_with_its_reason(self, database, session):
        feed = upload(session, b"\x89PNG\r\n\x1a\n" + bytes(100))

        work_on_import(database, now=NOON)

        session.refresh(feed)
        assert feed.state is ImportState.REFUSED
        assert "PNG" in str(load_sentence(feed.refusal))

    def test_does_not_take_half_a_file(self, database, session):
        until = NOON + timedelta(hours=1)
        feed = upload(session, self.CONTENT[:50], sha256="", leased_until=until)

        assert work_on_import(database, now=NOON) is False
        assert work_on_import(database, now=until) is True

        session.refresh(feed)
        assert feed.state is ImportState.REFUSED
        assert "interrupted" in str(load_sentence(feed.refusal))

    def test_leaves_a_file_to_the_next_when_it_is_to_stop(self, database, session):
        feed = upload(session, self.CONTENT)

        assert work_on_import(database, now=NOON, stopping=lambda: True) is True
        session.refresh(feed)
        stopped_as = feed.state
        session.rollback()
        assert work_on_import(database, now=NOON) is True

        session.refresh(feed)
        assert stopped_as is ImportState.UPLOADED
        assert feed.state is ImportState.CHECKED
        assert count(session, BadRow.id) == 1

    def test_starts_over_what_a_killed_one_left(self, database, session):
        feed = upload(session, self.CONTENT)
        with pytest.raises(Killed):
            work_on_import(Meddled(database, "_finish_check", kill), now=NOON)
        assert count(session, BadRow.id) == 1

        assert work_on_import(database, now=NOON) is False
        assert work_on_import(database, now=NOON + timedelta(minutes=2)) is True

        session.rollback()
        session.refresh(feed)
        assert feed.state is ImportState.CHECKED
        assert count(session, BadRow.id) == 1

    def test_counts_what_was_done_before_it_was_to_stop(self, database, session):
        feed = upload(session, f"{HEADER}\nA,Ant,1,1\n".encode())
        work_on_import(database, now=NOON)
        database.transact_here(confirm_import, feed.retailer_id, feed.id)
        with pytest.raises(Killed):
            work_on_import(Meddled(database, "_finish_import", kill), now=NOON)
        database.transact_here(give_back_import, feed.id)

        assert work_on_import(database, now=NOON) is True

        session.rollback()
        session.refresh(feed)
        assert (feed.state, feed.new, feed.same) == (ImportState.IMPORTED, 1, 0)

    def test_counts_what_all_attempts_at_an_import_did(self, database, session):
        make_offer(session, sku="B", title="Old", price_amount=100)
        feed = upload(session, f"{HEADER}\nA,Ant,1,1\nB,Bee,2,1\n".encode())
        work_on_import(database, now=NOON)
        database.transact_here(confirm_import, feed.retailer_id, feed.id)
        with pytest.raises(Killed):
            work_on_import(Meddled(database, "_finish_import", kill), now=NOON)
        assert work_on_import(database, now=NOON) is False

        assert work_on_import(database, now=NOON + timedelta(minutes=2)) is True

        session.rollback()
        session.refresh(feed)
        assert feed.state is ImportState.IMPORTED
        assert (feed.new, feed.changed, feed.same, feed.attempts) == (1, 1, 0, 0)
        assert count(session, Offer.id) == 2

    def test_gives_up_a_file_that_nobody_gets_through(self, database, session):
        feed = upload(session, self.CONTENT, attempts=5)

        work_on_import(database, now=NOON)

        session.rollback()
        session.refresh(feed)
        assert feed.state is ImportState.REFUSED
        assert "was interrupted 5 times" in str(load_sentence(feed.refusal))

    def test_goes_on_with_an_undo_where_it_was_killed(self, database, session):
        feed = upload(session, f"{HEADER}\nA,Ant,1,1\nB,Bee,2,1\n".encode())
        work_on_import(database, now=NOON)
        database.transact_here(confirm_import, feed.retailer_id, feed.id)
        work_on_import(database, now=NOON)
        mine = (feed.retailer_id, feed.id)
        database.transact_here(begin_undo, *mine, by=None, now=NOON)
        with pytest.raises(Killed):
            work_on_import(Meddled(database, "finish_undo", kill), now=NOON)

        work_on_import(database, now=NOON + timedelta(minutes=2))

        session.rollback()
        session.refresh(feed)
        assert feed.state is ImportState.UNDONE
        assert Undone.load(feed.undone).removed == 2
        assert count(session, Offer.id) == 0

    def test_gives_way_to_a_wish_that_comes_meanwhile(self, database, session):
        feed = upload(session, self.CONTENT)
        wish = {"encoding": "cp1252"}

        def recheck() -> None:
            database.transact_here(recheck_import, feed.retailer_id, feed.id, wish)

        work_on_import(Meddled(database, "compare_facts", recheck), now=NOON)
        session.refresh(feed)
        assert feed.state is ImportState.UPLOADED

        work_on_import(database, now=NOON)
        session.rollback()
        session.refresh(feed)
        assert feed.state is ImportState.CHECKED
        assert json.loads(feed.facts)["encoding"] == "cp1252"

    def test_reads_the_file_as_a_person_chose(self, database, session):
        content = "code;what;costs\nA;Crème;1,50\n".encode("cp850")
        chosen = {
            "encoding": "cp850",
            "delimiter": ";",
            "mapping": {"code": "sku", "what": "title", "costs": "price"},
        }
        feed = upload(session, content, overrides=json.dumps(chosen))
        work_on_import(database, now=NOON)
        database.transact_here(confirm_import, feed.retailer_id, feed.id)

        work_on_import(database, now=NOON)

        [offer] = session.exec(select(Offer)).all()
        assert (offer.sku, offer.title, offer.price_amount) == ("A", "Crème", 150)


def test_notes_progress_and_keeps_the_lease(database, session):
    feed = make_import(session, leased_until=NOON)
    noter = ProgressNoter(database, feed.id, NOON, every=0)

    noter.note(0.42)

    session.refresh(feed)
    assert feed.progress == 42
    assert feed.leased_until is not None
    assert feed.leased_until >= NOON + timedelta(minutes=2)


def test_notes_progress_no_more_than_is_looked_at(database, session):
    feed = make_import(session)
    noter = ProgressNoter(database, feed.id, NOON, every=60)

    noter.note(0.42)

    session.refresh(feed)
    assert feed.progress == 0


class Killed(Exception):
    """The process ended here."""


def kill() -> None:
    raise Killed


class Meddled(Database):
    """Does as the real one, and something happens *before* a certain work."""

    def __init__(self, real: Database, before: str, event: Callable[[], None]) -> None:
        self._real, self._before, self._event = real, before, event
        self.engine = real.engine

    def transact_here(self, work: Any, *args: Any, **more: Any) -> Any:
        self._meddle(work)
        return self._real.transact_here(work, *args, **more)

    def read_here(self, work: Any, *args: Any, **more: Any) -> Any:
        self._meddle(work)
        return self._real.read_here(work, *args, **more)

    def _meddle(self, work: Any) -> None:
        if work.__name__ == self._before:
            self._event()
