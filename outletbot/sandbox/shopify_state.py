"""What a Shopify sandbox knows: locations, variants, levels, and calls it has seen."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from outletbot.clock import Clock
from outletbot.sandbox.shelf import Shelf, Thing
from outletbot.sandbox.shop_hooks import Hooks, Message

API_VERSION = "2026-07"
DOMAIN = "fjordlight.myshopify.com"
BUCKET = 2_000.0  # points of a standard shop
RESTORED = 100.0  # points a second


@dataclass(frozen=True, slots=True)
class Location:
    id: int
    name: str
    isActive: bool = True  # noqa: N815 - as the API spells it


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a product; its stock is not counted unless it is *tracked*."""

    id: int
    product_id: int
    item_id: int
    sku: str
    title: str
    price: str = "10.00"
    tracked: bool = True


class Refusal(Exception):
    """A userError: the call was understood and not done."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "field": ["input"]}


class ShopifyShop:
    """One shop. *shelf* can be read by whoever tests; *hooks* tells its app.

    *points* is what is left of the app's bucket; None is without end.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        token: str,
        hooks: Hooks,
        state_path: Path | None = None,
    ) -> None:
        self.clock = clock
        self.token = token
        self.hooks = hooks
        self.shelf = Shelf(state_path)
        self.points: float | None = None
        self._spent_at = clock()

    def stock(
        self,
        locations: Iterable[Location],
        variants: Mapping[Variant, Mapping[int, int]],
    ) -> None:
        """Fill the shelves, unless they were; levels by the location's number."""
        if next(self.shelf.all("variant"), None) is not None:
            return
        for location in locations:
            self.shelf.keep("location", str(location.id), asdict(location))
        for variant, levels in variants.items():
            self.shelf.keep("variant", str(variant.item_id), asdict(variant))
            for location_id, available in levels.items():
                self._keep(variant.item_id, location_id, available)

    def available(self, item_id: int, location_id: int) -> int | None:
        """Return how many there are, None where the item is not stocked."""
        level = self.level(item_id, location_id)
        return None if level is None else int(level["available"])

    def level(self, item_id: int, location_id: int) -> Thing | None:
        return self.shelf.get("level", f"{item_id}:{location_id}")

    def levels(self, item_id: int) -> Iterator[Thing]:
        for key, level in self.shelf.all("level"):
            if key.startswith(f"{item_id}:"):
                yield level

    def sell(self, item_id: int, location_id: int, units: int = 1) -> None:
        """Sell some here, as the shop's own checkout does."""
        self.change(item_id, location_id, -units)

    def change(self, item_id: int, location_id: int, delta: int) -> None:
        available = self.available(item_id, location_id)
        if available is None:
            raise KeyError(item_id, location_id)
        self.put(item_id, location_id, available + delta)

    def put(self, item_id: int, location_id: int, available: int) -> None:
        """Set a level, and tell of it."""
        self._tell_level(self._keep(item_id, location_id, available))

    def edit(self, item_id: int, **facts: str) -> None:
        """Change a variant, and tell of its product."""
        variant = self.shelf.get("variant", str(item_id)) or {}
        self.shelf.keep("variant", str(item_id), {**variant, **facts})
        self.tell_product(variant["product_id"])

    def spend(self, points: float) -> bool:
        """Take *points* out of the bucket. Return whether there were so many."""
        if self.points is None:
            return True
        now = self.clock()
        restored = (now - self._spent_at).total_seconds() * RESTORED
        self.points, self._spent_at = min(BUCKET, self.points + restored), now
        if self.points < points:
            return False
        self.points -= points
        return True

    def tell_product(self, product_id: int) -> None:
        """Tell the app all of a product, as ``products/update`` does."""
        at = iso(self.clock())
        variants = [
            {
                "id": variant["id"],
                "product_id": product_id,
                "sku": variant["sku"],
                "price": variant["price"],
                "inventory_item_id": variant["item_id"],
                "inventory_quantity": self._total(variant["item_id"]),
                "updated_at": at,
            }
            for _, variant in self.shelf.all("variant")
            if variant["product_id"] == product_id
        ]
        body = {"id": product_id, "updated_at": at, "variants": variants}
        self._tell("products/update", body)

    def _total(self, item_id: int) -> int:
        return sum(level["available"] for level in self.levels(item_id))

    def _keep(self, item_id: int, location_id: int, available: int) -> Thing:
        level = {
            "item_id": item_id,
            "location_id": location_id,
            "available": available,
            "updated_at": iso(self.clock()),
        }
        self.shelf.keep("level", f"{item_id}:{location_id}", level)
        return level

    def _tell_level(self, level: Thing) -> None:
        item_id, location_id = level["item_id"], level["location_id"]
        body = {
            "inventory_item_id": item_id,
            "location_id": location_id,
            "available": level["available"],
            "updated_at": level["updated_at"],
            "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{location_id}"
            f"?inventory_item_id={item_id}",
        }
        self._tell("inventory_levels/update", body)

    def _tell(self, topic: str, body: dict[str, Any]) -> None:
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": DOMAIN,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": f"b54557e4-{self.shelf.number():012d}",
            "X-Shopify-Event-Id": f"98880550-{self.shelf.number():012d}",
            "X-Shopify-Triggered-At": self.clock().isoformat(),
        }
        content = json.dumps(body).encode()
        self.hooks.hand_over(Message(content, headers, "X-Shopify-Hmac-Sha256"))


def iso(moment: datetime) -> str:
    """Write a moment as the API does: to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
