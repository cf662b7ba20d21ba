"""The tills of French shops: Fastmag, Clictill, and what many others write.

Of Fastmag and Clictill the names of the columns are documented by their makers, and
how a file is laid out by somebody else's tests of an importer.
"""

from offers.feed.fields import words
from offers.feed.shops.kinds import LIMIT, NOT_FREE, Dialect, Family
from offers.sentences import Sentence

_WORTH = Sentence("What the stock is worth, not what one unit costs.")


def _name_options(values: dict[str, str]) -> None:
    values["option1_name"], values["option2_name"] = "Coloris", "Taille"


FASTMAG = Dialect(
    slug="fastmag",
    name="Fastmag",
    signature=words("gencod|codemag|coloris|taille|pa|pv|stock resa|designation"),
    enough=4,
    must=words("codemag"),
    aliases={
        "codemag": "parent_key",
        "gencod": "gtin",
        "designation": "title",
        "marque": "brand",
        "famille": "category",
        "coloris": "option1_value",
        "taille": "option2_value",
        "pa": "cost",
        "pv": "price",
        "stock": "quantity",
    },
    refused={"stock resa": NOT_FREE},
    decimal=".",
    oversold=True,
    mend=_name_options,
    # The code of an article is shared by its colours and sizes.
    family=Family.FOLLOWING,
    inherited=("title", "brand", "category"),
)

CLICTILL = Dialect(
    slug="clictill",
    name="Clictill",
    signature=words(
        "reference|code barre|designation|sous famille|prix ttc|stock mini"
        "|valeur stock|marque"
    ),
    enough=5,
    must=words("code barre|sous famille"),
    aliases={
        "reference": "sku",
        "code barre": "gtin",
        "designation": "title",
        "marque": "brand",
        "sous famille": "category",
        "prix ttc": "price",
        "stock": "quantity",
    },
    refused={"stock mini": LIMIT, "stock maxi": LIMIT, "valeur stock": _WORTH},
    oversold=True,
)

FRENCH_TILL = Dialect(
    slug="french-till",
    name="French till",
    signature=words(
        "code|libelle|prix d achat ht|prix de vente ht|prix de vente ttc|tva|famille"
        "|quantite|quantite d alerte|fournisseur"
    ),
    enough=5,
    must=words("libelle|prix de vente ht"),
    aliases={
        "code": "sku",
        "code barre": "gtin",
        "libelle": "title",
        "famille": "category",
        "marque": "brand",
        "prix d achat ht": "cost",
        "prix de vente ht": "price",
        "prix de vente ttc": "price",
        "tva": "tax_rate",
        "taux tva": "tax_rate",
        "quantite": "quantity",
    },
    refused={
        "quantite d alerte": LIMIT,
        "fournisseur": Sentence("Who delivers it, not who makes it."),
    },
    oversold=True,
)
