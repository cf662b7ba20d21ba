"""PrestaShop: its import files of products, and those of combinations.

PrestaShop takes columns by their position, so that people change the headers; where
they are not known, the positions of version 1.6 are proposed. A combination names its
product by the id that the file of products has, and says how its price differs.
English headers from PrestaShop's sample files and tests, French ones from its own
translation of 1.6.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect
from offers.sentences import Sentence

_BADGE = Sentence("A badge that the shop shows, not a price.")
_SHIPPING = Sentence("A cost of shipping or recycling, not the price.")

_CODES = {
    "reference": "sku",
    "ean13": "gtin",
    "ean 13": "gtin",
    "upc": "upc",
    "mpn": "mpn",
    "quantity": "quantity",
    "quantite": "quantity",
    "wholesale price": "cost",
    "prix d achat": "cost",
    "prix de gros": "cost",
    "image urls": "image_url",
    "image urls x y z": "image_url",
    "image url": "image_url",
    "url des images": "image_url",
    "urls des images": "image_url",
    "url de l image": "image_url",
}

PRESTASHOP = Dialect(
    slug="prestashop",
    name="PrestaShop",
    signature=words(
        "active 0 1|categories x y z|tax rules id|on sale 0 1|discount amount"
        "|discount percent|wholesale price|discount from yyyy mm dd|url rewritten"
        "|actif 0 1|prix d achat|en soldes 0 1|montant de la remise"
        "|montant de reduction|pourcentage de reduction|quantite minimale"
        "|reduction de aaaa mm jj|id regle de taxes|url simplifiee"
        "|supplier reference|reference fournisseur|url reecrite"
    ),
    enough=4,
    aliases={
        **_CODES,
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
        "manufacturer": "brand",
        "marque": "brand",
        "fabricant": "brand",
        "tags": "tags",
        "tags x y z": "tags",
        "mots cles": "tags",
        "short description": "short_description",
        "description courte": "short_description",
        "resume": "short_description",
        "description": "description",
        "condition": "condition",
        "etat": "condition",
    },
    refused={
        "on sale": _BADGE,
        "en soldes": _BADGE,
        "additional shipping cost": _SHIPPING,
    },
    positions=(
        "id",
        "",
        "title",
        "category",
        "price",
        "",
        "cost",
        "",
        "discount_amount",
        "discount_percent",
        "sale_from",
        "sale_to",
        "sku",
        "",
        "",
        "brand",
        "gtin",
        "upc",
        "",
        "",
        "",
        "",
        "",
        "quantity",
    ),
    decimal=".",
    oversold=True,
    parent_by_id=True,
)

PRESTASHOP_COMBINATIONS = Dialect(
    slug="prestashop-combinations",
    name="PrestaShop combinations",
    signature=words(
        "attribute name type position|value value position|impact on price"
        "|impact on weight|combination available date|attribut nom type position"
        "|valeur valeur position|impact sur le prix|impact sur le poids"
        "|date de disponibilite de la declinaison|supplier reference"
        "|reference fournisseur"
    ),
    enough=3,
    aliases={
        **_CODES,
        "product id": "parent_key",
        "id produit": "parent_key",
        "identifiant produit": "parent_key",
        "attribute name type position": "option_names",
        "attribut nom type position": "option_names",
        "attributes": "option_names",
        "value value position": "option_values",
        "valeur valeur position": "option_values",
        "values": "option_values",
        "impact on price": "surcharge",
        "impact sur le prix": "surcharge",
    },
    decimal=".",
    oversold=True,
    parent_by_id=True,
    stock_only=True,
)
