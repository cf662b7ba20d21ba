"""Shopify: products, by its old headers and those of 2025.

Headers and meanings from Shopify's help pages. A price per market stands in columns
of its own ("Price / France"); the shop's own price is read.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import MARKET, Dialect, Family
from offers.sentences import Sentence

_PER_MEASURE = Sentence("A price per measure, not the price of the thing.")

_SHOPIFY_COMMON = {
    "title": "title",
    "body": "description",
    "body html": "description",
    "description": "description",
    "vendor": "brand",
    "product category": "category",
    "type": "category",
    "tags": "tags",
    "cost per item": "cost",
    "google shopping condition": "condition",
    "google shopping mpn": "mpn",
    "option {n} name": "option{n}_name",
    "option {n} value": "option{n}_value",
}

_REFUSED = {
    "price": MARKET,
    "compare at price": MARKET,
    "included": MARKET,
    "unit price": _PER_MEASURE,
    "variant unit price": _PER_MEASURE,
}

_INHERITED = (
    "title",
    "description",
    "brand",
    "category",
    "tags",
    "condition",
    "image_url",
    "option1_name",
    "option2_name",
    "option3_name",
)

_LEFTOVER = ("sku", "price", "quantity", "option1_value")

SHOPIFY = Dialect(
    slug="shopify",
    name="Shopify",
    signature=words(
        "handle|variant sku|variant price|option1 value|image src|variant barcode"
        "|variant compare at price|variant inventory qty|variant inventory quantity"
        "|variant grams|variant inventory tracker|variant inventory policy"
    ),
    enough=3,
    aliases={
        **_SHOPIFY_COMMON,
        "handle": "parent_key",
        "variant sku": "sku",
        "variant barcode": "gtin",
        "variant price": "price",
        "variant compare at price": "list_price",
        "variant inventory qty": "quantity",
        "variant inventory quantity": "quantity",
        "variant cost": "cost",
        "image src": "image_url",
        "variant image": "variant_image",
        "price": "price",
        "compare at price": "list_price",
    },
    refused=_REFUSED,
    decimal=".",
    oversold=True,
    family=Family.FOLLOWING,
    inherited=_INHERITED,
    leftover=_LEFTOVER,
)

SHOPIFY_NEW = Dialect(
    slug="shopify-new",
    name="Shopify (2025 headers)",
    signature=words(
        "url handle|published on online store|option1 value|product image url"
        "|compare at price|inventory quantity|variant image url|inventory tracker"
        "|continue selling when out of stock|weight value grams|charge tax"
        "|option1 linked to"
    ),
    enough=3,
    aliases={
        **_SHOPIFY_COMMON,
        "url handle": "parent_key",
        "sku": "sku",
        "barcode": "gtin",
        "price": "price",
        "compare at price": "list_price",
        "inventory quantity": "quantity",
        "product image url": "image_url",
        "variant image url": "variant_image",
    },
    refused=_REFUSED,
    decimal=".",
    oversold=True,
    family=Family.FOLLOWING,
    inherited=_INHERITED,
    leftover=_LEFTOVER,
)
