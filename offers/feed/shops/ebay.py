"""eBay: the files of its File Exchange and Seller Hub, and its report of listings.

The first header holds facts: ``*Action(SiteID=US|Country=US|Currency=USD|…)``. Lines
that begin with "Info" are none of the table. A product in several sizes is a row
without a price and, under it, a row of the relationship "Variation" for each, with
nothing else to tell to what it belongs. Headers and layout from scripts of many people
who fill these files in; how variations stand in the report of listings is not known.
"""

from collections.abc import Mapping

from offers.feed.fields import words
from offers.feed.shops.kinds import PARENT, Dialect, Family
from offers.feed.shops.mending import name_condition, spread_pairs
from offers.sentences import Sentence

_VARIATION = "variation"
_AUCTION = Sentence("An auction: nobody knows its price before it ends.")
_ENDED = Sentence("The file asks for this listing to be ended.")
_SOLD = Sentence("What was sold or what it is worth, not what is left.")
_BIDS = Sentence("A price of an auction.")

# developer.ebay.com, "Item condition ID and name values".
_CONDITIONS: Mapping[str, str] = {
    "1000": "new",
    "1500": "open box",
    "1750": "seconds",
    **dict.fromkeys(("2000", "2010", "2020", "2030", "2500"), "refurbished"),
    **dict.fromkeys(("2750", "2990", "3000", "3010", "4000", "5000", "6000"), "used"),
    "7000": "for parts",
}


def _mend(values: dict[str, str]) -> None:
    """Tell products from their variations, which have options."""
    pairs = values.get("attributes", "")
    values["attributes"] = ""
    values["condition"] = values.get("condition", "").partition("-")[0].strip()
    name_condition(values, _CONDITIONS)
    values["type"] = values.get("type", "").lower()
    if ";" in pairs and values["type"] != _VARIATION:
        values["type"] = "parent"
    elif pairs:
        spread_pairs(values, pairs)


EBAY = Dialect(
    slug="ebay",
    name="eBay",
    signature=words(
        "action|customlabel|custom label|custom label sku|startprice|start price|picurl"
        "|item photo url|conditionid|condition id|relationship|relationshipdetails"
        "|relationship details|item number|itemid|variation details|available quantity"
        "|auction buy it now price|reserve price|listing site|buyitnowprice"
        "|storecategory|ebay category 1 name|format|duration|p upc|p ean|category id"
        "|watchers"
    ),
    enough=4,
    aliases={
        "customlabel": "sku",
        "custom label": "sku",
        "item number": "id",
        "itemid": "id",
        "item id": "id",
        "title": "title",
        "description": "description",
        "current price": "price",
        "startprice": "price",
        "start price": "price",
        "currency": "currency",
        "quantity": "quantity",
        "available quantity": "quantity",
        "picurl": "image_url",
        "item photo url": "image_url",
        "conditionid": "condition",
        "condition id": "condition",
        "condition": "condition",
        "category name": "category",
        "ebay category 1 name": "category",
        "p upc": "upc",
        "p ean": "gtin",
        "p isbn": "gtin",
        "product upc": "upc",
        "product ean": "gtin",
        "c brand": "brand",
        "p brand": "brand",
        "c mpn": "mpn",
        "p mpn": "mpn",
        "c color": "option",
        "c size": "option",
        "relationship": "type",
        "relationshipdetails": "attributes",
        "relationship details": "attributes",
        "variation details": "attributes",
    },
    refused={
        "sold quantity": _SOLD,
        "reserve price": _BIDS,
        "auction": _BIDS,
        "buyitnowprice": _BIDS,
        "buy it now price": _BIDS,
    },
    decimal=".",
    mend=_mend,
    family=Family.UNDER,
    inherited=("title", "description", "brand", "category", "condition", "image_url"),
    not_offers={"parent": PARENT},
    skipped_where={
        "format": {"auction": _AUCTION, "chinese": _AUCTION},
        "action": {"end": _ENDED, "delete": _ENDED},
    },
    pass_over=("info", "#info"),
)
