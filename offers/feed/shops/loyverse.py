"""Loyverse: its list of items, for one store or with columns for each.

Headers from several people's scripts, one of them with a real header line.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import LIMIT, Dialect, Family
from offers.feed.shops.mending import NOT_PRICED, TYPED_IN, mark_typed_in
from offers.sentences import Sentence

_WEIGHED = Sentence("Sold by weight; a deal sells whole units.")

LOYVERSE = Dialect(
    slug="loyverse",
    name="Loyverse",
    signature=words(
        "sold by weight|sku of included item|quantity of included item|track stock"
        "|option 1 name|option 1 value|in stock|low stock|available for sale|handle"
    ),
    enough=3,
    must=words("sold by weight"),
    aliases={
        "handle": "parent_key",
        "sku": "sku",
        "name": "title",
        "category": "category",
        "description": "description",
        "price": "price",
        "default price": "price",
        "cost": "cost",
        "barcode": "gtin",
        "track stock": "tracked",
        "option {n} name": "option{n}_name",
        "option {n} value": "option{n}_value",
    },
    places=("in stock",),
    refused={
        "low stock": LIMIT,
        "optimal stock": LIMIT,
        "quantity of included item": Sentence("How many of a part are in a bundle."),
    },
    decimal=".",
    oversold=True,
    mend=mark_typed_in,
    not_offers={NOT_PRICED: TYPED_IN},
    family=Family.FOLLOWING,
    inherited=(
        "title",
        "category",
        "description",
        "option1_name",
        "option2_name",
        "option3_name",
    ),
    leftover=("sku", "price", "option1_value"),
    leftover_reason=Sentence(
        "A part of the bundle above, which has its own price and stock."
    ),
    skipped_where={
        "sold by weight": {"y": _WEIGHED, "yes": _WEIGHED, "1": _WEIGHED},
    },
)
