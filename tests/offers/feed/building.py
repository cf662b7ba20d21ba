# ruff: noqa: E501, RUF001 — a line of a file is a line here, in its own letters
"""
Files of shops and tills of which no real one could be found, built from their headers.

    python -m tests.offers.feed.building FOLDER

Every header line is as the shop writes it, so far as that is known: from its own
documentation, or from the tests and scripts of several people who read such files.
What rests on memory alone says so. The goods are made up; each line of them is there
for one thing that such files do.
"""

import csv
import io
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import xlsxwriter

Row = Sequence[str]
Rows = list[list[str]]

NBSP, NNBSP = "\u00a0", "\u202f"


def table(lines: str) -> Rows:
    """Return the rows of *lines*, which are filled up to the width of the widest."""
    rows = list(csv.reader(lines.splitlines()))
    wide = max(len(row) for row in rows)
    return [[*row, *[""] * (wide - len(row))] for row in rows]


def text(rows: Iterable[Row], delimiter: str = ",", end: str = "\r\n") -> str:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, lineterminator=end).writerows(rows)
    return written.getvalue()


def comma(rows: Iterable[Row], codec: str = "utf-8") -> bytes:
    return text(rows).encode(codec)


def tabbed(rows: Iterable[Row], codec: str = "utf-8") -> bytes:
    """Return rows as marketplaces write them: tabs, and no quotation marks."""
    return "".join("\t".join(row) + "\r\n" for row in rows).encode(codec)


def workbook(sheets: dict[str, Iterable[Row]], *, numbers: bool = True) -> bytes:
    """Return a workbook of *sheets*; what looks like a number is one in its cell."""
    kept = io.BytesIO()
    book = xlsxwriter.Workbook(kept, {"in_memory": True, "strings_to_numbers": numbers})
    book.set_properties({"created": datetime(2026, 3, 2)})  # noqa: DTZ001 — no zone in a workbook
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    book.close()
    return kept.getvalue()


# Square: the columns are those that several people's scripts write and read alike.
# Lines: two variants by options, one oversold at one place; a sku left out; two items
# whose variation has a name only; a price typed in at the till; archived; an ingredient.
SQUARE = table("""\
Reference Handle,Token,Item Name,Customer-facing Name,Variation Name,SKU,Description,Categories,Reporting Category,GTIN,Item Type,Weight (lb),Social Media Link Title,Social Media Link Description,Price,Online Sale Price,Archived,Sellable,Contains Alcohol,Stockable,Skip Detail Screen in POS,Option Name 1,Option Value 1,Default Unit Cost,Default Vendor Name,Default Vendor Code,Enabled Main Street,Current Quantity Main Street,New Quantity Main Street,Stock Alert Enabled Main Street,Stock Alert Count Main Street,Price Main Street,Enabled Market Hall,Current Quantity Market Hall,New Quantity Market Hall,Stock Alert Enabled Market Hall,Stock Alert Count Market Hall,Price Market Hall,Tax - VAT (20%)
#tee,TOK1,Tee,,Small,TEE-S,Soft.,Clothes,Tops,4006381333931,Physical,0.4,,,$25.00,$19.50,N,Y,N,Y,N,Size,Small,9.10,Acme,A-1,Y,12,,Y,99,,Y,3,,N,,,Y
#tee,TOK2,Tee,,Large,TEE-L,Soft.,Clothes,Tops,,Physical,0.4,,,$25.00,,N,Y,N,Y,N,Size,Large,9.10,Acme,A-2,Y,-2,,Y,99,,Y,4,,N,,,Y
#sofa,TOK3,Sofa,,Regular,,,Homes,,,Physical,,,,"$4,250.00",,N,Y,N,Y,N,,,,,,Y,1,,,,,N,,,,,,Y
#tea,TOK4,Tea,,100 g,TEA-1,,Food,,,Physical,,,,6.00,,N,Y,N,Y,N,,,,,,Y,7,,,,,Y,,,,,,N
#rep,TOK5,Repair,,Regular,REP,,,,,Physical,,,,variable,,N,Y,N,Y,N
#old,TOK6,Old hat,,Regular,OLD,,,,,Physical,,,,5.00,,Y,Y,N,Y,N
#fla,TOK7,Flour,,Regular,FLOUR,,,,,Physical,,,,5.00,,N,N,N,Y,N
""")

LIGHTSPEED_R = table("""\
System ID,UPC,EAN,Custom SKU,Manufact. SKU,Item,Vendor ID,Qty.,Price,Tax,Brand,Publish to eCom,Season,Department,MSRP,Tax Class,Default Cost,Vendor,Category,Subcategory 1,Subcategory 2,Subcategory 3
210000000001,036000291452,,LAMP-1,M-100,Desk lamp,V-1,6,39.99,Yes,Lumo,Yes,,Home,59.99,Item,17.5000,Acme,Lighting,Desk
210000000002,,4006381333931,,M-200,Bulb,,-3,4.50,Yes,Lumo,No,,Home,0.00,Item,1.2500,Acme,Lighting
""")

# Two variants, one of them oversold; not tracked; not active; a bundle and its part.
LIGHTSPEED_X = table("""\
id,handle,sku,composite_name,composite_sku,composite_quantity,name,description,product_category,variant_option_one_name,variant_option_one_value,variant_option_two_name,variant_option_two_value,variant_option_three_name,variant_option_three_value,tags,supply_price,retail_price,tax_name,tax_value,account_code,account_code_purchase,brand_name,supplier_name,supplier_code,active,track_inventory,inventory_Main_Outlet,reorder_point_Main_Outlet,restock_level_Main_Outlet,inventory_Pop_Up,reorder_point_Pop_Up,restock_level_Pop_Up
a1,boot,BOOT-36,,,,Boot,<p>Warm.</p>,Shoes,Size,36,Colour,Black,,,"winter,leather",30.00,89.95,VAT,0.2,,,North,Acme,,1,1,4.00000,2,5,1.00000,0,0
a2,boot,BOOT-37,,,,Boot,,Shoes,Size,37,Colour,Black,,,"winter,leather",30.00,89.95,VAT,0.2,,,North,Acme,,1,1,-1.00000,2,5,0.00000,0,0
a3,card,GIFT,,,,Wrapping,,Other,,,,,,,,0.10,2.00,VAT,0.2,,,,,,1,0
a4,old,OLD-1,,,,Old hat,,Other,,,,,,,,1.00,5.00,VAT,0.2,,,,,,0,1,8.00000
a5,set,SET-1,,,,Care set,,Shoes,,,,,,,,5.00,12.00,VAT,0.2,,,,,,1,1,2.00000,,,0.00000
a5,set,,Polish,POLISH,2
""")

# From memory, not confirmed: no file and no documentation of it was found.
LIGHTSPEED_C = table("""\
Internal_ID,Internal_Variant_ID,Visible,Brand,Supplier,FR_Title_Short,FR_Title_Long,FR_Description_Short,FR_Category_1,FR_Variant,Price_Excl,Price_Old,Price_Cost,Tax,Stock_Track,Stock_Disable_Sold_Out,Stock_Level,Stock_Alert,Article_Code,EAN,SKU,Images
501,901,Y,North,Acme,Parka,Parka chaude,Chaude,Manteaux,Taille: S,66.67,100.00,25.00,20,Y,Y,5,1,PAR-S,4006381333931,PAR-S,https://a.example/p.jpg
""")

LOYVERSE = table("""\
Handle,SKU,Name,Category,Sold by weight,Price,Cost,Barcode,In stock
cola,10001,Cola 33 cl,Drinks,N,1.40,0.80,5449000000996,24
bananas,10002,Bananas,Produce,Y,0.89,0.40,,12.5
repair,10003,Repair,Other,N,variable,,,3
crisps,10004,Crisps,Food,N,2.00,0.90,,-4
""")

LOYVERSE_STORES = table("""\
Handle,SKU,Name,Category,Description,Sold by weight,Option 1 name,Option 1 value,Option 2 name,Option 2 value,Option 3 name,Option 3 value,Cost,Barcode,SKU of included item,Quantity of included item,Track stock,Available for sale [Harbour],Price [Harbour],In stock [Harbour],Low stock [Harbour],Available for sale [Old Town],Price [Old Town],In stock [Old Town],Low stock [Old Town]
tee,20001,Tee,Clothes,,N,Size,S,,,,,4.00,,,,Y,Y,12.00,5,2,Y,12.00,3,2
tee,20002,,,,,,M,,,,,4.00,,,,Y,Y,12.00,0,2,Y,12.00,1,2
wrap,20003,Wrapping,Other,,N,,,,,,,0.10,,,,N,Y,1.00,,,Y,1.00
set,20004,Summer set,Clothes,,N,,,,,,,0,,20001,1,N,Y,15.00,,,Y,15.00
set,,,,,,,,,,,,,,20003,1
""")

IKAS = table("""\
Ürün Grup ID,Varyant ID,İsim,Açıklama,Satış Fiyatı,İndirimli Fiyatı,Alış Fiyatı,Barkod Listesi,SKU,Silindi mi?,Marka,Kategoriler,Etiketler,Resim URL,Metadata Başlık,Metadata Açıklama,Slug,Stok:Ana Depo,Stok:Adana Şube,Tip,Varyant Tip 1,Varyant Değer 1,Varyant Tip 2,Varyant Değer 2,Desi,HS Kod,Google Ürün Kategorisi,Tedarikçi,Stoğu Tükenince Satmaya Devam Et,Satış Kanalı:magaza,Varyant Aktiflik
g1,v1,Kazak,<p>Yün</p>,499.90,349.90,150,8690000000012,KZK,false,Kuzey,Giyim>Kazak,kış;yün,https://a.example/1.jpg;https://a.example/2.jpg,,,kazak,3,2,PHYSICAL,Renk,Kırmızı,Beden,M,1,,,,false,VISIBLE,true
g1,v2,Kazak,<p>Yün</p>,499.90,349.90,150,,KZK,false,Kuzey,Giyim>Kazak,kış;yün,,,,kazak,0,1,PHYSICAL,Renk,Mavi,Beden,M,1,,,,false,VISIBLE,true
g2,v3,Şapka,,120,,,,SPK-1,false,Kuzey,Giyim,,,,,sapka,7,0,PHYSICAL,,,,,1,,,,false,VISIBLE,true
g3,v4,Eski,,50,,,,ESK-1,true,Kuzey,Giyim,,,,,eski,7,0,PHYSICAL,,,,,1,,,,false,VISIBLE,true
""")

# The names of the columns of these two are documented by their makers; how their files
# are laid out was read from the tests of somebody else's importer.
FASTMAG = table("""\
Gencod,Codemag,Désignation,Coloris,Taille,PA,PV,Stock,Stock resa
3600541255432,TSH001,T-shirt col rond,Marine,M,12.50,29.90,4,1
3600541255449,TSH001,T-shirt col rond,Marine,L,12.50,29.90,0,0
,JEA204,Jean slim délavé,Brut,40,25.00,79.00,2,0
""")

CLICTILL = table("""\
Référence,Code barre,Désignation,Marque,Sous-famille,Prix TTC,Stock,Stock mini,Valeur stock
CT-123,3253581768648,Crème mains karité,L'Occitane,Soins du corps,"12,90",7,2,"90,30"
CT-456,3337875696548,Baume,La Roche,Soins visage,"1 022,50",0,1,"0,00"
""")

TILL = table("""\
Code,Libellé,Famille,Fournisseur,Prix d'achat HT,Prix de vente HT,Tva,Prix de vente TTC,Quantité,Unité,Quantité d'Alerte
B-1,Bougie,Déco,Cire & Co,"4,10","10,00",20,"12,00",14,u,5
B-2,Vase,Déco,Cire & Co,"11,00","25,00",20,"30,00",2,u,1
""")

TILL_WITHOUT_TAX = table("""\
Code,Libellé,Prix d'achat HT,Prix de vente HT,Tva,Quantité,Quantité d'Alerte
B-1,Bougie,"4,10","10,00",20,14,5
L-1,Livre,"5,00","9,48","5,5",3,1
""")

AMAZON_REPORT = table("""\
item-name,item-description,listing-id,seller-sku,price,quantity,open-date,image-url,item-is-marketplace,product-id-type,zshop-shipping-fee,item-note,item-condition,zshop-category1,zshop-browse-path,zshop-storefront-feature,asin1,asin2,asin3,will-ship-internationally,expedited-shipping,zshop-boldface,product-id,bid-for-featured-placement,add-delete,pending-quantity,fulfillment-channel,merchant-shipping-group,status
"Kettle 1.7 l, 7"" tall",Boils.,L1,KET-1,34.99,12,2026-01-05 10:11:12 PST,,y,1,,,11,,,,B000000001,,,n,,,B000000001,,,3,DEFAULT,Standard,Active
Toaster,,L2,TOA-1,24.50,,2026-01-05 10:11:12 PST,,y,4,,,11,,,,B000000002,,,n,,,4006381333931,,,0,AMAZON_EU,Standard,Active
Mixer,,L3,MIX-1,59.00,2,2026-01-05 10:11:12 PST,,y,1,,,2,,,,B000000003,,,n,,,B000000003,,,0,DEFAULT,Standard,Active
Gone,,L4,GON-1,59.00,2,2026-01-05 10:11:12 PST,,y,1,,,11,,,,B000000004,,,n,,,B000000004,,,0,DEFAULT,Standard,Inactive
""")

AMAZON_GERMAN = table("""\
Artikelbezeichnung,Artikelbeschreibung,Angebotsnummer,Händler-SKU,Preis,Menge,Erstellungsdatum,Artikel ist Marketplace-Angebot,Produkt-ID-Typ,Anmerkung zum Artikel,Artikelzustand,ASIN 1,Internationaler Versand,Expressversand,Produkt-ID,hinzufügen-löschen,Anzahl Bestellungen,Versender,Händlerversandgruppe,Status
Wasserkocher für Tee,,L1,KET-1,34.99,12,05/01/2026,y,1,,11,B000000001,,,B000000001,,5,DEFAULT,Standard,Active
""")

# Line 2 is in any language, line 3 counts.
AMAZON_FLAT = table("""\
TemplateType=fptcustom,Version=2021.0625,TemplateSignature=SEFU,Images
Produkttyp,Verkäufer-SKU,Produktname,Marke,Hersteller-Barcode,Barcode-Typ,Preis,Menge,Hauptbild,Anderes Bild 1,Elternteil,SKU des Elternteils,Farbe,Größe,Zustand,Angebotspreis,Beginn,Ende,UVP,Beschreibung,Aktualisierung
feed_product_type,item_sku,item_name,brand_name,external_product_id,external_product_id_type,standard_price,quantity,main_image_url,other_image_url1,parent_child,parent_sku,color_name,size_name,condition_type,sale_price,sale_from_date,sale_end_date,list_price,product_description,update_delete
hat,HAT,Wollmütze für Kinder,Nord,,,,,https://a.example/h.jpg,,parent,,,,,,,,,Warm.,Update
hat,HAT-R,Wollmütze für Kinder,,4006381333931,EAN,19.90,8,https://a.example/r.jpg,https://a.example/r2.jpg,child,HAT,Rot,S,New,14.90,2026-03-01,2026-03-31,29.90,,Update
hat,HAT-B,Wollmütze für Kinder,,,,19.90,,,,child,HAT,Blau,S,UsedLikeNew,,,,,,Update
hat,HAT-X,Alte Mütze,,,,9.90,1,,,,,,,New,,,,,,Delete
""")

# The first line says in which line the names are, and where the rows begin.
AMAZON_UNIFIED = table("""\
settings=attributeRow=5&contentLanguageTag=en_GB&dataRow=7&labelRow=4
Read the instructions before you fill this in.
Listing Identity,,Offer
SKU,Product Type,Listing Action,Item Name,Brand Name,Product Id Type,Product Id,Item Condition,Quantity (UK),Your Price GBP,Sale Price GBP,Sale Start Date,Sale End Date,Main Image URL,Colour,List Price
contribution_sku#1.value,product_type#1.value,::record_action,item_name[marketplace_id=A1F83G8C2ARO7P][language_tag=en_GB]#1.value,brand[marketplace_id=A1F83G8C2ARO7P][language_tag=en_GB]#1.value,amzn1.volt.ca.product_id_type,amzn1.volt.ca.product_id_value,condition_type[marketplace_id=A1F83G8C2ARO7P]#1.value,fulfillment_availability#1.quantity,purchasable_offer[marketplace_id=A1F83G8C2ARO7P][audience=ALL]#1.our_price#1.schedule#1.value_with_tax,purchasable_offer[marketplace_id=A1F83G8C2ARO7P][audience=ALL]#1.discounted_price#1.schedule#1.value_with_tax,purchasable_offer[marketplace_id=A1F83G8C2ARO7P][audience=ALL]#1.discounted_price#1.schedule#1.start_at,purchasable_offer[marketplace_id=A1F83G8C2ARO7P][audience=ALL]#1.discounted_price#1.schedule#1.end_at,main_product_image_locator[marketplace_id=A1F83G8C2ARO7P]#1.media_location,color[marketplace_id=A1F83G8C2ARO7P][language_tag=en_GB]#1.value,list_price[marketplace_id=A1F83G8C2ARO7P]#1.value
ABC123,HAT,,Example hat,Brand,EAN,4006381333931,New,50,10.00
CAP-1,HAT,Edit,Cap,Nord,EAN,4006381333931,New,6,18.00,15.00,2026-03-01,2026-03-31,https://a.example/c.jpg,Green,25.00
""")

EBAY_EXCHANGE = table('''\
Info,Version=1.0.0,Template=fx_category_template_EBAY_US
*Action(SiteID=US|Country=US|Currency=USD|Version=1193|CC=UTF-8),CustomLabel,*Category,StoreCategory,*Title,Relationship,RelationshipDetails,P:UPC,*ConditionID,*C:Brand,PicURL,*Description,*Format,*Duration,*StartPrice,*Quantity,BuyItNowPrice
Info,>>> Help: see the category guide
Add,"=""9780140328721""",261186,,Fantastic Mr. Fox,,,,5000,Puffin,https://a.example/f.jpg|https://a.example/g.jpg,<p>Clean.</p>,FixedPrice,GTC,7.50,1
Add,SHIRT,1059,,Shirt,,Color=Red;Blue|Size=S;M,,1000,Acme,https://a.example/s.jpg,Cotton.,FixedPrice,GTC
,SHIRT-RS,,,,Variation,Color=Red|Size=S,036000291452,,,,,,,21.00,5
,SHIRT-BM,,,,Variation,Color=Blue|Size=M,,,,,,,,22.00,0
Add,RARE-1,1,,Rare stamp,,,,3000,,,Old.,Auction,7,1.00,1,50.00
''')

EBAY_ACTIVE = table("""\
Item number,Title,Variation details,Custom label (SKU),Available quantity,Format,Currency,Start price,Auction Buy It Now price,Reserve price,Current price,Sold quantity,Watchers,Bids,Start date,End date,eBay category 1 name,eBay category 1 number,eBay category 2 name,eBay category 2 number,Condition,Listing site
800262913581,Impact driver,,DRV-1,3,FIXED_PRICE,USD,123.53,,,119.00,4,9,,Jun-29-26 16:00:01 PDT,Jul-29-26 16:00:01 PDT,Power tools,122837,,,Used,US
800262913582,Coin,,COIN-1,1,AUCTION,USD,1.00,,,4.50,0,2,3,Jun-29-26 16:00:01 PDT,Jul-06-26 16:00:01 PDT,Coins,1,,,Used,US
""")

SHOPIFY_WIDE = table("""\
Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,SKU,HS Code,COO,Lyon,Paris 11e
tee,Tee,Size,S,,,,,TEE-S,,FR,4,2
tee,Tee,Size,M,,,,,,,FR,-1,3
cap,Cap,Title,Default Title,,,,,CAP,,,not stocked,5
""")

SHOPIFY_LONG = table("""\
Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,SKU,HS Code,COO,Location,Incoming,Unavailable,Committed,Available,On hand
tee,Tee,Size,S,,,,,TEE-S,,FR,Lyon,0,0,2,4,6
tee,Tee,Size,S,,,,,TEE-S,,FR,Paris 11e,9,0,0,2,2
tee,Tee,Size,M,,,,,-,,FR,Lyon,0,1,0,-1,0
cap,Cap,Title,Default Title,,,,,CAP,,,Lyon,not stocked,not stocked,not stocked,not stocked,not stocked
""")

SHOPIFY_NOW = table("""\
Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,SKU,HS Code,COO,Location,Bin name,Incoming (not editable),Unavailable (not editable),Committed (not editable),Available (not editable),On hand (current),On hand (new)
tee,Tee,Size,S,,,,,TEE-S,,FR,Lyon,A1,0,0,2,4,6
tee,Tee,Size,S,,,,,TEE-S,,FR,Paris 11e,,9,0,0,2,2
cap,Cap,Title,Default Title,,,,,CAP,,,Lyon,,not stocked,not stocked,not stocked,not stocked,not stocked
""")

SHOPIFY_PRODUCTS = table("""\
Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Option1 Linked To,Option2 name,Option2 value,Option2 Linked To,Option3 name,Option3 value,Option3 Linked To,Price,Compare-at price,Cost per item,Charge tax,Tax code,Unit price total measure,Unit price total measure unit,Unit price base measure,Unit price base measure unit,Inventory tracker,Inventory quantity,Continue selling when out of stock,Weight value (grams),Weight unit for display,Requires shipping,Fulfillment service,Product image URL,Image position,Image alt text,Variant image URL,Gift card,SEO title,SEO description
Parka,parka,<p>Warm &amp; dry.</p>,North,Coats,Coat,"winter, new",TRUE,Active,P-S,4006381333931,Size,S,,,,,,,,80.00,120.00,30.00,TRUE,,,,,,shopify,4,DENY,900,g,TRUE,manual,https://a.example/p.jpg,1,,,FALSE
,parka,,,,,,,,P-M,,,M,,,,,,,,85.00,,30.00,TRUE,,,,,,shopify,0,DENY,900,g,TRUE,manual,https://a.example/q.jpg,2,,,FALSE
,parka,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,https://a.example/r.jpg,3
""")

GOOGLE = table("""\
id,title,description,link,image_link,additional_image_link,availability,price,sale_price,sale_price_effective_date,brand,gtin,mpn,condition,item_group_id,color,size,google_product_category,product_type,cost_of_goods_sold,identifier_exists,sell_on_google_quantity,shipping
G-1,Sneaker &amp; laces,Light.,https://a.example/1,https://a.example/1.jpg,"https://a.example/2.jpg,https://a.example/3.jpg",in_stock,89.00 EUR,59.00 EUR,2026-02-24T13:00-0800 / 2026-03-29T15:30-0800,Nord,4006381333931,N-1,new,G,red,38,187,Shoes > Sneakers,31.50 EUR,yes,7,FR:::4.95 EUR
G-2,Sneaker,Light.,https://a.example/1,https://a.example/1.jpg,,out_of_stock,89.00 EUR,59.00 EUR,2025-02-24T13:00-0800/2025-03-29T15:30-0800,Nord,,,new,G,red,39,187,Shoes > Sneakers,,yes,,FR:::4.95 EUR
G-3,Laces,,https://a.example/3,https://a.example/l.jpg,,in stock,4.00 EUR,,,Nord,,,used,,,,187,,,no,,FR:::4.95 EUR
""")

# Its attributes are written with spaces in a file of tabs, and with "_" elsewhere.
GOOGLE_LOCAL = table("""\
store code,id,quantity,price,sale price,sale price effective date,availability
LYON,G-1,4,89.00 EUR,,,in stock
PARIS,G-1,2,89.00 EUR,,,limited availability
LYON,G-2,0,89.00 EUR,,,out of stock
""")

_ITEM = (
    "<g:id>{sku}</g:id><title>{title}</title><g:price>12.50 EUR</g:price>"
    "<g:image_link>https://a.example/{sku}.jpg</g:image_link>"
    "<g:additional_image_link>https://a.example/{sku}-2.jpg</g:additional_image_link>"
    "<g:availability>in stock</g:availability><g:condition>new</g:condition>"
    "<g:quantity>3</g:quantity>"
    "<g:shipping><g:country>FR</g:country><g:price>4.95 EUR</g:price></g:shipping>"
)
_ITEMS = [
    _ITEM.format(sku="X-1", title="Bowl &amp;amp; spoon"),
    _ITEM.format(sku="X-2", title="Plate"),
]
_NAMESPACE = 'xmlns:g="http://base.google.com/ns/1.0"'
GOOGLE_RSS = (
    f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {_NAMESPACE}>'
    "<channel><title>Shop</title><link>https://a.example</link>"
    + "".join(f"<item>{item}</item>" for item in _ITEMS)
    + "</channel></rss>"
)
GOOGLE_ATOM = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<feed xmlns="http://www.w3.org/2005/Atom" {_NAMESPACE}><title>Shop</title>'
    + "".join(f"<entry>{item}</entry>" for item in _ITEMS)
    + "</feed>"
)

META = table("""\
# Required | A unique content ID for the item.,# Required | A title.,# Required | A description.,# Required | in stock; out of stock,# Required | new; used,"# Required | Use a period, not a comma: 10.00 USD",# Required | The address.,# Required | The picture.,# Required | The brand.,# Optional,# Optional,# Optional | How many to sell.,# Optional,# Optional,# Optional,# Optional,# Optional
id,title,description,availability,condition,price,link,image_link,brand,google_product_category,fb_product_category,quantity_to_sell_on_facebook,sale_price,sale_price_effective_date,item_group_id,color,size
M-1,Robe d'été,Légère,in stock,new,"149,00 TND",https://a.example,https://a.example/m.jpg,Soleil,,clothing,5,"99,000 TND",,M,bleu,38
M-2,Robe d'hiver,Chaude,out of stock,used_like_new,"149,00 TND",https://a.example,https://a.example/n.jpg,Soleil,,clothing
""")

# What French, German and Mac spreadsheets make of the same list.
EXCEL = table(f"""\
Réf.,Désignation,Prix TTC,Prix barré,Quantité,Marque
F-1,Fauteuil « Été »,"1{NBSP}249,90 €","1{NNBSP}499,00 €",3,Ébène
F-2,"Crème brûlée, coffret","12,50 €",,24,Nuñez
F-3,Tabouret,"89,00 €","119,00 €",0,Ébène
""")

# cp850 and mac_roman have no narrow space, and cp850 no euro sign.
OLD_EXCEL = [
    [cell.replace(NNBSP, " ").replace(NBSP, " ").replace(" €", "") for cell in row]
    for row in EXCEL
]

FILES: dict[str, Callable[[], bytes]] = {
    "square.csv": lambda: comma(SQUARE, "utf-8-sig"),
    "square.xlsx": lambda: workbook({"Items": [[], *SQUARE]}),
    "lightspeed-r.csv": lambda: comma(LIGHTSPEED_R),
    "lightspeed-x.csv": lambda: comma(LIGHTSPEED_X),
    "lightspeed-c.csv": lambda: text(LIGHTSPEED_C, ";").encode(),
    "loyverse.csv": lambda: comma(LOYVERSE),
    "loyverse-stores.csv": lambda: comma(LOYVERSE_STORES),
    "ikas.csv": lambda: comma(IKAS, "utf-8-sig"),
    "ikas.xlsx": lambda: workbook({"Ürünler": IKAS}),
    "fastmag.txt": lambda: tabbed(FASTMAG, "cp1252"),
    "clictill.csv": lambda: text(CLICTILL, ";").encode("cp1252"),
    "till.csv": lambda: text(TILL, ";").encode("cp1252"),
    "till-without-tax.csv": lambda: text(TILL_WITHOUT_TAX, ";").encode("cp1252"),
    "amazon-report.txt": lambda: tabbed(AMAZON_REPORT),
    "amazon-german.txt": lambda: tabbed(AMAZON_GERMAN, "cp1252"),
    "amazon-flat.txt": lambda: tabbed(AMAZON_FLAT, "cp1252"),
    "amazon-unified.txt": lambda: tabbed(AMAZON_UNIFIED),
    "ebay-exchange.csv": lambda: comma(EBAY_EXCHANGE, "utf-8-sig"),
    "ebay-active.csv": lambda: comma(EBAY_ACTIVE, "utf-8-sig"),
    "shopify-wide.csv": lambda: comma(SHOPIFY_WIDE),
    "shopify-long.csv": lambda: comma(SHOPIFY_LONG),
    "shopify-now.csv": lambda: comma(SHOPIFY_NOW),
    "shopify-products.csv": lambda: comma(SHOPIFY_PRODUCTS),
    "google.tsv": lambda: text(GOOGLE, "\t").encode(),
    "google.csv": lambda: comma(GOOGLE),
    "google-local.txt": lambda: tabbed(GOOGLE_LOCAL),
    "google-rss.xml": GOOGLE_RSS.encode,
    "google-atom.xml": GOOGLE_ATOM.encode,
    "meta.csv": lambda: comma(META, "utf-8-sig"),
    "excel-windows.csv": lambda: text(EXCEL, ";").replace(NNBSP, NBSP).encode("cp1252"),
    "excel-utf8.csv": lambda: text(EXCEL, ";").encode("utf-8-sig"),
    "excel-unicode.txt": lambda: b"\xff\xfe" + text(EXCEL, "\t").encode("utf-16-le"),
    "excel-mac.csv": lambda: text(OLD_EXCEL, ";", "\r").encode("mac_roman"),
    "excel-dos.csv": lambda: text(OLD_EXCEL, ";").encode("cp850"),
    "excel.xlsx": lambda: workbook({"Stock été": EXCEL}),
}


def built(name: str) -> bytes:
    return FILES[name]()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).write_bytes(built(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
