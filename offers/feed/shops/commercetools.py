"""commercetools: stock by channel, and products with prices in minor units.

A cell of prices holds one for everybody ("EUR 34375"), some for a country ("DE-EUR
27500"), a group of customers ("EUR 12295 b2b") or a channel ("EUR 19125#vienna"). The
further variants of a product leave its title blank. Prices may also stand in a file of
their own, a row each. Headers from its sample data.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect, Family

COMMERCETOOLS_STOCK = Dialect(
    slug="commercetools-stock",
    name="commercetools inventory",
    signature=words(
        "quantityonstock|supplychannel|restockableindays|expecteddelivery|sku"
    ),
    enough=2,
    must=words("sku|quantityonstock"),
    aliases={
        "sku": "sku",
        "quantityonstock": "quantity",
        "supplychannel": "place",
    },
    decimal=".",
    oversold=True,
    stock_only=True,
)

COMMERCETOOLS = Dialect(
    slug="commercetools",
    name="commercetools",
    signature=words(
        "producttype|variantid|prices|basicdescription|metatitle en|slug en|slug de"
        "|baseid|sku|images|tax|categories|creationdate"
    ),
    enough=4,
    must=words("sku|prices"),
    aliases={
        "sku": "sku",
        "id": "parent_key",
        "productid": "parent_key",
        "baseid": "parent_key",
        "name": "title",
        "name en": "title",
        "name fr": "title",
        "name de": "title",
        "description": "description",
        "description en": "description",
        "categories": "category",
        "prices": "price",
        "images": "image_url",
        "brand": "brand",
        "designer": "brand",
        "ean": "gtin",
        "color": "option",
        "size": "option",
    },
    minor_units=True,
    oversold=True,
    family=Family.FOLLOWING,
    inherited=("title", "description", "category", "brand"),
)

COMMERCETOOLS_PRICES = Dialect(
    slug="commercetools-prices",
    name="commercetools prices",
    signature=words("sku|centamount|currencycode|fractiondigits|customergroup|country"),
    enough=4,
    must=words("sku|centamount|currencycode"),
    aliases={"sku": "sku", "centamount": "price", "currencycode": "currency"},
    minor_units=True,
    stock_only=True,
)
