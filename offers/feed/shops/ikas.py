# ruff: noqa: RUF001 — a letter of Turkish
"""ikas: the products of a Turkish shop, with units at each of its stores.

Headers from several people's scripts, which agree. Variants may share a sku.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import Dialect
from offers.sentences import Sentence

_DELETED = Sentence("It was deleted in the shop.")
_INACTIVE = Sentence("This variant is not for sale.")


def _mend(values: dict[str, str]) -> None:
    """Of several barcodes and categories, keep the first."""
    for field in ("gtin", "category"):
        values[field] = values.get(field, "").partition(";")[0].strip()


IKAS = Dialect(
    slug="ikas",
    name="ikas",
    signature=words(
        "urun grup id|varyant id|isim|satıs fiyatı|indirimli fiyatı|alıs fiyatı"
        "|barkod listesi|silindi mi|varyant tip 1|varyant deger 1|varyant aktiflik"
        "|marka|kategoriler|etiketler|resim url"
    ),
    enough=4,
    aliases={
        "urun grup id": "parent_key",
        "varyant id": "id",
        "isim": "title",
        "acıklama": "description",
        "satıs fiyatı": "price",
        "indirimli fiyatı": "sale_price",
        "alıs fiyatı": "cost",
        "barkod listesi": "gtin",
        "sku": "sku",
        "marka": "brand",
        "kategoriler": "category",
        "etiketler": "tags",
        "resim url": "image_url",
        "varyant tip {n}": "option{n}_name",
        "varyant deger {n}": "option{n}_value",
    },
    places=("stok",),
    oversold=True,
    mend=_mend,
    shared_skus=True,
    skipped_where={
        "silindi mi": {"true": _DELETED, "1": _DELETED},
        "varyant aktiflik": {"false": _INACTIVE, "0": _INACTIVE},
    },
)
