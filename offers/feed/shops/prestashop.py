"""PrestaShop: its import files of products."""

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect

PRESTASHOP = Dialect(
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
