"""The dialects: how each shop's export names its columns and arranges its rows.

A dialect is data. A new shop is a new entry here; only a way of arranging rows that
nobody had before needs code, in ``families``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from offers.feed.fields import words
from offers.sentences import Sentence


class Family(StrEnum):
    """How the rows of one product find each other."""

    NONE = "none"
    FOLLOWING = "following"  # later rows of a product leave its cells blank
    PARENT = "parent"  # a variant names the row of its product


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of writing products down.

    ``signature`` holds normalised headers; a file with ``enough`` of them, and with
    more of them than of any other dialect's, is written in it. ``aliases`` may say
    ``{n}`` for the number of an option. ``leftover`` are fields of which a row has
    at least one, unless it only adds a picture.
    """

    slug: str
    name: str
    signature: frozenset[str] = frozenset()
    enough: int = 0
    aliases: Mapping[str, str] = field(default_factory=dict)
    decimal: str = ""
    family: Family = Family.NONE
    inherited: tuple[str, ...] = ()
    leftover: tuple[str, ...] = ()
    not_offers: Mapping[str, Sentence] = field(default_factory=dict)
    options_of: frozenset[str] = frozenset()


_PARENT = Sentence("The product itself; its variants have rows of their own.")
_GROUP = Sentence("A group of products that have rows of their own.")
_BUNDLE = Sentence("A bundle, priced by the products in it.")
_ELSEWHERE = Sentence("Sold on another site.")
_BOOKING = Sentence("A booking: it needs a date, which a deal cannot give.")

_SHOPIFY_COMMON = {
    "title": "title",
    "body": "description",
    "body html": "description",
    "description": "description",
    "vendor": "brand",
    "product category": "category",
    "type": "category",
    "cost per item": "cost",
    "google shopping condition": "condition",
    "option {n} name": "option{n}_name",
    "option {n} value": "option{n}_value",
}

_SHOPIFY = Dialect(
    slug="shopify",
    name="Shopify",
    signature=words(
        "handle|variant sku|variant price|option1 value|image src|variant barcode"
        "|variant compare at price|variant inventory qty|variant inventory quantity"
        "|variant grams"
    ),
    enough=3,
    aliases={
        **_SHOPIFY_COMMON,
        "handle": "parent_key",
        "variant sku": "sku",
        "variant barcode": "gtin",
        "variant price": "price",
        "variant compare at price": "list_price",
        "variant inventory qty": "quantity",
        "variant inventory quantity": "quantity",
        "variant cost": "cost",
        "image src": "image_url",
        "variant image": "variant_image",
    },
    decimal=".",
    family=Family.FOLLOWING,
    inherited=(
        "title",
        "description",
        "brand",
        "category",
        "condition",
        "image_url",
        "option1_name",
        "option2_name",
        "option3_name",
    ),
    leftover=("sku", "price", "quantity", "option1_value"),
)

_SHOPIFY_NEW = Dialect(
    slug="shopify-new",
    name="Shopify (2025 headers)",
    signature=words(
        "url handle|published on online store|option1 value|product image url"
        "|compare at price|inventory quantity|variant image url|inventory tracker"
        "|continue selling when out of stock|weight value grams"
    ),
    enough=3,
    aliases={
        **_SHOPIFY_COMMON,
        "url handle": "parent_key",
        "sku": "sku",
        "barcode": "gtin",
        "price": "price",
        "compare at price": "list_price",
        "inventory quantity": "quantity",
        "product image url": "image_url",
        "variant image url": "variant_image",
    },
    decimal=".",
    family=Family.FOLLOWING,
    inherited=_SHOPIFY.inherited,
    leftover=_SHOPIFY.leftover,
)

_WOOCOMMERCE = Dialect(
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
    not_offers={"variable": _PARENT, "grouped": _GROUP, "external": _ELSEWHERE},
    options_of=frozenset({"variation"}),
)

_PRESTASHOP = Dialect(
    slug="prestashop",
    name="PrestaShop",
    signature=words(
        "active 0 1|categories x y z|tax rules id|on sale 0 1|discount amount"
        "|discount percent|wholesale price|discount from yyyy mm dd|url rewritten"
        "|actif 0 1|prix d achat|en soldes 0 1|montant de la remise"
        "|montant de reduction|pourcentage de reduction|quantite minimale"
        "|reduction de aaaa mm jj|id regle de taxes|url simplifiee"
    ),
    enough=4,
    aliases={
        "id": "id",
        "product id": "id",
        "identifiant": "id",
        "id produit": "id",
        "name": "title",
        "nom": "title",
        "categories": "category",
        "categories x y z": "category",
        "price tax excluded or price tax included": "price",
        "prix ht ou prix ttc": "price",
        "price": "price",
        "prix": "price",
        "wholesale price": "cost",
        "prix d achat": "cost",
        "discount amount": "discount_amount",
        "montant de la remise": "discount_amount",
        "montant de reduction": "discount_amount",
        "montant de la reduction": "discount_amount",
        "discount percent": "discount_percent",
        "pourcentage de reduction": "discount_percent",
        "pourcentage de remise": "discount_percent",
        "discount from": "sale_from",
        "discount to": "sale_to",
        "reduction de": "sale_from",
        "reduction a": "sale_to",
        "remise de": "sale_from",
        "remise a": "sale_to",
        "reference": "sku",
        "manufacturer": "brand",
        "marque": "brand",
        "fabricant": "brand",
        "ean13": "gtin",
        "ean 13": "gtin",
        "upc": "upc",
        "quantity": "quantity",
        "quantite": "quantity",
        "short description": "short_description",
        "description courte": "short_description",
        "resume": "short_description",
        "description": "description",
        "image urls": "image_url",
        "url des images": "image_url",
        "urls des images": "image_url",
        "condition": "condition",
        "etat": "condition",
    },
    decimal=".",
)

_BAGISTO = Dialect(
    slug="bagisto",
    name="Bagisto",
    signature=words(
        "parent sku|attribute family code|inventories|special price|url key"
        "|configurable variants|visible individually|tax category name"
    ),
    enough=3,
    aliases={
        "sku": "sku",
        "parent sku": "parent_key",
        "locale": "locale",
        "type": "type",
        "categories": "category",
        "images": "image_url",
        "name": "title",
        "description": "description",
        "short description": "short_description",
        "price": "price",
        "cost": "cost",
        "special price": "sale_price",
        "special price from": "sale_from",
        "special price to": "sale_to",
        "inventories": "sources",
        "configurable variants": "variants",
    },
    decimal=".",
    family=Family.PARENT,
    inherited=("title", "brand", "category", "image_url", "variants"),
    not_offers={
        "configurable": _PARENT,
        "grouped": _GROUP,
        "bundle": _BUNDLE,
        "booking": _BOOKING,
    },
)

PLAIN = Dialect(slug="plain", name="Plain columns")

DIALECTS = (_SHOPIFY, _SHOPIFY_NEW, _WOOCOMMERCE, _PRESTASHOP, _BAGISTO)


def recognise(names: frozenset[str]) -> Dialect:
    """Return the dialect of a file whose normalised headers are *names*."""
    best = max(DIALECTS, key=lambda dialect: len(names & dialect.signature))
    return best if len(names & best.signature) >= best.enough else PLAIN
