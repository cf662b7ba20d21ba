"""Shopify: its files of stock, which have no prices, in three layouts.

The oldest has one column for each location, under the location's name; the next has a
row for each variant and location; the present one (2025) says of most columns that
they are not to be edited. "Available" is what can be sold: "On hand" also counts what
is sold and not yet sent. Headers from Shopify's documentation and from what several
people's scripts read.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import NOT_FREE, TO_FILL_IN, Dialect, Family
from offers.sentences import Sentence

_ON_HAND = Sentence("Units that are there, also those already sold; it is not read.")

SHOPIFY_INVENTORY = Dialect(
    slug="shopify-inventory",
    name="Shopify inventory",
    signature=words(
        "handle|option1 value|hs code|coo|bin name|location|incoming|unavailable"
        "|committed|available|on hand|on hand current|on hand new"
    ),
    enough=4,
    aliases={
        "handle": "parent_key",
        "title": "title",
        "sku": "sku",
        "option {n} name": "option{n}_name",
        "option {n} value": "option{n}_value",
        "location": "place",
        "available": "quantity",
        "available not editable": "quantity",
    },
    refused={
        "bin name": Sentence("Where in the stock room it lies."),
        "on hand new": TO_FILL_IN,
        "on hand": _ON_HAND,
        "incoming": NOT_FREE,
        "unavailable": NOT_FREE,
        "committed": NOT_FREE,
    },
    places_after="coo",
    decimal=".",
    quantity_words={"not stocked": 0},
    oversold=True,
    family=Family.FOLLOWING,
    inherited=(
        "title",
        "option1_name",
        "option2_name",
        "option3_name",
    ),
    stock_only=True,
)
