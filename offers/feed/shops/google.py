"""Google Merchant Center: feeds of products, and of what its stores have.

Attributes as in its specification (support.google.com/merchants, 7052112 and 3061342);
``sell_on_google_quantity`` is no longer in it and still widely written. Of XML the
columns are the names of the elements, without their ``g:``. A feed of products need
not say how many there are.
"""

from offers.feed.fields import words
from offers.feed.headers import normalise
from offers.feed.shops.kinds import LIMIT, Dialect
from offers.sentences import Sentence

ATTRIBUTES = {
    "id": "sku",
    "title": "title",
    "description": "description",
    "item group id": "parent_key",
    "brand": "brand",
    "product type": "category",
    "google product category": "category",
    "availability": "in_stock",
    "price": "price",
    "sale price": "sale_price",
    "sale price effective date": "sale_dates",
    "cost of goods sold": "cost",
    "gtin": "gtin",
    "mpn": "mpn",
    "condition": "condition",
    "image link": "image_url",
    "additional image link": "more_images",
    "color": "option",
    "size": "option",
    "material": "option",
    "pattern": "option",
}
SHARED = words(
    "availability|link|image link|additional image link|google product category"
    "|sale price effective date|item group id|identifier exists"
)

_NOT_YET = words("preorder|pre order|backorder|back order|available for order")


def tidy(values: dict[str, str]) -> None:
    """Take what can be ordered ahead for not there, and leave out bare numbers.

    A category of Google's may be given by its number, which says nothing to anybody.
    """
    if values.get("category", "").isdigit():
        values["category"] = ""
    if normalise(values.get("in_stock", "")) in _NOT_YET:
        values["in_stock"] = values["quantity"] = "0"


GOOGLE = Dialect(
    slug="google",
    name="Google Merchant Center",
    signature=SHARED
    | words(
        "product type|cost of goods sold|sell on google quantity|shipping label"
        "|custom label 0|multipack|mobile link|unit pricing measure"
    ),
    enough=3,
    must=words("id"),
    aliases=ATTRIBUTES
    | {
        "quantity": "quantity",
        "sell on google quantity": "quantity",
        "inventory": "quantity",
    },
    refused={
        "auto pricing min price": LIMIT,
        "minimum advertised price": LIMIT,
        "maximum retail price": Sentence("The most it may cost, not what it costs."),
        "unit pricing": Sentence("A measure, not the price of the thing."),
        "subscription cost": Sentence("A price by the month, not the price."),
        "installment": Sentence("A price by the month, not the price."),
    },
    decimal=".",
    mend=tidy,
)


def _count_rather(values: dict[str, str]) -> None:
    """Where units are counted, leave out the word for them, which differs by store."""
    if values.get("quantity"):
        values["in_stock"] = ""


GOOGLE_LOCAL = Dialect(
    slug="google-local",
    name="Google local inventory",
    signature=words(
        "store code|id|itemid|quantity|availability|pickup method|pickup sla"
        "|sale price effective date"
    ),
    enough=3,
    must=words("store code"),
    aliases={
        "store code": "place",
        "id": "sku",
        "itemid": "sku",
        "quantity": "quantity",
        "availability": "in_stock",
        "price": "price",
        "sale price": "sale_price",
        "sale price effective date": "sale_dates",
        "gtin": "gtin",
    },
    decimal=".",
    mend=_count_rather,
    stock_only=True,
)
