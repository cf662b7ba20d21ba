"""Wix Stores: its catalogue, a row for each product and one for each variant below.

The stock is a number, or only "InStock". A variant costs what its product costs and
its surcharge. Pictures are named without their address, which is the same for all of
them. Headers from several people's code that reads and writes these files, the address
from one of them.
"""

import re

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect, Family

_PICTURES = "https://static.wixstatic.com/media/"
_NAMED = re.compile(r"(?:^|(?<=;))\s*(?!https?://)(?=[^;\s/]+\.[a-zA-Z]{3,4}\b)")


def _mend(values: dict[str, str]) -> None:
    """Say where pictures are, and keep of the options only what a row chooses."""
    if images := values.get("image_url"):
        values["image_url"] = _NAMED.sub(_PICTURES, images)
    for name in [f for f in values if f.startswith("option") and f.endswith("_value")]:
        value = values[name]
        if ";" in value:
            value = ""  # every choice that a product has
        if value.startswith("#"):
            value = value.partition(":")[2] or value
        values[name] = value


WIX = Dialect(
    slug="wix",
    name="Wix Stores",
    signature=words(
        "handleid|fieldtype|productimageurl|discountmode|discountvalue"
        "|productoptionname1|additionalinfotitle1|surcharge|ribbon"
    ),
    enough=4,
    aliases={
        "handleid": "parent_key",
        "fieldtype": "type",
        "name": "title",
        "description": "description",
        "productimageurl": "image_url",
        "collection": "category",
        "sku": "sku",
        "price": "price",
        "surcharge": "surcharge",
        "discountmode": "discount_mode",
        "discountvalue": "discount_value",
        "inventory": "quantity",
        "cost": "cost",
        "brand": "brand",
        "productoptionname {n}": "option{n}_name",
        "productoptiondescription {n}": "option{n}_value",
    },
    decimal=".",
    oversold=True,
    mend=_mend,
    family=Family.HEADED,
    inherited=(
        "title",
        "description",
        "image_url",
        "category",
        "price",
        "discount_mode",
        "discount_value",
        "brand",
        "cost",
        "option1_name",
        "option2_name",
        "option3_name",
        "option4_name",
        "option5_name",
        "option6_name",
    ),
)
