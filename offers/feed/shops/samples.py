"""Smaller shops, by the sample data that they ship with."""

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect

# PRIX2 is the promotional price, blank where there is none.
THELIA = Dialect(
    slug="thelia",
    name="Thelia",
    signature=words(
        "titre uk|titre fr|chapo uk|chapo fr|descriptif uk|descriptif fr"
        "|postscriptum uk|postscriptum fr|prix2"
    ),
    enough=4,
    aliases={
        "ref": "sku",
        "titre fr": "title",
        "titre uk": "title",
        "descriptif fr": "description",
        "descriptif uk": "description",
        "chapo fr": "short_description",
        "chapo uk": "short_description",
        "prix": "price",
        "prix2": "sale_price",
        "photo": "image_url",
        "brand": "brand",
        "categorie": "category",
    },
    decimal=".",
)

SAP_CAP = Dialect(
    slug="sap-cap",
    name="SAP CAP bookshop",
    signature=words("id|title|descr|author id|stock|price|currency code|genre id"),
    enough=6,
    must=words("stock|price|currency code"),
    aliases={
        "id": "id",
        "title": "title",
        "descr": "description",
        "stock": "quantity",
        "price": "price",
        "currency code": "currency",
    },
    decimal=".",
)

# Its import files have no header: the class of the product, its category, its code,
# title, description, the partner, the partner's code, price and stock.
DJANGO_OSCAR = Dialect(
    slug="django-oscar",
    name="django-oscar",
    enough=1,
    positions=(
        "",
        "category",
        "gtin",
        "title",
        "description",
        "",
        "sku",
        "price",
        "quantity",
    ),
    decimal=".",
)
