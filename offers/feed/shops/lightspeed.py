"""Lightspeed: R-Series (a till), X-Series (formerly Vend) and C-Series (eCom).

R- and X-Series: headers from what several people's scripts read. C-Series: from memory
and not confirmed by any file or documentation.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import LIMIT, RECOMMENDED, Dialect, Family
from offers.sentences import Sentence

_PART = Sentence("A part of the bundle above, which has its own price and stock.")
_INACTIVE = Sentence("It is not active in the till.")

LIGHTSPEED_R = Dialect(
    slug="lightspeed-r",
    name="Lightspeed R-Series",
    signature=words(
        "system id|custom sku|manufact sku|item|qty|publish to ecom|default cost"
        "|tax class|subcategory 1|subcategory 2|department|season"
    ),
    enough=4,
    must=words("system id|custom sku"),
    aliases={
        "system id": "id",
        "custom sku": "sku",
        "manufact sku": "mpn",
        "item": "title",
        "qty": "quantity",
        "price": "price",
        "default cost": "cost",
        "ean": "gtin",
        "upc": "upc",
        "brand": "brand",
        "category": "category",
    },
    refused={
        "msrp": RECOMMENDED,
        "vendor": Sentence("Who delivers it, not who makes it."),
    },
    decimal=".",
    oversold=True,
)

_NUMBERS = ("one", "two", "three", "four")

LIGHTSPEED_X = Dialect(
    slug="lightspeed-x",
    name="Lightspeed X-Series",
    signature=words(
        "handle|supply price|retail price|composite sku|composite name"
        "|variant option one name|variant option one value|brand name|supplier name"
        "|supplier code|track inventory|account code|account code purchase|tax name"
    ),
    enough=5,
    must=words("supply price"),
    aliases={
        "id": "id",
        "handle": "parent_key",
        "sku": "sku",
        "name": "title",
        "description": "description",
        "product category": "category",
        "type": "category",
        "tags": "tags",
        "supply price": "cost",
        "retail price": "price",
        "brand name": "brand",
        "track inventory": "tracked",
        **{
            f"variant option {word} {part}": f"option{number}_{part}"
            for number, word in enumerate(_NUMBERS, 1)
            for part in ("name", "value")
        },
    },
    places=("inventory",),
    refused={"reorder": LIMIT, "restock level": LIMIT},
    decimal=".",
    oversold=True,
    family=Family.FOLLOWING,
    inherited=("title", "description", "brand", "category", "tags"),
    leftover=("sku", "price"),
    leftover_reason=_PART,
    skipped_where={"active": {"0": _INACTIVE, "false": _INACTIVE, "no": _INACTIVE}},
)

_HIDDEN = Sentence("It is not shown in the shop.")

LIGHTSPEED_C = Dialect(
    slug="lightspeed-c",
    name="Lightspeed C-Series",
    signature=words(
        "internal id|internal variant id|article code|stock level|stock track"
        "|price excl|price incl|price old|price cost|stock disable sold out"
    ),
    enough=4,
    aliases={
        "internal variant id": "id",
        "internal id": "parent_key",
        "sku": "sku",
        "article code": "mpn",
        "ean": "gtin",
        "brand": "brand",
        "price excl": "price",
        "price old": "list_price",
        "price cost": "cost",
        "stock level": "quantity",
        "stock track": "tracked",
        "tax": "tax_rate",
        "images": "image_url",
        **{
            f"{language} {name}": field
            for language in ("fr", "en", "us", "uk", "nl", "de", "es", "it", "pt")
            for name, field in {
                "title short": "title",
                "description short": "short_description",
                "description long": "description",
                "category 1": "category",
                "variant": "option1_value",
            }.items()
        },
    },
    decimal=".",
    tax="excluded",
    oversold=True,
    skipped_where={"visible": {"n": _HIDDEN, "0": _HIDDEN}},
)
