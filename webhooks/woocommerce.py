"""WooCommerce's webhooks: how they are signed, told apart and read.

Facts are from WooCommerce's own ``class-wc-webhook.php``. The ping that comes when a
webhook is made is not signed: it is answered and means nothing. A delivery's id is made
of the webhook's and the second, so that two of one second share it; what they say tells
them apart. That a variation whose stock is its product's says ``"parent"``, and the
names of the body's fields, are from memory.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from offers.shops import CountWord, ItemWord, Words
from webhooks.reading import amount_of, key_of, lowered, moment_of, units_of
from webhooks.signing import check_digest

SIGNATURE = "x-wc-webhook-signature"
NO_ITEMS = ("variable", "grouped", "external")

_PING = re.compile(rb"webhook_id=[0-9]{1,20}")


def is_ping(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a shop only tries the address, when its webhook is made."""
    return SIGNATURE not in lowered(headers) and bool(_PING.fullmatch(body.strip()))


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str]) -> None:
    """Check the signature.

    Raises:
        InvalidSignature: If it is missing or does not match.
    """
    check_digest(lowered(headers).get(SIGNATURE, ""), body, secrets=secrets)


def message_id(headers: Mapping[str, str], body: bytes) -> str:
    """Return what two deliveries of the same message have in common."""
    delivery = key_of(lowered(headers).get("x-wc-webhook-delivery-id", ""))
    return f"{topic(headers)}:{delivery}:{hashlib.sha256(body).hexdigest()}"


def topic(headers: Mapping[str, str]) -> str:
    return key_of(lowered(headers).get("x-wc-webhook-topic", ""))


def words(kind: str, said: Mapping[str, Any], told: str, now: datetime) -> Words:
    """Return what a message says of a product or of a variation of one."""
    key = key_of(said.get("id"))
    match kind.partition("."):
        case "product", _, "created" | "updated" | "restored" if key:
            return _product(key, said, moment_of(told, now) or now, now)
        case "product", _, "deleted" if key:
            return Words(whole=((key, moment_of(told, now) or now),))
    return Words()


def _product(
    key: str, said: Mapping[str, Any], told_at: datetime, now: datetime
) -> Words:
    if said.get("type") in NO_ITEMS:
        return Words()
    as_of = moment_of(said.get("date_modified_gmt"), now) or told_at
    sku = key_of(said.get("sku")) or f"id:{key}"
    parent = key_of(said.get("parent_id"))
    price = amount_of(said.get("price"))
    item = ItemWord(
        item_key=key,
        sku=sku,
        as_of=as_of,
        parent_key=key if parent in {"", "0"} else parent,
        price=price,
        list_price=amount_of(said.get("regular_price")) or price,
    )
    count = CountWord(item_key=key, sku=sku, quantity=_quantity(said), counted_at=as_of)
    return Words(items=(item,), counts=(count,))


def _quantity(said: Mapping[str, Any]) -> int | None:
    """Return how many there are; of what nobody counts, whether there are none."""
    quantity = None
    if said.get("manage_stock") is True:
        quantity = units_of(said.get("stock_quantity"))
    gone = said.get("manage_stock") in (True, False) and said.get("stock_status")
    return 0 if quantity is None and gone == "outofstock" else quantity
