"""The fields that a column can be mapped to, whatever the file calls them.

``price`` is charged now, ``sale_price`` is charged between ``sale_from`` and
``sale_to``, ``regular_price`` when there is no sale, ``list_price`` was charged
before or elsewhere. ``option`` names its option by the column's own header.
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

MONEY_FIELDS = frozenset({*PRICE_FIELDS, "list_price", "cost", "discount_amount"})

# A wrong guess at one of these sells goods at a wrong price, or goods that are not
# there, so that only an exact name or a person's choice maps them.
GUARDED_FIELDS = MONEY_FIELDS | {"quantity", "sources", "discount_percent"}

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
    *PRICE_FIELDS,
    "list_price",
    "cost",
    "currency",
    "sale_from",
    "sale_to",
    "sale_dates",
    "discount_amount",
    "discount_percent",
    "quantity",
    "sources",
    "in_stock",
    "gtin",
    "upc",
    "condition",
    "image_url",
    "variant_image",
    "option",
    *OPTION_FIELDS,
    "type",
    "locale",
    "variants",
)
