"""
Feeds come from an address or a folder, are imported by themselves if they are like
those before, and stop before a person if not; no stock is emptied by half a file.
"""

import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlmodel import Session, select

from offers.catalog import Offer
from offers.deciding import confirm_import, discard_import, recheck_import
from offers.imports import FeedImport, ImportState
from offers.sentences import load_sentence
from offers.sources import FeedSource, Halt, SourceKind
from outletbot.db import Database
from outletbot.fetching import Fetcher
from outletbot.importing import work_on_import
from outletbot.jobs.gathering import Gatherer, judge_feeds
from outletbot.outside import guarded_session
from outletbot.sealing import Seal
from tests.factories import HOUR, MINUTE, NOON, SECOND, make_source
from tests.offers.feed.test_workbooks import HEADER, xlsx

BOTH_DATABASES = True

MOST = 64 * 1024


def feed_of(stock: dict[str, int], header: str = "sku,title,price,quantity") -> bytes:
    rows = [f"{sku},Parka {sku},99.00,{units}" for sku, units in stock.items()]
    return "\n".join([header, *rows, ""]).encode()


TEN = {f"A-{n}": 5 for n in range(10)}


@dataclass
class Shop:
    url: str = ""
    content: bytes = field(default_factory=lambda: feed_of(TEN))
    etag: str = ""
    status: int = 200
    asked: int = 0

    async def give(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.etag and request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304)
        headers = {"ETag": self.etag} if self.etag else {}
        return web.Response(body=self.content, status=self.status, headers=headers)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop, app = Shop(), web.Application()
    app.router.add_get("/feed.csv", shop.give)
    async with TestServer(app, host="127.0.0.1") as server:
        shop.url = str(server.make_url("/feed.csv"))
        yield shop


@dataclass
class Worker:
    """Does all that is due at a moment, as the jobs of a worker would."""

    database: Database
    session: Session
    gatherer: Callable[[datetime], Gatherer]
    at: datetime = NOON

    async def work(self, later=0 * SECOND) -> None:
        self.at += later
        self.session.rollback()
        gatherer = self.gatherer(self.at)
        while await gatherer.gather_due():
            pass
        while True:
            read = work_on_import(self.database, now=self.at)
            judged = await judge_feeds(self.database, lambda: self.at)
            if not read and not judged:
                break
        self.session.rollback()
        self.session.expire_all()

    def stock(self) -> dict[str, int | None]:
        offers = self.session.exec(select(Offer).order_by(Offer.sku)).all()
        return {offer.sku: offer.quantity for offer in offers}

    def imports(self) -> list[str]:
        made = self.session.exec(select(FeedImport).order_by(FeedImport.id)).all()
        return [entry.state.value for entry in made]

    def confirm(self, source: FeedSource) -> None:
        """Let a person look, and agree."""
        self.session.refresh(source)
        entry = self.session.get_one(FeedImport, source.import_id)
        facts = json.loads(entry.facts)
        confirm_import(
            self.session, source.retailer_id, entry.id, agreed=facts.get("emptied")
        )
        self.session.commit()


@pytest.fixture
async def worker(
    database: Database, session: Session, seal: Seal, tmp_path: Path
) -> AsyncIterator[Worker]:
    async with guarded_session(allow_private=True) as http:

        def gatherer(now: datetime) -> Gatherer:
            fetcher = Fetcher(http, seal, most=MOST, plain=True)
            base = tmp_path / "feeds"
            return Gatherer(database, fetcher, lambda: now, base=base, most=MOST)

        yield Worker(database, session, gatherer)


@pytest.fixture
def source(session: Session, shop: Shop) -> FeedSource:
    return make_source(session, url=shop.url)


@pytest.fixture
async def trusted(worker: Worker, source: FeedSource) -> FeedSource:
    """A source whose first file a person has let in."""
    await worker.work()
    worker.confirm(source)
    await worker.work(MINUTE)
    worker.session.refresh(source)
    assert (source.halt, source.rows) == (Halt.NONE, 10)
    return source


def reason(source: FeedSource) -> str:
    return str(load_sentence(source.halt_reason or source.result))


class TestAddress:
    async def test_waits_with_its_first_file(self, worker, source):
        await worker.work()

        assert worker.imports() == ["checked"]
        assert source.halt is Halt.FIRST
        assert worker.stock() == {}

    async def test_brings_the_next_by_itself(self, worker, trusted, shop):
        shop.content = feed_of({**TEN, "A-0": 1})

        await worker.work(HOUR)

        assert worker.imports() == ["imported", "imported"]
        assert worker.stock() == {**TEN, "A-0": 1}
        assert reason(trusted) == "0 new, 1 changed, 9 the same, 0 bad rows."

    async def test_is_asked_for_nothing_that_it_gave_before(self, worker, source, shop):
        shop.etag = '"v1"'
        await worker.work()
        worker.confirm(source)
        await worker.work(MINUTE)

        await worker.work(HOUR)

        assert worker.imports() == ["imported"]
        assert reason(source) == "Nothing new."

    async def test_brings_the_same_file_once_even_without_etag(
        self, worker, trusted, shop
    ):
        for _ in range(3):
            await worker.work(HOUR)

        assert shop.asked > 3
        assert worker.imports() == ["imported"]

    async def test_that_shrank_halts_and_empties_nothing(self, worker, trusted, shop):
        shop.content = feed_of({"A-0": 5})

        await worker.work(HOUR)

        assert worker.imports() == ["imported", "checked"]
        assert trusted.halt is Halt.DOUBT
        assert reason(trusted) == "It has 1 rows, and the file before had 10."
        assert worker.stock() == TEN

    async def test_that_empties_the_shelves_halts(self, worker, trusted, shop):
        shop.content = feed_of(dict.fromkeys(TEN, 0))

        await worker.work(HOUR)

        assert trusted.halt is Halt.DOUBT
        assert worker.stock() == TEN

    async def test_that_has_other_columns_halts(self, worker, trusted, shop):
        shop.content = feed_of(TEN, "sku,title,price,weight")

        await worker.work(HOUR)

        assert reason(trusted).startswith("Its columns are not those")
        assert worker.stock() == TEN

    async def test_is_asked_nothing_while_it_halts_and_goes_on_then(
        self, worker, trusted, shop
    ):
        shop.content = feed_of({"A-0": 4})
        await worker.work(HOUR)
        asked = shop.asked
        await worker.work(HOUR)
        assert shop.asked == asked

        worker.confirm(trusted)
        await worker.work(MINUTE)

        worker.session.refresh(trusted)
        assert (trusted.halt, trusted.rows) == (Halt.NONE, 1)
        assert worker.stock() == {**TEN, "A-0": 4}

    async def test_that_answers_with_a_page_fails_and_is_tried_again(
        self, worker, trusted, shop
    ):
        shop.content = b"<html><body>We are being serviced</body></html>"
        await worker.work(HOUR)
        assert reason(trusted).startswith("This is a web page")
        assert trusted.failing_since is not None

        shop.content = feed_of({**TEN, "A-0": 1})
        await worker.work(HOUR)

        assert trusted.failing_since is None
        assert worker.stock()["A-0"] == 1

    async def test_that_fails_is_put_off(self, worker, source, shop):
        shop.status = 500

        await worker.work()

        assert reason(source) == "The server answered 500."
        assert source.due_at == NOON + 5 * MINUTE
        assert worker.imports() == []

    async def test_may_give_a_workbook(self, worker, source, shop):
        shop.content = xlsx(HEADER, ("A-1", "Parka", 99.0, 3))

        await worker.work()
        worker.confirm(source)
        await worker.work(MINUTE)

        assert worker.stock() == {"A-1": 3}

    async def test_of_one_retailer_keeps_no_other_waiting(
        self, worker, session, source, shop
    ):
        make_source(session, url="http://127.0.0.1:1/nobody", due_at=NOON - HOUR)

        await worker.work()

        assert worker.imports() == ["checked"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "feeds" / "north"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def watched(session: Session) -> FeedSource:
    return make_source(session, kind=SourceKind.FOLDER, name="", url="")


def names(folder: Path) -> list[str]:
    """Return what lies where, without the ids of imports."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(
        str(path.relative_to(folder).parent / path.name.rpartition("-")[2])
        for path in files
    )


class TestFolder:
    async def test_gives_its_files_and_gets_them_back(self, worker, watched, folder):
        (folder / "stock.csv").write_bytes(feed_of(TEN))
        await worker.work()
        assert names(folder) == ["stock.csv"]  # it may still be growing

        await worker.work(MINUTE)
        assert names(folder) == ["working/stock.csv"]

        worker.confirm(watched)
        await worker.work(MINUTE)
        await worker.work(MINUTE)
        assert names(folder) == ["done/stock.csv"]
        assert worker.stock() == TEN

    async def test_is_left_alone_while_somebody_writes(self, worker, watched, folder):
        file = folder / "stock.csv"
        for size in (1, 5, 9):
            file.write_bytes(feed_of(TEN)[: 20 * size])
            await worker.work(MINUTE)

        assert names(folder) == ["stock.csv"]
        assert worker.imports() == []

    @pytest.mark.parametrize(
        "name", ["stock.csv.part", "stock.csv.tmp", "stock.csv~", ".stock.csv"]
    )
    async def test_knows_what_is_not_finished_by_its_name(
        self, worker, watched, folder, name
    ):
        (folder / name).write_bytes(feed_of(TEN))

        for _ in range(3):
            await worker.work(MINUTE)

        assert names(folder) == [name]

    async def test_says_beside_a_file_why_it_was_refused(self, worker, watched, folder):
        (folder / "letter.pdf").write_bytes(b"%PDF-1.7 no feed")

        for _ in range(4):
            await worker.work(MINUTE)

        assert names(folder) == ["refused/letter.pdf", "refused/letter.pdf.txt"]
        (told,) = folder.glob("refused/*.txt")
        assert "a PDF document" in told.read_text()

    async def test_refuses_what_is_too_large(self, worker, watched, folder):
        (folder / "huge.csv").write_bytes(b"x" * (MOST + 1))

        for _ in range(2):
            await worker.work(MINUTE)

        assert names(folder) == ["refused/huge.csv", "refused/huge.csv.txt"]

    async def test_puts_away_what_a_person_discards(self, worker, watched, folder):
        (folder / "stock.csv").write_bytes(feed_of(TEN))
        for _ in range(2):
            await worker.work(MINUTE)
        worker.session.refresh(watched)
        discard_import(worker.session, watched.retailer_id, watched.import_id)
        worker.session.commit()

        await worker.work(MINUTE)

        assert names(folder) == ["refused/stock.csv", "refused/stock.csv.txt"]

    @pytest.mark.parametrize(
        "name", [b"caf\xe9.csv", b"n" * 250 + b".csv", b"a\nb.csv"]
    )
    async def test_may_hold_files_of_any_name(self, worker, watched, folder, name):
        (folder / os.fsdecode(name)).write_bytes(feed_of(TEN))
        for _ in range(2):
            await worker.work(MINUTE)
        worker.confirm(watched)

        for _ in range(2):
            await worker.work(MINUTE)

        (done,) = folder.glob("done/*")
        assert os.fsencode(done).endswith(name[-200:])
        assert worker.stock() == TEN

    async def test_gives_what_it_can_beside_what_it_cannot(
        self, worker, watched, folder
    ):
        (folder / "a.csv").write_bytes(b"x" * (MOST + 1))
        (folder / "b.csv").write_bytes(feed_of(TEN))
        in_the_way = f"{NOON + 2 * MINUTE:%Y%m%dT%H%M%S}-a.csv"
        (folder / "refused" / in_the_way).mkdir(parents=True)

        for _ in range(2):
            await worker.work(MINUTE)

        assert "working/b.csv" in names(folder)
        assert watched.failing_since == worker.at

    async def test_that_can_be_read_again_fails_no_more(self, worker, watched, folder):
        folder.rmdir()
        folder.write_bytes(b"")  # no folder
        await worker.work(MINUTE)
        worker.session.refresh(watched)
        assert watched.failing_since == worker.at

        folder.unlink()
        await worker.work(HOUR)

        worker.session.refresh(watched)
        assert (watched.failing_since, watched.failures) == (None, 0)

    async def test_follows_no_links(self, worker, watched, folder, tmp_path):
        secret = tmp_path / "secret.csv"
        secret.write_bytes(feed_of(TEN))
        (folder / "stock.csv").symlink_to(secret)

        for _ in range(3):
            await worker.work(MINUTE)

        assert worker.imports() == []
        assert secret.exists()

    async def test_is_that_of_its_retailer(self, worker, watched, folder):
        other = folder.parent / "south"
        other.mkdir()
        (other / "stock.csv").write_bytes(feed_of(TEN))

        for _ in range(3):
            await worker.work(MINUTE)

        assert worker.imports() == []


async def test_without_a_base_no_folder_is_watched(database, session, seal):
    source = make_source(session, kind=SourceKind.FOLDER)
    async with guarded_session(allow_private=True) as http:
        fetcher = Fetcher(http, seal, most=MOST)
        gatherer = Gatherer(database, fetcher, lambda: NOON, base=None, most=MOST)
        await gatherer.gather_due()

    session.refresh(source)
    assert reason(source) == "This installation watches no folders."


def test_states_are_those_of_imports() -> None:
    """What is not decided stays in working/; a new state has to be thought of."""
    assert {state.value for state in ImportState} == {
        "uploaded",
        "checked",
        "confirmed",
        "imported",
        "refused",
        "discarded",
        "repeated",
        "undoing",
        "undone",
    }


class TestQuestions:
    """What was answered once for a source is not asked of each of its files."""

    def odd(self, price: str) -> bytes:
        """A point before three digits: thousands, or a price in thousandths."""
        rows = [f"A-{n},Parka {n},{price},5" for n in range(10)]
        return "\n".join(["sku,title,price,quantity", *rows, ""]).encode()

    async def test_are_answered_for_the_files_to_come(self, worker, source, shop):
        shop.content = self.odd("1.234")
        await worker.work()
        worker.session.refresh(source)
        entry = worker.session.get_one(FeedImport, source.import_id)
        asked = [q for q in json.loads(entry.facts)["questions"] if q["needed"]]
        answers = {q["key"]: q["choices"][0][0] for q in asked}
        chosen = {**json.loads(entry.overrides), "answers": answers}
        recheck_import(worker.session, source.retailer_id, entry.id, chosen)
        worker.session.commit()
        await worker.work(MINUTE)
        worker.confirm(source)
        await worker.work(MINUTE)

        shop.content = self.odd("1.229")
        await worker.work(HOUR)

        worker.session.refresh(source)
        assert asked
        assert worker.imports() == ["imported", "imported"], reason(source)
