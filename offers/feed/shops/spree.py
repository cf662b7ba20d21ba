"""Spree: a row for the product, one for each variant, and more for other currencies.

A price to compare with of zero means that there is none. Headers from Spree's own
sample data.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect, Family

SPREE = Dialect(
    slug="spree",
    name="Spree",
    signature=words(
        "slug|compare at price|inventory count|inventory backorderable"
        "|track inventory|option1 name|image1 src|available on|discontinue on"
        "|tax category|category1"
    ),
    enough=4,
    aliases={
        "slug": "parent_key",
        "sku": "sku",
        "name": "title",
        "price": "price",
        "compare at price": "list_price",
        "currency": "currency",
        "description": "description",
        "category1": "category",
        "tags": "tags",
        "inventory count": "quantity",
        "image {n} src": "more_images",
        "option {n} name": "option{n}_name",
        "option {n} value": "option{n}_value",
    },
    decimal=".",
    oversold=True,
    family=Family.HEADED,
    inherited=("title", "description", "category", "tags"),
    price_rows=True,
)
