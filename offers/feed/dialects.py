"""The dialects that we know, and which of them a file is written in."""

from offers.feed.shops import bagisto, prestashop, shopify, woocommerce
from offers.feed.shops.kinds import Dialect

PLAIN = Dialect(slug="plain", name="Plain columns")

DIALECTS = (
    shopify.SHOPIFY,
    shopify.SHOPIFY_NEW,
    woocommerce.WOOCOMMERCE,
    prestashop.PRESTASHOP,
    bagisto.BAGISTO,
)


def recognise(names: frozenset[str]) -> Dialect:
    """Return the dialect of a file whose normalised headers are *names*."""
    best = max(DIALECTS, key=lambda dialect: len(names & dialect.signature))
    return best if len(names & best.signature) >= best.enough else PLAIN
