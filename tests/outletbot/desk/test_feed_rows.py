"""
Bad rows mended on the page: read again by themselves, and nothing lost.
"""

import re
from typing import Any

import pytest
from sqlmodel import Session, select

from offers.bad_rows import BadRow
from offers.catalog import Offer
from offers.imports import ImportState
from offers.mending import MendedRow
from tests.factories import make_import
from tests.outletbot.desk.conftest import Client
from tests.outletbot.desk.test_feed_page import of
from tests.outletbot.desk.test_feeds import HEADER, count, look, press, send, work

BOTH_DATABASES = True

BAD = f"{HEADER}\nA,Ant,1.50,4\nB,Bee,two,0\nC,Cat,3.50,many\nD,Dog,4.50,1\n"


async def sent(desk: Client, database: Any, content: str = BAD) -> str:
    path = await send(desk, content)
    await work(database)
    return path


async def fields(desk: Client, path: str) -> dict[str, str]:
    """Return what the form holds, as a browser would send it."""
    html = await look(desk, f"{path}/rows")
    found = re.findall(r'<input[^>]*name="([^"]+)"\s+value="([^"]*)"', html)
    texts = re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)</textarea>', html)
    return {**dict(found), **dict(texts)}


async def check(desk: Client, path: str, **changes: str) -> str:
    """Send the form with *changes*; return the page that follows."""
    form = {**await fields(desk, path), **changes}
    answer = await desk.post(f"{path}/rows", data=form)
    assert answer.status == 200, await answer.text()
    return await answer.text()


def offers(session: Session) -> dict[str, tuple[int, int | None]]:
    session.rollback()
    session.expire_all()
    found = session.exec(select(Offer))
    return {o.sku: (o.price_amount, o.quantity) for o in found}


class TestTheTable:
    async def test_marks_what_is_wrong_and_says_what_to_do(
        self, desk, database
    ) -> None:
        path = await sent(desk, database)

        assert f'href="{path}/rows"' in await look(desk, path)
        html = await look(desk, f"{path}/rows")

        assert "2 rows to mend" in html
        marked = re.findall(r'value="([^"]*)"[^>]*aria-invalid="true"', html)
        assert marked == ["two", "many"]
        assert 'aria-label="Line 3, price"' in html
        assert html.count("This is not a number.") == 2

    async def test_shows_some_rows_at_a_time(self, desk, database) -> None:
        rows = "\n".join(f"S{n},,9,1" for n in range(45))
        path = await sent(desk, database, f"{HEADER}\n{rows}")

        last = await look(desk, f"{path}/rows?page=3")

        assert "Page 3 of 3" in last
        assert last.count('name="row-') == 5
        assert "Page 1 of 3" in await look(desk, f"{path}/rows?page=0")
        assert "Page 3 of 3" in await look(desk, f"{path}/rows?page=99")

    async def test_shows_a_row_of_another_width_as_it_stands(
        self, desk, database, session
    ) -> None:
        path = await sent(desk, database, f"{BAD}E,Eel,big,5.50,3,x\n")
        line = {"text-6": "E,Eel big,5.50,3"}

        html = await check(desk, path, **line)

        assert "1 row is good now." in html
        assert of(session, path).bad == 2


class TestBeforeTheImport:
    async def test_what_is_good_now_goes_in_with_the_file(
        self, desk, database, session
    ) -> None:
        path = await sent(desk, database)

        html = await check(desk, path, **{"cell-3-2": "2.50"})

        assert "1 row is good now." in html
        assert "1 row is still wrong" in html
        assert offers(session) == {}
        feed = of(session, path)
        assert (feed.good, feed.bad, feed.new) == (3, 1, 3)
        assert "1 row was mended here" in await look(desk, path)
        await press(desk, f"{path}/confirm")
        await work(database)
        assert offers(session) == {"A": (150, 4), "B": (250, 0), "D": (450, 1)}
        assert count(session, MendedRow.id) == 0

    async def test_what_is_still_wrong_keeps_what_was_written(
        self, desk, database
    ) -> None:
        path = await sent(desk, database)

        html = await check(desk, path, **{"cell-3-2": "twenty", "cell-3-1": "Bees"})

        assert 'value="twenty"' in html
        assert 'value="Bees"' in html
        assert "2 rows are still wrong" in html

    async def test_is_kept_when_the_file_is_read_otherwise(
        self, desk, database, session
    ) -> None:
        path = await sent(desk, database)
        await check(desk, path, **{"cell-3-2": "2.50"})

        await press(desk, f"{path}/recheck", currency="gbp")
        await work(database)

        feed = of(session, path)
        assert (feed.good, feed.bad) == (3, 1)
        await press(desk, f"{path}/confirm")
        await work(database)
        assert offers(session)["B"] == (250, 0)

    async def test_a_row_can_be_left_out(self, desk, database, session) -> None:
        path = await sent(desk, database)

        html = await check(desk, path, **{"out-3": "on"})

        assert "1 row is left out." in html
        assert of(session, path).bad == 1
        await check(desk, path, **{"cell-4-3": "7"})
        assert await press(desk, f"{path}/confirm", whole="on") == 303
        await work(database)
        assert set(offers(session)) == {"A", "C", "D"}

    async def test_a_sku_that_a_good_row_has_is_no_mending(
        self, desk, database, session
    ) -> None:
        path = await sent(desk, database)
        await check(desk, path, **{"cell-3-0": "A", "cell-3-2": "9.99"})

        await press(desk, f"{path}/confirm")
        await work(database)

        assert offers(session)["A"] == (150, 4)
        bad = session.exec(select(BadRow).where(BadRow.line == 3)).one()
        assert "Line 2 has this sku too." in bad.message.replace("{line}", "2")


class TestTheSameSkuTwice:
    TWICE = f"{HEADER}\nA,Ant,1.50,4\nA,Aunt,9.50,1\nB,Bee,1.50,1\n"

    async def test_is_wrong_still_if_nothing_was_changed(
        self, desk, database, session
    ) -> None:
        path = await sent(desk, database, self.TWICE)

        html = await check(desk, path)

        assert "2 rows are still wrong" in html
        assert "Line 3 has this sku too." in html
        assert of(session, path).good == 1

    async def test_is_right_once_one_is_left_out(self, desk, database, session) -> None:
        path = await sent(desk, database, self.TWICE)

        html = await check(desk, path, **{"out-3": "on"})

        assert "1 row is good now." in html
        await press(desk, f"{path}/confirm")
        await work(database)
        assert offers(session) == {"A": (150, 4), "B": (150, 1)}

    async def test_is_right_once_one_has_another(self, desk, database, session) -> None:
        path = await sent(desk, database, self.TWICE)

        html = await check(desk, path, **{"cell-3-0": "A2"})

        assert "2 rows are good now." in html


class TestAfterTheImport:
    async def test_what_is_good_now_is_imported_at_once(
        self, desk, database, session
    ) -> None:
        path = await sent(desk, database)
        await press(desk, f"{path}/confirm")
        await work(database)

        html = await check(desk, path, **{"cell-3-2": "2.50", "cell-4-3": "7"})

        assert "2 rows are good now." in html
        assert "Good rows are imported." in html
        assert "Every row is good" in html
        assert offers(session)["C"] == (350, 7)
        feed = of(session, path)
        assert (feed.good, feed.bad, feed.new) == (4, 0, 4)
        session.rollback()
        source = session.exec(select(Offer.source).where(Offer.sku == "C")).one()
        assert source == feed.id

    async def test_is_undone_with_the_import(self, desk, database, session) -> None:
        path = await sent(desk, database)
        await press(desk, f"{path}/confirm")
        await work(database)
        await check(desk, path, **{"cell-3-2": "2.50"})

        await press(desk, f"{path}/undo")
        await work(database)

        assert offers(session) == {}


class TestTwoPeople:
    TWO = f"{HEADER}\nA,Ant,1.50,4\nB,Bee,two,many\n"

    async def test_who_is_second_is_told(self, desk, database, session) -> None:
        path = await sent(desk, database)
        seen_by_bob = await fields(desk, path)
        await check(desk, path, **{"cell-3-2": "2.50"})

        form = {**seen_by_bob, "cell-3-2": "99", "cell-4-3": "8"}
        html = await (await desk.post(f"{path}/rows", data=form)).text()

        assert "1 row was mended by somebody else meanwhile." in html
        assert "1 row is good now." in html
        await press(desk, f"{path}/confirm")
        await work(database)
        assert offers(session)["B"] == (250, 0)
        assert offers(session)["C"] == (350, 8)

    async def test_may_mend_different_cells_of_a_row(
        self, desk, database, session
    ) -> None:
        path = await sent(desk, database, self.TWO)
        seen_by_bob = await fields(desk, path)
        await check(desk, path, **{"cell-3-2": "2.50"})

        form = {**seen_by_bob, "cell-3-3": "8"}
        html = await (await desk.post(f"{path}/rows", data=form)).text()

        assert "1 row is good now." in html
        await press(desk, f"{path}/confirm")
        await work(database)
        assert offers(session)["B"] == (250, 8)

    async def test_may_not_change_the_same_cell_unseen(self, desk, database) -> None:
        path = await sent(desk, database, self.TWO)
        seen_by_bob = await fields(desk, path)
        await check(desk, path, **{"cell-3-2": "2.50"})

        form = {**seen_by_bob, "cell-3-2": "9.90"}
        html = await (await desk.post(f"{path}/rows", data=form)).text()

        assert "1 row was mended by somebody else meanwhile." in html
        assert 'value="2.50"' in html


async def test_rows_of_a_file_that_is_gone_cannot_be_mended(desk, session) -> None:
    feed = make_import(session, state=ImportState.DISCARDED)

    assert await press(desk, f"/feeds/{feed.id}/rows") == 409


@pytest.mark.parametrize("form", [{}, {"row-x": "1"}, {"row-99": "1"}])
async def test_a_form_of_nothing_changes_nothing(desk, database, session, form) -> None:
    path = await sent(desk, database)

    assert await press(desk, f"{path}/rows", **form) == 303

    assert of(session, path).bad == 2
