"""WooCommerce's REST API: stock changed by a difference, with a mark on the product.

The API has no idempotency keys. Each change writes its key into the product's meta data
in the same request, so that after a lost answer a look says whether it was done. That
holds since only one change of an offer is under way at a time. A difference, since a
level would undo what the shop sells between our look and our word.

Facts: woocommerce.github.io/woocommerce-rest-api-docs (products, variations, errors,
Basic authentication over HTTPS). ``inventory_delta`` is in the controllers' source, not
in the docs. From memory: meta data is saved with the stock, underscored keys may be
written, and what takes PUT takes POST (``WP_REST_Server::EDITABLE``).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from outletbot.channels import ChannelError, Unconfirmed
from outletbot.channels.calls import (
    PATIENCE,
    Calls,
    Patience,
    Refusal,
    Unclear,
    judge,
)
from outletbot.clock import Clock
from outletbot.shops import Item, NotCounted, NotThere, Told

API: Final = "/wp-json/wc/v3"
MARK: Final = "_outletbot_told"

_MAKE_ANOTHER = (
    "Make a new key in WooCommerce (Settings, Advanced, REST API) that may read and"
    " write, and enter it on the page of your shop."
)


class WooCommerce:
    """One shop, by a key and its secret."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        address: str,
        token: str,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
    ) -> None:
        key, _, secret = token.partition(":")
        self._calls = Calls(
            http,
            address,
            headers={"Authorization": aiohttp.encode_basic_auth(key, secret)},
            judge=_judge,
            clock=clock,
            patience=patience,
            server="WooCommerce",
        )

    async def find(self, sku: str, place_key: str) -> Item:
        answer = await self._calls.read(f"{API}/products", {"sku": sku})
        products = answer.content if isinstance(answer.content, list) else []
        found = [one for one in products if _sku_of(one) == sku]
        if len(found) != 1:
            msg = f"WooCommerce has {len(found)} products with the SKU {sku}."
            raise NotThere(msg)
        return _item(found[0], sku)

    async def change(self, item: Item, units: int, *, key: str) -> Told:
        before = await self._look(item)
        if _marked(before, item) == key:
            return _told(before)
        return await self._change(item, before, units, key)

    async def change_again(
        self, item: Item, units: int, *, key: str, since: datetime
    ) -> Told:
        return await self.change(item, units, key=key)

    async def _look(self, item: Item) -> Mapping[str, Any]:
        answer = await self._calls.read(_path(item))
        content = answer.content
        if not isinstance(content, dict) or "stock_quantity" not in content:
            raise Unclear(_path(item))
        return content

    async def _change(
        self, item: Item, before: Mapping[str, Any], units: int, key: str
    ) -> Told:
        if not isinstance(before.get("stock_quantity"), int):
            msg = "WooCommerce does not manage the stock of this product."
            raise NotCounted(msg)
        mark = {"key": _mark(item), "value": key}
        # POST, which WordPress takes as well: a lost PUT aiohttp would send again.
        answer = await self._calls.call(
            "POST",
            _path(item),
            lost=Unconfirmed,
            broken=Unconfirmed,
            json={"inventory_delta": units, "meta_data": [mark]},
        )
        return _told(answer.content)


def _path(item: Item) -> str:
    if item.parent_key:
        return f"{API}/products/{item.parent_key}/variations/{item.key}"
    return f"{API}/products/{item.key}"


def _sku_of(product: Any) -> str:
    return str(product.get("sku", "")) if isinstance(product, dict) else ""


def _item(product: Mapping[str, Any], sku: str) -> Item:
    """A variation whose stock is kept at its product is that product."""
    match product:
        case {"manage_stock": "parent", "id": int(number), "parent_id": int(parent)}:
            return Item(str(parent), told_of=str(number))
        case {"manage_stock": True, "id": int(number), "parent_id": int(parent)}:
            return Item(str(number), parent_key=str(parent) if parent else "")
    msg = f"WooCommerce does not manage the stock of {sku}."
    raise NotCounted(msg)


def _mark(item: Item) -> str:
    """Several variations may be kept at one product, each with a mark of its own."""
    return f"{MARK}_{item.told_of or item.key}"


def _marked(product: Mapping[str, Any], item: Item) -> str:
    for each in product.get("meta_data") or ():
        match each:
            case {"key": str(name), "value": str(key)} if name == _mark(item):
                return key
    return ""


def _told(product: Any) -> Told:
    match product:
        case {
            "date_modified_gmt": str(modified),
            "stock_quantity": int() | None as left,
        }:
            return Told(datetime.fromisoformat(modified).replace(tzinfo=UTC), left)
    msg = "WooCommerce's answer makes no sense."
    raise Unconfirmed(msg)


def _judge(refusal: Refusal) -> ChannelError:
    content = refusal.content if isinstance(refusal.content, dict) else {}
    words = str(content.get("message", ""))
    remedies: dict[int, str] = {
        HTTPStatus.UNAUTHORIZED: _MAKE_ANOTHER,
        HTTPStatus.FORBIDDEN: _MAKE_ANOTHER,
        HTTPStatus.NOT_FOUND: "Is the address that of your shop?",
    }
    return judge(refusal, words, remedies=remedies)
