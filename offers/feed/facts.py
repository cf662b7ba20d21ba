"""Facts: what a row says of an offer, as the offer's columns keep it.

A row of facts is a tuple in the order of ``NAMES``; what the file does not say is
``None``. Days are ISO 8601.
"""

import json
from collections.abc import Sequence

from offers.feed.rows import FeedRow

NAMES = (
    "sku",
    "parent_key",
    "title",
    "description",
    "brand",
    "category",
    "price_amount",
    "list_price_amount",
    "cost_amount",
    "currency",
    "tax",
    "quantity",
    "gtin",
    "condition",
    "image_url",
    "options",
    "mpn",
    "tags",
    "image_urls",
    "sale_from",
    "sale_to",
)

Facts = tuple[object, ...]


def facts_of(row: FeedRow) -> Facts:
    """Return what *row* says, in the order of ``NAMES``."""
    return (
        row.sku,
        row.parent_key,
        row.title,
        row.description,
        row.brand,
        row.category,
        row.price and row.price.amount,
        row.list_price and row.list_price.amount,
        row.cost and row.cost.amount,
        row.price and row.price.currency,
        None if row.tax == "unknown" else row.tax,
        row.quantity,
        row.gtin,
        row.condition,
        row.image_url,
        dump_list(row.options) if row.options else None,
        row.mpn,
        dump_list(row.tags) if row.tags else None,
        images_of(row.image_urls),
        row.sale_from and row.sale_from.isoformat(),
        row.sale_to and row.sale_to.isoformat(),
    )


def dump_list(texts: Sequence[object]) -> str:
    return json.dumps(texts, ensure_ascii=False)


def images_of(addresses: Sequence[str]) -> str | None:
    """Return what is kept of all pictures: one alone is kept by itself."""
    if not addresses:
        return None
    return dump_list(addresses) if len(addresses) > 1 else "[]"
