"""
The summary's numbers are those of a story told here, sums included; they move while
somebody looks, and can be taken away.
"""

import asyncio
import csv
import io
import re

import pytest
from sqlmodel import Session

from offers.clicks import Arrived, Visitor, record_clicks
from offers.deals import Deal
from offers.holds import HoldState
from offers.posts import Post
from outletbot.hints import Hints, Listener
from outletbot.keys import HINTS
from outletbot.web.desk.live import BEAT_EVERY, LIVE, SOON, Live, event
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_hold,
    make_merchant,
    make_order,
    make_post,
    make_retailer,
    post_of,
)
from tests.outletbot.desk.conftest import Client, sign_in


def click(session: Session, post: Post, people: int, robots: int = 0) -> None:
    counts = {
        Arrived(post.retailer_id, post.deal_id, post.id, NOON, visitor): count
        for visitor, count in ((Visitor.PERSON, people), (Visitor.ROBOT, robots))
        if count
    }
    record_clicks(session, counts)
    session.commit()


@pytest.fixture
def story(session) -> dict[str, Deal]:
    """Two deals of north, one of them coming, and one of south that north never sees.

    | deal   | at    | offered | orders       | refunded | holds | clicks |
    | parka  | 40.00 | 10      | 2 + 1 + 3 un.| 40.00    | 5     | 20 + 9 |
    | kettle | 15.50 | 4       | 4 x 1        | 0        | 4     | 11     |
    | tent   | 99.00 | 50      | opens later  |          |       |        |
    """
    parka = make_deal(session, title="Parka", price_amount=4_000, allotment=10)
    social = make_post(session, parka, make_account(session))
    for quantity, post, refunded in (
        (2, social, 0),
        (1, social, 4_000),
        (3, post_of(session, parka), 0),
    ):
        make_order(
            session, parka, quantity=quantity, post_id=post.id, refunded_amount=refunded
        )
    for _ in range(2):
        make_hold(session, parka, state=HoldState.RELEASED, post_id=social.id)
    click(session, social, 20, robots=7)
    click(session, post_of(session, parka), 9)
    kettle = make_deal(
        session,
        title="=Kettle",
        price_amount=1_550,
        allotment=4,
        opens_at=NOON - 5 * HOUR,
        closes_at=NOON - HOUR,
        sold_out_at=NOON - 5 * HOUR + 7 * MINUTE,
    )
    for _ in range(4):
        make_order(session, kettle, paid_at=NOON - 5 * HOUR + 6 * MINUTE)
    click(session, post_of(session, kettle), 11)
    tent = make_deal(
        session,
        title="Tent",
        price_amount=9_900,
        allotment=50,
        opens_at=NOON + HOUR,
        closes_at=NOON + 3 * HOUR,
    )
    theirs = make_deal(session, title="Theirs", retailer_id=make_retailer(session).id)
    make_order(session, theirs, quantity=2)
    return {"parka": parka, "kettle": kettle, "tent": tent}


def texts(html: str) -> str:
    """What a reader reads, in one line, with plain dashes."""
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))
    return re.sub("[\N{EN DASH}\N{MINUS SIGN}]", "-", words)


class TestPage:
    async def test_adds_up_the_story(self, desk, story):
        text = texts(await (await desk.get("/summary")).text())

        # 240 + 62 gross, 40 given back; 6 + 4 units of 10 + 4 that have opened.
        assert "€262.00 €302.00 gross, €40.00 refunded" in text
        assert "10 of 14 offered" in text
        assert "71%" in text
        assert "7 from 9 holds" in text
        assert "40 and 7 robots" in text

    async def test_has_a_line_for_each_deal(self, desk, story):
        text = texts(await (await desk.get("/summary")).text())

        # sold / offered · share, gross, refunded, net, clicks, holds, orders
        assert "6 / 10 · 60% 60% €240.00 €40.00 €200.00 29 5 3 -" in text
        assert "4 / 4 · 100% 100% €62.00 - €62.00 11 4 4 7 min" in text
        assert "0 / 50 · 0% 0% €0.00 - €0.00 0 0 0 -" in text

    async def test_shows_nothing_of_another_retailer(self, desk, story):
        answer = await desk.get("/summary")

        assert "Theirs" not in await answer.text()

    async def test_writes_what_people_typed_as_text(self, desk, session):
        make_deal(session, title="<script>alert(1)</script>")

        assert "<script>alert" not in await (await desk.get("/summary")).text()

    async def test_leads_a_newcomer_to_their_first_feed(self, desk):
        text = await (await desk.get("/summary")).text()

        assert 'href="/feeds">Upload your first feed</a>' in text

    async def test_speaks_the_merchants_language(self, desk, session, ana, story):
        ana.language = "fr"
        session.add(ana)
        session.commit()

        text = await (await desk.get("/summary")).text()

        assert '<html lang="fr">' in text
        assert "262,00\xa0€" in text

    async def test_is_where_the_desk_is(self, desk):
        answer = await desk.get("/desk", allow_redirects=False)

        assert answer.headers["Location"] == "/summary"

    async def test_needs_no_script_nor_anything_of_another_host(self, desk, story):
        answer = await desk.get("/summary")

        html = await answer.text()
        assert re.findall(r'(?:src|href)="(https?:)?//', html) == []
        assert " style=" not in html
        nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        assert nonce
        assert html.count("<script") == html.count(f'nonce="{nonce[1]}"') == 1


class TestExport:
    async def test_has_the_same_numbers(self, desk, story):
        answer = await desk.get("/summary.csv")

        body = await answer.read()
        assert body.startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
        parka = next(row for row in rows if row["title"] == "Parka")
        assert parka == {
            "deal_id": story["parka"].id,
            "title": "Parka",
            "phase": "open",
            "opens_at": "2026-03-02T11:00:00+00:00",
            "closes_at": "2026-03-02T13:00:00+00:00",
            "offered": "10",
            "sold": "6",
            "sell_through": "0.6000",
            "clicks": "29",
            "robots": "7",
            "holds": "5",
            "orders": "3",
            "gross": "240.00",
            "refunded": "40.00",
            "net": "200.00",
            "currency": "EUR",
            "sold_out_after_seconds": "",
            "disputed": "0.00",
        }

    async def test_runs_no_formula_in_anybodys_spreadsheet(self, desk, story):
        body = await (await desk.get("/summary.csv")).text(encoding="utf-8-sig")

        rows = {row["title"]: row for row in csv.DictReader(io.StringIO(body))}
        assert "'=Kettle" in rows
        assert rows["'=Kettle"]["sold_out_after_seconds"] == "420"

    async def test_is_of_ones_own_deals(self, desk, story):
        assert "Theirs" not in await (await desk.get("/summary.csv")).text()


class Stream:
    """Reads server-sent events, one after the other."""

    def __init__(self, answer) -> None:
        self._answer = answer

    async def next(self) -> str:
        raw = await asyncio.wait_for(self._answer.content.readuntil(b"\n\n"), 5)
        return raw.decode()


async def follow(client: Client, path: str) -> Stream:
    answer = await client.get(path)
    assert answer.status == 200
    assert answer.content_type == "text/event-stream"
    return Stream(answer)


class TestLive:
    @pytest.fixture(autouse=True)
    def quick(self, app) -> None:
        app[LIVE].every = 0.02

    async def test_begins_with_what_there_is(self, desk, story):
        stream = await follow(desk, "/summary/live")

        first = await stream.next()

        assert first.startswith("event: parts\nid: 12:00:00\ndata: ")
        assert "€262.00" in first
        assert "<html" not in first

    async def test_sends_a_sale_as_it_happens(self, desk, session, story):
        stream = await follow(desk, "/summary/live")
        await stream.next()

        make_order(session, story["parka"])

        assert "€302.00</strong>" in await stream.next()

    async def test_sends_nothing_of_another_retailer(
        self, desk, session, database, story
    ):
        south = make_retailer(session, "east")
        theirs = make_deal(session, title="Theirs", retailer_id=south.id)
        stream = await follow(desk, "/summary/live")
        await stream.next()

        make_order(session, theirs)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.next(), 0.3)

    async def test_sends_the_page_of_a_deal_too(self, desk, session, story):
        stream = await follow(desk, f"/deals/{story['parka'].id}/live")
        assert "€200.00" in await stream.next()

        make_order(session, story["parka"])

        moved = await stream.next()
        assert "€240.00" in moved
        assert 'data-part="chart"' in moved

    async def test_reads_once_for_all_who_look(self, app, desk, story):
        live, reads = app[LIVE], []
        live.every = 60

        async def read() -> int:
            reads.append(1)
            await asyncio.sleep(0.01)
            return len(reads)

        seen = await asyncio.gather(*(live.look("key", read) for _ in range(50)))

        assert seen == [1] * 50

    async def test_reads_anew_after_a_failure(self, app, desk):
        live = app[LIVE]

        async def fail() -> int:
            raise LookupError

        async def read() -> int:
            return 1

        with pytest.raises(LookupError):
            await live.look("key", fail)
        await asyncio.sleep(0.05)

        assert await live.look("key", read) == 1

    async def test_lets_go_when_the_process_stops(self, app, desk, story):
        answer = await desk.get("/summary/live")
        await Stream(answer).next()

        await app.shutdown()

        assert await asyncio.wait_for(answer.content.read(), 5) == b""

    async def test_ends_for_who_is_not_let_in(self, browser, database, session):
        merchant = make_merchant(session)
        await sign_in(browser, database, merchant)
        assert (await browser.get("/summary/live")).status == 200
        browser.session.cookie_jar.clear()

        answer = await browser.get("/summary/live", allow_redirects=False)

        assert answer.status == 303

    def test_beats_often_enough_for_proxies(self):
        assert BEAT_EVERY <= 15

    def test_writes_each_line_of_an_event_as_data(self):
        assert event("parts", "<p>\n</p>", "12:00:00") == (
            b"event: parts\nid: 12:00:00\ndata: <p>\ndata: </p>\n\n"
        )


class Dozing(Live):
    """Looks at the numbers when there is a hint, and never otherwise."""

    async def rest(self, listener: Listener, *, told: bool) -> bool:
        return await listener.wait(60, stop=self.stopping)


class TestHints:
    @pytest.mark.parametrize("topic", ["deals", "holds", "posts", "refunds"])
    async def test_let_an_open_page_hear_of_a_sale(
        self, app, browser, database, ana, session, story, topic
    ):
        await sign_in(browser, database, ana)
        stream = await follow(browser, "/summary/live")
        await stream.next()

        make_order(session, story["parka"])
        app[HINTS].tell("arrivals")
        app[HINTS].tell(topic)

        assert "€302.00</strong>" in await stream.next()

    @pytest.fixture(autouse=True)
    def dozing(self, app) -> None:
        app[LIVE] = Dozing(every=0)

    async def test_end_a_rest_after_a_look_in_vain(self):
        live, hints, clock = Live(every=1), Hints(), asyncio.get_running_loop().time
        with hints.listening("holds") as listener:
            hints.tell("holds")
            began = clock()
            hint = await live.rest(listener, told=False)

        assert hint
        assert live.every * SOON * 0.99 <= clock() - began < live.every

    async def test_let_a_page_that_was_told_something_rest(self):
        live, hints, clock = Live(every=0.05), Hints(), asyncio.get_running_loop().time
        with hints.listening("holds") as listener:
            hints.tell("holds")
            began = clock()
            hint = await live.rest(listener, told=True)

        assert hint
        assert clock() - began >= live.every * 0.99

    async def test_end_no_rest_if_there_are_none(self):
        live = Live(every=0.05)
        with Hints().listening("holds") as listener:
            assert not await live.rest(listener, told=False)

    async def test_end_with_the_process(self):
        live = Live(every=60)
        live.stopping.set()
        with Hints().listening("holds") as listener:
            resting = live.rest(listener, told=False)

            assert not await asyncio.wait_for(resting, 5)

    async def test_make_numbers_old_that_would_do_otherwise(self):
        live, reads = Live(every=1), []

        async def read() -> int:
            reads.append(1)
            return len(reads)

        first = await live.look("key", read)
        at_once = await live.look("key", read, soon=True)
        await asyncio.sleep(live.every * SOON)
        unhinted = await live.look("key", read)
        hinted = await live.look("key", read, soon=True)

        assert (first, at_once, unhinted, hinted) == (1, 1, 1, 2)
