"""
A shop's stock is changed once for each key, whatever becomes of the answers.
"""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from offers.shops import ShopKind
from outletbot.channels import Disowned, Limited, TryLater, Unconfirmed
from outletbot.sandbox.faults import Fault
from outletbot.shops import Item, NotCounted, NotThere, Rejected
from tests.factories import HOUR, MINUTE, NOON
from tests.outletbot.elsewhere import elsewhere
from tests.outletbot.shop_worlds import (
    ITEM,
    PLACE,
    SKU,
    STORE,
    ShopWorld,
    WooWorld,
    shop_world,
)

KINDS = (ShopKind.SHOPIFY, ShopKind.WOOCOMMERCE)
LOST = (Fault.TIMEOUT_AFTER, Fault.CUT_BODY, Fault.ERROR_AFTER)


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[ShopWorld]:
    async with shop_world(request.param) as world:
        yield world


@pytest.fixture
async def shopify() -> AsyncIterator[ShopWorld]:
    async with shop_world(ShopKind.SHOPIFY) as world:
        yield world


@pytest.fixture
async def woo() -> AsyncIterator[Any]:
    async with shop_world(ShopKind.WOOCOMMERCE) as world:
        yield world


def item_of(world: ShopWorld) -> Item:
    return Item(world.item_key, world.place_key)


class TestFind:
    async def test_by_the_sku(self, world: ShopWorld) -> None:
        assert await world.client().find(SKU, "") == item_of(world)

    async def test_not_what_only_looks_like_it(self, world: ShopWorld) -> None:
        with pytest.raises(NotThere, match=r"0 .* PARK-1"):
            await world.client().find("PARK-1", "")

    async def test_not_what_the_search_takes_for_it(self, shopify: ShopWorld) -> None:
        assert (await shopify.client().find("PARKA", "")).key == str(ITEM + 1)

    async def test_what_nobody_counts(self, world: ShopWorld) -> None:
        with pytest.raises(NotCounted, match="GIFT-1"):
            await world.client().find("GIFT-1", "")

    async def test_a_sku_with_quotes_and_stars(self, world: ShopWorld) -> None:
        with pytest.raises(NotThere):
            await world.client().find('a"b\\*, sku:x', "")

    async def test_several_are_none(self, shopify: ShopWorld) -> None:
        shopify.shop.edit(ITEM + 1, sku=SKU)

        with pytest.raises(NotThere, match="2 variants"):
            await shopify.client().find(SKU, "")

    async def test_where_there_is_most(self) -> None:
        async with shop_world(ShopKind.SHOPIFY, {PLACE: 1, STORE: 5}) as world:
            assert (await world.client().find(SKU, "")).place_key == str(STORE)
            assert (await world.client().find(SKU, str(PLACE))).place_key == str(PLACE)

    async def test_not_at_a_place_that_does_not_stock_it(self) -> None:
        async with shop_world(ShopKind.SHOPIFY, {PLACE: 1}) as world:
            with pytest.raises(NotThere, match="does not stock"):
                await world.client().find(SKU, str(STORE))

    async def test_a_variation_and_its_product(self, woo: WooWorld) -> None:
        found = await woo.client().find("SHIRT-M", "")

        assert found == Item("9001", parent_key="9000")

    async def test_a_variation_that_is_kept_at_its_product(self, woo: WooWorld) -> None:
        found = await woo.client().find("SHIRT-L", "")
        told = await woo.client().change(found, -2, key="echo-1")

        assert found == Item("9000", told_of="9002")
        assert (told.level, woo.shop.units(9000)) == (5, 5)


class TestChange:
    async def test_takes_off_and_says_when(self, world: ShopWorld) -> None:
        told = await world.client().change(item_of(world), -2, key="echo-1")

        assert (told.applied_at, told.level) == (NOON, 8)
        assert world.units() == 8

    async def test_puts_back(self, world: ShopWorld) -> None:
        await world.client().change(item_of(world), 3, key="echo-1")

        assert world.units() == 13

    async def test_a_variation(self, woo: WooWorld) -> None:
        found = await woo.client().find("SHIRT-M", "")

        await woo.client().change(found, -1, key="echo-1")

        assert woo.shop.units(9001) == 3

    @pytest.mark.parametrize("fault", LOST)
    async def test_a_lost_answer_may_have_been_done(
        self, world: ShopWorld, fault: Fault
    ) -> None:
        world.faults.next(world.change_call, fault)

        with pytest.raises(Unconfirmed):
            await world.client().change(item_of(world), -1, key="echo-1")

        assert world.units() == 9

    @pytest.mark.parametrize("fault", LOST)
    async def test_is_not_done_again(self, world: ShopWorld, fault: Fault) -> None:
        world.faults.next(world.change_call, fault)
        client, item = world.client(), item_of(world)
        with pytest.raises(Unconfirmed):
            await client.change(item, -1, key="echo-1")
        world.clock.advance(MINUTE)
        world.sell()

        told = await client.change_again(item, -1, key="echo-1", since=NOON)

        assert world.units() == 8
        assert told.applied_at >= NOON

    async def test_is_done_if_it_was_not(self, world: ShopWorld) -> None:
        world.faults.next(world.change_call, Fault.TIMEOUT_BEFORE)
        client, item = world.client(), item_of(world)
        with pytest.raises(Unconfirmed):
            await client.change(item, -1, key="echo-1")
        assert world.units() == 10

        await client.change_again(item, -1, key="echo-1", since=NOON)

        assert world.units() == 9

    async def test_another_key_is_another_change(self, world: ShopWorld) -> None:
        client, item = world.client(), item_of(world)

        await client.change(item, -1, key="echo-1")
        await client.change(item, -1, key="echo-2")

        assert world.units() == 8

    async def test_too_long_ago_to_ask(self, shopify: ShopWorld) -> None:
        shopify.clock.advance(21 * HOUR)

        with pytest.raises(Rejected, match="too long ago"):
            await shopify.client().change_again(
                item_of(shopify), -1, key="echo-1", since=NOON
            )

        assert shopify.units() == 10

    async def test_the_first_time_counts_not_the_last(self, shopify: ShopWorld) -> None:
        client, item = shopify.client(), item_of(shopify)
        await client.change(item, -1, key="echo-1")
        shopify.clock.advance(HOUR)
        shopify.sell()

        again = await client.change_again(item, -1, key="echo-1", since=NOON)

        assert (again.applied_at, again.level) == (NOON, 9)


class TestRefusals:
    async def test_of_who_we_are(self, world: ShopWorld) -> None:
        with pytest.raises(Disowned, match=r"401") as refusal:
            await world.client(token="ck_a-wrong:token").find(SKU, "")

        assert "wrong" not in str(refusal.value).replace("wrong password", "")

    async def test_a_limit_says_for_how_long(self, world: ShopWorld) -> None:
        world.faults.next(world.find_call, Fault.TOO_MANY)

        with pytest.raises(Limited) as limit:
            await world.client().find(SKU, "")

        assert limit.value.after is not None
        assert limit.value.after >= timedelta(seconds=1)

    async def test_an_empty_bucket(self, shopify: ShopWorld) -> None:
        shopify.shop.points = 5.0

        with pytest.raises(Limited):
            await shopify.client().change(item_of(shopify), -1, key="echo-1")
        shopify.clock.advance(timedelta(seconds=1))
        await shopify.client().change(item_of(shopify), -1, key="echo-1")

        assert shopify.units() == 9

    async def test_a_look_that_fails_did_nothing(self, world: ShopWorld) -> None:
        world.faults.next(world.find_call, Fault.ERROR_BEFORE)

        with pytest.raises(TryLater):
            await world.client().find(SKU, "")

    async def test_a_place_that_is_gone(self, shopify: ShopWorld) -> None:
        with pytest.raises(Rejected, match="location could not be found"):
            await shopify.client().change(Item(str(ITEM), "1"), -1, key="echo-1")

    async def test_a_product_that_is_gone(self, woo: WooWorld) -> None:
        with pytest.raises(Rejected, match="Invalid ID"):
            await woo.client().change(Item("1"), -1, key="echo-1")

    @pytest.mark.parametrize("text", ["", "<html>", "[]", '{"data": null}', "{}"])
    async def test_nonsense_proves_nothing(self, world: ShopWorld, text: str) -> None:
        async with elsewhere(lambda _: _web(text)) as url:
            world.url = url
            with pytest.raises((TryLater, Unconfirmed)):
                await world.client().change(item_of(world), -1, key="echo-1")

    @pytest.mark.parametrize("path", [None, ["inventoryAdjustQuantities", "x", "y"]])
    @pytest.mark.parametrize("adjusted", [None, {"inventoryAdjustmentGroup": None}])
    async def test_a_part_that_fails_proves_nothing(
        self, shopify: ShopWorld, path: Any, adjusted: Any
    ) -> None:
        """Shopify changes the stock, and then may not say what is left."""
        error = {"extensions": {"code": "ACCESS_DENIED"}, "message": "no", "path": path}
        data = {"inventoryAdjustQuantities": adjusted}
        text = json.dumps({"data": data, "errors": [error]})
        done = path is not None or adjusted is not None
        async with elsewhere(lambda _: _web(text)) as url:
            shopify.url = url
            with pytest.raises(Unconfirmed if done else Disowned):
                await shopify.client().change(item_of(shopify), -1, key="echo-1")


def _web(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")
