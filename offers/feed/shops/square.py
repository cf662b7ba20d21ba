"""Square: its library of items, as CSV or XLSX.

Quantities are counted at each location, in columns that end in its name. Headers from
scripts of several people who write and read these files; the older columns of sale
prices from one of them.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import LIMIT, TO_FILL_IN, Dialect
from offers.feed.shops.mending import NOT_PRICED, TYPED_IN, mark_typed_in
from offers.sentences import Sentence

_ARCHIVED = Sentence("It is archived.")
_INGREDIENT = Sentence("It is used to make others, and not sold by itself.")

_ONLY_VARIATION = "regular"


def _mend(values: dict[str, str]) -> None:
    """Where no option tells variations apart, their name does."""
    mark_typed_in(values)
    name = values.get("option9_value", "")
    if name.lower() == _ONLY_VARIATION or values.get("option1_value"):
        values["option9_value"] = ""
    values["option9_name"] = "Variation"


SQUARE = Dialect(
    slug="square",
    name="Square",
    signature=words(
        "token|reference handle|item name|variation name|customer facing name"
        "|square online item visibility|reporting category|item type|sellable"
        "|stockable|skip detail screen in pos|option name 1|option value 1"
        "|default unit cost|default vendor name|seo title|online sale price"
        "|contains alcohol|permalink"
    ),
    enough=3,
    aliases={
        "token": "id",
        "reference handle": "parent_key",
        "item name": "title",
        "variation name": "option9_value",
        "sku": "sku",
        "description": "description",
        "categories": "category",
        "category": "category",
        "reporting category": "category",
        "gtin": "gtin",
        "price": "price",
        "online sale price": "sale_price",
        "sale price": "sale_price",
        "sale start date": "sale_from",
        "sale end date": "sale_to",
        "option name {n}": "option{n}_name",
        "option value {n}": "option{n}_value",
        "default unit cost": "cost",
        "default vendor code": "mpn",
    },
    places=("current quantity",),
    refused={
        "new quantity": TO_FILL_IN,
        "stock alert": LIMIT,
        "price": Sentence("The price at one location; the item's own price is read."),
    },
    decimal=".",
    oversold=True,
    mend=_mend,
    not_offers={NOT_PRICED: TYPED_IN},
    skipped_where={
        "archived": {"y": _ARCHIVED, "yes": _ARCHIVED},
        "sellable": {"n": _INGREDIENT, "no": _INGREDIENT},
    },
)
