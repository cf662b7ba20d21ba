"""WooCommerce: its export of products."""

from offers.feed.fields import words
from offers.feed.shops.kinds import ELSEWHERE, GROUP, PARENT, Dialect, Family

WOOCOMMERCE = Dialect(
    slug="woocommerce",
    name="WooCommerce",
    signature=words(
        "type|regular price|sale price|in stock|visibility in catalog|is featured"
        "|tax status|tax class|date sale price starts|sold individually"
        "|ugs|publie|mis en avant|visibilite dans le catalogue|tarif regulier"
        "|tarif promo|en stock|etat de la tva|classe de tva"
        "|date de debut de promo"
    ),
    enough=4,
    aliases={
        "id": "id",
        "type": "type",
        "sku": "sku",
        "ugs": "sku",
        "name": "title",
        "nom": "title",
        "description": "description",
        "short description": "short_description",
        "description courte": "short_description",
        "date sale price starts": "sale_from",
        "date sale price ends": "sale_to",
        "date de debut de promo": "sale_from",
        "date de fin de promo": "sale_to",
        "in stock": "in_stock",
        "en stock": "in_stock",
        "stock": "quantity",
        "sale price": "sale_price",
        "tarif promo": "sale_price",
        "regular price": "regular_price",
        "tarif regulier": "regular_price",
        "categories": "category",
        "images": "image_url",
        "image": "image_url",
        "parent": "parent_key",
        "brands": "brand",
        "marques": "brand",
        "gtin upc ean or isbn": "gtin",
        "gtin upc ean ou isbn": "gtin",
        "attribute {n} name": "option{n}_name",
        "attribute {n} value s": "option{n}_value",
        "nom de l attribut {n}": "option{n}_name",
        "valeur s de l attribut {n}": "option{n}_value",
        "attribut {n} nom": "option{n}_name",
        "attribut {n} valeur s": "option{n}_value",
    },
    decimal=".",
    family=Family.PARENT,
    inherited=("title", "brand", "category", "image_url"),
    not_offers={"variable": PARENT, "grouped": GROUP, "external": ELSEWHERE},
    options_of=frozenset({"variation"}),
)
