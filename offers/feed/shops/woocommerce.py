"""WooCommerce: its export of products, whose headers are in the language of the site.

The English headers are those of its exporter; French, German, Spanish, Italian and
Dutch ones were read from several people's code that reads or writes such files.
Portuguese is put together from single labels and not seen as a whole header.
"""

from collections.abc import Mapping

from offers.feed.fields import words
from offers.feed.shops.kinds import ELSEWHERE, GROUP, PARENT, Dialect, Family

_NAMES: Mapping[str, str] = {
    "id": "id",
    "type": "type|typ|tipo",
    "sku": "sku|ugs|artikelnummer|cod|ref",
    "gtin": "gtin upc ean or isbn|gtin upc ean ou isbn|gtin upc ean oder isbn"
    "|gtin upc ean o isbn|gtin upc ean of isbn|gtin upc ean isbn",
    "title": "name|nom|nombre|nome|naam",
    "short_description": "short description|description courte|kurzbeschreibung"
    "|descripcion corta|breve descrizione|korte beschrijving|korte omschrijving"
    "|descricao curta|descricao breve",
    "description": "description|beschreibung|descripcion|descrizione|beschrijving"
    "|descricao",
    "sale_from": "date sale price starts|date de debut de promo"
    "|datum an dem angebotspreis beginnt|dia en que empieza el precio rebajado"
    "|data di partenza del prezzo in saldo|startdatum actieprijs"
    "|data de preco promocional comeca em",
    "sale_to": "date sale price ends|date de fin de promo"
    "|datum an dem angebotspreis endet|dia en que termina el precio rebajado"
    "|termine data del prezzo di vendita|einddatum actieprijs"
    "|data de preco promocional termina em",
    "in_stock": "in stock|en stock|vorratig|en inventario|op voorraad|em estoque"
    "|em stock|hay existencias",
    "quantity": "stock|lager|bestand|lagerbestand|inventario|magazzino|voorraad"
    "|estoque|existencias",
    "sale_price": "sale price|tarif promo|angebotspreis|precio rebajado"
    "|prezzo in offerta|actieprijs|preco promocional",
    "regular_price": "regular price|tarif regulier|regularer preis|precio normal"
    "|prezzo di listino|reguliere prijs|preco|preco normal",
    "category": "categories|kategorien|categorias|categorie|categorieen",
    "tags": "tags|etiquettes|schlagworter|etiquetas|etichette|product tags",
    "image_url": "images|image|bilder|imagenes|immagine|immagini|afbeeldingen|imagens",
    "parent_key": "parent|ubergeordnetes produkt|superior|genitore|hoofd|ascendente",
    "brand": "brands|marques|marken|marcas|marchi|merken",
    "cost": "cost of goods|meta wc cog cost|meta alg wc cog cost|meta purchase price",
    "option{n}_name": "attribute {n} name|nom de l attribut {n}|attribut {n} nom"
    "|nombre del atributo {n}|atributo {n} nombre|attributo {n} nome"
    "|nome attributo {n}|naam eigenschap {n}|nome do atributo {n}"
    "|attribut {n} name",
    "option{n}_value": "attribute {n} value s|valeur s de l attribut {n}"
    "|attribut {n} valeur s|attribut {n} wert e|valor es del atributo {n}"
    "|atributo {n} valor es|valor es do atributo {n}|attributo {n} valore i"
    "|attributo {n} valuta e|valore i attributo {n}|waarde eigenschap {n}"
    "|waarde n eigenschap {n}",
}

_OTHERS = (
    "visibility in catalog|is featured|published|tax status|tax class"
    "|sold individually|low stock amount|backorders allowed"
    "|visibilite dans le catalogue|mis en avant|publie|etat de la tva|classe de tva"
    "|vendre individuellement|montant de stock faible"
    "|sichtbarkeit im katalog|ist hervorgehoben|veroffentlicht|steuerstatus"
    "|steuerklasse|nur einzeln verkaufen|geringe lagermenge"
    "|visibilidad en el catalogo|esta destacado|publicado|estado del impuesto"
    "|clase de impuesto|vendido individualmente|cantidad de bajo inventario"
    "|visibilita nel catalogo|in primo piano|pubblicato|stato delle imposte"
    "|aliquota di imposta|venduto singolarmente"
    "|zichtbaarheid in catalogus|uitgelicht|gepubliceerd|btw status"
    "|belastingklasse|wordt individueel verkocht|lage voorraad"
    "|visibilidade no catalogo|em destaque|status do imposto|classe de imposto"
)

_TELLING = ("sale_from", "sale_to", "in_stock", "sale_price", "regular_price", "type")

WOOCOMMERCE = Dialect(
    slug="woocommerce",
    name="WooCommerce",
    signature=words(_OTHERS) | {n for f in _TELLING for n in _NAMES[f].split("|")},
    enough=4,
    aliases={
        name: field for field, names in _NAMES.items() for name in names.split("|")
    },
    decimal=".",
    oversold=True,
    family=Family.PARENT,
    inherited=("title", "brand", "category", "tags", "image_url"),
    not_offers={"variable": PARENT, "grouped": GROUP, "external": ELSEWHERE},
    options_of=frozenset({"variation"}),
)
