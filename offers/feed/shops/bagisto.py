"""Bagisto: its files of products."""

from offers.feed.fields import words
from offers.feed.shops.kinds import BOOKING, BUNDLE, GROUP, PARENT, Dialect, Family

BAGISTO = Dialect(
    slug="bagisto",
    name="Bagisto",
    signature=words(
        "parent sku|attribute family code|inventories|special price|url key"
        "|configurable variants|visible individually|tax category name"
    ),
    enough=3,
    aliases={
        "sku": "sku",
        "parent sku": "parent_key",
        "locale": "locale",
        "type": "type",
        "categories": "category",
        "images": "image_url",
        "name": "title",
        "description": "description",
        "short description": "short_description",
        "price": "price",
        "cost": "cost",
        "special price": "sale_price",
        "special price from": "sale_from",
        "special price to": "sale_to",
        "inventories": "sources",
        "configurable variants": "variants",
    },
    decimal=".",
    family=Family.PARENT,
    inherited=("title", "brand", "category", "image_url", "variants"),
    not_offers={
        "configurable": PARENT,
        "grouped": GROUP,
        "bundle": BUNDLE,
        "booking": BOOKING,
    },
)
