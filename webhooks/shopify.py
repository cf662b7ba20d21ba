"""Shopify's webhooks: how they are signed, told apart and read.

https://shopify.dev/docs/apps/build/webhooks/verify-deliveries and
/ignore-duplicates. Only the body is signed: what a header says is never more than a
name for the delivery or the word that decides between two counts of one second.

An inventory level has no SKU: ``products/update`` teaches what its item is. That the
webhook's ``available`` may be null, and what ``inventory_levels/disconnect`` says, is
from memory. A product's list ends at 100 variants (the same), so only a shorter one is
taken for all there are.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from offers.shops import CountWord, ItemWord, Words
from webhooks.reading import amount_of, key_of, lowered, moment_of, units_of
from webhooks.signing import check_digest

MOST_VARIANTS = 100
NO_OPTION = "default title"


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str]) -> None:
    """Check the signature, by today's header or by the one that is being tried out.

    Raises:
        InvalidSignature: If it is missing or does not match.
    """
    check_digest(header(headers, "hmac-sha256"), body, secrets=secrets)


def message_id(headers: Mapping[str, str], body: bytes) -> str:
    """Return what two deliveries of the same message have in common."""
    delivery = header(headers, "webhook-id") or header(headers, "event-id")
    name = key_of(delivery) or hashlib.sha256(body).hexdigest()
    return f"{topic(headers)}:{name}"


def topic(headers: Mapping[str, str]) -> str:
    return key_of(header(headers, "topic"))


def header(headers: Mapping[str, str], name: str) -> str:
    found = lowered(headers)
    return found.get(f"x-shopify-{name}") or found.get(f"shopify-{name}") or ""


def words(kind: str, said: Mapping[str, Any], told: str, now: datetime) -> Words:
    """Return what a message says; *told* is when it was sent, as its header says."""
    match kind.partition("/"):
        case "inventory_levels", _, "update" | "connect":
            return Words(counts=_counts(said, told, now))
        case "inventory_levels", _, "disconnect":  # it is not kept there any more
            return Words(counts=_counts({**said, "available": 0}, told, now))
        case "products", _, "create" | "update":
            return _product(said, moment_of(told, now) or now, now)
        case "products", _, "delete" if product := key_of(said.get("id")):
            return Words(whole=((product, moment_of(told, now) or now),))
    return Words()


def _counts(said: Mapping[str, Any], told: str, now: datetime) -> tuple[CountWord, ...]:
    item, place = key_of(said.get("inventory_item_id")), key_of(said.get("location_id"))
    available = units_of(said.get("available"))
    nonsense = available is None and said.get("available") is not None
    if not item or not place or nonsense:
        return ()
    told_at = moment_of(told, now)
    counted_at = moment_of(said.get("updated_at"), now) or told_at or now
    word = CountWord(
        item_key=item,
        quantity=available,
        counted_at=counted_at,
        told_at=told_at,
        place_key=place,
    )
    return (word,)


def _product(said: Mapping[str, Any], told_at: datetime, now: datetime) -> Words:
    as_of = moment_of(said.get("updated_at"), now) or told_at
    product, handle = key_of(said.get("id")), key_of(said.get("handle"))
    variants = said.get("variants")
    each = variants if isinstance(variants, list) else []
    items = [
        _item(variant, product, handle, as_of)
        for variant in each
        if isinstance(variant, dict) and key_of(variant.get("inventory_item_id"))
    ]
    whole = bool(product) and 0 < len(items) == len(each) < MOST_VARIANTS
    return Words(items=tuple(items), whole=((product, as_of),) if whole else ())


def _item(
    variant: Mapping[str, Any], product: str, handle: str, as_of: datetime
) -> ItemWord:
    price = amount_of(variant.get("price"))
    return ItemWord(
        item_key=key_of(variant.get("inventory_item_id")),
        sku=key_of(variant.get("sku")) or _sku_of(variant, handle),
        as_of=as_of,
        parent_key=product,
        price=price,
        list_price=amount_of(variant.get("compare_at_price")) or price,
    )


def _sku_of(variant: Mapping[str, Any], handle: str) -> str:
    """Return the code that a variant without one has in our catalog."""
    options = [key_of(variant.get(f"option{number}")) for number in (1, 2, 3)]
    said = [option for option in options if option and option.lower() != NO_OPTION]
    return "/".join((handle, *said))
