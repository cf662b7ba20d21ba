"""
The shops to practise on themselves: their rules, their words, and their messages.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from offers.shops import ShopKind
from outletbot.sandbox import shopify
from outletbot.sandbox.shop_hooks import Order, Treatment
from outletbot.sandbox.woocommerce_state import MOST_FAILURES
from tests.factories import MINUTE
from tests.outletbot.channels.contract import StandingClock
from tests.outletbot.shop_worlds import (
    ITEM,
    KEY,
    PLACE,
    PRODUCT,
    SECRET,
    SKU,
    STORE,
    TOKEN,
    VARIANT,
    ShopWorld,
    shop_world,
)

ADJUST = """
mutation ($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { createdAt changes { name delta quantityAfterChange } }
    userErrors { code message field }
  }
}
"""
SET = """
mutation ($input: InventorySetQuantitiesInput!) {
  inventorySetQuantities(input: $input) @idempotent(key: "a-key") {
    inventoryAdjustmentGroup { id }
    userErrors { code }
  }
}
"""
SET_UNKEYED = SET.replace('@idempotent(key: "a-key")', "")


@dataclass
class Ear:
    """An address that hears a shop; it answers with *status*."""

    status: int = 200
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def hear(self, request: web.Request) -> web.Response:
        headers = {name.lower(): text for name, text in request.headers.items()}
        self.heard.append((headers, await request.read()))
        return web.Response(status=self.status)

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.heard]


@pytest.fixture
async def world() -> AsyncIterator[ShopWorld]:
    async with shop_world(ShopKind.SHOPIFY) as world:
        yield world


@pytest.fixture
async def woo() -> AsyncIterator[ShopWorld]:
    async with shop_world(ShopKind.WOOCOMMERCE) as world:
        yield world


@pytest.fixture(params=[ShopKind.SHOPIFY, ShopKind.WOOCOMMERCE])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[ShopWorld]:
    async with shop_world(request.param) as world:
        yield world


@pytest.fixture
async def ear() -> AsyncIterator[Any]:
    ear, app = Ear(), web.Application()
    app.router.add_post("/hear", ear.hear)
    async with TestServer(app, host="127.0.0.1") as server:
        ear.url = str(server.make_url("/hear"))
        yield ear


async def ask(
    world: ShopWorld, query: str, version: str = "2026-07", **variables: Any
) -> Any:
    async with world.http.post(
        f"{world.url}/admin/api/{version}/graphql.json",
        json={"query": query, "variables": variables},
        headers={"X-Shopify-Access-Token": TOKEN},
    ) as answer:
        return await answer.json()


def change(delta: int = -1, **facts: Any) -> dict[str, Any]:
    one = {
        "delta": delta,
        "inventoryItemId": f"gid://shopify/InventoryItem/{ITEM}",
        "locationId": f"gid://shopify/Location/{PLACE}",
        "changeFromQuantity": None,
        **facts,
    }
    return {"name": "available", "reason": "other", "changes": [one]}


def codes(answer: Any) -> list[str]:
    [payload] = answer["data"].values()
    return [error["code"] for error in payload["userErrors"]]


class TestShopify:
    async def test_a_key_is_done_once(self, world: ShopWorld) -> None:
        first = await ask(world, ADJUST, input=change(), key="k")
        world.clock.advance(MINUTE)
        again = await ask(world, ADJUST, input=change(), key="k")

        assert first["data"] == again["data"]
        assert world.units() == 9

    async def test_a_key_is_for_one_input(self, world: ShopWorld) -> None:
        await ask(world, ADJUST, input=change(-1), key="k")
        other = await ask(world, ADJUST, input=change(-2), key="k")

        assert codes(other) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
        assert world.units() == 9

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"inventoryItemId": "gid://shopify/InventoryItem/1"}, "INVALID_INVEN"),
            ({"locationId": "gid://shopify/Location/1"}, "INVALID_LOCATION"),
            ({"changeFromQuantity": 3}, "CHANGE_FROM_QUANTITY_STALE"),
        ],
    )
    async def test_refuses(self, world: ShopWorld, facts: Any, code: str) -> None:
        answer = await ask(world, ADJUST, input=change(**facts), key="k")

        assert codes(answer)[0].startswith(code)
        assert world.units() == 10

    async def test_not_where_it_is_not_stocked(self) -> None:
        async with shop_world(ShopKind.SHOPIFY, {PLACE: 1}) as world:
            store = {"locationId": f"gid://shopify/Location/{STORE}"}
            answer = await ask(world, ADJUST, input=change(**store), key="k")

        assert codes(answer) == ["ITEM_NOT_STOCKED_AT_LOCATION"]

    async def test_wants_a_key_and_a_comparison_by_now(self, world: ShopWorld) -> None:
        adjust = ADJUST.replace("@idempotent(key: $key)", "")
        bare = change()
        del bare["changes"][0]["changeFromQuantity"]

        unkeyed = await ask(world, adjust, input=change(), key="k")
        uncompared = await ask(world, ADJUST, input=bare, key="k")
        old = await ask(world, adjust, "2026-01", input=bare, key="k")

        assert "@idempotent" in unkeyed["errors"][0]["message"]
        assert "changeFromQuantity" in uncompared["errors"][0]["message"]
        assert codes(old) == []
        assert world.units() == 9

    async def test_sets_what_it_compares(self, world: ShopWorld) -> None:
        def to(**facts: Any) -> dict[str, Any]:
            one = {**change()["changes"][0], "quantity": 4, **facts}
            return {"name": "available", "reason": "other", "quantities": [one]}

        stale = await ask(world, SET, input=to(changeFromQuantity=9))
        old = await ask(world, SET_UNKEYED, "2026-01", input=to(compareQuantity=9))
        done = await ask(world, SET_UNKEYED, "2026-01", input=to(compareQuantity=10))

        assert codes(stale) == ["CHANGE_FROM_QUANTITY_STALE"]
        assert codes(old) == ["COMPARE_QUANTITY_STALE"]
        assert codes(done) == []
        assert world.units() == 4

    async def test_says_what_a_call_costs(self, world: ShopWorld) -> None:
        world.shop.points = 9.0

        cheap = await ask(world, "{ shop { name } }")
        dear = await ask(world, "{ shop { name } }")

        assert cheap["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 1
        assert dear["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert "data" not in dear

    @pytest.mark.parametrize(
        "query",
        [
            "{ shop { nam } }",
            "{ shop }",
            "{ shop { name { first } } }",
            "{ shops { name } }",
            "{ shop { name }",
            "{ }",
            "mutation { shop { name } }",
            "{ shop { name } } @",
            "{ locations(first: 1) @skip(if: true) { nodes { id } } }",
            "{ inventoryItem(id: 7) { id } }",
            "",
        ],
    )
    async def test_refuses_what_is_no_query_of_its_schema(
        self, world: ShopWorld, query: str
    ) -> None:
        answer = await ask(world, query)

        assert answer["errors"][0]["message"]

    async def test_answers_what_was_selected(self, world: ShopWorld) -> None:
        query = "query Q($n: Int!) { here: locations(first: $n) { nodes { name } } }"

        answer = await ask(world, query, n=1)

        assert answer["data"] == {"here": {"nodes": [{"name": "Warehouse"}]}}

    async def test_goes_on_after_a_restart(self, tmp_path: Path) -> None:
        def build() -> web.Application:
            variant = shopify.Variant(VARIANT, 1, ITEM, SKU, "A parka")
            return shopify.build_shopify_sandbox(
                clock=StandingClock(),
                token=TOKEN,
                secret=SECRET,
                locations=[shopify.Location(PLACE, "Warehouse")],
                variants={variant: {PLACE: 10}},
                state_path=tmp_path / "shopify.db",
            )

        for left in (9, 8):
            app = build()
            async with TestServer(app):
                app[shopify.SANDBOX].sell(ITEM, PLACE)
                assert app[shopify.SANDBOX].available(ITEM, PLACE) == left


class TestWooCommerce:
    async def put(self, woo: ShopWorld, path: str, **said: Any) -> tuple[int, Any]:
        key, _, secret = KEY.partition(":")
        headers = {"Authorization": aiohttp.encode_basic_auth(key, secret)}
        address = f"{woo.url}/wp-json/wc/v3{path}"
        async with woo.http.put(address, json=said, headers=headers) as answer:
            return answer.status, await answer.json()

    async def test_sets_a_level(self, woo: ShopWorld) -> None:
        status, said = await self.put(woo, f"/products/{PRODUCT}", stock_quantity=4)

        assert (status, said["stock_quantity"], woo.units()) == (200, 4, 4)

    async def test_says_that_stock_is_kept_at_the_product(self, woo: ShopWorld) -> None:
        _, said = await self.put(woo, "/products/9000/variations/9002")

        assert (said["manage_stock"], said["stock_quantity"]) == ("parent", 7)

    async def test_says_what_it_does_not_know(self, woo: ShopWorld) -> None:
        status, said = await self.put(woo, "/products/1", stock_quantity=4)

        assert status == 404
        assert said == {
            "code": "woocommerce_rest_product_invalid_id",
            "message": "Invalid ID.",
            "data": {"status": 404},
        }

    async def test_a_batch_says_so_in_its_place(self, woo: ShopWorld) -> None:
        key, _, secret = KEY.partition(":")
        updates = [{"id": PRODUCT, "stock_quantity": 3}, {"id": 1}]
        async with woo.http.post(
            f"{woo.url}/wp-json/wc/v3/products/batch",
            json={"update": updates},
            headers={"Authorization": aiohttp.encode_basic_auth(key, secret)},
        ) as answer:
            [good, bad] = (await answer.json())["update"]

        assert good["stock_quantity"] == 3
        assert bad["error"]["code"] == "woocommerce_rest_product_invalid_id"

    async def test_shares_delivery_ids_within_a_second(
        self, woo: ShopWorld, ear: Any
    ) -> None:
        woo.hooks.url = ear.url
        woo.sell()
        woo.sell()
        woo.clock.advance(timedelta(seconds=1))
        woo.sell()
        await woo.hooks.settled()

        ids = [headers["x-wc-webhook-delivery-id"] for headers, _ in ear.heard]
        assert len(set(ids)) == 2

    async def test_pings_unsigned(self, woo: ShopWorld, ear: Any) -> None:
        woo.hooks.url = ear.url
        woo.shop.ping()
        await woo.hooks.settled()

        [(headers, body)] = ear.heard
        assert body == b"webhook_id=7"
        assert "x-wc-webhook-signature" not in headers

    async def test_is_silent_after_too_many_failures(
        self, woo: ShopWorld, ear: Any
    ) -> None:
        woo.hooks.url, ear.status = ear.url, 500
        for _ in range(MOST_FAILURES + 3):
            woo.sell()
            await woo.hooks.settled()

        assert len(ear.heard) == MOST_FAILURES + 1
        assert not woo.shop.active


class TestMessages:
    async def test_are_signed(self, either: ShopWorld, ear: Any) -> None:
        either.hooks.url, either.hooks.secret = ear.url, SECRET
        either.sell()
        await either.hooks.settled()

        [(headers, body)] = ear.heard
        signed = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
        given = headers.get("x-shopify-hmac-sha256") or headers.get(
            "x-wc-webhook-signature"
        )
        assert given == base64.b64encode(signed).decode()

    async def test_say_the_level(self, world: ShopWorld, ear: Any) -> None:
        world.hooks.url = ear.url
        world.sell(2)
        await world.hooks.settled()

        assert ear.bodies()[0] == {
            "inventory_item_id": ITEM,
            "location_id": PLACE,
            "available": 8,
            "updated_at": "2026-03-02T12:00:00Z",
            "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{PLACE}"
            f"?inventory_item_id={ITEM}",
        }
        assert ear.heard[0][0]["x-shopify-topic"] == "inventory_levels/update"

    async def test_say_the_product(self, world: ShopWorld, ear: Any) -> None:
        world.hooks.url = ear.url
        world.shop.edit(ITEM, price="7.50")
        await world.hooks.settled()

        [variant] = ear.bodies()[0]["variants"]
        assert (variant["sku"], variant["inventory_item_id"]) == (SKU, ITEM)
        assert (variant["price"], variant["inventory_quantity"]) == ("7.50", 12)

    async def test_come_as_they_are_told_to(self, either: ShopWorld, ear: Any) -> None:
        hooks = either.hooks
        hooks.url, hooks.secret = ear.url, SECRET
        hooks.treat_next(
            Treatment(copies=2),
            Treatment(held=True),
            Treatment(held=True),
            Treatment(copies=0),
        )
        for _ in range(4):
            either.sell()
        await hooks.settled()
        assert (len(ear.heard), hooks.held) == (2, 2)

        assert await hooks.release(Order.BACKWARDS) == 2

        levels = [
            body.get("available", body.get("stock_quantity")) for body in ear.bodies()
        ]
        assert levels == [9, 9, 7, 8]

    async def test_by_another_process(self, either: ShopWorld, ear: Any) -> None:
        async def post(path: str, **said: Any) -> Any:
            async with either.http.post(f"{either.url}{path}", json=said) as answer:
                return await answer.json()

        await post("/sandbox/webhook", url=ear.url, secret="another")
        await either.hooks.settled()
        ear.heard.clear()
        await post("/sandbox/next", held=True, copies=2)
        either.sell()
        await either.hooks.settled()
        assert ear.heard == []

        assert await post("/sandbox/release", order="backwards") == {"sent": 1}
        assert len(ear.heard) == 2
        call = either.find_call
        arranged = await post("/sandbox/faults", call=call, faults=["too_many"])
        assert arranged == {"waiting": {call: ["too_many"]}}
        either.faults.take(call)


class TestCounter:
    async def test_people_see_it_and_sell_one(self, either: ShopWorld) -> None:
        async with either.http.get(f"{either.url}/") as answer:
            page = await answer.text()
        key = f"{ITEM}:{PLACE}" if either.kind == ShopKind.SHOPIFY else str(PRODUCT)

        async with either.http.post(
            f"{either.url}/sell", data={"key": key}, allow_redirects=False
        ) as sold:
            assert sold.status == 303

        assert "Sell one here" in page
        assert "PARKA-1" in page
        assert either.units() == 9

    async def test_not_what_is_not_there(self, either: ShopWorld) -> None:
        for key in ("", "x", "1:2"):
            async with either.http.post(
                f"{either.url}/sell", data={"key": key}
            ) as answer:
                assert answer.status == 404
