"""Square's webhooks: how they are signed, told apart and read.

https://developer.squareup.com/docs/webhooks/step3validate: the signature is about the
address exactly as it was written down at Square, and the body. Its older one, by SHA-1,
is ignored. Only what is in stock counts; a quantity is text, moments have nine digits,
and there is no SKU: the catalogue's file says which token is which
(its ``Token`` column being the catalogue object's id is from memory).
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from offers.shops import CountWord, Words
from webhooks.reading import key_of, lowered, moment_of, units_of
from webhooks.signing import check_digest

SIGNATURE = "x-square-hmacsha256-signature"
COUNTED = "inventory.count.updated"


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    notification_url: str,
    secrets: Sequence[str],
) -> None:
    """Check the signature.

    Raises:
        InvalidSignature: If it is missing or does not match.
    """
    signed = notification_url.encode() + body
    check_digest(lowered(headers).get(SIGNATURE, ""), signed, secrets=secrets)


def message_id(said: Mapping[str, Any], body: bytes) -> str:
    """Return what two deliveries of the same message have in common; it is signed."""
    return key_of(said.get("event_id")) or hashlib.sha256(body).hexdigest()


def words(kind: str, said: Mapping[str, Any], now: datetime) -> Words:
    """Return the counts that a message has."""
    match kind, said:
        case (
            "inventory.count.updated",
            {"data": {"object": {"inventory_counts": list(counts)}}},
        ):
            sent_at = moment_of(said.get("created_at"), now) or now
            read = [_count(count, sent_at, now) for count in counts]
            return Words(counts=tuple(word for word in read if word is not None))
    return Words()


def _count(said: object, sent_at: datetime, now: datetime) -> CountWord | None:
    if not isinstance(said, dict) or said.get("state") != "IN_STOCK":
        return None
    item, place = key_of(said.get("catalog_object_id")), key_of(said.get("location_id"))
    quantity = units_of(said.get("quantity"))
    if not item or not place or quantity is None:
        return None
    return CountWord(
        item_key=item,
        sku=item,  # a catalogue without SKUs goes by its tokens
        quantity=quantity,
        counted_at=moment_of(said.get("calculated_at"), now) or sent_at,
        told_at=sent_at,
        place_key=place,
    )
