"""The fields that a column can be mapped to, whatever the file calls them.

``price`` is charged now, ``sale_price`` is charged between ``sale_from`` and
``sale_to``, ``regular_price`` when there is no sale, ``list_price`` was charged
before or elsewhere. ``option`` names its option by the column's own header.
``surcharge`` comes on top of the price of the product. ``at_place`` are the units at
the place that the column's header names, ``place`` is a column of such names.
``attributes`` are several fields in one cell: ``color=red,size=M``.
"""

OPTION_SLOTS = 10


def words(text: str) -> frozenset[str]:
    """Return the words or names that *text* has between its bars."""
    return frozenset(text.split("|"))


OPTION_FIELDS = tuple(
    f"option{slot}_{part}"
    for slot in range(1, OPTION_SLOTS + 1)
    for part in ("name", "value")
)

PRICE_FIELDS = ("price", "sale_price", "regular_price")

TAXED_FIELDS = frozenset({*PRICE_FIELDS, "list_price", "discount_amount", "surcharge"})

MONEY_FIELDS = TAXED_FIELDS | {"cost"}

# Several columns of one file may be one of these.
MULTIPLE = frozenset({"option", "at_place", "more_images", "tags"})

# A wrong guess at one of these sells goods at a wrong price, or goods that are not
# there, so that only an exact name or a person's choice maps them.
GUARDED_FIELDS = MONEY_FIELDS | {
    "quantity",
    "at_place",
    "sources",
    "discount_percent",
    "discount_value",
    "tax_rate",
}

DAY_FIELDS = frozenset({"sale_from", "sale_to"})

STOCK_FIELDS = ("quantity", "at_place", "sources")

IDENTITY_FIELDS = ("sku", "parent_key", "id", "gtin", "upc")

FIELDS = (
    "sku",
    "parent_key",
    "id",
    "title",
    "description",
    "short_description",
    "brand",
    "category",
    "tags",
    *PRICE_FIELDS,
    "list_price",
    "cost",
    "surcharge",
    "currency",
    "tax_rate",
    "sale_from",
    "sale_to",
    "sale_dates",
    "discount_amount",
    "discount_percent",
    "discount_mode",
    "discount_value",
    "quantity",
    "at_place",
    "place",
    "sources",
    "in_stock",
    "tracked",
    "gtin",
    "upc",
    "mpn",
    "condition",
    "image_url",
    "variant_image",
    "more_images",
    "option",
    *OPTION_FIELDS,
    "option_names",
    "option_values",
    "attributes",
    "type",
    "locale",
    "variants",
)
