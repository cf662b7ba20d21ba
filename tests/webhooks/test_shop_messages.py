"""
What connected shops say of their stock: believed by their signature alone, kept once,
never older than what we know, and whatever they send never an error of ours.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, delete, select, update
from standardwebhooks import Webhook

from offers.catalog import Offer
from offers.errors import InvalidField
from offers.hearing import Taken, take_count
from offers.levels import MOST, take_levels
from offers.prices import price_log
from offers.shop_items import find_item, unknown_of, waiting_counts
from offers.shops import (
    BY_MESSAGE,
    CountWord,
    ShopConnection,
    ShopItem,
    ShopKind,
    StockLevel,
    StockPlace,
    WaitingCount,
)
from offers.stock import Cause, StockMovement, move_stock
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_arrival,
    make_deal,
    make_offer,
    make_order,
    make_price,
    make_shop,
    make_shop_item,
)
from webhooks.handlers import handle
from webhooks.inbox import Arrival, receive
from webhooks.shop_messages import is_ping, read_message
from webhooks.signing import InvalidSignature, new_secret
from webhooks.stocking import take_again, take_known

SECRET, OLD = "s3cret", "0ld"
URL = "https://outlet.example/webhooks/shops/shop_1"
ITEM, PLACE = 271878346596884015, 905684977


def digest(secret: str, signed: bytes) -> str:
    return base64.b64encode(
        hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    ).decode()


def shopify(
    said: Any,
    *,
    topic: str = "inventory_levels/update",
    delivery: str = "d1",
    secret: str = SECRET,
    told: datetime | None = None,
    prefix: str = "X-Shopify-",
) -> tuple[dict[str, str], bytes]:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    headers = {
        f"{prefix}Hmac-SHA256": digest(secret, body),
        f"{prefix}Topic": topic,
        f"{prefix}Webhook-Id": delivery,
    }
    if told is not None:
        headers[f"{prefix}Triggered-At"] = told.isoformat()
    return headers, body


def level(available: Any, at: datetime = NOON, **more: Any) -> dict[str, Any]:
    return {
        "inventory_item_id": ITEM,
        "location_id": PLACE,
        "available": available,
        "updated_at": at.isoformat(),
        **more,
    }


def woo(
    said: Any,
    *,
    topic: str = "product.updated",
    delivery: str = "d1",
    secret: str = SECRET,
) -> tuple[dict[str, str], bytes]:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    headers = {
        "X-WC-Webhook-Signature": digest(secret, body),
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Delivery-ID": delivery,
    }
    return headers, body


def product(quantity: Any, at: datetime = NOON, **more: Any) -> dict[str, Any]:
    return {
        "id": 12,
        "type": "simple",
        "sku": "PARKA",
        "price": "89.50",
        "regular_price": "120.00",
        "manage_stock": True,
        "stock_quantity": quantity,
        "stock_status": "instock",
        "parent_id": 0,
        "date_modified_gmt": at.replace(tzinfo=None).isoformat(),
        **more,
    }


def square(
    *counts: Mapping[str, Any], event: str = "e1", secret: str = SECRET, url: str = URL
) -> tuple[dict[str, str], bytes]:
    message = {
        "merchant_id": "6SSW7HV8K2ST5",
        "type": "inventory.count.updated",
        "event_id": event,
        "created_at": NOON.isoformat(),
        "data": {"type": "inventory", "object": {"inventory_counts": list(counts)}},
    }
    body = json.dumps(message).encode()
    signature = digest(secret, url.encode() + body)
    return {"x-square-hmacsha256-signature": signature}, body


def count(quantity: Any = "10", **more: Any) -> dict[str, Any]:
    return {
        "calculated_at": "2026-03-02T11:59:45.455006797Z",
        "catalog_object_id": "FGQ5JJWT2PYTHF35CKZ2DSKP",
        "catalog_object_type": "ITEM_VARIATION",
        "location_id": "YYQR03DGCTXA4",
        "quantity": quantity,
        "state": "IN_STOCK",
        **more,
    }


class Shop:
    """A connected shop, and what happens to what it sends."""

    def __init__(self, session: Session, shop: ShopConnection) -> None:
        self.session, self.shop = session, shop

    def send(
        self,
        message: tuple[Mapping[str, str], bytes],
        *,
        at: datetime = NOON,
        secrets: tuple[str, ...] = (SECRET,),
    ) -> str:
        """Deliver a message and act on it, unless it came before."""
        arrival = read_message(self.shop, *message, secrets=secrets, now=at)
        if not receive(self.session, arrival):
            self.session.commit()
            return "came before"
        outcome = handle(self.session, arrival, None, livemode=False, now=at)
        self.session.commit()
        self.session.expire_all()
        return outcome


@pytest.fixture
def shop(session: Session) -> Shop:
    return Shop(session, make_shop(session))


@pytest.fixture
def offer(session: Session, shop: Shop) -> Offer:
    """An offer that *shop* has by a key, of which nobody said how many there are."""
    make_shop_item(session, shop.shop, str(ITEM), "PARKA")
    return make_offer(session, sku="PARKA", quantity=None, price_amount=9_900)


class TestShopify:
    def test_tells_a_level(self, shop: Shop, offer: Offer) -> None:
        assert shop.send(shopify(level(42))) == "1 news"

        assert (offer.quantity, offer.counted_at) == (42, NOON)

    @pytest.mark.parametrize("prefix", ["X-Shopify-", "x-shopify-", "Shopify-"])
    def test_is_believed_by_either_header(
        self, shop: Shop, offer: Offer, prefix: str
    ) -> None:
        shop.send(shopify(level(42), prefix=prefix))

        assert offer.quantity == 42

    @pytest.mark.parametrize(
        "signature", ["", "AAAA", digest("other", b"{}"), "\udcff\udcfe", "é" * 44]
    )
    def test_is_not_believed_by_another_signature(
        self, shop: Shop, signature: str
    ) -> None:
        headers, body = shopify(level(42))

        with pytest.raises(InvalidSignature):
            shop.send(({**headers, "X-Shopify-Hmac-SHA256": signature}, body))

    @pytest.mark.parametrize("secrets", [(), ("",), ("", "other")])
    def test_is_not_believed_without_its_secret(
        self, shop: Shop, secrets: tuple[str, ...]
    ) -> None:
        with pytest.raises(InvalidSignature):
            shop.send(shopify(level(42), secret=""), secrets=secrets)

    def test_is_believed_by_the_secret_before(self, shop: Shop, offer: Offer) -> None:
        shop.send(shopify(level(42), secret=OLD), secrets=(SECRET, OLD))

        assert offer.quantity == 42

    def test_counts_a_repeated_delivery_once(self, shop: Shop, offer: Offer) -> None:
        shop.send(shopify(level(42)))

        assert shop.send(shopify(level(42)), at=NOON + HOUR) == "came before"

    def test_may_name_two_topics_alike(self, shop: Shop, offer: Offer) -> None:
        shop.send(shopify({"id": 1, "variants": []}, topic="products/update"))

        assert shop.send(shopify(level(42))) == "1 news"

    def test_drops_what_is_older_than_what_is_known(
        self, shop: Shop, offer: Offer
    ) -> None:
        shop.send(shopify(level(3, NOON), delivery="d2"))

        late = shopify(level(5, NOON - 4 * HOUR))
        assert shop.send(late, at=NOON + HOUR) == "1 old"

        assert offer.quantity == 3

    def test_drops_a_replay_under_another_name(self, shop: Shop, offer: Offer) -> None:
        old = shopify(level(9, NOON - MINUTE))
        shop.send(old)
        shop.send(shopify(level(3, NOON), delivery="d2"))

        headers, body = old
        shop.send(({**headers, "X-Shopify-Webhook-Id": "forged"}, body))

        assert offer.quantity == 3

    def test_tells_two_of_one_second_by_when_they_were_sent(
        self, shop: Shop, offer: Offer
    ) -> None:
        later = NOON - SECOND / 4
        shop.send(shopify(level(3, NOON - SECOND), told=later, delivery="d2"))
        before = shopify(level(4, NOON - SECOND), told=later - SECOND / 2)

        assert shop.send(before) == "1 old"

        assert offer.quantity == 3

    def test_takes_the_last_of_one_second_where_nothing_tells_them(
        self, shop: Shop, offer: Offer
    ) -> None:
        shop.send(shopify(level(4)))
        shop.send(shopify(level(3), delivery="d2"))

        assert offer.quantity == 3

    def test_has_no_clock_ahead_of_ours(self, shop: Shop, offer: Offer) -> None:
        shop.send(shopify(level(4, NOON + DAY)))
        shop.send(shopify(level(3, NOON + MINUTE), delivery="d2"), at=NOON + MINUTE)

        assert offer.quantity == 3

    def test_that_says_no_number_changes_nothing_unknown(
        self, shop: Shop, offer: Offer
    ) -> None:
        assert shop.send(shopify(level(None))) == "1 same"

        assert offer.quantity is None

    @pytest.mark.parametrize("quantity", ["many", True, [], 10**12, "1e400"])
    def test_with_a_senseless_number_changes_nothing(
        self, shop: Shop, offer: Offer, quantity: Any
    ) -> None:
        shop.send(shopify(level(4)))
        message = shopify(level(quantity, NOON), delivery="d2")

        assert shop.send(message) == "nothing to do"

        assert offer.quantity == 4

    def test_of_what_is_kept_there_no_more_leaves_none(
        self, shop: Shop, offer: Offer
    ) -> None:
        shop.send(shopify(level(4, NOON - MINUTE)))
        said = {"inventory_item_id": ITEM, "location_id": PLACE}
        topic = "inventory_levels/disconnect"
        shop.send(shopify(said, topic=topic, delivery="d2", told=NOON))

        assert offer.quantity == 0

    def test_of_places_that_add_up_to_more_than_can_be_counted(
        self, shop: Shop, offer: Offer
    ) -> None:
        for place in range(3):
            told = level(10**9, location_id=place + 1)
            shop.send(shopify(told, delivery=f"d{place}"))

        assert offer.quantity == MOST

    def test_of_two_places_is_all_taken_once_it_is_known(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        """The place that was heard of first was counted last."""
        session.delete(session.exec(select(ShopItem)).one())
        session.commit()
        shop.send(shopify(level(1, NOON - 3 * MINUTE, location_id=1), delivery="d1"))
        shop.send(shopify(level(5, NOON - 2 * MINUTE, location_id=2), delivery="d2"))
        shop.send(shopify(level(4, NOON - MINUTE, location_id=1), delivery="d3"))

        make_shop_item(session, shop.shop, str(ITEM), "PARKA")
        take_known(session, now=NOON)
        session.commit()
        session.expire_all()

        assert offer.quantity == 9

    def test_whose_variants_swap_their_skus(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        other = make_offer(session, sku="COAT", quantity=None)
        variants = [
            {"inventory_item_id": key, "sku": sku, "price": "99.00"}
            for key, sku in ((ITEM, "COAT"), (ITEM + 1, "PARKA"))
        ]
        make_shop_item(session, shop.shop, str(ITEM + 1), "COAT")
        said = {"id": 1, "variants": variants, "updated_at": NOON.isoformat()}
        shop.send(shopify(said, topic="products/update", delivery="d0"))
        shop.send(shopify(level(7), delivery="d1"))
        shop.send(shopify(level(3, inventory_item_id=ITEM + 1), delivery="d2"))

        assert (other.quantity, offer.quantity) == (7, 3)

    def test_that_came_while_its_level_was_moved_is_written_all_the_same(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        """Somebody moves the level after we have read it and before we lock it."""
        shop.send(shopify(level(4, NOON - MINUTE)))
        read = session.exec(select(StockLevel)).one()
        session.exec(
            update(StockLevel)
            .values(quantity=6)
            .execution_options(synchronize_session=False)
        )
        assert read.quantity == 4
        word = CountWord(
            item_key="1", quantity=4, counted_at=NOON, place_key=str(PLACE)
        )

        take_count(session, offer, shop.shop.id, word, source_id="m", now=NOON)

        assert offer.quantity == 4

    def test_to_a_shop_that_was_disconnected_meanwhile(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        arrival = read_message(
            shop.shop, *shopify(level(4)), secrets=(SECRET,), now=NOON
        )
        receive(session, arrival)
        session.exec(delete(ShopConnection))

        outcome = handle(session, arrival, None, livemode=False, now=NOON)

        assert outcome == "the shop was disconnected"
        assert session.exec(select(StockPlace)).all() == []

    def test_that_counts_no_more_makes_the_quantity_unknown(
        self, shop: Shop, offer: Offer
    ) -> None:
        shop.send(shopify(level(4)))
        shop.send(shopify(level(None, NOON), delivery="d2"))

        assert offer.quantity is None

    def test_may_owe_some_at_one_place(self, shop: Shop, offer: Offer) -> None:
        shop.send(shopify(level(5, location_id=1), delivery="d1"))
        shop.send(shopify(level(-2, location_id=2), delivery="d2"))
        assert offer.quantity == 3

        shop.send(shopify(level(-9, location_id=2), delivery="d3"))
        assert offer.quantity == 0

    def test_adds_up_places_as_they_become_known(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        shop.send(shopify(level(5, location_id=1), delivery="d1"))
        shop.send(shopify(level(3, location_id=2), delivery="d2"))
        shop.send(shopify(level(4, location_id=1), delivery="d3"))

        assert offer.quantity == 7
        places = session.exec(select(StockPlace)).all()
        assert {place.place_key for place in places} == {"1", "2"}
        assert len(session.exec(select(StockLevel)).all()) == 2

    def test_leaves_out_a_place_that_does_not_count(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        shop.send(shopify(level(5, location_id=1), delivery="d1"))
        (place,) = session.exec(select(StockPlace)).all()
        place.counts = False
        session.add(place)
        session.commit()

        shop.send(shopify(level(3, location_id=2), delivery="d2"))
        shop.send(shopify(level(9, location_id=1), delivery="d3"))

        assert offer.quantity == 3

    def test_takes_off_what_was_sold_here_since(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        shop.send(shopify(level(10, NOON - MINUTE)))
        deal = make_deal(session, offer, allotment=5)
        make_order(session, deal, quantity=2, paid_at=NOON)
        move(session, offer, -2, at=NOON)

        late = shopify(level(9, NOON - SECOND), delivery="d2")
        shop.send(late, at=NOON + SECOND)
        assert offer.quantity == 7

        newer = shopify(level(7, NOON + SECOND), delivery="d3")
        shop.send(newer, at=NOON + MINUTE)
        assert offer.quantity == 7

    def test_outdates_what_a_file_said_of_places(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        shelve(session, offer, {"Paris": 5, "Lyon": 2})
        assert offer.quantity == 7

        shop.send(shopify(level(4)))

        assert offer.quantity == 4

    @pytest.mark.parametrize(
        "topic", ["orders/paid", "", "inventory_levels", "app/uninstalled", "\x00"]
    )
    def test_means_nothing_by_other_topics(
        self, shop: Shop, offer: Offer, topic: str
    ) -> None:
        assert shop.send(shopify(level(4), topic=topic)) == "nothing to do"

    @pytest.mark.parametrize(
        "body",
        [
            b"\xff\xfe",
            '{"id": 7}'.encode("utf-16"),
            b"",
            b"[]",
            b"7",
            b"no json",
            b"[" * 30_000,
        ],
    )
    def test_that_cannot_be_read_is_refused(self, shop: Shop, body: bytes) -> None:
        with pytest.raises(InvalidField) as refusal:
            shop.send(shopify(body))

        assert refusal.value.field == "body"

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"inventory_item_id": None, "location_id": 1, "available": 3},
            {"inventory_item_id": ITEM, "location_id": [], "available": 3},
            {"inventory_item_id": {"a": 1}, "location_id": 1, "available": 3},
            {"inventory_item_id": "x" * 300, "location_id": 1, "available": 3},
        ],
    )
    def test_of_another_shape_means_nothing(self, shop: Shop, said: Any) -> None:
        assert shop.send(shopify(said)) == "nothing to do"

    def test_is_heard(self, session: Session, shop: Shop) -> None:
        shop.send(shopify({}, topic="shop/update"))

        heard = session.get_one(ShopConnection, shop.shop.id)
        assert (heard.last_heard_at, heard.last_message) == (NOON, "shop/update")


class TestShopifyProducts:
    def variant(self, **facts: Any) -> dict[str, Any]:
        plain = {
            "inventory_item_id": ITEM,
            "sku": "PARKA",
            "price": "89.50",
            "compare_at_price": "120.00",
        }
        return {**plain, **facts}

    def told(self, *variants: Any, at: datetime = NOON, **facts: Any) -> Any:
        said = {
            "id": 7,
            "handle": "parka",
            "variants": list(variants),
            "updated_at": at.isoformat(),
            **facts.pop("said", {}),
        }
        return shopify(said, topic="products/update", **{"delivery": "p1", **facts})

    def test_teach_what_a_key_stands_for(self, session: Session, shop: Shop) -> None:
        shop.send(self.told(self.variant()))

        item = find_item(session, shop.shop.id, str(ITEM))
        assert item is not None
        assert (item.sku, item.parent_key) == ("PARKA", "7")

    def test_let_what_waited_be_taken_over(self, session: Session, shop: Shop) -> None:
        offer = make_offer(session, sku="PARKA", quantity=None)
        shop.send(shopify(level(5, NOON - MINUTE), delivery="d1"))
        shop.send(shopify(level(4, NOON), delivery="d2"))
        unknown = unknown_of(session, shop.shop.retailer_id)[shop.shop.id]
        assert (unknown.items, unknown.messages) == (1, 2)

        shop.send(self.told(self.variant()))

        assert offer.quantity == 4
        assert unknown_of(session, shop.shop.retailer_id) == {}

    def test_bring_prices_into_the_log(self, session: Session, shop: Shop) -> None:
        offer = make_offer(session, sku="PARKA", price_amount=9_900)

        assert shop.send(self.told(self.variant())) == "1 repriced"

        assert (offer.price_amount, offer.list_price_amount) == (8_950, 12_000)
        (point,) = price_log(session, offer.retailer_id, offer.id)
        assert point.price_amount == 8_950
        assert point.source.startswith("arrival_")

    def test_that_is_no_news_does_not_end_what_a_deal_charges(
        self, session: Session, shop: Shop
    ) -> None:
        offer = make_offer(session, sku="PARKA", price_amount=8_950)
        make_price(session, offer, 8_950, NOON - 40 * DAY)
        make_price(session, offer, 6_000, NOON - DAY, source="deal_1 opened")

        shop.send(self.told(self.variant()))

        log = price_log(session, offer.retailer_id, offer.id)
        assert [point.price_amount for point in log] == [8_950, 6_000]

    def test_that_claim_no_former_price_any_more_take_it_away(
        self, session: Session, shop: Shop
    ) -> None:
        offer = make_offer(session, sku="PARKA", list_price_amount=12_000)

        shop.send(self.told(self.variant(compare_at_price=None)))

        assert offer.list_price_amount is None

    def test_of_an_older_moment_change_no_price(
        self, session: Session, shop: Shop
    ) -> None:
        offer = make_offer(session, sku="PARKA", price_amount=9_900)
        shop.send(self.told(self.variant(price="80.00")))

        older = self.told(self.variant(), at=NOON - MINUTE, delivery="p2")
        shop.send(older)

        assert offer.price_amount == 8_000

    @pytest.mark.parametrize("price", [None, "", "0", "-1", "free", "1.999", "1e99"])
    def test_may_say_no_price(self, session: Session, shop: Shop, price: Any) -> None:
        offer = make_offer(session, sku="PARKA", price_amount=9_900)

        shop.send(self.told(self.variant(price=price)))

        assert offer.price_amount == 9_900

    def test_without_a_code_go_by_the_one_our_reader_made(
        self, session: Session, shop: Shop
    ) -> None:
        blue = self.variant(sku="", option1="Blue", option2="42")
        plain = self.variant(sku=None, option1="Default Title", inventory_item_id=8)

        shop.send(self.told(blue, plain))

        items = session.exec(select(ShopItem.sku)).all()
        assert sorted(items) == ["parka", "parka/Blue/42"]

    def test_that_share_a_code_leave_it_to_the_first(
        self, session: Session, shop: Shop
    ) -> None:
        offer = make_offer(session, sku="PARKA", quantity=None)
        shop.send(self.told(self.variant(), self.variant(inventory_item_id=8)))

        shop.send(shopify(level(4), delivery="d1"))
        shop.send(shopify(level(9, inventory_item_id=8), delivery="d2"))

        assert offer.quantity == 4
        (waits,) = session.exec(select(WaitingCount)).all()
        assert waits.item_key == "8"

    def test_that_lose_a_variant_forget_it(self, session: Session, shop: Shop) -> None:
        shop.send(self.told(self.variant(), self.variant(sku="B", inventory_item_id=8)))
        shop.send(self.told(self.variant(sku="B", inventory_item_id=9), delivery="p2"))

        items = session.exec(select(ShopItem.item_key, ShopItem.sku)).all()
        assert [tuple(item) for item in items] == [("9", "B")]

    def test_that_are_deleted_are_forgotten(self, session: Session, shop: Shop) -> None:
        shop.send(self.told(self.variant()))
        shop.send(shopify({"id": 7}, topic="products/delete", delivery="p2"))

        assert session.exec(select(ShopItem)).all() == []

    @pytest.mark.parametrize(
        "variants", [None, {}, [None], ["x"], [{}], [{"inventory_item_id": []}]]
    )
    def test_of_another_shape_teach_nothing(
        self, session: Session, shop: Shop, variants: Any
    ) -> None:
        shop.send(self.told(said={"variants": variants}))

        assert session.exec(select(ShopItem)).all() == []


class TestWooCommerce:
    @pytest.fixture
    def shop(self, session: Session) -> Shop:
        return Shop(session, make_shop(session, ShopKind.WOOCOMMERCE))

    @pytest.fixture
    def offer(self, session: Session) -> Offer:
        return make_offer(session, sku="PARKA", quantity=None, price_amount=9_900)

    def test_tells_stock_and_price(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        assert shop.send(woo(product(4))) == "1 news, 1 repriced"

        assert (offer.quantity, offer.price_amount) == (4, 8_950)
        assert offer.list_price_amount == 12_000
        assert len(price_log(session, offer.retailer_id, offer.id)) == 1

    def test_has_its_ping_answered_and_no_other_unsigned_word(self, shop: Shop) -> None:
        assert is_ping(shop.shop, {}, b"webhook_id=12")

        assert not is_ping(shop.shop, {}, b"webhook_id=12&x=1")
        assert not is_ping(shop.shop, {"X-WC-Webhook-Signature": "x"}, b"webhook_id=1")
        assert not is_ping(shop.shop, {}, b'{"id": 12}')

    def test_pings_mean_nothing_at_other_shops(self, session: Session) -> None:
        assert not is_ping(make_shop(session), {}, b"webhook_id=12")

    def test_has_two_deliveries_of_one_second_told_apart(
        self, shop: Shop, offer: Offer
    ) -> None:
        shop.send(woo(product(4)))
        shop.send(woo(product(3)))
        assert offer.quantity == 3

        assert shop.send(woo(product(3))) == "came before"

    def test_is_not_believed_by_another_signature(self, shop: Shop) -> None:
        with pytest.raises(InvalidSignature):
            shop.send(woo(product(4), secret="other"))

    def test_is_believed_by_the_secret_before(self, shop: Shop, offer: Offer) -> None:
        shop.send(woo(product(4), secret=OLD), secrets=(SECRET, OLD))

        assert offer.quantity == 4

    def test_drops_what_is_older(self, shop: Shop, offer: Offer) -> None:
        shop.send(woo(product(4)))
        shop.send(woo(product(9, NOON - SECOND), delivery="d2"))

        assert offer.quantity == 4

    @pytest.mark.parametrize(
        ("facts", "quantity"),
        [
            ({"manage_stock": False, "stock_quantity": None}, None),
            (
                {
                    "manage_stock": False,
                    "stock_quantity": None,
                    "stock_status": "outofstock",
                },
                0,
            ),
            ({"manage_stock": "parent", "stock_quantity": 9}, None),
            ({"stock_quantity": -2}, 0),
            ({"stock_quantity": 2.9}, 2),
            ({"stock_quantity": "3"}, 3),
            ({"type": "variable"}, None),
        ],
        ids=str,
    )
    def test_counts_what_it_manages(
        self, shop: Shop, offer: Offer, facts: dict[str, Any], quantity: int | None
    ) -> None:
        shop.send(woo(product(4, **facts)))

        assert offer.quantity == quantity

    def test_tells_of_variations(self, session: Session, shop: Shop) -> None:
        blue = make_offer(session, sku="PARKA-BLUE", quantity=None)
        said = product(4, type="variation", id=13, parent_id=12, sku="PARKA-BLUE")

        shop.send(woo(said))

        assert blue.quantity == 4
        item = find_item(session, shop.shop.id, "13")
        assert item is not None
        assert item.parent_key == "12"

    def test_forgets_what_is_deleted(self, session: Session, shop: Shop) -> None:
        shop.send(woo(product(4)))
        shop.send(woo({"id": 12}, topic="product.deleted", delivery="d2"))

        assert session.exec(select(ShopItem)).all() == []

    def test_keeps_what_nobody_knows_until_it_is_known(
        self, session: Session, shop: Shop
    ) -> None:
        assert shop.send(woo(product(4))) == "1 unknown"
        (waits,) = waiting_counts(session, shop.shop.retailer_id, shop.shop.id)
        assert (waits.sku, waits.quantity, waits.times) == ("PARKA", 4, 1)

        offer = make_offer(session, sku="PARKA", quantity=None)
        taken = [take_known(session, now=NOON), take_known(session, now=NOON)]
        session.commit()
        session.expire_all()

        assert (taken, offer.quantity) == ([1, 0], 4)


class TestSquare:
    @pytest.fixture
    def shop(self, session: Session) -> Shop:
        return Shop(session, make_shop(session, ShopKind.SQUARE, notification_url=URL))

    @pytest.fixture
    def offer(self, session: Session, shop: Shop) -> Offer:
        make_shop_item(session, shop.shop, "FGQ5JJWT2PYTHF35CKZ2DSKP", "PARKA")
        return make_offer(session, sku="PARKA", quantity=None)

    def test_tells_counts_as_text_with_nine_digits(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        assert shop.send(square(count("10"))) == "1 news"

        assert offer.quantity == 10
        (kept,) = session.exec(select(StockLevel)).all()
        assert kept.counted_at.microsecond == 455006

    def test_signs_the_address_that_it_was_told(self, shop: Shop) -> None:
        with pytest.raises(InvalidSignature):
            shop.send(square(count(), url=URL.replace("https", "http")))

    def test_is_not_believed_by_its_older_signature(self, shop: Shop) -> None:
        _, body = square(count())
        old = hmac.new(SECRET.encode(), URL.encode() + body, hashlib.sha1).digest()
        headers = {"x-square-signature": base64.b64encode(old).decode()}

        with pytest.raises(InvalidSignature):
            shop.send((headers, body))

    def test_counts_a_repeated_event_once(self, shop: Shop, offer: Offer) -> None:
        shop.send(square(count("10")))

        assert shop.send(square(count("9"))) == "came before"

    def test_may_have_no_event_to_name(self, shop: Shop, offer: Offer) -> None:
        shop.send(square(count("10"), event=""))
        assert offer.quantity == 10

        shop.send(square(count("9"), event=""))
        assert offer.quantity == 9

    def test_counts_only_what_is_in_stock(self, shop: Shop, offer: Offer) -> None:
        waste = count("3", state="WASTE")
        sold = count("4", state="SOLD")

        shop.send(square(waste, count("10"), sold))

        assert offer.quantity == 10

    @pytest.mark.parametrize(
        ("quantity", "expected"), [("2.5", 2), ("-1", 0), ("", None), ("x", None)]
    )
    def test_may_say_odd_numbers(
        self, shop: Shop, offer: Offer, quantity: str, expected: int | None
    ) -> None:
        shop.send(square(count(quantity)))

        assert offer.quantity == expected

    def test_goes_by_the_token_where_the_catalogue_has_no_code(
        self, session: Session, shop: Shop
    ) -> None:
        offer = make_offer(session, sku="FGQ5JJWT2PYTHF35CKZ2DSKP", quantity=None)

        shop.send(square(count("7")))

        assert offer.quantity == 7

    @pytest.mark.parametrize("counts", [[None], ["x"], [{}], [{"state": "IN_STOCK"}]])
    def test_of_another_shape_means_nothing(
        self, shop: Shop, counts: list[Any]
    ) -> None:
        assert shop.send(square(*counts)) == "nothing to do"


class TestGeneric:
    KEY = new_secret()

    @pytest.fixture
    def shop(self, session: Session) -> Shop:
        return Shop(session, make_shop(session, ShopKind.GENERIC))

    def signed(
        self, *items: Any, name: str = "m1", key: str = KEY, at: datetime = NOON
    ) -> tuple[dict[str, str], bytes]:
        said = {
            "type": "stock.updated",
            "timestamp": at.isoformat(),
            "data": {"items": list(items)},
        }
        body = json.dumps(said)
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(key).sign(name, at, body),
        }
        return headers, body.encode()

    def test_is_believed_as_the_library_signs(
        self, session: Session, shop: Shop
    ) -> None:
        offer = make_offer(session, sku="PARKA", quantity=None, price_amount=9_900)
        item = {"sku": "PARKA", "quantity": 3, "location": "main", "price": "12.50"}

        shop.send(self.signed(item), secrets=(self.KEY,))

        assert (offer.quantity, offer.price_amount) == (3, 1_250)

    def test_adds_up_its_locations(self, session: Session, shop: Shop) -> None:
        offer = make_offer(session, sku="PARKA", quantity=None)
        main = {"sku": "PARKA", "quantity": 3, "location": "main"}
        attic = {"sku": "PARKA", "quantity": 2, "location": "attic"}

        shop.send(self.signed(main, attic), secrets=(self.KEY,))
        main["quantity"] = 1
        shop.send(self.signed(main, name="m2"), secrets=(self.KEY,))

        assert offer.quantity == 3

    def test_is_believed_by_the_secret_before(
        self, session: Session, shop: Shop
    ) -> None:
        offer = make_offer(session, sku="PARKA", quantity=None)
        item = {"sku": "PARKA", "quantity": 3}

        shop.send(self.signed(item), secrets=(new_secret(), self.KEY))

        assert offer.quantity == 3

    @pytest.mark.parametrize(
        "signature", ["", "v1", "nonsense", "v1,", "v1,AAAA v2,BBBB", ","]
    )
    def test_is_not_believed_by_a_broken_header(
        self, shop: Shop, signature: str
    ) -> None:
        headers, body = self.signed()

        with pytest.raises(InvalidSignature):
            shop.send(
                ({**headers, "webhook-signature": signature}, body),
                secrets=(self.KEY,),
            )

    def test_is_not_believed_where_its_body_is_no_text(self, shop: Shop) -> None:
        headers, _ = self.signed()

        with pytest.raises(InvalidSignature):
            shop.send((headers, b"\xff\xfe"), secrets=(self.KEY,))

    def test_is_not_believed_later(self, shop: Shop) -> None:
        with pytest.raises(InvalidSignature):
            shop.send(self.signed(), at=NOON + HOUR, secrets=(self.KEY,))

    @pytest.mark.parametrize(
        "item",
        [
            {"sku": "A", "quantity": 1, "location": 7},
            {"sku": "A", "quantity": 1, "location": ""},
            {"sku": "A", "quantity": 1, "price": 12.5},
            {"sku": "A", "quantity": 1, "price": "cheap"},
            {"sku": "A", "quantity": 1, "price": "-1"},
            {"sku": "A", "quantity": -1},
        ],
        ids=str,
    )
    def test_has_its_items_refused_by_number(self, shop: Shop, item: Any) -> None:
        good = {"sku": "B", "quantity": 1}

        with pytest.raises(InvalidField) as refusal:
            shop.send(self.signed(good, item), secrets=(self.KEY,))

        assert refusal.value.field == "data.items[1]"


class TestWaiting:
    def test_keeps_the_newest_count_of_each_place(
        self, session: Session, shop: Shop
    ) -> None:
        shop.send(shopify(level(5, NOON), delivery="d1"))
        shop.send(shopify(level(9, NOON - MINUTE), delivery="d2"))
        shop.send(shopify(level(2, NOON, location_id=1), delivery="d3"))

        waits = session.exec(select(WaitingCount)).all()
        assert {(one.place_key, one.quantity, one.times) for one in waits} == {
            (str(PLACE), 5, 2),
            ("1", 2, 1),
        }

    def test_is_no_sku_that_another_key_has(self, session: Session, shop: Shop) -> None:
        make_shop_item(session, shop.shop, "other", "PARKA")
        offer = make_offer(session, sku="PARKA", quantity=None)
        shop.shop.kind = ShopKind.WOOCOMMERCE

        shop.send(woo(product(4)))

        assert offer.quantity is None
        assert take_known(session, now=NOON) == 0
        assert len(session.exec(select(WaitingCount)).all()) == 1

    def test_to_the_retailers_own_address_is_of_all_there_are(
        self, session: Session, shop: Shop
    ) -> None:
        items = [{"sku": "PARKA", "quantity": 4}]
        arrival = make_arrival(
            session,
            "stock",
            "stock.updated",
            {"items": items},
            retailer_id=shop.shop.retailer_id,
        )
        handle(session, arrival, None, livemode=False, now=NOON)
        session.commit()
        offer = make_offer(session, sku="PARKA", quantity=None)

        take_known(session, now=NOON)
        session.commit()
        session.expire_all()

        assert offer.quantity == 4
        assert session.exec(select(StockPlace)).all() == []


class TestTotals:
    def tell(self, session: Session, offer: Offer, quantity: int | None) -> Taken:
        word = CountWord(
            item_key="x", quantity=quantity, counted_at=NOON, place_key=None
        )
        taken, _, _ = take_count(
            session, offer, BY_MESSAGE, word, source_id="m", now=NOON
        )
        session.commit()
        return taken

    def test_make_places_unknown_that_add_up_to_something_else(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        shop.send(shopify(level(5, NOON - MINUTE)))

        assert self.tell(session, offer, 5) is Taken.NEWS
        assert len(session.exec(select(StockLevel)).all()) == 1
        assert self.tell(session, offer, 3) is Taken.NEWS

        assert (offer.quantity, session.exec(select(StockLevel)).all()) == (3, [])

    def test_may_say_nothing(self, session: Session, shop: Shop, offer: Offer) -> None:
        assert self.tell(session, offer, None) is Taken.SAME

    def test_are_not_overtaken_by_late_words_on_places(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        self.tell(session, offer, 3)

        assert shop.send(shopify(level(9, NOON - HOUR))) == "1 old"

        assert offer.quantity == 3

    def test_may_be_taken_again(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        shop.send(shopify(level(5)))
        word = CountWord(
            item_key="x", quantity=5, counted_at=NOON, place_key=str(PLACE)
        )

        taken = take_again(
            session,
            offer.retailer_id,
            offer.id,
            shop.shop.id,
            word,
            source_id="m",
            now=NOON,
        )

        assert (taken, offer.quantity) == (Taken.SAME, 5)


@pytest.mark.parametrize("topic", ["order.updated", "action.x", "product"])
def test_other_topics_of_woocommerce_mean_nothing(session: Session, topic: str) -> None:
    shop = Shop(session, make_shop(session, ShopKind.WOOCOMMERCE))

    assert shop.send(woo(product(4), topic=topic)) == "nothing to do"


class TestPaused:
    def test_learns_what_its_keys_stand_for(self, session: Session, shop: Shop) -> None:
        shop.shop.paused = True
        session.add(shop.shop)
        variant = {"inventory_item_id": ITEM, "sku": "PARKA", "price": "1.00"}
        said = {"id": 1, "variants": [variant], "updated_at": NOON.isoformat()}

        shop.send(shopify(said, topic="products/update"))

        item = find_item(session, shop.shop.id, str(ITEM))
        assert item is not None
        assert item.sku == "PARKA"

    def test_keeps_the_later_of_one_second(self, session: Session, shop: Shop) -> None:
        shop.shop.paused = True
        session.add(shop.shop)
        for units, told in ((3, NOON), (4, NOON - SECOND / 2)):
            said = level(units, NOON - SECOND)
            shop.send(shopify(said, told=told, delivery=f"d{units}"))

        [waiting] = waiting_counts(session, shop.shop.retailer_id, shop.shop.id)
        assert waiting.quantity == 3

    def test_keeps_its_counts_until_it_goes_on(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        shop.shop.paused = True
        session.add(shop.shop)
        session.commit()

        assert shop.send(shopify(level(4))) == "kept, for the shop is paused"
        assert take_known(session, now=NOON) == 0
        assert offer.quantity is None

        shop.shop.paused = False
        session.add(shop.shop)
        session.commit()
        assert take_known(session, now=NOON) == 1
        session.commit()
        session.expire_all()

        assert offer.quantity == 4


class TestOthers:
    def test_know_nothing_of_each_others_keys(
        self, session: Session, shop: Shop, offer: Offer
    ) -> None:
        other = Shop(session, make_shop(session, name="Another"))

        assert other.send(shopify(level(4))) == "1 unknown"

        assert offer.quantity is None

    def test_that_are_gone_are_not_heard(self, session: Session, shop: Shop) -> None:
        arrival = read_message(
            shop.shop, *shopify(level(4)), secrets=(SECRET,), now=NOON
        )
        receive(session, arrival)
        session.delete(shop.shop)
        session.commit()

        outcome = handle(session, arrival, None, livemode=False, now=NOON)

        assert outcome == "the shop was disconnected"


def test_a_message_is_kept_as_it_came(session: Session, shop: Shop) -> None:
    body = json.dumps({**level(4), "note": "\ud800 \u0000 é"}).encode()
    shop.send(shopify(body))

    (kept,) = session.exec(select(Arrival)).all()
    assert kept.payload["body"].encode() == body


def move(session: Session, offer: Offer, change: int, *, at: datetime) -> None:
    move_stock(session, offer, change, cause=Cause.ORDER, source_id="o", now=at)
    session.commit()
    assert session.exec(select(StockMovement.place_id)).all()[-1] != ""


def shelve(session: Session, offer: Offer, quantities: dict[str, int]) -> None:
    sums = take_levels(
        session,
        offer.retailer_id,
        [(offer.id, tuple(quantities.items()))],
        now=NOON - HOUR,
    )
    offer.quantity = sums[offer.id]
    session.add(offer)
    session.commit()
