"""What a Shopify sandbox can be asked for and told to do, by GraphQL.

From 2026-04 on inventory mutations need the directive ``@idempotent`` and a
``changeFromQuantity`` in every change, null to skip the comparison (shopify.dev: the
mutations' pages and the changelog of December 2025). A key that comes again with the
same input gets the same answer and does nothing; with another input it is refused. For
how long a key is remembered is not documented where we looked: here for ever.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.shopify_graphql import GraphqlError, Operation, Selected, project
from outletbot.sandbox.shopify_state import DOMAIN, Refusal, ShopifyShop, iso

IDEMPOTENT_FROM = "2026-04"
REASONS = {"correction", "cycle_count_available", "damaged", "other", "promotion"}
REASONS |= {"quality_control", "received", "restock", "safety_stock", "shrinkage"}
MUTATION_COST, QUERY_COST = 10.0, 8.0

Json = dict[str, Any]


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def number_of(kind: str, given: Any) -> int:
    """Return the number in a global id of that kind.

    Raises:
        GraphqlError: If it is none.
    """
    prefix = f"gid://shopify/{kind}/"
    if not isinstance(given, str) or not given.startswith(prefix):
        msg = f"Invalid global id '{given}'"
        raise GraphqlError(msg)
    return int(given.removeprefix(prefix))


def execute(shop: ShopifyShop, operation: Operation, version: str) -> Json:
    """Do what is asked, field by field, and return the data."""
    roots = _MUTATIONS if operation.kind == "mutation" else _QUERIES
    kind = "Mutation" if operation.kind == "mutation" else "QueryRoot"
    data = {}
    for one in operation.fields:
        if one.name not in roots:
            msg = f"Field '{one.name}' doesn't exist on type '{kind}'"
            raise GraphqlError(msg)
        answer = roots[one.name](shop, one, version)
        data[one.alias] = project(answer, one.fields, one.name) if answer else None
    return data


def _variants(shop: ShopifyShop, one: Selected, _version: str) -> Json:
    """Find by ``sku:…`` as loosely as search does: a word of the SKU is enough."""
    wanted = str(one.arguments.get("query", "")).removeprefix("sku:").strip("\"'")
    found = [
        _variant(shop, variant)
        for _, variant in shop.shelf.all("variant")
        if wanted.lower() in variant["sku"].lower().replace("-", " ").split()
        or wanted == variant["sku"]
    ]
    return {"nodes": found[: int(one.arguments.get("first", 0))]}


def _variant(shop: ShopifyShop, variant: Thing) -> Json:
    return {
        "id": gid("ProductVariant", variant["id"]),
        "sku": variant["sku"],
        "title": variant["title"],
        "price": variant["price"],
        "product": {"id": gid("Product", variant["product_id"])},
        "inventoryItem": _item(shop, variant),
    }


def _item(shop: ShopifyShop, variant: Thing) -> Json:
    item_id = variant["item_id"]

    def levels(first: int = 0) -> Json:
        return {"nodes": [_level(shop, each) for each in shop.levels(item_id)][:first]}

    def level(locationId: str) -> Json | None:  # noqa: N803 - as the API spells it
        found = shop.level(item_id, number_of("Location", locationId))
        return None if found is None else _level(shop, found)

    return {
        "id": gid("InventoryItem", item_id),
        "sku": variant["sku"],
        "tracked": variant["tracked"],
        "inventoryLevels": levels,
        "inventoryLevel": level,
    }


def _level(shop: ShopifyShop, level: Thing) -> Json:
    location = shop.shelf.get("location", str(level["location_id"])) or {}

    def quantities(names: list[str]) -> list[Json]:
        return [
            {
                "name": name,
                "quantity": level["available"],
                "updatedAt": level["updated_at"],
            }
            for name in names
            if name in {"available", "on_hand"}
        ]

    return {
        "updatedAt": level["updated_at"],
        "location": _location(location),
        "quantities": quantities,
    }


def _location(location: Thing) -> Json:
    return {**location, "id": gid("Location", location["id"])}


def _find_item(shop: ShopifyShop, one: Selected, _version: str) -> Json | None:
    item_id = number_of("InventoryItem", one.arguments.get("id"))
    variant = shop.shelf.get("variant", str(item_id))
    return None if variant is None else _item(shop, variant)


def _locations(shop: ShopifyShop, one: Selected, _version: str) -> Json:
    found = [_location(each) for _, each in shop.shelf.all("location")]
    return {"nodes": found[: int(one.arguments.get("first", 0))]}


def _shop(_shop: ShopifyShop, _one: Selected, _version: str) -> Json:
    return {"name": "A shop to practise on", "myshopifyDomain": DOMAIN}


def _adjust(shop: ShopifyShop, one: Selected, version: str) -> Json:
    def changes(given: Json) -> list[tuple[Json, int]]:
        return [(each, int(each["delta"])) for each in given["changes"]]

    return _once(shop, one, version, "changes", changes)


def _set(shop: ShopifyShop, one: Selected, version: str) -> Json:
    def changes(given: Json) -> list[tuple[Json, int]]:
        return [
            (each, int(each["quantity"]) - (_available(shop, each) or 0))
            for each in given["quantities"]
        ]

    return _once(shop, one, version, "quantities", changes)


def _once(
    shop: ShopifyShop,
    one: Selected,
    version: str,
    listed: str,
    changes: Callable[[Json], list[tuple[Json, int]]],
) -> Json:
    given = one.arguments.get("input")
    if not isinstance(given, dict):
        msg = f"Field '{one.name}' is missing required arguments: input"
        raise GraphqlError(msg)
    if version >= IDEMPOTENT_FROM and not one.idempotent:
        msg = "The @idempotent directive is required for this mutation."
        raise GraphqlError(msg)
    try:
        group = _group(shop, one, version, changes, listed)
    except Refusal as refusal:
        return {"inventoryAdjustmentGroup": None, "userErrors": [refusal.error]}
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


def _group(
    shop: ShopifyShop,
    one: Selected,
    version: str,
    changes: Callable[[Json], list[tuple[Json, int]]],
    listed: str,
) -> Json:
    given = one.arguments["input"]
    print_ = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    seen = shop.shelf.get("key", one.idempotent or "")
    if seen is not None and seen["input"] != print_:
        msg = "The same idempotency key cannot be used with different parameters."
        raise Refusal("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", msg)
    if seen is None:
        _check(shop, given, version, listed)
        seen = {"input": print_, "group": _apply(shop, given, changes(given))}
        if one.idempotent:
            shop.shelf.keep("key", one.idempotent, seen)
    return _shown(shop, seen["group"])


def _check(shop: ShopifyShop, given: Json, version: str, listed: str) -> None:
    if given.get("name") not in {"available", "on_hand"}:
        raise Refusal("INVALID_QUANTITY_NAME", "The quantity name is invalid.")
    if given.get("reason") not in REASONS:
        raise Refusal("INVALID_REASON", "The specified reason is invalid.")
    if ":" not in given.get("referenceDocumentUri", "a:b"):
        message = "The specified reference document is invalid."
        raise Refusal("INVALID_REFERENCE_DOCUMENT", message)
    for change in given[listed]:
        _check_change(shop, given, change, version)


def _check_change(shop: ShopifyShop, given: Json, change: Json, version: str) -> None:
    item_id, location_id = _ids(change)
    if shop.shelf.get("variant", str(item_id)) is None:
        message = "The specified inventory item could not be found."
        raise Refusal("INVALID_INVENTORY_ITEM", message)
    if shop.shelf.get("location", str(location_id)) is None:
        message = "The specified location could not be found."
        raise Refusal("INVALID_LOCATION", message)
    if _available(shop, change) is None:
        message = "The inventory item is not stocked at the location."
        raise Refusal("ITEM_NOT_STOCKED_AT_LOCATION", message)
    _compare(shop, given, change, version)


def _compare(shop: ShopifyShop, given: Json, change: Json, version: str) -> None:
    compared = "compareQuantity"
    if version >= IDEMPOTENT_FROM:
        compared = "changeFromQuantity"
        if compared not in change:
            msg = f"{compared} must be given, even if it is null"
            raise GraphqlError(msg)
    elif "quantity" in change and not given.get("ignoreCompareQuantity"):
        change = {compared: None, **change}
        if change[compared] is None:
            message = "The compareQuantity argument must be given."
            raise Refusal("COMPARE_QUANTITY_REQUIRED", message)
    expected = change.get(compared)
    if expected is not None and expected != _available(shop, change):
        code = "COMPARE_QUANTITY_STALE"
        if compared == "changeFromQuantity":
            code = "CHANGE_FROM_QUANTITY_STALE"
        message = f"The {compared} argument no longer matches the persisted quantity."
        raise Refusal(code, message)


def _apply(shop: ShopifyShop, given: Json, changes: list[tuple[Json, int]]) -> Thing:
    done = []
    for change, delta in changes:
        item_id, location_id = _ids(change)
        shop.change(item_id, location_id, delta)
        after = shop.available(item_id, location_id)
        done.append([item_id, location_id, delta, after])
    group = {
        "number": shop.shelf.number(),
        "createdAt": iso(shop.clock()),
        "reason": given["reason"],
        "referenceDocumentUri": given.get("referenceDocumentUri"),
        "changes": done,
    }
    shop.shelf.keep("group", str(group["number"]), group)
    return group


def _shown(shop: ShopifyShop, group: Thing) -> Json:
    return {
        "id": gid("InventoryAdjustmentGroup", group["number"]),
        "createdAt": group["createdAt"],
        "reason": group["reason"],
        "referenceDocumentUri": group["referenceDocumentUri"],
        "changes": [
            _change(shop, name, *each)
            for each in group["changes"]
            for name in ("available", "on_hand")
        ],
    }


def _change(
    shop: ShopifyShop, name: str, item_id: int, location_id: int, delta: int, after: int
) -> Json:
    variant = shop.shelf.get("variant", str(item_id)) or {}
    location = shop.shelf.get("location", str(location_id)) or {}
    return {
        "name": name,
        "delta": delta,
        "quantityAfterChange": after,
        "item": _item(shop, variant),
        "location": _location(location),
    }


def _ids(change: Json) -> tuple[int, int]:
    item_id = number_of("InventoryItem", change.get("inventoryItemId"))
    return item_id, number_of("Location", change.get("locationId"))


def _available(shop: ShopifyShop, change: Json) -> int | None:
    return shop.available(*_ids(change))


_QUERIES: dict[str, Callable[[ShopifyShop, Selected, str], Json | None]] = {
    "inventoryItem": _find_item,
    "locations": _locations,
    "productVariants": _variants,
    "shop": _shop,
}
_MUTATIONS: dict[str, Callable[[ShopifyShop, Selected, str], Json | None]] = {
    "inventoryAdjustQuantities": _adjust,
    "inventorySetQuantities": _set,
}
