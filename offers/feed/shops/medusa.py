"""Medusa v2: products, whose prices stand in a column for each currency or region.

Headers from Medusa's own test files; the number of units is not in them and is written
by shops' scripts as "Variant Inventory Quantity".
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect, Family

MEDUSA = Dialect(
    slug="medusa",
    name="Medusa",
    signature=words(
        "product id|product handle|product title|product status|product thumbnail"
        "|variant id|variant title|variant sku|variant manage inventory"
        "|variant allow backorder|product discountable|product external id"
    ),
    enough=5,
    aliases={
        "product handle": "parent_key",
        "product title": "title",
        "product description": "description",
        "product thumbnail": "image_url",
        "product image {n}": "more_images",
        "product image {n} url": "more_images",
        "image {n} url": "more_images",
        "product tag {n}": "tags",
        "product tags": "tags",
        "product collection title": "category",
        "product type": "category",
        "product category {n}": "tags",
        "variant sku": "sku",
        "variant ean": "gtin",
        "variant barcode": "gtin",
        "variant upc": "upc",
        "variant inventory quantity": "quantity",
        "variant option {n} name": "option{n}_name",
        "variant option {n} value": "option{n}_value",
        "option {n} name": "option{n}_name",
        "option {n} value": "option{n}_value",
    },
    starts={"variant price": "price", "price": "price"},
    decimal=".",
    oversold=True,
    family=Family.FOLLOWING,
    inherited=("title", "description", "image_url", "category"),
)
