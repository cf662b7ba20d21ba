"""Shopware 6: products, with net and gross prices, perhaps in several currencies.

The gross price is read, because it is what shoppers pay. A variant names its product
by its id; a product whose row lists the options of variants that have no rows cannot
be offered, since nobody could say which one is meant. Headers from Shopware's own
test files.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect, Family
from offers.sentences import Sentence

_IN_VARIANTS = "variants only"


def _mend(values: dict[str, str]) -> None:
    """Tell the products of which only the variants could be sold."""
    if values.get("variants"):
        values["type"] = _IN_VARIANTS


SHOPWARE = Dialect(
    slug="shopware",
    name="Shopware 6",
    signature=words(
        "product number|price net|price gross|list price gross|parent id|tax rate"
        "|min purchase|purchase steps|cover media url|manufacturer name"
        "|property ids|option ids|propertyids|optionids"
    ),
    enough=4,
    aliases={
        "id": "id",
        "parent id": "parent_key",
        "product number": "sku",
        "stock": "quantity",
        "ean": "gtin",
        "manufacturer number": "mpn",
        "name": "title",
        "description": "description",
        "price gross": "price",
        "price net": "price",
        "list price gross": "list_price",
        "list price net": "list_price",
        "purchase price net": "cost",
        "purchase price gross": "cost",
        "tax rate": "tax_rate",
        "manufacturer name": "brand",
        "cover media url": "image_url",
        "variants": "variants",
    },
    starts={"price gross": "price", "price net": "price"},
    refused={
        "list price linked": Sentence("Not needed for an offer."),
        "categories": Sentence("Codes of categories, not their names."),
    },
    decimal=".",
    mend=_mend,
    family=Family.PARENT,
    inherited=(
        "title",
        "description",
        "brand",
        "image_url",
        "price",
        "list_price",
        "tax_rate",
    ),
    parent_by_id=True,
    not_offers={
        _IN_VARIANTS: Sentence(
            "A product in variants that have no rows of their own here. Export them "
            "too, each with its stock."
        )
    },
)
