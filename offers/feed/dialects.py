"""The dialects that we know, and which of them a file is written in."""

from offers.feed.shops import (
    amazon,
    bagisto,
    commercetools,
    ebay,
    google,
    ikas,
    lightspeed,
    loyverse,
    magento,
    medusa,
    meta,
    prestashop,
    samples,
    shopify,
    shopify_inventory,
    shopware,
    spree,
    square,
    tills,
    wix,
    woocommerce,
)
from offers.feed.shops.kinds import Dialect

PLAIN = Dialect(slug="plain", name="Plain columns")

DIALECTS = (
    shopify.SHOPIFY,
    shopify.SHOPIFY_NEW,
    woocommerce.WOOCOMMERCE,
    prestashop.PRESTASHOP,
    prestashop.PRESTASHOP_COMBINATIONS,
    bagisto.BAGISTO,
    magento.MAGENTO,
    magento.MAGENTO_SOURCES,
    wix.WIX,
    spree.SPREE,
    shopware.SHOPWARE,
    medusa.MEDUSA,
    commercetools.COMMERCETOOLS,
    commercetools.COMMERCETOOLS_STOCK,
    commercetools.COMMERCETOOLS_PRICES,
    samples.THELIA,
    samples.SAP_CAP,
    samples.DJANGO_OSCAR,
    shopify_inventory.SHOPIFY_INVENTORY,
    square.SQUARE,
    lightspeed.LIGHTSPEED_R,
    lightspeed.LIGHTSPEED_X,
    lightspeed.LIGHTSPEED_C,
    loyverse.LOYVERSE,
    ikas.IKAS,
    tills.FASTMAG,
    tills.CLICTILL,
    tills.FRENCH_TILL,
    google.GOOGLE,
    google.GOOGLE_LOCAL,
    meta.META,
    amazon.AMAZON_REPORT,
    amazon.AMAZON_OPEN,
    amazon.AMAZON_TEMPLATE,
    ebay.EBAY,
)

NAMES = frozenset(
    name
    for dialect in DIALECTS
    for name in (*dialect.signature, *dialect.aliases)
    if "{n}" not in name
)
"""Every name of a column that some shop is known to use."""


def recognise(names: frozenset[str]) -> Dialect:
    """Return the dialect of a file whose normalised headers are *names*."""
    best = max(DIALECTS, key=lambda dialect: strength(dialect, names))
    return best if strength(best, names) else PLAIN


def strength(dialect: Dialect, names: frozenset[str]) -> int:
    """Return how many of *names* speak for *dialect*; 0 if they are not enough."""
    found = len(names & dialect.signature)
    return found if found >= dialect.enough and dialect.must <= names else 0
