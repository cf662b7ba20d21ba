"""Magento 2 and Adobe Commerce: products, and the stock of their sources.

Rows with a store view are translations of the product above them. A configurable
product names its variants and their options; it has no stock of its own. The price
that a manufacturer recommends (msrp) is no former price. Headers from Magento's own
sample files and documentation.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import (
    BUNDLE,
    GROUP,
    LIMIT,
    PARENT,
    RECOMMENDED,
    Dialect,
    Family,
)
from offers.sentences import Sentence

_NOT_LESS = Sentence("The lowest price that may be advertised, not what is charged.")

MAGENTO = Dialect(
    slug="magento",
    name="Magento 2",
    signature=words(
        "store view code|attribute set code|product type|product websites"
        "|tax class name|special price from date|configurable variations"
        "|additional attributes|out of stock qty|product online|base image"
        "|is in stock|url key"
    ),
    enough=4,
    aliases={
        "sku": "sku",
        "store view code": "locale",
        "product type": "type",
        "categories": "category",
        "name": "title",
        "description": "description",
        "short description": "short_description",
        "price": "price",
        "special price": "sale_price",
        "special price from date": "sale_from",
        "special price to date": "sale_to",
        "cost": "cost",
        "qty": "quantity",
        "is in stock": "in_stock",
        "manage stock": "tracked",
        "base image": "image_url",
        "additional images": "more_images",
        "additional attributes": "attributes",
        "configurable variations": "variants",
    },
    refused={
        "msrp": RECOMMENDED,
        "map": _NOT_LESS,
        "out of stock qty": LIMIT,
        "min cart qty": LIMIT,
        "max cart qty": LIMIT,
        "notify on stock below": LIMIT,
    },
    decimal=".",
    parts=True,
    oversold=True,
    family=Family.PARENT,
    inherited=("title", "brand", "category", "description", "image_url"),
    translations=True,
    not_offers={"configurable": PARENT, "grouped": GROUP, "bundle": BUNDLE},
)

MAGENTO_SOURCES = Dialect(
    slug="magento-sources",
    name="Magento 2 stock sources",
    signature=words("source code|sku|status|quantity"),
    enough=4,
    must=words("source code|sku|quantity"),
    aliases={
        "source code": "place",
        "sku": "sku",
        "status": "in_stock",
        "quantity": "quantity",
    },
    decimal=".",
    parts=True,
    oversold=True,
    stock_only=True,
)
