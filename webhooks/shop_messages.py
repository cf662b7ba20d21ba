"""Messages of connected shops: believed by their signature, kept as they came.

Each kind of shop signs, names and words its messages in its own way; what they come to
is an arrival to keep and, later, ``Words`` to act on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offers.shops import ShopConnection, ShopKind, Words
from webhooks import shopify, signing, square, standard, woocommerce
from webhooks.inbox import Arrival, new_arrival
from webhooks.reading import key_of, moment_of, read_json

SHOP = "shop"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a message before it is acted on."""

    message_id: str
    topic: str
    told: str = ""


def is_ping(shop: ShopConnection, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a shop only tries the address, unsigned; it is answered, that is all."""
    return shop.kind is ShopKind.WOOCOMMERCE and woocommerce.is_ping(headers, body)


def read_message(
    shop: ShopConnection,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[str],
    now: datetime,
) -> Arrival:
    """Return the message that a shop sent.

    Raises:
        InvalidSignature: If it is not the shop's.
        InvalidField: If it is, and no message that can be read.
    """
    envelope, said = _open(shop, headers, body, secrets, now)
    payload = {
        "shop_id": shop.id,
        "kind": shop.kind.value,
        "told": envelope.told,
        "body": body.decode(errors="replace"),
    }
    return new_arrival(
        SHOP,
        f"{shop.id}:{envelope.message_id}",
        envelope.topic,
        payload,
        retailer_id=shop.retailer_id,
        sent_at=_sent_at(said, envelope, now),
        now=now,
    )


def words_of(arrival: Arrival) -> Words:
    """Return what a message that was kept says."""
    kind, told = ShopKind(arrival.payload["kind"]), str(arrival.payload["told"])
    said, now = read_json(arrival.payload["body"].encode()), arrival.received_at
    match kind:
        case ShopKind.SHOPIFY:
            return shopify.words(arrival.type, said, told, now)
        case ShopKind.WOOCOMMERCE:
            return woocommerce.words(arrival.type, said, told, now)
        case ShopKind.SQUARE:
            return square.words(arrival.type, said, now)
        case ShopKind.GENERIC if arrival.type == standard.STOCK_UPDATED:
            data = said["data"]
            return standard.words(data, sent_at=arrival.sent_at, nowhere="")
    return Words()


def _open(
    shop: ShopConnection,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: datetime,
) -> tuple[Envelope, dict[str, Any]]:
    """Check the signature, on the bytes that came, before anything is read of them."""
    match shop.kind:
        case ShopKind.SHOPIFY:
            shopify.verify(headers, body, secrets=secrets)
            return _of_shopify(headers, body), read_json(body)
        case ShopKind.WOOCOMMERCE:
            woocommerce.verify(headers, body, secrets=secrets)
            name = woocommerce.message_id(headers, body)
            return Envelope(name, woocommerce.topic(headers)), read_json(body)
        case ShopKind.SQUARE:
            url = shop.notification_url
            square.verify(headers, body, notification_url=url, secrets=secrets)
            said = read_json(body)
            name, kind = square.message_id(said, body), key_of(said.get("type"))
            return Envelope(name, kind), said
        case _:
            name = signing.verify(headers, body, secrets=secrets, now=now)
            said = read_json(body)
            kind, _ = standard.check_message(said)
            return Envelope(name, kind), said


def _of_shopify(headers: Mapping[str, str], body: bytes) -> Envelope:
    told = key_of(shopify.header(headers, "triggered-at"))
    name = shopify.message_id(headers, body)
    return Envelope(name, shopify.topic(headers), told)


def _sent_at(said: Mapping[str, Any], envelope: Envelope, now: datetime) -> datetime:
    """The sender's time, as far as it says one."""
    told = said.get("timestamp") or said.get("created_at") or said.get("updated_at")
    return moment_of(told or envelope.told, now) or now
