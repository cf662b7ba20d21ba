"""Amazon: its report of a seller's listings, and the templates that sellers fill in.

The report is a file of tabs; its headers are the same in most languages, and German,
French, Italian, Spanish, Polish and Japanese ones are known from other people's
scripts. Its quantity is blank where Amazon keeps the stock: nobody knows how many
there are. The templates have lines of labels, in any language, above the line of
machine names. The codes of conditions in the report are from memory (1 to 4 used,
5 to 8 collectible, 10 refurbished, 11 new), and so is a template's end of a sale.
"""

from collections.abc import Mapping
from re import compile as pattern

from offers.feed.fields import words
from offers.feed.shops.kinds import PARENT, RECOMMENDED, Dialect, Family
from offers.feed.shops.mending import name_condition
from offers.sentences import Sentence

_INACTIVE = Sentence("The listing is not active.")
_DELETED = Sentence("The template asks for it to be deleted.")
_ORDERED = Sentence("Units that are ordered already.")

_CONDITIONS: Mapping[str, str] = {
    **dict.fromkeys(("1", "2", "3", "4", "5", "6", "7", "8"), "used"),
    "10": "refurbished",
    "11": "new",
}


def _mend(values: dict[str, str]) -> None:
    name_condition(values, _CONDITIONS)


def _mend_template(values: dict[str, str]) -> None:
    name_condition(values, {})
    values["option1_name"], values["option2_name"] = "Color", "Size"


_REPORT = {
    "sku": "seller sku|handler sku|sku vendeur|sku venditore|sku del vendedor"
    "|sku sprzedawcy|出品者sku",
    "id": "asin1|asin 1",
    "title": "item name|artikelbezeichnung|nom produit|nome dell articolo"
    "|titulo del producto|nazwa produktu|商品名",
    "description": "item description|artikelbeschreibung|descrizione dell articolo"
    "|descripcion del producto|opis produktu",
    "price": "price|preis|prix|prezzo|precio|cena|価格",
    "quantity": "quantity|menge|quantite|quantita|cantidad|ilosc|数量|在庫数",
    "condition": "item condition|artikelzustand|etat produit|condizione dell articolo"
    "|stan produktu|コンティション",
    "gtin": "product id|produkt id|id produit|identificativo del prodotto"
    "|identificador del producto|identyfikator produktu|商品id",
    "image_url": "image url",
}
_ACTIVE = {
    "inactive": _INACTIVE,
    "incomplete": _INACTIVE,
    "inaktiv": _INACTIVE,
    "inactif": _INACTIVE,
}

AMAZON_REPORT = Dialect(
    slug="amazon-report",
    name="Amazon listings",
    signature=words(
        "item name|item description|listing id|seller sku|open date|item is marketplace"
        "|product id type|item condition|asin1|asin 1|fulfillment channel"
        "|fulfilment channel|merchant shipping group|pending quantity|zshop category1"
        "|artikelbezeichnung|angebotsnummer|handler sku|artikelzustand|versender"
        "|produkt id typ|handlerversandgruppe|nom produit|id offre|sku vendeur"
        "|type id produit|canal traitement|numero offerta|sku venditore"
        "|identificativo del prodotto|canale di gestione|sku del vendedor"
        "|identificador del listing|identificador del producto|sku sprzedawcy"
        "|identyfikator oferty|kanał realizacji|出品id|出品者sku|商品名"
    ),
    enough=3,
    aliases={
        name: field for field, names in _REPORT.items() for name in names.split("|")
    },
    refused={
        "pending quantity": _ORDERED,
        "anzahl bestellungen": _ORDERED,
        "quantita in sospeso": _ORDERED,
        "cantidad pendiente": _ORDERED,
        "minimum order quantity": Sentence("How many must be bought at once."),
        "mindestbestellmenge": Sentence("How many must be bought at once."),
        "maximum retail price": RECOMMENDED,
    },
    decimal=".",
    mend=_mend,
    skipped_where={
        "status": _ACTIVE,
        "stato": _ACTIVE,
        "etat": _ACTIVE,
        "estado del producto": _ACTIVE,
    },
)

# The short report: what is open, without titles.
AMAZON_OPEN = Dialect(
    slug="amazon-open",
    name="Amazon open listings",
    signature=words("sku|asin|price|quantity"),
    enough=4,
    aliases={"sku": "sku", "asin": "id", "price": "price", "quantity": "quantity"},
    decimal=".",
    stock_only=True,
)

AMAZON_TEMPLATE = Dialect(
    slug="amazon-template",
    name="Amazon template",
    signature=words(
        "item sku|feed product type|external product id|external product id type"
        "|standard price|main image url|parent child|parent sku|variation theme"
        "|update delete|brand name|condition type|sale from date|sale end date"
        "|contribution sku 1 value|product type 1 value|record action|item name 1 value"
        "|brand 1 value|condition type 1 value|fulfillment availability 1 quantity"
        "|purchasable offer 1 our price 1 schedule 1 value with tax"
        "|main product image locator 1 media location|parentage level 1 value"
        "|amzn1 volt ca product id value|amzn1 volt ca product id type"
    ),
    enough=4,
    aliases={
        "item sku": "sku",
        "item name": "title",
        "product description": "description",
        "brand name": "brand",
        "manufacturer": "brand",
        "part number": "mpn",
        "feed product type": "category",
        "external product id": "gtin",
        "standard price": "price",
        "sale price": "sale_price",
        "sale from date": "sale_from",
        "sale end date": "sale_to",
        "quantity": "quantity",
        "condition type": "condition",
        "currency": "currency",
        "main image url": "image_url",
        "other image url {n}": "more_images",
        "parent child": "type",
        "parentage": "type",
        "parent sku": "parent_key",
        "color name": "option1_value",
        "size name": "option2_value",
        # The templates of 2024 and later.
        "contribution sku 1 value": "sku",
        "item name 1 value": "title",
        "product description 1 value": "description",
        "brand 1 value": "brand",
        "part number 1 value": "mpn",
        "product type 1 value": "category",
        "amzn1 volt ca product id value": "gtin",
        "externally assigned product identifier 1 value": "gtin",
        "purchasable offer 1 our price 1 schedule 1 value with tax": "price",
        "purchasable offer 1 discounted price 1 schedule 1 value with tax": (
            "sale_price"
        ),
        "purchasable offer 1 discounted price 1 schedule 1 start at": "sale_from",
        "purchasable offer 1 discounted price 1 schedule 1 end at": "sale_to",
        "fulfillment availability 1 quantity": "quantity",
        "condition type 1 value": "condition",
        "purchasable offer 1 currency": "currency",
        "main product image locator 1 media location": "image_url",
        "parentage level 1 value": "type",
        "child parent sku relationship 1 parent sku": "parent_key",
        "color 1 value": "option1_value",
        "size 1 value": "option2_value",
        **{
            f"other product image locator {n} 1 media location": "more_images"
            for n in range(1, 9)
        },
    },
    refused={"list price": RECOMMENDED, "maximum retail price": RECOMMENDED},
    decimal=".",
    mend=_mend_template,
    family=Family.PARENT,
    inherited=("description", "brand", "category", "image_url"),
    not_offers={"parent": PARENT},
    skipped_where={
        "update delete": {"delete": _DELETED},
        "record action": {"delete": _DELETED},
    },
    rows_from=pattern(r"\bdataRow=([0-9]{1,3})\b"),
)
