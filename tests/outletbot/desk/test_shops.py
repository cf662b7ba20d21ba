"""
A retailer's people connect their shop, see that it was heard and what nobody knows, and
choose which of the stock counts.
"""

import base64
import hashlib
import hmac
import html
import json
import re
from typing import Any

import pytest
from sqlmodel import Session, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.retailers import Retailer
from offers.shops import (
    ShopConnection,
    ShopItem,
    ShopKind,
    StockLevel,
    StockPlace,
    WaitingCount,
)
from outletbot.db import Database
from outletbot.jobs.handling import handle_arrivals
from outletbot.jobs.learning import take_known_counts
from outletbot.sealing import Seal
from outletbot.web.desk.shops import OLD_SECRET, read_pairs
from tests.factories import (
    NOON,
    make_deal,
    make_offer,
    make_retailer,
    make_shop,
    make_shop_item,
    north,
)
from tests.fakes import FakePayments

SECRET = "shpss_s3cret"


def find_shop(session: Session) -> ShopConnection:
    session.rollback()
    return session.exec(
        select(ShopConnection).execution_options(populate_existing=True)
    ).one()


def digest(secret: str, signed: bytes) -> str:
    return base64.b64encode(
        hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    ).decode()


async def post(client, path: str, **fields: str) -> tuple[int, str]:
    answer = await client.post(path, data=fields, allow_redirects=False)
    return answer.status, html.unescape(await answer.text())


async def send(client, shop_id: str, body: Any, **headers: str) -> int:
    """The shop's machine sends something. Return the status of the answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await client.post(
        f"/webhooks/shops/{shop_id}", data=content, headers=named
    )
    return answer.status


async def level(client, shop_id: str, available: int, **headers: str) -> int:
    said = {
        "inventory_item_id": 7,
        "location_id": 1,
        "available": available,
        "updated_at": NOON.isoformat(),
    }
    body = json.dumps(said).encode()
    plain = {
        "X_Shopify_Hmac_SHA256": digest(SECRET, body),
        "X_Shopify_Topic": "inventory_levels/update",
        "X_Shopify_Webhook_Id": "d1",
    }
    return await send(client, shop_id, body, **{**plain, **headers})


async def work(database: Database, session: Session) -> None:
    session.rollback()
    await handle_arrivals(database, FakePayments(), lambda: NOON)


@pytest.fixture
def shop(session: Session, seal: Seal) -> ShopConnection:
    return make_shop(session, sealed_secret=seal.close(SECRET))


class TestConnecting:
    async def test_leads_to_the_address_to_paste(self, desk, session) -> None:
        status, _ = await post(desk, "/shops", kind="shopify", name="Lyon")

        shop = find_shop(session)
        assert (status, shop.kind, shop.name) == (303, ShopKind.SHOPIFY, "Lyon")
        text = await (await desk.get(f"/shops/{shop.id}")).text()
        assert f"http://outlet.example/webhooks/shops/{shop.id}" in text
        assert "Not heard yet" in text

    @pytest.mark.parametrize("kind", ["woocommerce", "generic"])
    async def test_shows_a_secret_that_we_make_once(
        self, desk, session, seal, kind: str
    ) -> None:
        status, text = await post(desk, "/shops", kind=kind, name="Lyon")

        shop = find_shop(session)
        secret = seal.open(shop.sealed_secret)
        assert (status, secret in text) == (200, True)
        assert secret not in await (await desk.get(f"/shops/{shop.id}")).text()

    async def test_keeps_the_address_that_square_signs(self, desk, session) -> None:
        await post(desk, "/shops", kind="square", name="Till")

        shop = find_shop(session)
        assert shop.notification_url.endswith(f"/webhooks/shops/{shop.id}")

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"kind": "etsy", "name": "x"}, "Choose from the list."),
            ({"kind": "shopify", "name": " "}, "Fill this in."),
            (
                {"kind": "shopify", "name": "x", "address": "ftp://x"},
                "Enter an address",
            ),
        ],
    )
    async def test_refuses_with_the_field(self, desk, session, fields, problem) -> None:
        status, text = await post(desk, "/shops", **fields)

        assert (status, problem in text) == (422, True)
        session.rollback()
        assert session.exec(select(ShopConnection)).all() == []

    @pytest.mark.parametrize("kind", list(ShopKind))
    async def test_says_where_to_click(self, desk, session, kind: ShopKind) -> None:
        shop = make_shop(session, kind)

        answer = await desk.get(f"/shops/{shop.id}")

        assert answer.status == 200
        assert len(re.findall("<li>", await answer.text())) > 2


class TestHearing:
    async def test_shows_when_a_signed_message_came(
        self, desk, session, database, shop
    ) -> None:
        assert "Not heard yet" in await (await desk.get("/shops")).text()

        assert await level(desk, shop.id, 4) == 200
        await work(database, session)

        text = await (await desk.get("/shops")).text()
        assert "Heard" in text
        assert "Not heard yet" not in text
        page = await (await desk.get(f"/shops/{shop.id}")).text()
        assert "inventory_levels/update" in page

    async def test_refuses_without_a_word_why(self, desk, session, shop) -> None:
        answer = await desk.post(f"/webhooks/shops/{shop.id}", data=b"{}")

        assert answer.status == 401
        assert await answer.text() == "The signature does not fit."

    async def test_refuses_what_is_signed_and_no_message(self, desk, shop) -> None:
        body = b"\xff\xfe"

        status = await send(
            desk, shop.id, body, X_Shopify_Hmac_SHA256=digest(SECRET, body)
        )

        assert status == 422

    async def test_knows_no_shop_that_is_not_there(self, desk) -> None:
        assert await level(desk, "shop_nowhere", 4) == 404

    async def test_answers_the_ping_of_woocommerce(self, desk, session) -> None:
        shop = make_shop(session, ShopKind.WOOCOMMERCE)

        assert await send(desk, shop.id, b"webhook_id=12") == 200

        assert find_shop(session).last_heard_at is None

    async def test_believes_the_secret_before_until_its_time(
        self, desk, session, shop
    ) -> None:
        await post(desk, f"/shops/{shop.id}/secret", secret="another")
        assert await level(desk, shop.id, 4) == 200
        assert find_shop(session).old_secret_until == NOON + OLD_SECRET
        text = await (await desk.get(f"/shops/{shop.id}")).text()
        assert "The secret before is good until" in text

        shop = find_shop(session)
        shop.old_secret_until = NOON
        session.add(shop)
        session.commit()
        assert await level(desk, shop.id, 4) == 401

    async def test_believes_square_by_its_written_address(
        self, desk, session, seal
    ) -> None:
        url = "https://other.example/here"
        shop = make_shop(
            session,
            ShopKind.SQUARE,
            sealed_secret=seal.close(SECRET),
            notification_url=url,
        )
        body = b'{"event_id": "e1", "type": "inventory.count.updated"}'

        signature = digest(SECRET, url.encode() + body)

        assert (
            await send(desk, shop.id, body, X_Square_HmacSha256_Signature=signature)
            == 200
        )


class TestUnknown:
    async def test_is_counted_shown_and_learned(
        self, desk, session, database, shop
    ) -> None:
        offer = make_offer(session, sku="PARKA", quantity=None)
        await level(desk, shop.id, 4)
        await work(database, session)
        text = await (await desk.get(f"/shops/{shop.id}")).text()
        assert "1 message about things we do not know." in text
        assert "<code>7</code>" in text

        status, _ = await post(desk, f"/shops/{shop.id}/items", items="7,PARKA\n8,\n")

        assert status == 303
        session.rollback()
        assert session.get_one(Offer, offer.id, populate_existing=True).quantity == 4
        assert session.exec(select(WaitingCount)).all() == []

    async def test_is_taken_over_when_a_feed_brings_it(
        self, desk, session, database, shop
    ) -> None:
        make_shop_item(session, shop, "7", "PARKA")
        await level(desk, shop.id, 4)
        await work(database, session)
        offer = make_offer(session, sku="PARKA", quantity=None)
        session.rollback()

        assert await take_known_counts(database, lambda: NOON) == 1

        assert session.get_one(Offer, offer.id, populate_existing=True).quantity == 4

    async def test_needs_two_columns(self, desk, session, shop) -> None:
        status, text = await post(desk, f"/shops/{shop.id}/items", items="7,A\n8 B")

        assert status == 422
        assert "Line 2: write the shop's key, a comma and your SKU." in text
        assert "8 B" in text
        session.rollback()
        assert session.exec(select(ShopItem)).all() == []

    @pytest.mark.parametrize("mark", [",", ";", "\t", " , "])
    def test_may_come_from_a_spreadsheet(self, mark: str) -> None:
        assert list(read_pairs({"items": f"7{mark}A 1\n\n8{mark}\n"})) == [("7", "A 1")]


class TestSaving:
    async def test_keeps_a_token_sealed(self, desk, session, seal, shop) -> None:
        fields = {"name": "Lyon", "address": "north.myshopify.com/", "token": "shpat_1"}

        status, _ = await post(desk, f"/shops/{shop.id}", **fields, tells_back="yes")

        kept = find_shop(session)
        assert (status, kept.tells_back) == (303, True)
        assert kept.address == "https://north.myshopify.com"
        assert seal.open(kept.sealed_token) == "shpat_1"
        text = await (await desk.get(f"/shops/{shop.id}")).text()
        assert "shpat_1" not in text

    async def test_keeps_the_token_there_is(self, desk, session, seal) -> None:
        shop = make_shop(session, sealed_token=seal.close("shpat_1"))

        await post(
            desk, f"/shops/{shop.id}", name="x", address="x.example", tells_back="yes"
        )

        assert seal.open(find_shop(session).sealed_token) == "shpat_1"

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"address": "", "token": "t"}, "Enter where the shop is."),
            ({"address": "x.example"}, "Enter the key that lets us in there."),
        ],
    )
    async def test_needs_a_way_in_to_tell_it_anything(
        self, desk, session, shop, fields, problem
    ) -> None:
        status, text = await post(
            desk, f"/shops/{shop.id}", name="x", tells_back="yes", **fields
        )

        assert (status, problem in text) == (422, True)
        assert not find_shop(session).tells_back

    async def test_makes_a_new_secret_for_those_who_take_ours(
        self, desk, session, seal
    ) -> None:
        shop = make_shop(session, ShopKind.GENERIC, sealed_secret=seal.close("old"))

        status, text = await post(desk, f"/shops/{shop.id}/secret")

        kept = find_shop(session)
        assert status == 200
        assert seal.open(kept.sealed_secret) in text
        assert seal.open(kept.sealed_old_secret) == "old"

    async def test_needs_the_secret_that_others_made(self, desk, session, shop) -> None:
        assert (await post(desk, f"/shops/{shop.id}/secret"))[0] == 422

    async def test_pauses_and_goes_on(self, desk, session, database, shop) -> None:
        make_shop_item(session, shop, "7", "PARKA")
        offer = make_offer(session, sku="PARKA", quantity=10)
        await post(desk, f"/shops/{shop.id}/pause", paused="yes")
        await level(desk, shop.id, 4)
        await work(database, session)
        assert session.get_one(Offer, offer.id, populate_existing=True).quantity == 10
        session.rollback()

        await post(desk, f"/shops/{shop.id}/pause", paused="no")

        session.rollback()
        assert session.get_one(Offer, offer.id, populate_existing=True).quantity == 4

    async def test_forgets_a_shop_and_keeps_the_count(
        self, desk, session, database, shop
    ) -> None:
        make_shop_item(session, shop, "7", "PARKA")
        offer = make_offer(session, sku="PARKA", quantity=10)
        await level(desk, shop.id, 4)
        await work(database, session)

        status, _ = await post(desk, f"/shops/{shop.id}/disconnect")

        assert status == 303
        session.rollback()
        for model in (ShopConnection, ShopItem, StockPlace, StockLevel):
            assert session.exec(select(model)).all() == []
        assert session.get_one(Offer, offer.id, populate_existing=True).quantity == 4
        assert await level(desk, shop.id, 4) == 404


class TestPlaces:
    @pytest.fixture
    def offer(self, session: Session, shop: ShopConnection) -> Offer:
        """An offer of which five are in Lyon and three in Paris, all in a deal."""
        offer = make_offer(session, sku="PARKA", quantity=8)
        for key, units in (("lyon", 5), ("paris", 3)):
            place = StockPlace(
                id=f"place_{key}",
                retailer_id=shop.retailer_id,
                shop_id=shop.id,
                place_key=key,
                name=key,
            )
            session.add(place)
            session.flush()
            session.add(
                StockLevel(
                    id=f"level_{key}",
                    retailer_id=shop.retailer_id,
                    offer_id=offer.id,
                    place_id=place.id,
                    quantity=units,
                    counted_at=NOON,
                )
            )
        session.commit()
        make_deal(session, offer, allotment=8)
        return offer

    async def test_count_or_not_and_deals_follow(
        self, desk, session, offer: Offer
    ) -> None:
        fields = [
            ("place", "place_lyon"),
            ("place", "place_paris"),
            ("counts", "place_paris"),
            ("name-place_paris", "Rue de Rivoli"),
        ]

        answer = await desk.post("/shops/places", data=fields, allow_redirects=False)

        assert answer.status == 303
        session.rollback()
        assert session.get_one(Offer, offer.id, populate_existing=True).quantity == 3
        assert session.exec(select(Deal)).one().left == 3
        text = await (await desk.get("/shops")).text()
        assert "Rue de Rivoli" in text
        assert text.count("checked") == 1

    async def test_of_others_do_not_exist(self, desk, session) -> None:
        south = make_retailer(session, "south")
        session.add(
            StockPlace(
                id="place_s", retailer_id=south.id, shop_id="", place_key="x", name="x"
            )
        )
        session.commit()

        answer = await desk.post(
            "/shops/places", data=[("place", "place_s")], allow_redirects=False
        )

        assert answer.status == 404
        session.rollback()
        place = session.get_one(StockPlace, "place_s", populate_existing=True)
        assert place.counts

    async def test_may_keep_some_back(self, desk, session, offer: Offer) -> None:
        status, _ = await post(desk, "/shops/buffer", buffer="6")

        session.rollback()
        assert status == 303
        assert session.exec(select(Deal)).one().left == 2
        assert session.get_one(Offer, offer.id, populate_existing=True).quantity == 8
        retailer = session.get_one(Retailer, north(session).id, populate_existing=True)
        assert retailer.stock_buffer == 6

    @pytest.mark.parametrize("buffer", ["", "-1", "x", "99999999"])
    async def test_keep_back_a_number(self, desk, session, buffer: str) -> None:
        assert (await post(desk, "/shops/buffer", buffer=buffer))[0] == 422
