"""
The page behind a link: whatever the deal's state, made once and sent to everybody.
"""

import asyncio
import gzip
import json
import re
from datetime import datetime, timedelta
from html import unescape

from sqlmodel import Session

from offers.deals import Deal, Phase
from offers.merchants import start_sign_in
from offers.pictures import keep_picture
from outletbot.keys import CLOCK, DATABASE
from outletbot.web.shop.deal_view import DealView, read_deal
from outletbot.web.shop.snapshots import Snapshots
from outletbot.web.static_files import FOLDER
from tests.factories import (
    HOUR,
    NOON,
    SECOND,
    make_deal,
    make_hold,
    make_merchant,
    make_offer,
    post_of,
)
from tests.outletbot.shop.conftest import Shop, StandingClock

MOST_PAGE = 14 * 1024
MOST_SCRIPT = 5 * 1024


def address(session: Session, deal: Deal) -> str:
    return f"/d/{post_of(session, deal).code}"


def words(html: str) -> str:
    """Return what a page says, without its marks."""
    body = html.partition("<body")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def meta(html: str, name: str) -> str:
    found = re.search(rf'<meta (?:name|property)="{name}" content="([^"]*)"', html)
    assert found, name
    return unescape(found[1])


class TestStates:
    async def test_open_shows_price_stock_end_and_button(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, allotment=10, price_amount=4_999)
        make_hold(session, deal, quantity=3)

        html = await shop.text(address(session, deal))

        said = words(html)
        assert "€49.99" in said
        assert "7 left" in said
        assert "3 held by others" in said
        assert "Ends Mon 2 Mar, 13:00 (Dublin)" in said
        assert "Buy for €49.99" in said

    async def test_a_high_stock_is_told_as_a_band(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, allotment=47)

        html = await shop.text(address(session, deal))

        assert "40 or more left" in words(html)

    async def test_scheduled_says_when_it_opens_and_sells_nothing(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, opens_at=NOON + HOUR, closes_at=NOON + 2 * HOUR)

        html = await shop.text(address(session, deal))

        assert "Opens Mon 2 Mar, 13:00" in words(html)
        assert "/buy" not in html
        assert "deal.ics" in html
        assert meta(html, "product:availability") == "preorder"

    async def test_opens_by_the_clock(
        self, shop: Shop, session: Session, clock: StandingClock
    ) -> None:
        deal = make_deal(session, opens_at=NOON + SECOND, closes_at=NOON + HOUR)
        before = await shop.text(address(session, deal))

        clock.advance(SECOND)
        after = await shop.text(address(session, deal))

        assert "/buy" not in before
        assert "/buy" in after

    async def test_all_held_says_that_some_may_come_back(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, allotment=2)
        make_hold(session, deal, quantity=2)

        html = await shop.text(address(session, deal))

        assert "2 are being paid for" in words(html)
        assert address(session, deal) + "/mine" in html
        assert "/buy" not in html
        assert "data-live" in html

    async def test_sold_out_says_how_quickly_and_what_is_next(
        self, shop: Shop, session: Session
    ) -> None:
        after = timedelta(minutes=7, seconds=12)
        deal = make_deal(session, allotment=1, sold_out_at=NOON - HOUR + after)
        other = make_deal(session, title="Enamel kettle")

        html = await shop.text(address(session, deal))

        assert "Sold out in 7 min 12 s" in words(html)
        assert "Enamel kettle" in words(html)
        assert address(session, other) in html
        assert meta(html, "og:title").startswith("Sold out: ")
        assert "data-live" not in html

    async def test_ended_leads_on(self, shop: Shop, session: Session) -> None:
        deal = make_deal(
            session, opens_at=NOON - 2 * HOUR, closes_at=NOON - HOUR, allotment=5
        )

        html = await shop.text(address(session, deal))

        assert "This deal has ended" in words(html)
        assert 'href="/o/north"' in html
        assert meta(html, "product:availability") == "out of stock"

    async def test_a_prior_price_is_shown_with_evidence_only(
        self, shop: Shop, session: Session
    ) -> None:
        plain = make_deal(session, price_amount=4_999)

        without = await shop.text(address(session, plain))
        reduced = make_deal(session, price_amount=4_999, prior_amount=9_998)
        with_evidence = await shop.text(address(session, reduced))

        assert "lowest price of the last 30 days" not in without
        assert "€99.98 lowest price of the last 30 days" in words(with_evidence)
        assert "\N{MINUS SIGN}50%" in words(with_evidence)

    async def test_offers_other_deals_and_not_itself(
        self, shop: Shop, session: Session
    ) -> None:
        deal, other = make_deal(session), make_deal(session)

        html = await shop.text(address(session, deal))

        assert f'class="card" href="{address(session, other)}"' in html
        assert f'class="card" href="{address(session, deal)}"' not in html

    async def test_an_unknown_link_is_not_found(self, shop: Shop) -> None:
        answer = await shop.get("/d/nosuchcode")

        assert answer.status == 404

    async def test_speaks_french(self, shop: Shop, session: Session) -> None:
        deal = make_deal(session)

        answer = await shop.get(address(session, deal), Accept_Language="fr-FR,fr")

        assert answer.headers["Content-Language"] == "fr"
        assert "49,99" in words(await answer.text())

    async def test_what_a_retailer_writes_is_text(
        self, shop: Shop, session: Session
    ) -> None:
        evil = "</script><script>alert(1)</script>"
        deal = make_deal(session, title=evil, pitch=evil)

        html = await shop.text(address(session, deal))

        assert evil not in html
        assert html.count("<script") == 2  # ours, and the data for search engines


class TestCards:
    async def test_names_its_own_link_price_and_picture(
        self, shop: Shop, session: Session
    ) -> None:
        offer = make_offer(session, quantity=10)
        picture = keep_picture(
            session, offer.retailer_id, b"\xff\xd8", size=(800, 600), now=NOON
        )
        offer.picture_id = picture.id
        session.add(offer)
        deal = make_deal(session, offer, pitch="The old buckle works.")

        html = await shop.text(address(session, deal))

        url = f"http://outlet.example{address(session, deal)}"
        assert meta(html, "og:url") == url
        assert f'rel="canonical" href="{url}"' in html
        assert meta(html, "product:price:amount") == "49.99"
        assert meta(html, "product:price:currency") == "EUR"
        assert "The old buckle works." in meta(html, "og:description")
        image = f"http://outlet.example/pictures/{picture.id}.jpg"
        assert meta(html, "og:image") == image
        assert meta(html, "og:image:width") == "800"

    async def test_structured_data_agrees_with_the_page(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)

        html = await shop.text(address(session, deal))

        found = re.search(r'ld\+json">(.*?)</script>', html, re.DOTALL)
        assert found
        offer = json.loads(found[1])["offers"]
        assert offer["price"] == "49.99"
        assert offer["priceCurrency"] == "EUR"
        assert offer["availability"] == "https://schema.org/InStock"


class TestCaching:
    async def test_sets_no_cookie_and_may_be_kept_by_a_cdn(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)

        answer = await shop.get(address(session, deal))

        assert "Set-Cookie" not in answer.headers
        assert "s-maxage=1" in answer.headers["Cache-Control"]
        assert answer.headers["Vary"] == "Accept-Language, Accept-Encoding"
        assert "nonce" not in answer.headers["Content-Security-Policy"]
        assert "'unsafe" not in answer.headers["Content-Security-Policy"]

    async def test_is_not_sent_twice_to_who_has_it(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)
        first = await shop.get(address(session, deal))

        again = await shop.get(
            address(session, deal), If_None_Match=first.headers["ETag"]
        )

        assert again.status == 304
        assert again.headers["ETag"] == first.headers["ETag"]
        assert await again.read() == b""

    async def test_is_sent_again_once_a_unit_is_gone(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)
        first = await shop.get(address(session, deal))
        make_hold(session, deal)

        again = await shop.get(
            address(session, deal), If_None_Match=first.headers["ETag"]
        )

        assert again.status == 200

    async def test_is_squeezed_for_who_can_read_that(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)

        plain = await shop.get(address(session, deal), Accept_Encoding="identity")
        squeezed = await shop.get(address(session, deal), Accept_Encoding="br, gzip")

        assert "Content-Encoding" not in plain.headers
        assert squeezed.headers["Content-Encoding"] == "gzip"
        assert await squeezed.text() == await plain.text()
        assert squeezed.headers["ETag"] != plain.headers["ETag"]

    async def test_is_read_once_by_many_at_once(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)
        readings: list[str] = []

        def read(session: Session, code: str, *, now: datetime) -> DealView:
            readings.append(code)
            return read_deal(session, code, now=now)

        deals = Snapshots(shop.app[DATABASE], shop.app[CLOCK], read, every=HOUR)
        code = post_of(session, deal).code
        views = await asyncio.gather(*(deals.get(code) for _ in range(50)))
        await deals.get(code)

        assert readings == [code]
        assert len(set(map(id, views))) == 1

    async def test_is_read_again_at_the_instant_it_opens(
        self, shop: Shop, session: Session, clock: StandingClock
    ) -> None:
        deal = make_deal(session, opens_at=NOON + SECOND, closes_at=NOON + HOUR)
        code = post_of(session, deal).code
        deals = Snapshots(shop.app[DATABASE], clock, read_deal, every=HOUR)

        before = await deals.get(code)
        clock.advance(SECOND)
        after = await deals.get(code)

        assert (before.phase, after.phase) == (Phase.SCHEDULED, Phase.OPEN)

    async def test_a_signed_in_merchant_sees_what_everybody_sees(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)
        plain = await shop.get(address(session, deal))
        token = start_sign_in(session, make_merchant(session), now=NOON)
        session.commit()

        theirs = await shop.get(address(session, deal), Cookie=f"sign_in={token}")

        assert theirs.headers["ETag"] == plain.headers["ETag"]


class TestBudgets:
    async def test_a_full_page_fits_the_first_round_trip(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, prior_amount=9_999, pitch="A line. " * 20)
        for number in range(3):
            make_deal(session, title=f"Another fine thing, number {number}")

        answer = await shop.get(address(session, deal), Accept_Encoding="identity")

        assert len(gzip.compress(await answer.read())) < MOST_PAGE

    def test_the_script_is_small(self) -> None:
        script = (FOLDER / "shop.js").read_bytes()

        assert len(gzip.compress(script)) < MOST_SCRIPT

    async def test_nothing_comes_from_elsewhere(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)

        html = await shop.text(address(session, deal))

        loaded = re.findall(r'(?:src|srcset)="([^"]+)"', html)
        assert loaded
        assert all(source.startswith("/") for source in loaded)


async def test_the_calendar_event_is_at_the_opening(
    shop: Shop, session: Session
) -> None:
    deal = make_deal(
        session,
        title="Kettle, blue; the big one " * 4,
        opens_at=NOON + HOUR,
        closes_at=NOON + 2 * HOUR,
    )

    event = await shop.text(f"{address(session, deal)}/deal.ics")

    assert "DTSTART:20260302T130000Z\r\n" in event
    assert "Kettle\\, blue\\; the big one" in event
    assert max(len(line.encode()) for line in event.split("\r\n")) <= 75
