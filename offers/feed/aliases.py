"""The names that retailers give to columns, in English, French and German.

This is data. An exact name here is trusted; ``DENIED`` says which columns look like a
price or a quantity and are not, and why.
"""

import re
from collections.abc import Mapping

from offers.feed.fields import words
from offers.sentences import Sentence

_NAMES: Mapping[str, tuple[str, ...]] = {
    "sku": (
        "sku|item sku|product sku|variant sku|seller sku|custom label|customlabel",
        "stock code|stockcode|product code|item code|item number|item no",
        "article number|article no|product number|part number|style code|code|ref",
        "reference|references|reference produit|reference article|ref produit",
        "ref article|code article|code produit|ugs|num article|artikelnummer",
        "artikel nr|artikelnr|art nr|produktnummer|bestellnummer",
        "bestell nr|artikelcode",
    ),
    "id": ("id|item id|product id|identifiant|id produit|internal id|system id",),
    "parent_key": (
        "parent sku|parent|parent key|handle|url handle|item group id|group id",
        "variant group|reference parent|sku parent|elternartikel",
    ),
    "title": (
        "title|name|product|product name|product title|item|item name|item title",
        "nom|nom du produit|nom produit|nom article|nom de l article|titre|libelle",
        "libelle produit|libelle article|designation|intitule|produit|article",
        "bezeichnung|artikelbezeichnung|artikelname|produktname|produkt|titel|artikel",
    ),
    "description": (
        "description|long description|product description|item description|body",
        "body html|details|description longue|description produit|descriptif",
        "beschreibung|artikelbeschreibung|produktbeschreibung|langbeschreibung",
        "langtext",
    ),
    "short_description": (
        "short description|summary|short description summary|description courte",
        "resume|kurzbeschreibung|kurztext",
    ),
    "brand": (
        "brand|brand name|manufacturer|vendor|maker|marque|fabricant|marke|hersteller",
    ),
    "category": (
        "category|categories|product category|department|collection",
        "categorie|categorie produit|famille|rayon|kategorie|kategorien|warengruppe",
        "produktkategorie",
    ),
    "price": (
        "price|selling price|sell price|current price|retail price|our price|price now",
        "prix|prix de vente|prix vente|prix actuel|prix public ttc|pv|tarif",
        "preis|verkaufspreis|vk|vk preis|aktueller preis|ladenpreis|bruttopreis",
    ),
    "sale_price": (
        "sale price|special price|promo price|promotional price|promotion price",
        "discounted price|discount price|offer price|clearance price|outlet price",
        "reduced price|deal price|prix promo|prix promotionnel|prix en promotion",
        "prix solde|prix remise|prix reduit|prix outlet|tarif promo|prix special",
        "angebotspreis|aktionspreis|sonderpreis|reduzierter preis|outletpreis",
    ),
    "regular_price": (
        "regular price|normal price|full price|standard price|base price",
        "prix normal|prix regulier|tarif regulier|tarif normal|prix plein",
        "prix catalogue|normalpreis|regularer preis|regulaerer preis|standardpreis",
    ),
    "list_price": (
        "list price|was|was price|old price|original price|former price|price before",
        "previous price|compare at|compare at price|compare price|strike price",
        "price was|prix barre|ancien prix|prix initial|prix d origine|prix origine",
        "prix avant remise|prix avant promo|prix avant|prix de depart|prix de base",
        "alter preis|listenpreis|stattpreis|statt preis|streichpreis|ursprungspreis",
        "vorheriger preis|preis vorher|bisheriger preis",
    ),
    "cost": (
        "cost|cost price|unit cost|cost per item|purchase price|buying price|buy price",
        "wholesale price|supply price|default cost|cost of goods sold|prix d achat",
        "prix achat|pa|cout|cout d achat|cout de revient|prix de revient|prix de gros",
        "einkaufspreis|ek|ek preis|einstandspreis|einkauf|kosten",
    ),
    "currency": ("currency|currency code|price currency|devise|monnaie|wahrung",),
    "sale_from": (
        "sale from|sale start|sale starts|sale price from|special price from",
        "special price from date|date sale price starts|sale start date",
        "debut promo|date debut promo",
        "angebot von",
    ),
    "sale_to": (
        "sale to|sale end|sale ends|sale price to|special price to",
        "special price to date|date sale price ends|sale end date",
        "fin promo|date fin promo|angebot bis",
    ),
    "sale_dates": ("sale price effective date",),
    "quantity": (
        "quantity|qty|stock|stock quantity|stock qty|stock level|in stock|available",
        "available quantity|available stock|quantity available|quantity in stock",
        "on hand|quantity on hand|qty on hand|stock on hand|units|inventory|units left",
        "inventory quantity|inventory qty|quantite|qte|quantites|quantite en stock",
        "qte en stock|qte stock|quantite disponible|qte disponible|stock disponible",
        "stock dispo|stock actuel|en stock|bestand|lagerbestand|menge|lagermenge",
        "anzahl|stuck|stueck|stuckzahl|verfugbar|verfugbare menge|bestandsmenge",
    ),
    "mpn": (
        "mpn|manufacturer part number|manufact sku|manufacturer sku|mfr part number",
        "reference fabricant|ref fabricant|herstellernummer|hersteller nr",
    ),
    "tags": ("tags|product tags|etiquettes|mots cles|schlagworter|schlagworte",),
    "tax_rate": ("tax rate|vat rate|taux de tva|taux tva|tva %|mwst satz|steuersatz",),
    "gtin": (
        "gtin|ean|ean13|ean 13|ean code|code ean|barcode|bar code|isbn",
        "code barre|code barres|codebarre|gencod|gencode|gtin upc ean or isbn",
        "variant barcode|strichcode|ean nummer|gtin ean",
    ),
    "upc": ("upc|upc code|code upc",),
    "condition": (
        "condition|item condition|product condition|etat|etat du produit|zustand",
    ),
    "image_url": (
        "image|images|image url|image urls|image link|image src|main image|photo",
        "photo url|photos|picture|picture url|product image|product image url",
        "url image|url de l image|url des images|lien image|bild|bilder|bild url",
        "bildlink|produktbild|bildadresse",
    ),
    "option": (
        "color|colour|size|couleur|coloris|taille|pointure|farbe|grosse|groesse",
        "storage|capacity|capacite|kapazitat|speicher",
    ),
}


def _spread(names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {
        name: field
        for field, lines in names.items()
        for line in lines
        for name in line.split("|")
    }


GENERIC: Mapping[str, str] = _spread(_NAMES)

ERROR_COLUMN = "error"
"""The last column of a file of bad rows; it is ours, and not read on return."""

# Words that make a column something else than what is for sale, or its price. They
# are looked for only where the whole name is not an exact one.
DENIED: tuple[tuple[re.Pattern[str], Sentence], ...] = (
    (
        re.compile(
            r"\b(mini|min|maxi|max|minimum|maximum|minimal|minimale|alerte?|alert"
            r"|reorder|restock|low stock|securite|safety|mindest\w*|melde\w*|limite?"
            r"|seuil|minim\w+|maxim\w+|threshold)\b"
        ),
        Sentence("A limit or an alert level, not what is there or what it costs."),
    ),
    (
        re.compile(
            r"\b(resa|reserved?|reservee?s?|committed|unavailable|incoming|reserviert"
            r"|stock out|out of stock|rupture|indisponible|en commande|on order"
            r"|backorder\w*|bestellt|attendue?s?|transit)\b"
        ),
        Sentence("Units that are not free to sell."),
    ),
    (
        re.compile(r"\bnew quantity\b|\bon hand new\b"),
        Sentence("A number to be filled in, not the present stock."),
    ),
    (
        re.compile(
            r"\b(units sold|qty sold|quantity sold|sales|vendue?s?|ventes|verkauft\w*"
            r"|umsatz|valeur|lagerwert|stock value|inventory value|total|ca)\b|^sold$"
        ),
        Sentence("What was sold or what it is worth, not what is left."),
    ),
    (
        re.compile(
            r"\b(msrp|rrp|srp|uvp|pvp|pvc|conseille|recommended|suggested|empfohlen\w*)\b"
        ),
        Sentence("A recommended price: nobody was charged it, so it is not used."),
    ),
    (
        re.compile(
            r"\b(unit price|unity|prix unitaire|unite|au kg|per kg|au kilo|grundpreis"
            r"|price per|prix au)\b"
        ),
        Sentence("A price per measure, not the price of the thing."),
    ),
    (
        re.compile(
            r"\b(achat|purchase|wholesale|supply|costs?|cout|revient|einkauf\w*|ek"
            r"|marge|margin|markup)\b"
        ),
        Sentence("What it costs the shop or earns it, not its price."),
    ),
    (
        re.compile(r"\b(impact|surcharge|supplement|aufpreis)\b"),
        Sentence("A difference of price, not a price."),
    ),
    (
        re.compile(
            r"\b(discount|remise|reduction|rabatt|percent|pourcentage|prozent)\b"
        ),
        Sentence("A discount, not a price."),
    ),
    (
        re.compile(r"\b(shipping|livraison|versand\w*|delivery|ecotax|eco tax|deee)\b"),
        Sentence("A cost of shipping or recycling, not the price."),
    ),
    (
        re.compile(r"\b(tax|taxe|tva|vat|mwst|steuer\w*|taxable)\b"),
        Sentence("A tax, not a price."),
    ),
)

# Headers of what was sold in the past, by shops, tills and teaching examples. Some are
# in lists of stock as well, and speak only beside the others.
ORDER_WORDS = words(
    "order id|order number|order no|order item id|order status|order date"
    "|purchase date|payments date|transaction id|payment id|sale date|date paid"
    "|sales record number|buyer|buyer name|buyer username|buyer email|customer id"
    "|customer name|customer|customerid|client|kunde|invoice|invoiceno|invoice no"
    "|invoice number|invoicedate|invoice date|receipt number|receipt type|ticket"
    "|quantity purchased|quantity ordered|quantity received|items sold|items refunded"
    "|gross sales|net sales|total revenue|gross profit|sold for|item total|item price"
    "|item tax|cashier name|event type|payments|qte vendue|quantite vendue|ca ttc"
    "|ca ht|chiffre d affaires|refunds|refund amount|coupon code|supplier price"
    "|ship mode|ship date|shipping method|financial status|fulfillment status|paid at"
    "|lineitem name|lineitem price|lineitem quantity|numero de commande|commande"
    "|date de commande|bestellung|bestelldatum|subtotal"
)
LIKE_ORDER_WORDS = words(
    "row id|segment|sales|profit|discount|discounts|discount amount|margin|marge"
    "|remise|taxes|cost of goods"
)

QUANTITY_WORDS: Mapping[str, int | None] = {
    "parent": None,  # WooCommerce counts the stock at the parent
    "instock": None,
    "in stock": None,
    "in_stock": None,
    "outofstock": 0,
    "out of stock": 0,
    "out_of_stock": 0,
    "sold out": 0,
}
"""What is written in place of a number of units; ``None`` where nobody knows."""
