"""Shopify's Admin API: stock changed by a difference, once for each key.

``inventoryAdjustQuantities`` with ``@idempotent``: the shop answers a key that it knows
as it did the first time, and does nothing. A difference is right where a level is not,
since the shop sells meanwhile; so ``changeFromQuantity``, which has to be there from
2026-04 on, is null.

Facts: shopify.dev, the mutation's page of 2026-07 (directive, codes, the format of
``referenceDocumentUri``), "Implementing idempotency", "GraphQL Admin API rate limits"
(cost in ``extensions``). For how long a key is remembered could not be read there; we
trust it for ``KEY_LASTS``, as Stripe's. ``THROTTLED`` comes with 200 or with 429.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from outletbot.channels import (
    ChannelError,
    Disowned,
    Limited,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.calls import PATIENCE, Calls, Patience, Refusal, judge
from outletbot.clock import Clock
from outletbot.shops import Item, NotCounted, NotThere, Told

API_VERSION: Final = "2026-07"
KEY_LASTS: Final = timedelta(hours=20)
SEVERAL: Final = 10

_PASSING = frozenset(
    {
        "ADJUST_QUANTITIES_FAILED",
        "CHANGE_FROM_QUANTITY_STALE",
        "SERVICE_UNAVAILABLE",
    }
)
_UNDER_WAY = "IDEMPOTENCY_CONCURRENT_REQUEST"
_GONE = frozenset({"INVALID_INVENTORY_ITEM", "ITEM_NOT_STOCKED_AT_LOCATION"})

_MAKE_ANOTHER = (
    "Make a new access token in Shopify (Settings, Apps and sales channels, Develop"
    " apps) with the scopes read_products, read_inventory, read_locations and"
    " write_inventory, and enter it on the page of your shop."
)

_FIND = """
query Find($query: String!, $several: Int!) {
  productVariants(first: $several, query: $query) {
    nodes {
      sku
      inventoryItem {
        id
        tracked
        inventoryLevels(first: 50) {
          nodes {
            location { id isActive }
            quantities(names: ["available"]) { name quantity }
          }
        }
      }
    }
  }
}
"""
_CHANGE = """
mutation Tell($input: InventoryAdjustQuantitiesInput!, $key: String!, $place: ID!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup {
      createdAt
      changes {
        name
        quantityAfterChange
        item {
          inventoryLevel(locationId: $place) {
            updatedAt
            quantities(names: ["available"]) { name quantity }
          }
        }
      }
    }
    userErrors { code field message }
  }
}
"""


class Shopify:
    """One shop, by a token of an app of its own."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        address: str,
        token: str,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
    ) -> None:
        self._clock = clock
        self._calls = Calls(
            http,
            address,
            headers={"X-Shopify-Access-Token": token},
            judge=_judge,
            clock=clock,
            patience=patience,
            server="Shopify",
        )

    async def find(self, sku: str, place_key: str) -> Item:
        variables = {"query": f'sku:"{_quoted(sku)}"', "several": SEVERAL}
        data = await self._ask(_FIND, variables, lost=TryLater)
        match data:
            case {"productVariants": {"nodes": list(nodes)}}:
                found = [node for node in nodes if _is_of(node, sku)]
            case _:
                raise _senseless()
        if len(found) != 1:
            msg = f"Shopify has {len(found)} variants with the SKU {sku}: make it one."
            raise NotThere(msg)
        return _item(found[0]["inventoryItem"], sku, place_key)

    async def change(self, item: Item, units: int, *, key: str) -> Told:
        place = _gid("Location", item.place_key)
        change = {
            "delta": units,
            "inventoryItemId": _gid("InventoryItem", item.key),
            "locationId": place,
            "changeFromQuantity": None,
        }
        given = {
            "name": "available",
            "reason": "other",
            "referenceDocumentUri": f"gid://outletbot/Sale/{key}",
            "changes": [change],
        }
        variables = {"input": given, "key": key, "place": place}
        data = await self._ask(_CHANGE, variables, lost=Unconfirmed)
        return _told(data)

    async def change_again(
        self, item: Item, units: int, *, key: str, since: datetime
    ) -> Told:
        if self._clock() - since > KEY_LASTS:
            msg = (
                "Shopify was told, and its answer was lost too long ago to ask again."
                " Look there whether the stock was changed."
            )
            raise Rejected(msg)
        return await self.change(item, units, key=key)

    async def _ask(
        self,
        query: str,
        variables: Mapping[str, Any],
        *,
        lost: type[ChannelError],
    ) -> Any:
        answer = await self._calls.call(
            "POST",
            f"/admin/api/{API_VERSION}/graphql.json",
            lost=lost,
            broken=lost,
            json={"query": query, "variables": variables},
        )
        match answer.content:
            case {"data": {"inventoryAdjustQuantities": dict()} as data}:
                return data  # done, or refused, whatever else could not be read
            case {"errors": [{"path": [_, _, *_]}, *_]} if lost is Unconfirmed:
                msg = "Shopify failed after it had begun, and may have done it."
                raise lost(msg)
            case {"errors": [*_] as errors, **rest} if errors:
                raise _judge_errors(errors, rest.get("extensions"))
            case {"data": dict(data)}:
                return data
        msg = "Shopify's answer makes no sense."
        raise lost(msg)


def _quoted(sku: str) -> str:
    return sku.replace("\\", "\\\\").replace('"', '\\"')


def _is_of(node: Any, sku: str) -> bool:
    """Search finds words; only the very SKU is meant."""
    match node:
        case {"sku": str(found), "inventoryItem": dict()}:
            return found == sku
    return False


def _item(item: Mapping[str, Any], sku: str, place_key: str) -> Item:
    if not item.get("tracked", True):
        msg = f"Shopify does not track how many there are of {sku}."
        raise NotCounted(msg)
    levels = _levels(item)
    if place_key and place_key not in levels:
        msg = f"Shopify does not stock {sku} at the location {place_key}."
        raise NotThere(msg)
    if not levels:
        msg = f"Shopify stocks {sku} at no active location."
        raise NotThere(msg)
    fullest = max(levels, key=lambda place: (levels[place], place))
    return Item(_number(item["id"]), place_key or fullest)


def _levels(item: Mapping[str, Any]) -> dict[str, int]:
    """Return what is available by the numbers of the places."""
    levels = {}
    for level in item.get("inventoryLevels", {}).get("nodes", ()):
        match level:
            case {
                "location": {"id": str(place), "isActive": True},
                "quantities": [{"quantity": int(available)}],
            }:
                levels[_number(place)] = available
    return levels


def _told(data: Any) -> Told:
    match data:
        case {"inventoryAdjustQuantities": {"userErrors": [{**error}, *_]}}:
            raise _judge_user_error(error)
        case {
            "inventoryAdjustQuantities": {
                "inventoryAdjustmentGroup": {
                    "createdAt": str(created_at),
                    "changes": [*changes],
                }
            }
        }:
            return _applied(_moment(created_at), changes)
    msg = "Shopify's answer makes no sense."
    raise Unconfirmed(msg)


def _applied(created_at: datetime, changes: Sequence[Any]) -> Told:
    """The level's own time is what the shop's messages carry: take the earlier one."""
    for change in changes:
        match change:
            case {
                "name": "available",
                "quantityAfterChange": int() | None as after,
                "item": {
                    "inventoryLevel": {
                        "updatedAt": str(updated_at),
                        "quantities": [{"quantity": int(available)}],
                    }
                },
            }:
                applied_at = min(created_at, _moment(updated_at))
                return Told(applied_at, available if after is None else after)
    return Told(created_at, None)


def _judge(refusal: Refusal) -> ChannelError:
    words = refusal.content.get("errors") if isinstance(refusal.content, dict) else ""
    said = words if isinstance(words, str) else ""
    remedies: dict[int, str] = {
        HTTPStatus.UNAUTHORIZED: _MAKE_ANOTHER,
        HTTPStatus.FORBIDDEN: _MAKE_ANOTHER,
        HTTPStatus.NOT_FOUND: "Is the address that of your shop at myshopify.com?",
    }
    return judge(refusal, said, remedies=remedies)


def _judge_errors(errors: Sequence[Any], extensions: Any) -> ChannelError:
    """What is refused before anything was done."""
    for error in errors:
        match error:
            case {"extensions": {"code": "THROTTLED"}}:
                return Limited("Shopify is asked too often.", after=_wait(extensions))
            case {"extensions": {"code": "ACCESS_DENIED"}, "message": str(words)}:
                return Disowned(f"Shopify says: {words.rstrip('.')}. {_MAKE_ANOTHER}")
            case {"extensions": {"code": "INTERNAL_SERVER_ERROR"}}:
                return Unconfirmed("Shopify failed, and may have done it.")
    first = errors[0].get("message") if isinstance(errors[0], dict) else errors[0]
    return Rejected(f"Shopify says: {str(first).rstrip('.')}.")


def _wait(extensions: Any) -> timedelta:
    """Return how long the bucket takes to hold what was asked for."""
    match extensions:
        case {
            "cost": {
                "requestedQueryCost": int() | float() as asked,
                "throttleStatus": {
                    "currentlyAvailable": int() | float() as available,
                    "restoreRate": int() | float() as rate,
                },
            }
        } if rate > 0:
            return timedelta(seconds=max(1.0, (asked - available) / rate))
    return timedelta(seconds=2)


def _judge_user_error(error: Mapping[Any, Any]) -> ChannelError:
    code, words = error.get("code"), str(error.get("message", "")).rstrip(".")
    said = f"Shopify says: {words}."
    if code == _UNDER_WAY:
        return Unconfirmed(said)
    if code in _PASSING:
        return TryLater(said)
    return NotThere(said) if code in _GONE else Rejected(said)


def _senseless() -> TryLater:
    return TryLater("Shopify's answer makes no sense.")


def _gid(kind: str, number: str) -> str:
    return f"gid://shopify/{kind}/{number}"


def _number(gid: str) -> str:
    return gid.rpartition("/")[2].partition("?")[0]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
