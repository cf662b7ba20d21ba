"""
The wall shows what was posted on it, and its feeds tell the same.
"""

import json
from typing import Any
from xml.etree import ElementTree as ET

from sqlmodel import Session

from offers.accounts import Afterwards
from offers.deals import Deal
from offers.pictures import keep_picture
from offers.posts import PostState
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_offer,
    make_post,
    make_retailer,
    north,
    outlet_account,
    post_of,
)
from tests.outletbot.shop.conftest import Shop
from tests.outletbot.shop.test_deal_page import words

ATOM = "{http://www.w3.org/2005/Atom}"


def mark(session: Session, deal: Deal, state: PostState) -> None:
    post = post_of(session, deal)
    post.state = state
    session.add(post)
    session.commit()


def sell_out(session: Session, deal: Deal) -> None:
    deal.sold, deal.sold_out_at = deal.allotment, NOON - MINUTE
    session.add(deal)
    session.commit()
    mark(session, deal, PostState.RETIRED)


async def atom(shop: Shop) -> ET.Element:
    return ET.fromstring(await shop.text("/o/north/feed.atom"))  # noqa: S314  (ours)


def text(element: ET.Element, name: str) -> str:
    return element.findtext(f"{ATOM}{name}") or ""


class TestWall:
    async def test_shows_what_is_on_coming_and_over(
        self, shop: Shop, session: Session
    ) -> None:
        make_deal(session, title="Parka", allotment=3)
        make_deal(
            session, title="Kettle", opens_at=NOON + HOUR, closes_at=NOON + 2 * HOUR
        )
        sell_out(session, make_deal(session, title="Lamp"))

        said = words(await shop.text("/o/north"))

        on, coming, missed = (
            said.index(heading) for heading in ("On now", "Coming up", "Just missed")
        )
        assert on < said.index("Parka") < coming
        assert coming < said.index("Kettle") < missed < said.index("Lamp")
        assert "3 left" in said
        assert "Sold out in 59 min" in said

    async def test_shows_no_deal_that_is_posted_elsewhere_only(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, title="Parka")
        mark(session, deal, PostState.FAILED)
        make_post(session, deal, make_account(session))

        html = await shop.text("/o/north")

        assert "Parka" not in html

    async def test_forgets_what_the_retailer_wants_deleted(
        self, shop: Shop, session: Session
    ) -> None:
        sell_out(session, make_deal(session, title="Parka"))
        account = outlet_account(session)
        account.afterwards = Afterwards.DELETE
        session.add(account)
        session.commit()

        html = await shop.text("/o/north")

        assert "Parka" not in html

    async def test_forgets_what_is_long_over(
        self, shop: Shop, session: Session
    ) -> None:
        make_deal(
            session,
            title="Parka",
            opens_at=NOON - 32 * DAY,
            closes_at=NOON - 31 * DAY,
        )

        html = await shop.text("/o/north")

        assert "Parka" not in html

    async def test_shows_nobody_elses_deals(self, shop: Shop, session: Session) -> None:
        north(session)
        make_deal(session, title="Parka", retailer_id=make_retailer(session).id)

        html = await shop.text("/o/north")

        assert "Parka" not in html

    async def test_says_so_when_nothing_is_on(
        self, shop: Shop, session: Session
    ) -> None:
        north(session)

        html = await shop.text("/o/north")

        assert "Nothing is on just now" in words(html)

    async def test_is_not_sent_twice_to_who_has_it(
        self, shop: Shop, session: Session
    ) -> None:
        make_deal(session)
        first = await shop.get("/o/north")

        again = await shop.get("/o/north", If_None_Match=first.headers["ETag"])

        assert again.status == 304

    async def test_its_state_can_be_asked_for(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, allotment=3)

        state: dict[str, Any] = await (await shop.get("/o/north/state")).json()

        assert state["deals"] == {
            post_of(session, deal).code: {
                "phase": "open",
                "price": 4_999,
                "left": 3,
                "exact": True,
                "share": 100,
                "held": 0,
            }
        }

    async def test_an_unknown_outlet_is_not_found(self, shop: Shop) -> None:
        answers = [
            await shop.get(f"/o/nowhere{path}")
            for path in ("", "/state", "/feed.atom", "/feed.json")
        ]

        assert [answer.status for answer in answers] == [404] * 4


class TestFront:
    async def test_leads_to_the_only_outlet(self, shop: Shop, session: Session) -> None:
        north(session)

        answer = await shop.get("/")

        assert answer.status == 302
        assert answer.headers["Location"] == "/o/north"

    async def test_lists_several(self, shop: Shop, session: Session) -> None:
        north(session)
        make_retailer(session)

        html = await shop.text("/")

        assert 'href="/o/north"' in html
        assert 'href="/o/south"' in html

    async def test_says_when_there_is_none(self, shop: Shop) -> None:
        assert "no outlet here yet" in words(await shop.text("/"))


class TestFeeds:
    async def test_atom_has_an_entry_for_each_post(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, title="Parka & <hood>", pitch="Warm.\x0b")
        make_deal(session, opens_at=NOON + HOUR, closes_at=NOON + 2 * HOUR)

        feed = await atom(shop)

        [entry] = feed.findall(f"{ATOM}entry")
        link = entry.find(f"{ATOM}link")
        assert text(feed, "title") == "North & Sons"
        assert text(entry, "title") == "Parka & <hood> for €49.99"
        assert text(entry, "summary").startswith("Warm.")
        assert text(entry, "published") == "2026-03-02T11:00:00Z"
        assert link is not None
        assert link.get("href") == (
            f"http://outlet.example/d/{post_of(session, deal).code}"
        )
        for element in (feed, entry):
            assert text(element, "id").startswith("urn:uuid:")
            assert text(element, "updated")

    async def test_an_entry_is_updated_when_its_deal_is_sold_out(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, title="Parka")
        [before] = (await atom(shop)).findall(f"{ATOM}entry")

        sell_out(session, deal)
        feed = await atom(shop)

        [after] = feed.findall(f"{ATOM}entry")
        assert text(after, "id") == text(before, "id")
        assert text(after, "title") == "Sold out: Parka"
        assert text(after, "updated") == "2026-03-02T11:59:00Z"
        assert text(feed, "updated") == text(after, "updated")

    async def test_json_feed_tells_the_same(self, shop: Shop, session: Session) -> None:
        offer = make_offer(session, title="Parka & hood")
        picture = keep_picture(
            session, offer.retailer_id, b"\xff\xd8", size=(8, 6), now=NOON
        )
        offer.picture_id = picture.id
        session.add(offer)
        make_deal(session, offer)

        feed = json.loads(await shop.text("/o/north/feed.json"))

        [entry] = (await atom(shop)).findall(f"{ATOM}entry")
        [item] = feed["items"]
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["feed_url"] == "http://outlet.example/o/north/feed.json"
        assert item["id"] == text(entry, "id")
        assert item["title"] == text(entry, "title") == "Parka & hood for €49.99"
        assert item["date_published"] == text(entry, "published")
        assert item["image"] == f"http://outlet.example/pictures/{picture.id}.jpg"

    async def test_feeds_are_found_from_the_wall_and_kept_by_readers(
        self, shop: Shop, session: Session
    ) -> None:
        make_deal(session)

        html = await shop.text("/o/north")
        for path, kind in (
            ("/o/north/feed.atom", "application/atom+xml"),
            ("/o/north/feed.json", "application/feed+json"),
        ):
            first = await shop.get(path)
            again = await shop.get(path, If_None_Match=first.headers["ETag"])

            assert f'type="{kind}" title="North &amp; Sons" href="{path}"' in html
            assert first.headers["Content-Type"] == f"{kind}; charset=utf-8"
            assert first.headers["Last-Modified"] == "Mon, 02 Mar 2026 11:00:00 GMT"
            assert again.status == 304

    async def test_an_empty_feed_is_a_feed(self, shop: Shop, session: Session) -> None:
        north(session)

        feed = await atom(shop)

        assert text(feed, "updated")
        assert feed.findall(f"{ATOM}entry") == []


async def test_a_picture_is_kept_for_ever(shop: Shop, session: Session) -> None:
    picture = keep_picture(
        session, north(session).id, b"\xff\xd8jpeg", size=(8, 6), now=NOON
    )
    session.commit()

    answer = await shop.get(f"/pictures/{picture.id}.jpg")
    missing = await shop.get("/pictures/picture_none.jpg")

    assert await answer.read() == b"\xff\xd8jpeg"
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert "immutable" in answer.headers["Cache-Control"]
    assert missing.status == 404
