"""
A merchant sends a file, sees what is in it, and nothing changes until they confirm.
"""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import FormData
from sqlmodel import Session, col, func, select

from offers.bad_rows import BadRow
from offers.catalog import Offer
from offers.imports import FeedImport, ImportState
from offers.merchants import Merchant
from offers.pieces import FeedPiece
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.importing import work_on_import
from outletbot.samples import sample_feed
from tests.factories import NOON, make_import, make_offer, make_retailer, north
from tests.outletbot.desk.conftest import Client, sign_in

HEADER = "sku,title,price,quantity"
GOOD = f"{HEADER}\nA,Ant,1.50,4\nB,Bee,2.50,0\n"
PART_OF_FEED = (
    b"--b\r\nContent-Disposition: form-data; name=feed; filename=a.csv\r\n\r\n"
)
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
MIXED = f"{HEADER}\nA,Ant,1.50,4\nB,Bee,two,0\nC,=cmd(),9,many\n"


async def send(
    desk: Client, content: str | bytes, name: str = "stock.csv", currency: str = "eur"
) -> str:
    """Send a file; return the address of its page."""
    answer = await desk.post(
        "/feeds", data=form_of(content, name, currency), allow_redirects=False
    )
    assert answer.status == 303, await answer.text()
    return answer.headers["Location"]


def form_of(content: str | bytes, name: str, currency: str = "eur") -> FormData:
    form = FormData()
    body = content.encode() if isinstance(content, str) else content
    form.add_field("feed", io.BytesIO(body), filename=name, content_type="text/csv")
    form.add_field("currency", currency)
    return form


async def work(database: Database) -> None:
    await asyncio.to_thread(work_on_import, database, now=NOON)


async def look(desk: Client, path: str) -> str:
    answer = await desk.get(path)
    assert answer.status == 200
    return await answer.text()


async def press(desk: Client, path: str, **fields: Any) -> int:
    answer = await desk.post(path, data=fields, allow_redirects=False)
    return answer.status


def count(session: Session, column: Any) -> int:
    session.rollback()
    return session.exec(select(func.count(col(column)))).one()


def the_feed(session: Session) -> FeedImport:
    session.rollback()
    session.expire_all()
    return session.exec(select(FeedImport)).one()


class TestFromFileToOffers:
    async def test_shows_what_is_in_the_file_before_anything_changes(
        self, desk, database, session
    ):
        path = await send(desk, MIXED)
        await work(database)

        html = await look(desk, path)

        assert "To be confirmed" in html
        assert "Import 1 row" in html
        assert "This is not a number." in html
        assert "<code>many</code>" in html
        assert 'data-label="Line">3<' in html
        assert "UTF-8" in html
        assert "“sku” is a usual name for it." in html
        assert count(session, Offer.id) == 0

    async def test_brings_the_good_rows_in_once_confirmed(
        self, desk, database, session
    ):
        path = await send(desk, MIXED)
        await work(database)

        assert await press(desk, f"{path}/confirm") == 303
        assert "Bringing the rows in" in await look(desk, path)
        await work(database)

        html = await look(desk, path)
        assert "1 row is in." in html
        assert 'href="/offers"' in html
        [offer] = session.exec(select(Offer)).all()
        assert (offer.sku, offer.price_amount, offer.quantity) == ("A", 150, 4)

    async def test_confirms_once_however_often_it_is_pressed(
        self, desk, database, session
    ):
        path = await send(desk, GOOD)
        await work(database)

        assert await press(desk, f"{path}/confirm") == 303
        assert await press(desk, f"{path}/confirm") == 303
        await work(database)
        assert await press(desk, f"{path}/confirm") == 303

        assert the_feed(session).state is ImportState.IMPORTED
        assert count(session, Offer.id) == 2

    async def test_says_that_the_same_file_changes_nothing(self, desk, database):
        first = await send(desk, GOOD)
        await work(database)
        await press(desk, f"{first}/confirm")
        await work(database)

        second = await send(desk, GOOD + "\n")  # else it would be the same file
        await work(database)

        html = await look(desk, second)
        assert "importing it would change nothing" in html
        assert "What would change" not in html

    async def test_shows_each_field_that_would_change(self, desk, database, session):
        make_offer(session, sku="A", title="Ant", price_amount=999, quantity=7)
        path = await send(desk, GOOD)
        await work(database)

        html = await look(desk, path)

        assert "€9.99" in html
        assert "€1.50" in html
        assert "What would change" in html

    async def test_warns_before_it_empties_the_stock(self, desk, database, session):
        rows = []
        for number in range(12):
            make_offer(session, sku=f"S{number}", title="Thing", quantity=5)
            rows.append(f"S{number},Thing,99,0")
        path = await send(desk, "\n".join([HEADER, *rows]))
        await work(database)

        html = await look(desk, path)

        assert "12 offers that have stock would have none." in html
        assert "data-confirm" in html.partition(f"{path}/confirm")[2][:200]

    async def test_takes_rows_that_are_pasted(self, desk, database, session):
        form = FormData()
        form.add_field("pasted", GOOD.replace(",", "\t"), content_type="text/plain")
        form.add_field("currency", "gbp")
        answer = await desk.post("/feeds", data=form, allow_redirects=False)
        await work(database)

        feed = the_feed(session)
        assert answer.status == 303
        assert (feed.state, feed.good, feed.currency) == ("checked", 2, "gbp")
        assert "Pasted rows" in await look(desk, "/feeds")

    async def test_discards_once_however_often_it_is_pressed(
        self, desk, database, session
    ):
        path = await send(desk, GOOD)
        await work(database)

        assert await press(desk, f"{path}/discard") == 303
        assert await press(desk, f"{path}/discard") == 303

        assert "This file was discarded" in await look(desk, path)
        assert count(session, FeedPiece.number) == 0

    async def test_does_not_discard_what_is_imported(self, desk, database):
        path = await send(desk, GOOD)
        await work(database)
        await press(desk, f"{path}/confirm")
        await work(database)

        assert await press(desk, f"{path}/discard") == 409


class TestBadRows:
    async def test_come_as_a_file_that_is_safe_to_open(self, desk, database):
        path = await send(desk, MIXED, name="Été 2026.csv")
        await work(database)

        answer = await desk.get(f"{path}/errors.csv")
        text = (await answer.read()).decode("utf-8-sig")

        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert rows[0] == ["sku", "title", "price", "quantity", "error"]
        assert [row[0] for row in rows[1:]] == ["B", "C"]
        assert rows[2][1] == "'=cmd()"
        assert "attachment" in answer.headers["Content-Disposition"]

    async def test_mended_and_sent_again_go_in(self, desk, database, session):
        path = await send(desk, MIXED)
        await work(database)
        await press(desk, f"{path}/confirm")
        await work(database)
        text = await (await desk.get(f"{path}/errors.csv")).text("utf-8-sig")

        mended = text.replace(",two,", ",2,").replace(",many,", ",3,")
        again = await send(desk, mended.encode("utf-8-sig"), name="errors.csv")
        await work(database)
        await press(desk, f"{again}/confirm")
        await work(database)

        assert "2 rows are in." in await look(desk, again)
        titles = session.exec(select(Offer.title).order_by(Offer.sku)).all()
        assert titles == ["Ant", "Bee", "=cmd()"]

    async def test_are_all_in_the_file_although_the_page_shows_the_first(
        self, desk, database, session
    ):
        lines = [f"S{n},,9,1" for n in range(1_300)]
        path = await send(desk, "\n".join([HEADER, *lines]))
        await work(database)

        html = await look(desk, path)
        text = await (await desk.get(f"{path}/errors.csv")).text("utf-8-sig")

        assert "These are the first 100 of 1,300 errors" in html
        assert "No row of this file is good." in html
        assert text.count("\n") == 1_301
        assert count(session, BadRow.id) == 1_300


class TestHowItIsRead:
    async def test_can_be_chosen_anew(self, desk, database, session):
        path = await send(desk, "sku;title;price\nA;Crème;1,50\n".encode("cp850"))
        await work(database)

        status = await press(desk, f"{path}/recheck", encoding="cp850", currency="chf")
        await work(database)

        feed = the_feed(session)
        assert status == 303
        assert json.loads(feed.facts)["encoding"] == "cp850"
        assert feed.currency == "chf"
        assert "Crème" in await look(desk, path)

    async def test_keeps_earlier_choices_when_another_is_made(
        self, desk, database, session
    ):
        text = "sku;title;price;worth\nA;Crème;1,50;9\n"
        path = await send(desk, text.encode("cp850"))
        await work(database)
        await press(desk, f"{path}/recheck", encoding="cp850")
        await work(database)

        await press(desk, f"{path}/recheck", **{"column-3": "cost"})
        await work(database)
        await press(desk, f"{path}/recheck", delimiter=";", **{"column-3": "cost"})
        await work(database)
        await press(desk, f"{path}/confirm")
        await work(database)

        [offer] = session.exec(select(Offer)).all()
        assert (offer.title, offer.cost_amount) == ("Crème", 900)

    async def test_can_leave_a_column_unread(self, desk, database, session):
        path = await send(desk, GOOD)
        await work(database)

        await press(desk, f"{path}/recheck", **{"column-3": ""})
        await work(database)

        columns = json.loads(the_feed(session).facts)["columns"]
        assert [c["field"] for c in columns] == ["sku", "title", "price", None]

    @pytest.mark.parametrize(
        "choice",
        [
            {"encoding": "rot13"},
            {"delimiter": "x"},
            {"column-0": "retailer_id"},
            {"currency": "xxq"},
        ],
    )
    async def test_refuses_choices_that_the_page_does_not_offer(
        self, desk, database, session, choice
    ):
        path = await send(desk, GOOD)
        await work(database)

        assert await press(desk, f"{path}/recheck", **choice) == 422

        assert the_feed(session).state is ImportState.CHECKED

    async def test_cannot_be_chosen_when_the_file_is_gone(self, desk, database):
        path = await send(desk, GOOD)
        await work(database)
        await press(desk, f"{path}/discard")

        assert await press(desk, f"{path}/recheck", encoding="cp850") == 409


class TestProgress:
    async def test_is_shown_without_a_script(self, desk):
        path = await send(desk, GOOD)

        html = await look(desk, path)

        assert 'http-equiv="refresh"' in html
        assert f'data-live="{path}/live"' in html

    async def test_is_sent_until_the_worker_is_done(self, desk, database):
        path = await send(desk, GOOD)
        async with desk.get(f"{path}/live") as answer:
            first = await answer.content.readuntil(b"\n\n")
            await work(database)
            rest = await answer.content.read()

        assert b"event: parts" in first
        assert b"Reading the file" in first
        assert rest.endswith(b"event: done\ndata: done\n\n")


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"\x89PNG\r\n\x1a\n" + bytes(500), "a PNG picture"),
            (b"x" * 5_000_000, "This is not a CSV file of products."),
            (b"\x00\x00\n\n", "The file is empty."),
            (HEADER.encode() + b"\n", "no rows after it"),
        ],
        ids=["picture", "endless line", "nothing", "header only"],
    )
    async def test_say_why_and_what_to_do(self, desk, database, content, reason):
        path = await send(desk, content)
        await work(database)

        html = await look(desk, path)

        assert "This file cannot be imported." in html
        assert reason in html
        assert "Send another file" in html
        assert "Refused" in await look(desk, "/feeds")

    async def test_of_an_empty_file_come_at_once(self, desk, session):
        answer = await desk.post("/feeds", data=form_of(b"", "empty.csv"))

        assert answer.status == 422
        assert "The file is empty." in await answer.text()
        assert count(session, FeedImport.id) == 0

    async def test_of_a_form_without_a_file(self, desk):
        answer = await desk.post("/feeds", data={"currency": "eur"})

        assert answer.status == 422
        assert "Choose a file, or paste some rows." in await answer.text()

    async def test_of_a_currency_that_does_not_exist(self, desk, session):
        form = form_of(GOOD, "stock.csv", currency="zzz")

        assert (await desk.post("/feeds", data=form)).status == 422

        assert count(session, FeedImport.id) == 0
        assert count(session, FeedPiece.number) == 0


class TestUploads:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"max_upload_mb": 1})

    async def test_are_kept_in_pieces(self, desk, session):
        content = f"{HEADER}\n" + "A,Ant,1,1\n" * 70_000

        await send(desk, content)

        pieces = session.exec(select(FeedPiece).order_by(FeedPiece.number)).all()
        assert len(pieces) == 3
        assert b"".join(piece.content for piece in pieces) == content.encode()
        assert the_feed(session).size == len(content)
        assert the_feed(session).leased_until is None

    async def test_that_are_too_large_leave_nothing(self, desk, session):
        answer = await desk.post("/feeds", data=form_of(b"x" * 1_100_000, "big.csv"))

        assert answer.status == 413
        assert "larger than 1 MB" in await answer.text()
        assert count(session, FeedImport.id) == 0
        assert count(session, FeedPiece.number) == 0

    async def test_are_left_alone_until_they_are_whole(self, desk, database, session):
        async def body() -> AsyncIterator[bytes]:
            yield PART_OF_FEED + f"{HEADER}\n".encode() + b"A,Ant,1,1\n" * 40_000
            for _ in range(500):
                if count(session, FeedPiece.number):
                    break
                await asyncio.sleep(0.01)
            await work(database)
            assert the_feed(session).state is ImportState.UPLOADED
            yield b"B,Bee,1,1\n\r\n--b--\r\n"

        answer = await desk.post(
            "/feeds", data=body(), headers=MULTIPART, allow_redirects=False
        )
        await work(database)

        assert answer.status == 303
        assert the_feed(session).state is ImportState.CHECKED
        assert the_feed(session).good == 2

    async def test_that_are_endless_are_not_read_to_their_end(self, desk, session):
        form = form_of(b"x" * 6_000_000, "endless.csv")

        answer = await desk.post("/feeds", data=form)

        assert answer.status == 413
        assert count(session, FeedImport.id) == 0

    async def test_that_are_cut_off_leave_nothing(self, desk, session):
        body = PART_OF_FEED + b"A,Ant,1,1\n" * 60_000

        answer = await desk.post("/feeds", data=body, headers=MULTIPART)

        assert answer.status == 422
        assert "cut off" in await answer.text()
        assert count(session, FeedImport.id) == 0
        assert count(session, FeedPiece.number) == 0


class TestHistory:
    async def test_tells_who_sent_what(self, desk, database):
        await send(desk, GOOD)
        await work(database)

        html = await look(desk, "/feeds")

        assert "stock.csv" in html
        assert "Ana" in html
        assert "2 new, 0 changed, 0 the same" in html

    async def test_leads_on_when_nothing_was_sent(self, desk):
        assert "No feed yet" in await look(desk, "/feeds")

    async def test_offers_a_sample_to_begin_with(self, desk):
        answer = await desk.get("/feeds/sample.csv")

        assert await answer.read() == sample_feed()


async def test_another_retailers_feed_does_not_exist(desk, session):
    feed = make_import(
        session, retailer_id=make_retailer(session).id, state=ImportState.CHECKED
    )
    path = f"/feeds/{feed.id}"

    for tail in ("", "/live", "/errors.csv"):
        assert (await desk.get(path + tail)).status == 404
    for tail in ("/confirm", "/discard", "/recheck"):
        assert await press(desk, path + tail) == 404
    assert feed.file_name not in await look(desk, "/feeds")


async def test_nobody_sends_without_signing_in(browser, session):
    answer = await browser.post("/feeds", data=form_of(GOOD, "stock.csv"))

    assert answer.status == 403
    assert count(session, FeedImport.id) == 0


async def test_speaks_the_merchants_language(browser, database, session):
    marie = Merchant(
        id="merchant_marie",
        retailer_id=north(session).id,
        email="marie@north.example",
        name="Marie",
        language="fr",
        created_at=NOON,
    )
    session.add(marie)
    session.commit()
    await sign_in(browser, database, marie)
    path = await send(browser, GOOD)
    await work(database)

    html = await look(browser, path)

    assert '<html lang="fr">' in html
