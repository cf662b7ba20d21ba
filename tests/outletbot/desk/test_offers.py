"""
A merchant finds an offer, sees what is known of it, and hangs a picture on it.
"""

import struct
import zlib
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image
from sqlmodel import select

from offers.catalog import Offer
from offers.errors import InvalidField
from offers.pictures import Picture
from outletbot.importing import bring_in
from outletbot.web.desk.picture_upload import MAX_BYTES, make_jpeg
from tests.factories import (
    NOON,
    make_deal,
    make_merchant,
    make_offer,
    make_price,
    make_retailer,
    north,
)
from tests.outletbot.desk.conftest import sign_in
from tests.outletbot.test_importing import feed_of


def picture(
    size=(40, 30), kind="JPEG", colour="red", mode="RGB", **options: Any
) -> bytes:
    buffer = BytesIO()
    Image.new(mode, size, colour).save(buffer, kind, **options)
    return buffer.getvalue()


def noise(side: int) -> bytes:
    """Return a picture that hardly compresses."""
    buffer = BytesIO()
    Image.effect_noise((side, side), 200).save(buffer, "PNG")
    return buffer.getvalue()


def form_of(content: bytes) -> FormData:
    form = FormData()
    form.add_field(
        "picture", BytesIO(content), filename="a.jpg", content_type="image/jpeg"
    )
    return form


class TestTheList:
    async def test_shows_stock_price_and_what_is_tied_up(self, desk, session):
        make_offer(
            session,
            sku="P-1",
            title="Parka",
            price_amount=9_900,
            list_price_amount=14_900,
            cost_amount=2_500,
            quantity=4,
        )

        html = await (await desk.get("/offers")).text()

        for fact in ("Parka", "P-1", "€99.00", "€149.00", "€25.00", "€100.00"):
            assert fact in html
        assert "/deals/new?offer=" in html

    async def test_offers_no_deal_of_what_is_gone(self, desk, session):
        make_offer(session, title="Parka", quantity=0)

        html = await (await desk.get("/offers")).text()

        assert "None left" in html
        assert "/deals/new?offer=" not in html

    async def test_finds_by_title_and_sku(self, desk, session):
        make_offer(session, sku="P-1", title="Parka")
        make_offer(session, sku="K-1", title="Kettle")

        for words in ("kett", "K-1"):
            html = await (await desk.get("/offers", params={"q": words})).text()
            assert "Kettle" in html
            assert "Parka" not in html

    async def test_says_so_if_nothing_is_found(self, desk, session):
        make_offer(session)

        html = await (await desk.get("/offers", params={"q": "<b>100%"})).text()

        assert "Nothing is called that" in html
        assert "&lt;b&gt;100%" in html

    async def test_has_pages(self, desk, session):
        for number in range(51):
            make_offer(session, title=f"Thing {number:03}", quantity=1)

        first = await (await desk.get("/offers")).text()
        second = await (await desk.get("/offers?page=2")).text()

        assert "Thing 049" in first
        assert "Thing 050" not in first
        assert "page=2" in first
        assert "Thing 050" in second

    @pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "²"])
    async def test_shows_the_first_page_for_a_number_that_is_none(
        self, desk, session, number
    ):
        make_offer(session, title="Parka")

        answer = await desk.get("/offers", params={"page": number})

        assert answer.status == 200

    async def test_leads_to_the_feed_when_there_is_none(self, desk):
        html = await (await desk.get("/offers")).text()

        assert "No offers yet" in html
        assert 'href="/feeds"' in html


class TestOneOffer:
    async def test_shows_what_is_free_and_its_deals(self, desk, session):
        offer = make_offer(session, quantity=10)
        deal = make_deal(session, offer, allotment=7, title="Flash parka")

        html = await (await desk.get(f"/offers/{offer.id}")).text()

        assert f'href="/deals/{deal.id}"' in html
        assert "Flash parka" in html
        assert 'class="value">3<' in html

    async def test_shows_every_price_and_movement(self, desk, database, session):
        retailer = north(session)
        for number, (price, stock) in enumerate(((120, 9), (90, 4))):
            feed = feed_of(f"A,Ant,{price},{stock}")
            moment = NOON - timedelta(days=10 - number)
            bring_in(database, feed, retailer.id, f"feed_{number}", now=moment)
        session.rollback()
        [offer] = session.exec(select(Offer)).all()
        make_price(session, offer, 8_000, NOON - timedelta(days=1))

        html = await (await desk.get(f"/offers/{offer.id}")).text()

        assert html.index("€80.00") < html.index("€120.00")
        assert 'href="/feeds/feed_0"' in html
        assert "-5" in html
        assert "+9" in html

    async def test_of_another_retailer_does_not_exist(self, desk, session):
        offer = make_offer(
            session, retailer_id=make_retailer(session).id, title="Not ours"
        )

        assert (await desk.get(f"/offers/{offer.id}")).status == 404
        answer = await desk.post(f"/offers/{offer.id}/picture", data=form_of(picture()))
        assert answer.status == 404
        assert offer.title not in await (await desk.get("/offers")).text()

    async def test_shows_nothing_of_ours_to_another_retailer(
        self, browser, database, session
    ):
        offer = make_offer(session)
        south = make_retailer(session)
        sam = make_merchant(session, "sam@south.example", retailer_id=south.id)
        await sign_in(browser, database, sam)

        assert (await browser.get(f"/offers/{offer.id}")).status == 404


class TestItsPicture:
    async def test_is_kept_small_and_shown(self, desk, session):
        offer = make_offer(session)

        answer = await desk.post(
            f"/offers/{offer.id}/picture", data=form_of(picture((3_000, 2_000)))
        )

        session.refresh(offer)
        kept = session.get_one(Picture, offer.picture_id)
        assert answer.status == 200
        assert (kept.width, kept.height) == (1_200, 800)
        assert kept.retailer_id == offer.retailer_id
        assert f"/pictures/{kept.id}.jpg" in await answer.text()

    @pytest.mark.parametrize("content", [b"", b"sku,title", b"\xff\xd8\xff\xe0broken"])
    async def test_must_be_a_picture(self, desk, session, content):
        offer = make_offer(session)

        answer = await desk.post(f"/offers/{offer.id}/picture", data=form_of(content))

        session.refresh(offer)
        assert answer.status == 422
        assert "This is no picture that can be read." in await answer.text()
        assert offer.picture_id is None

    async def test_must_not_be_endless(self, desk, session):
        offer = make_offer(session)

        answer = await desk.post(
            f"/offers/{offer.id}/picture", data=form_of(bytes(MAX_BYTES + 1))
        )

        assert answer.status == 422
        assert "too large to open" in await answer.text()

    async def test_must_come_in_a_form(self, desk, session):
        offer = make_offer(session)

        answer = await desk.post(f"/offers/{offer.id}/picture", data={"picture": "x"})

        assert answer.status == 422


class TestMakeJpeg:
    def test_stays_within_pixels_and_bytes(self):
        jpeg = make_jpeg(noise(1_600))

        assert max(jpeg.size) <= 1_200
        assert len(jpeg.content) <= 200_000
        with Image.open(BytesIO(jpeg.content)) as made:
            assert (made.format, made.size) == ("JPEG", jpeg.size)

    def test_does_not_enlarge(self):
        assert make_jpeg(picture((40, 30))).size == (40, 30)

    def test_forgets_where_the_camera_was(self):
        exif = Image.Exif()
        exif[0x010F] = "Camera of Ana"

        jpeg = make_jpeg(picture(exif=exif, comment=b"at my home"))

        assert b"Camera of Ana" not in jpeg.content
        assert b"at my home" not in jpeg.content

    def test_turns_it_upright(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # held on its side

        assert make_jpeg(picture((40, 30), exif=exif)).size == (30, 40)

    def test_puts_what_is_transparent_on_white(self):
        jpeg = make_jpeg(picture(kind="PNG", mode="RGBA", colour=(0, 0, 0, 0)))

        with Image.open(BytesIO(jpeg.content)) as made:
            assert made.getpixel((5, 5)) == (255, 255, 255)

    @pytest.mark.parametrize("side", [8_000, 12_000, 30_000])
    def test_refuses_to_unpack_a_bomb(self, side):
        with pytest.raises(InvalidField, match="too large"):
            make_jpeg(bomb(side))


def bomb(side: int) -> bytes:
    """Return a small PNG that says it is *side* pixels square."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check
