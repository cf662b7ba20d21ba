"""What a WooCommerce sandbox knows: products, variations, and who is told of them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from outletbot.clock import Clock
from outletbot.sandbox.shelf import Shelf, Thing
from outletbot.sandbox.shop_hooks import Hooks, Message

WEBHOOK_ID = 7
MOST_FAILURES = 5

BY_PARENT = "parent"
"""What ``manage_stock`` says of a variation whose stock is kept at its product."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product, or a variation of *parent_id*; *stock* None if it is not managed.

    A variation *at_parent* has no stock of its own.
    """

    id: int
    sku: str
    name: str
    stock: int | None
    price: str = "10.00"
    parent_id: int = 0
    at_parent: bool = False


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"code": code, "message": message, "data": {"status": status}}


class WooCommerceShop:
    """One shop with one webhook, for ``product.updated``."""

    def __init__(
        self,
        *,
        clock: Clock,
        key: str,
        secret: str,
        hooks: Hooks,
        state_path: Path | None = None,
    ) -> None:
        self.clock = clock
        self.key = key
        self.secret = secret
        self.hooks = hooks
        hooks.tried = self.note
        self.changes = 0  # of stock, by the API
        self.failures = 0
        self.active = True
        self.shelf = Shelf(state_path)

    def stock(self, products: Iterable[Product]) -> None:
        """Fill the shelves, unless they were."""
        if next(self.shelf.all("product"), None) is None:
            for product in products:
                row = asdict(product) | {"modified": self._now(), "meta": {}}
                self.shelf.keep("product", str(product.id), row)

    def product(self, product_id: int, parent_id: int = 0) -> Thing:
        """Return a product, or a variation of its product.

        Raises:
            Refusal: If there is none.
        """
        found = self.shelf.get("product", str(product_id))
        if found is None or found["parent_id"] != parent_id:
            kind = "product_variation" if parent_id else "product"
            code = f"woocommerce_rest_{kind}_invalid_id"
            raise Refusal(404, code, "Invalid ID.")
        return found

    def by_sku(self, sku: str) -> list[Thing]:
        return [row for _, row in self.shelf.all("product") if row["sku"] == sku]

    def units(self, product_id: int) -> int | None:
        row = self.shelf.get("product", str(product_id)) or {}
        return row.get("stock")

    def sell(self, product_id: int, units: int = 1) -> None:
        """Sell some here, as the shop's own checkout does."""
        row = self.shelf.get("product", str(product_id))
        if row is None:
            raise KeyError(product_id)
        if row["at_parent"]:
            self.sell(row["parent_id"], units)
        elif row["stock"] is not None:
            self.save(row, stock=row["stock"] - units)

    def save(self, row: Thing, **facts: Any) -> Thing:
        """Keep a product that was changed, and tell of it."""
        row = {**row, **facts, "modified": self._now()}
        self.shelf.keep("product", str(row["id"]), row)
        self._tell(row)
        return row

    def update(self, row: Thing, said: dict[str, Any]) -> Thing:
        """Do what a PUT asks for, as far as it is about stock, price and meta data."""
        facts: dict[str, Any] = {}
        if "regular_price" in said:
            facts["price"] = str(said["regular_price"])
        if row["stock"] is not None or said.get("manage_stock") is True:
            stock = row["stock"] or 0
            if said.get("stock_quantity") is not None:
                facts["stock"] = int(said["stock_quantity"])
            elif "inventory_delta" in said:
                facts["stock"] = stock + int(said["inventory_delta"])
        self.changes += "stock" in facts
        meta = {each["key"]: each["value"] for each in said.get("meta_data", ())}
        return self.save(row, **facts, meta={**row["meta"], **meta})

    def shown(self, row: Thing) -> dict[str, Any]:
        """Return a product as the API and the webhooks show it."""
        source = row
        if row["at_parent"]:
            source = self.shelf.get("product", str(row["parent_id"])) or row
        stock = source["stock"]
        managed: bool | str = stock is not None
        return {
            "id": row["id"],
            "name": row["name"],
            "type": "variation" if row["parent_id"] else self._type(row),
            "date_modified_gmt": row["modified"],
            "sku": row["sku"],
            "price": row["price"],
            "regular_price": row["price"],
            "sale_price": "",
            "manage_stock": BY_PARENT if row["at_parent"] and managed else managed,
            "stock_quantity": stock,
            "stock_status": "instock" if stock is None or stock > 0 else "outofstock",
            "parent_id": row["parent_id"],
            "variations": [each["id"] for each in self.variations(row["id"])],
            "meta_data": [
                {"id": number, "key": key, "value": value}
                for number, (key, value) in enumerate(row["meta"].items(), 1)
            ],
        }

    def variations(self, product_id: int) -> list[Thing]:
        rows = (row for _, row in self.shelf.all("product"))
        return [row for row in rows if row["parent_id"] == product_id]

    def ping(self) -> None:
        """Ask the address whether it is there, as when a webhook is made: unsigned."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"webhook_id={WEBHOOK_ID}".encode()
        self.hooks.hand_over(Message(body, form, ""))

    def note(self, taken: bool) -> None:  # noqa: FBT001 - the callback's one fact
        """After more than five failures on end nothing is sent any more."""
        self.failures = 0 if taken else self.failures + 1
        self.active = self.active and self.failures <= MOST_FAILURES

    def _type(self, row: Thing) -> str:
        return "variable" if self.variations(row["id"]) else "simple"

    def _tell(self, row: Thing) -> None:
        if not self.active:
            return
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": "https://fjordlight.example/",
            "X-WC-Webhook-Topic": "product.updated",
            "X-WC-Webhook-Resource": "product",
            "X-WC-Webhook-Event": "updated",
            "X-WC-Webhook-ID": str(WEBHOOK_ID),
            "X-WC-Webhook-Delivery-ID": self._delivery_id(),
        }
        body = json.dumps(self.shown(row)).encode()
        self.hooks.hand_over(Message(body, headers, "X-WC-Webhook-Signature"))

    def _delivery_id(self) -> str:
        """Two deliveries of one second have the same."""
        said = f"{WEBHOOK_ID}{int(self.clock().timestamp())}"
        return hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()

    def _now(self) -> str:
        return gmt(self.clock())


def gmt(moment: datetime) -> str:
    """Write a moment as the API does: to the second, and without its zone."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
