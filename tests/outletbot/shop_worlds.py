"""
Shops of two kinds to practise on, each on a port of its own: what tests do to either.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from offers.shops import ShopKind
from outletbot.channels.calls import Patience
from outletbot.outside import guarded_session
from outletbot.sandbox import shopify, woocommerce
from outletbot.sandbox.faults import Faults
from outletbot.sandbox.shop_hooks import Hooks
from outletbot.shops import Shop
from outletbot.shops.shopify import Shopify
from outletbot.shops.woocommerce import WooCommerce
from tests.outletbot.channels.contract import StandingClock

PATIENT = Patience(answer=timedelta(seconds=10))
"""What shall time out is hung up on instead: a busy machine is no slow shop."""

TOKEN = "shpat_the-token-of-the-app"
KEY = "ck_the-key:cs_its-secret"
SECRET = "the-secret-that-signs"
SKU = "PARKA-1"
PLACE, STORE = 655441491, 655441492
ITEM, VARIANT, PRODUCT = 271878346596884015, 43729076, 8888


@dataclass
class ShopWorld:
    """A running shop with ten of one thing, and all that can be done to it."""

    app: web.Application
    url: str
    clock: StandingClock
    http: aiohttp.ClientSession = field(repr=False)
    kind: ShopKind = ShopKind.SHOPIFY
    token: str = TOKEN
    item_key: str = str(ITEM)
    place_key: str = str(PLACE)
    change_call: str = "mutation inventoryAdjustQuantities"
    find_call: str = "query productVariants"

    @property
    def shop(self) -> Any:
        return self.app[shopify.SANDBOX]

    @property
    def faults(self) -> Faults:
        return self.app[shopify.FAULTS]

    @property
    def hooks(self) -> Hooks:
        return self.shop.hooks

    def client(self, *, token: str = "") -> Shop:
        return Shopify(
            self.http,
            self.url,
            token or self.token,
            clock=self.clock,
            patience=PATIENT,
        )

    def units(self) -> int:
        return self.shop.available(ITEM, PLACE)

    def sell(self, units: int = 1) -> None:
        self.shop.sell(ITEM, PLACE, units)

    def told(self) -> int:
        """How many changes it was told, and did."""
        return len(list(self.shop.shelf.all("group")))

    def forget(self) -> None:
        """Nothing here has the SKU any more."""
        self.shop.edit(ITEM, sku="ELSE-1")


@dataclass
class WooWorld(ShopWorld):
    kind: ShopKind = ShopKind.WOOCOMMERCE
    token: str = KEY
    item_key: str = str(PRODUCT)
    place_key: str = ""
    change_call: str = "POST /wp-json/wc/v3/products/{id}"
    find_call: str = "GET /wp-json/wc/v3/products"

    @property
    def shop(self) -> Any:
        return self.app[woocommerce.SANDBOX]

    @property
    def faults(self) -> Faults:
        return self.app[woocommerce.FAULTS]

    def client(self, *, token: str = "") -> Shop:
        return WooCommerce(
            self.http,
            self.url,
            token or self.token,
            clock=self.clock,
            patience=PATIENT,
        )

    def units(self) -> int:
        return self.shop.units(PRODUCT)

    def sell(self, units: int = 1) -> None:
        self.shop.sell(PRODUCT, units)

    def told(self) -> int:
        return self.shop.changes

    def forget(self) -> None:
        row = self.shop.product(PRODUCT)
        self.shop.save(row, sku="ELSE-1")


def build_shopify(clock: StandingClock, levels: Mapping[int, int]) -> web.Application:
    return shopify.build_shopify_sandbox(
        clock=clock,
        token=TOKEN,
        secret=SECRET,
        locations=[
            shopify.Location(PLACE, "Warehouse"),
            shopify.Location(STORE, "Store"),
        ],
        variants={
            shopify.Variant(VARIANT, 632910392, ITEM, SKU, "A parka"): levels,
            shopify.Variant(VARIANT + 1, 632910393, ITEM + 1, "PARKA", "Another"): {
                PLACE: 3
            },
            shopify.Variant(
                VARIANT + 2, 632910394, ITEM + 2, "GIFT-1", "A card", tracked=False
            ): {PLACE: 0},
        },
    )


def build_woocommerce(clock: StandingClock) -> web.Application:
    key, _, secret = KEY.partition(":")
    return woocommerce.build_woocommerce_sandbox(
        clock=clock,
        key=key,
        secret=secret,
        webhook_secret=SECRET,
        products=[
            woocommerce.Product(PRODUCT, SKU, "A parka", 10),
            woocommerce.Product(9000, "", "A shirt", 7),
            woocommerce.Product(9001, "SHIRT-M", "A shirt, M", 4, parent_id=9000),
            woocommerce.Product(
                9002, "SHIRT-L", "A shirt, L", None, parent_id=9000, at_parent=True
            ),
            woocommerce.Product(9010, "GIFT-1", "A card", None),
        ],
    )


@asynccontextmanager
async def shop_world(
    kind: str, levels: Mapping[int, int] | None = None
) -> AsyncIterator[ShopWorld]:
    """Run a shop of *kind*; see that no fault is left over."""
    clock = StandingClock()
    if kind == ShopKind.SHOPIFY:
        app, world = build_shopify(clock, levels or {PLACE: 10, STORE: 2}), ShopWorld
    else:
        app, world = build_woocommerce(clock), WooWorld
    async with (
        TestServer(app, host="127.0.0.1") as server,
        guarded_session(allow_private=True) as http,
    ):
        made = world(app, str(server.make_url("")).rstrip("/"), clock, http)
        made.faults.hold_for = timedelta(milliseconds=50)
        yield made
        assert not made.faults.waiting, made.faults.waiting
