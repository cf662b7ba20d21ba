"""The sample outlet's own shop: a Shopify to practise on that keeps the same stock."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

from aiohttp import web
from sqlmodel import Session

from offers.catalog import Offer, find_offer_by_sku
from offers.ids import new_id
from offers.shop_items import learn_skus
from offers.shop_keeping import connect_shop
from offers.shops import ShopConnection, ShopKind, shops
from outletbot.db import Database
from outletbot.samples import sample_feed
from outletbot.sandbox.shopify import SANDBOX, Location, Variant
from outletbot.sealing import Seal

NAME = "Fjordlight's Shopify"
PLACE = 655_441_491
FIRST_ITEM = 44_100_000_000

Goods: TypeAlias = dict[Variant, dict[int, int]]
"""Variants, and how many of each there are at each location."""


async def open_own_shop(
    database: Database,
    retailer_id: str,
    app: web.Application,
    seal: Seal,
    *,
    address: str,
    public_url: str,
) -> None:
    """Connect the shop and fill its shelves, if that was not done.

    It may be at another address today, and so may we.
    """
    shop = app[SANDBOX]
    shop_id, goods = await database.transact(
        _connect,
        retailer_id,
        address=address,
        sealed_token=seal.close(shop.token),
        sealed_secret=seal.close(shop.hooks.secret),
        now=shop.clock(),
    )
    shop.stock([Location(PLACE, "Quai des Brumes")], goods)
    shop.hooks.url = f"{public_url}/webhooks/shops/{shop_id}"


def _connect(
    session: Session, retailer_id: str, /, *, now: datetime, **facts: str
) -> tuple[str, Goods]:
    found = _find(session, retailer_id)
    connection = found or connect_shop(session, _new(retailer_id, now))
    connection.sqlmodel_update(facts)
    items = dict(_items(session, retailer_id))
    keys = [(str(item), offer.sku) for item, offer in items.items()]
    learn_skus(session, retailer_id, connection.id, keys, now=now)
    goods = {
        _variant(item, offer): {PLACE: offer.quantity or 0}
        for item, offer in items.items()
    }
    return connection.id, goods


def _find(session: Session, retailer_id: str) -> ShopConnection | None:
    return next((one for one in shops(session, retailer_id) if one.name == NAME), None)


def _new(retailer_id: str, now: datetime) -> ShopConnection:
    return ShopConnection(
        id=new_id("shop", now),
        retailer_id=retailer_id,
        kind=ShopKind.SHOPIFY,
        name=NAME,
        tells_back=True,
        created_at=now,
    )


def _items(session: Session, retailer_id: str) -> Iterator[tuple[int, Offer]]:
    """Yield the sample's offers by the numbers that the shop knows them by."""
    rows = csv.DictReader(io.StringIO(sample_feed().decode()))
    for number, row in enumerate(rows):
        offer = find_offer_by_sku(session, retailer_id, row["sku"])
        if offer is not None:
            yield FIRST_ITEM + number, offer


def _variant(item: int, offer: Offer) -> Variant:
    price = f"{offer.price.value:.2f}"
    return Variant(item + 1, item + 2, item, offer.sku, offer.title, price)
