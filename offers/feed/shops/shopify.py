"""Shopify: products, by its old headers and those of 2025."""

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect, Family

_SHOPIFY_COMMON = {
    "title": "title",
    "body": "description",
    "body html": "description",
    "description": "description",
    "vendor": "brand",
    "product category": "category",
    "type": "category",
    "cost per item": "cost",
    "google shopping condition": "condition",
    "option {n} name": "option{n}_name",
    "option {n} value": "option{n}_value",
}

SHOPIFY = Dialect(
    slug="shopify",
    name="Shopify",
    signature=words(
        "handle|variant sku|variant price|option1 value|image src|variant barcode"
        "|variant compare at price|variant inventory qty|variant inventory quantity"
        "|variant grams"
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
    },
    decimal=".",
    family=Family.FOLLOWING,
    inherited=(
        "title",
        "description",
        "brand",
        "category",
        "condition",
        "image_url",
        "option1_name",
        "option2_name",
        "option3_name",
    ),
    leftover=("sku", "price", "quantity", "option1_value"),
)

SHOPIFY_NEW = Dialect(
    slug="shopify-new",
    name="Shopify (2025 headers)",
    signature=words(
        "url handle|published on online store|option1 value|product image url"
        "|compare at price|inventory quantity|variant image url|inventory tracker"
        "|continue selling when out of stock|weight value grams"
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
    decimal=".",
    family=Family.FOLLOWING,
    inherited=SHOPIFY.inherited,
    leftover=SHOPIFY.leftover,
)
