"""
Of each built file only what it does not say is asked.
"""

import pytest

from tests.offers.feed.shelves import feed_of

ASKED = {
    "square.csv": "currency tax places",
    "square.xlsx": "currency tax places",
    "lightspeed-r.csv": "currency tax",
    "lightspeed-x.csv": "currency tax places",
    "lightspeed-c.csv": "currency",  # without tax, whose rate each row says
    "loyverse.csv": "currency tax",
    "loyverse-stores.csv": "currency tax places",
    "ikas.csv": "currency tax places",
    "fastmag.txt": "currency tax",
    "clictill.csv": "currency",
    "till.csv": "currency",
    "till-without-tax.csv": "currency",
    "amazon-report.txt": "currency tax",
    "amazon-flat.txt": "currency tax",
    "amazon-unified.txt": "currency",  # "value_with_tax"
    "ebay-exchange.csv": "tax",
    "ebay-active.csv": "tax",
    "shopify-wide.csv": "places",
    "shopify-long.csv": "places",
    "shopify-now.csv": "places",
    "shopify-products.csv": "currency tax",
    "google.tsv": "tax",
    "google-local.txt": "tax places",
    "google-rss.xml": "tax",
    "meta.csv": "tax",
    "excel-windows.csv": "",
    "excel-unicode.txt": "",
    "excel.xlsx": "",
}


@pytest.mark.parametrize("name", ASKED)
def test_is_asked_what_the_file_does_not_say(name: str) -> None:
    kinds = [question.kind for question in feed_of(name).questions]

    assert " ".join(kinds) == ASKED[name]
