"""Meta's catalogue for Facebook and Instagram: nearly Google's attributes.

From its documentation and two of its own templates, whose first line is help for
whoever fills them in ("# Required | …"). Real files write prices as "49,00 TND", which
the template forbids.
"""

from offers.feed.fields import words
from offers.feed.shops.google import ATTRIBUTES, SHARED, tidy
from offers.feed.shops.kinds import Dialect

META = Dialect(
    slug="meta",
    name="Meta catalogue",
    signature=SHARED
    | words(
        "fb product category|quantity to sell on facebook|inventory|gender|age group"
        "|video 0 url|video 0 tag 0|product tags 0|style 0|additional image link"
    ),
    enough=3,
    must=words("id"),
    aliases={
        "product type": "category",
        "fb product category": "category",
        **ATTRIBUTES,
        "quantity to sell on facebook": "quantity",
        "inventory": "quantity",
        "quantity": "quantity",
        "product tags {n}": "tags",
        "image {n} url": "more_images",
    },
    mend=tidy,
    pass_over=("# ",),
)
