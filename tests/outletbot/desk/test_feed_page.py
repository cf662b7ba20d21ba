"""
The page of one feed: what it asks, remembers, guards and takes back.
"""

import json
from typing import Any

import pytest
from sqlmodel import Session, select

from offers.catalog import Offer
from offers.imports import FeedImport, ImportState
from offers.memories import FeedMemory
from tests.factories import make_deal, make_offer
from tests.outletbot.desk.conftest import Client
from tests.outletbot.desk.test_feeds import HEADER, count, look, press, send, work

BOTH_DATABASES = True

TEN = "\n".join([HEADER, *(f"S{n},Thing {n},9.90,5" for n in range(10))])
FIVE = "\n".join([HEADER, *(f"S{n},Thing {n},9.90,5" for n in range(5))])
FOUR = "\n".join([HEADER, *(f"S{n},Thing {n},9.90,5" for n in range(4))])
UNKNOWN = "code;what;costs;left\nA;Ant;1,50;4\nB;Bee;2,50;1\n"
NAMELESS = "9780306406157;Book one;12.50;3\n9781861972712;Book two;13.50;4\n"
NET = "sku;titre;Prix HT;quantité\nA;Fourmi;10,00;4\nB;Abeille;20,00;1\n"


async def bring(desk: Client, database: Any, content: str, **fields: Any) -> str:
    """Send a file and import it; return the address of its page."""
    path = await send(desk, content)
    await work(database)
    assert await press(desk, f"{path}/confirm", **fields) == 303
    await work(database)
    return path


def of(session: Session, path: str) -> FeedImport:
    session.rollback()
    session.expire_all()
    return session.get_one(FeedImport, path.rpartition("/")[2])


def stock(session: Session) -> dict[str, int | None]:
    session.rollback()
    session.expire_all()
    return {offer.sku: offer.quantity for offer in session.exec(select(Offer))}


class TestQuestions:
    async def test_of_what_no_column_says_stop_the_import(
        self, desk, database, session
    ) -> None:
        path = await send(desk, UNKNOWN)
        await work(database)

        html = await look(desk, path)
        assert "1 question must be answered before the import." in html
        assert "Which column is what?" in html
        assert f'action="{path}/confirm"' not in html
        assert await press(desk, f"{path}/confirm") == 422
        assert of(session, path).state is ImportState.CHECKED

    async def test_of_columns_are_answered_by_hand(
        self, desk, database, session
    ) -> None:
        path = await send(desk, UNKNOWN)
        await work(database)
        fields = ("sku", "title", "price", "quantity")
        chosen = {f"column-{n}": field for n, field in enumerate(fields)}

        await press(desk, f"{path}/recheck", **chosen)
        await work(database)
        await press(desk, f"{path}/confirm")
        await work(database)

        assert stock(session) == {"A": 4, "B": 1}

    async def test_of_the_rate_of_tax_are_answered_and_added(
        self, desk, database, session
    ) -> None:
        path = await send(desk, NET)
        await work(database)
        html = await look(desk, path)
        assert "How many percent of tax" in html
        assert await press(desk, f"{path}/confirm") == 422
        assert "Answer this first: How many percent of tax" in await said(
            desk, f"{path}/confirm"
        )
        number = next(
            n
            for n, asked in enumerate(json.loads(of(session, path).facts)["questions"])
            if asked["key"] == "tax_rate"
        )

        await press(
            desk,
            f"{path}/recheck",
            **{f"asked-{number}": "1", f"answer-{number}": "20"},
        )
        await work(database)
        await press(desk, f"{path}/confirm")
        await work(database)

        session.rollback()
        found = {o.sku: o.price_amount for o in session.exec(select(Offer))}
        assert found == {"A": 1_200, "B": 2_400}

    async def test_refuse_an_answer_that_is_none(self, desk, database, session) -> None:
        path = await send(desk, NET)
        await work(database)

        answers = {f"asked-{n}": "1" for n in range(3)}
        answers |= {f"answer-{n}": "much" for n in range(3)}
        assert await press(desk, f"{path}/recheck", **answers) == 422

        assert of(session, path).state is ImportState.CHECKED

    async def test_of_tax_are_asked_and_stop_nobody(
        self, desk, database, session
    ) -> None:
        path = await send(desk, TEN)
        await work(database)

        assert "Are the prices with tax or without?" in await look(desk, path)
        assert await press(desk, f"{path}/confirm") == 303


async def choose(desk, path: str, *fields: str) -> None:
    """Say what each column is, in their order."""
    chosen = {f"column-{n}": field for n, field in enumerate(fields)}
    assert await press(desk, f"{path}/recheck", **chosen) == 303


class TestMemory:
    async def test_reads_the_next_file_with_that_header_as_the_last(
        self, desk, database, session
    ) -> None:
        path = await send(desk, UNKNOWN, name="first.csv")
        await work(database)
        await choose(desk, path, "sku", "title", "price", "quantity")
        await work(database)
        await press(desk, f"{path}/confirm")
        await work(database)

        path = await send(desk, UNKNOWN + "C;Cat;3,50;9\n", name="second.csv")
        await work(database)

        html = await look(desk, path)
        assert "Read as you had first.csv of" in html
        assert "Import 3 rows" in html
        (memory,) = session.exec(select(FeedMemory)).all()
        assert memory.version == 1

    async def test_is_forgotten_on_request(self, desk, database, session) -> None:
        await self.test_reads_the_next_file_with_that_header_as_the_last(
            desk, database, session
        )
        path = await send(desk, UNKNOWN + "D;Dog;3,50;9\n", name="third.csv")
        await work(database)

        assert await press(desk, f"{path}/forget") == 303
        await work(database)

        html = await look(desk, path)
        assert "Read as you had" not in html
        assert "Which column is what?" in html

    async def test_of_a_file_without_header_is_for_those_of_its_name(
        self, desk, database, session
    ) -> None:
        path = await send(desk, NAMELESS, name="till-2026-03-01.csv")
        await work(database)
        await choose(desk, path, "gtin", "title", "price", "quantity")
        await work(database)
        assert await press(desk, f"{path}/confirm") == 303
        await work(database)

        other = await send(desk, NAMELESS.replace("12.50", "9.50"), name="books.csv")
        again = await send(
            desk, NAMELESS.replace("12.50", "8.50"), name="till-2026-03-02.csv"
        )
        await work(database)
        await work(database)

        assert "Which column is what?" in await look(desk, other)
        assert "Read as you had till-2026-03-01.csv of" in await look(desk, again)

    async def test_keeps_the_currency_that_is_not_the_usual(
        self, desk, database, session
    ) -> None:
        path = await send(desk, TEN, currency="gbp")
        await work(database)
        await press(desk, f"{path}/confirm")
        await work(database)

        again = await send(desk, FIVE)
        await work(database)

        assert of(session, again).currency == "gbp"

    async def test_is_none_where_nothing_was_chosen(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)

        assert count(session, FeedMemory.id) == 0


class TestTheSameFile:
    async def test_is_said_to_be_known_and_changes_nothing(
        self, desk, database, session
    ) -> None:
        first = await bring(desk, database, TEN)
        session.rollback()
        offer = session.exec(select(Offer).where(Offer.sku == "S0")).one()
        offer.quantity = 1  # four were sold
        session.add(offer)
        session.commit()

        path = await send(desk, TEN)
        await work(database)

        html = await look(desk, path)
        assert "This is the file that was imported last" in html
        assert first in html
        assert of(session, path).state is ImportState.REPEATED
        assert await press(desk, f"{path}/confirm") == 409
        assert stock(session)["S0"] == 1

    async def test_is_read_all_the_same_on_request(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)
        path = await send(desk, TEN)
        await work(database)

        await press(desk, f"{path}/recheck", again="1")
        await work(database)

        assert of(session, path).state is ImportState.CHECKED
        assert "importing it would change nothing" in await look(desk, path)

    async def test_is_another_if_it_is_read_in_another_way(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)

        path = await send(desk, TEN, currency="gbp")
        await work(database)

        assert of(session, path).state is ImportState.CHECKED

    async def test_is_another_once_something_else_was_imported(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)
        await bring(desk, database, TEN.replace("9.90", "8.90"))

        path = await send(desk, TEN)
        await work(database)

        assert of(session, path).state is ImportState.CHECKED
        assert of(session, path).changed == 10


class TestACompleteFile:
    async def test_leaves_what_it_does_not_mention_unless_told(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)

        path = await bring(desk, database, FIVE)

        assert of(session, path).missing == 5
        assert set(stock(session).values()) == {5}

    async def test_empties_what_it_does_not_mention(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)
        path = await send(desk, FIVE + "\nS5,x,9.90,5\nS6,x,9.90,5\nS7,x,9.90,5")
        await work(database)
        assert "5 offers that are not in it" not in await look(desk, path)

        assert await press(desk, f"{path}/confirm", complete="on") == 303
        await work(database)

        html = await look(desk, path)
        assert "2 offers that the file does not mention have no stock" in html
        assert {sku for sku, left in stock(session).items() if not left} == {"S8", "S9"}

    async def test_that_shrank_needs_a_second_yes_to_the_number(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)
        path = await send(desk, FOUR)
        await work(database)

        answer = await desk.post(f"{path}/confirm", data={"complete": "on"})
        html = await answer.text()
        assert answer.status == 422
        assert "6 of your 10 offers are not in this file" in html
        assert "Yes, 6 offers lose their stock" in html
        assert of(session, path).state is ImportState.CHECKED

        wrong = {"complete": "on", "agreed": "5"}
        assert await press(desk, f"{path}/confirm", **wrong) == 422
        right = {"complete": "on", "agreed": "6"}
        assert await press(desk, f"{path}/confirm", **right) == 303
        await work(database)
        assert sum(left == 0 for left in stock(session).values()) == 6

    async def test_does_not_empty_what_is_in_a_bad_row(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)
        path = await send(desk, TEN.replace("S9,Thing 9,9.90", "S9,Thing 9,cheap"))
        await work(database)

        assert await press(desk, f"{path}/confirm", complete="on") == 303
        await work(database)

        assert stock(session)["S9"] == 5

    async def test_cannot_be_complete_while_a_row_is_nobodys(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)
        path = await send(desk, TEN + "\nthis row,has,too,many,cells,in it")
        await work(database)

        assert await press(desk, f"{path}/confirm", complete="on") == 422

        assert of(session, path).state is ImportState.CHECKED

    async def test_lowers_what_deals_may_sell(self, desk, database, session) -> None:
        await bring(desk, database, TEN)
        session.rollback()
        offer = session.exec(select(Offer).where(Offer.sku == "S9")).one()
        deal = make_deal(session, offer=offer, allotment=5)

        path = await send(desk, TEN.rpartition("\n")[0])
        await work(database)
        await press(desk, f"{path}/confirm", complete="on")
        await work(database)

        session.refresh(deal)
        assert deal.left == 0


async def test_a_file_that_empties_a_third_needs_a_second_yes(desk, database) -> None:
    await bring(desk, database, TEN)
    path = await send(desk, TEN.replace(",5", ",0", 4))
    await work(database)

    html = await look(desk, path)
    assert "Yes, 4 offers lose their stock" in html
    assert await press(desk, f"{path}/confirm") == 422
    assert await press(desk, f"{path}/confirm", agreed="4") == 303


async def test_all_rows_or_none(desk, database, session) -> None:
    path = await send(desk, TEN + "\nX,Bad,cheap,1")
    await work(database)

    assert await press(desk, f"{path}/confirm", whole="on") == 422
    assert stock(session) == {}
    assert await press(desk, f"{path}/confirm") == 303
    await work(database)
    assert len(stock(session)) == 10


class TestUndo:
    async def test_takes_the_last_import_back(
        self, desk, database, session, ana
    ) -> None:
        make_offer(session, sku="S0", title="Old", price_amount=500, quantity=1)
        path = await bring(desk, database, TEN)
        assert "Undo this import" in await look(desk, path)
        assert f'action="{path}/undo"' in await look(desk, "/feeds")

        assert await press(desk, f"{path}/undo") == 303
        assert await press(desk, f"{path}/undo") == 303
        assert "Taking the import back" in await look(desk, path)
        await work(database)

        html = await look(desk, path)
        assert "This import was taken back." in html
        assert ana.name in html
        assert "9 new offers are gone again." in html, html[html.find("<main") :][:3000]
        assert stock(session) == {"S0": 1}
        assert await press(desk, f"{path}/undo") == 303
        assert of(session, path).state is ImportState.UNDONE

    async def test_takes_back_what_a_complete_file_emptied(
        self, desk, database, session
    ) -> None:
        await bring(desk, database, TEN)
        path = await bring(desk, database, FIVE, complete="on", agreed="5")
        assert sum(left == 0 for left in stock(session).values()) == 5

        await press(desk, f"{path}/undo")
        await work(database)

        assert set(stock(session).values()) == {5}

    async def test_lets_the_same_file_be_imported_again(
        self, desk, database, session
    ) -> None:
        path = await bring(desk, database, TEN)
        await press(desk, f"{path}/undo")
        await work(database)

        await bring(desk, database, TEN)

        assert len(stock(session)) == 10

    async def test_is_not_for_earlier_imports(self, desk, database, session) -> None:
        first = await bring(desk, database, FIVE)
        await bring(desk, database, TEN)

        assert await press(desk, f"{first}/undo") == 409


async def test_former_prices_are_marked_unverified(desk, database) -> None:
    path = await send(desk, "sku,title,price,compare at price\nA,Ant,5,9\nB,Bee,4,8")
    await work(database)

    assert "former prices of this file are unverified" in await look(desk, path)


@pytest.mark.parametrize("attempts", [1, 3])
async def test_says_that_the_work_was_interrupted(desk, session, attempts) -> None:
    path = await send(desk, TEN)
    feed = of(session, path)
    feed.attempts, feed.progress = attempts, 40
    session.add(feed)
    session.commit()

    html = await look(desk, path)

    assert ("attempt 3" in html) == (attempts == 3)


async def said(desk: Client, path: str) -> str:
    return await (await desk.post(path)).text()
