"""A Shopify to practise on: the part of its Admin API that tells and changes stock.

GraphQL at ``/admin/api/{version}/graphql.json`` with the versions' own rules, a bucket
of points, ``userErrors``, and signed webhooks that come twice, late or out of order on
demand. People see the stock at ``/``, and sell some there. A call goes by its kind and
first field when faults are arranged: ``mutation inventoryAdjustQuantities``.

Facts: shopify.dev (mutations' pages of 2026-07, "GraphQL Admin API rate limits",
"Webhooks"). Not documented where we looked, and so as seen in other people's tests: the
words of errors outside ``userErrors``, and the status of a throttled answer (200).
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.clock import Clock
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.shop_counter import COUNTER, Goods, add_counter
from outletbot.sandbox.shop_hooks import Hooks
from outletbot.sandbox.shopify_graphql import GraphqlError, Operation, read_operation
from outletbot.sandbox.shopify_operations import MUTATION_COST, QUERY_COST, execute
from outletbot.sandbox.shopify_state import (
    API_VERSION,
    BUCKET,
    RESTORED,
    Location,
    ShopifyShop,
    Variant,
)

__all__ = [
    "API_VERSION",
    "FAULTS",
    "SANDBOX",
    "Location",
    "Variant",
    "build_shopify_sandbox",
]

SANDBOX = web.AppKey("shopify_sandbox", ShopifyShop)
FAULTS = web.AppKey("shopify_faults", Faults)
GRAPHQL = "/admin/api/{version}/graphql.json"
VERSIONS = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10")

_OPERATION = web.RequestKey("shopify_operation", Operation)


def build_shopify_sandbox(
    *,
    clock: Clock,
    token: str,
    secret: str,
    webhook_url: str = "",
    locations: Iterable[Location] = (),
    variants: Mapping[Variant, Mapping[int, int]] | None = None,
    faults: Faults | None = None,
    state_path: Path | None = None,
) -> web.Application:
    """Build the server of one shop, whose app has *token* and signs with *secret*.

    What it sells and does is told to *webhook_url*, if there is one. With *state_path*
    levels and keys go on after a restart. The shop is ``app[SANDBOX]``.
    """
    faults = faults or Faults()
    spoil = inject(faults, too_many=_throttled, error=_broken, call_of=_call_of)
    app = web.Application(middlewares=[_read_call, spoil])
    shop = ShopifyShop(
        clock=clock,
        token=token,
        hooks=Hooks(webhook_url, secret),
        state_path=state_path,
    )
    shop.stock(locations, variants or {})
    app[SANDBOX], app[FAULTS] = shop, faults
    app.router.add_post(GRAPHQL, _answer)
    app[COUNTER] = _Counter(shop, faults)
    add_counter(app)
    app.cleanup_ctx.append(_close)
    return app


async def _close(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[SANDBOX].hooks.close()
    app[SANDBOX].shelf.close()


@web.middleware
async def _read_call(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read what a GraphQL call asks for, so that faults can be arranged by that."""
    if request.path.endswith("/graphql.json"):
        try:
            operation = _read(await request.json())
        except (GraphqlError, ValueError) as error:
            return _errors(str(error))
        request[_OPERATION] = operation
    return await handler(request)


def _read(content: Any) -> Operation:
    if not isinstance(content, dict) or not isinstance(content.get("query"), str):
        msg = "Required parameter missing or invalid: query"
        raise GraphqlError(msg)
    return read_operation(content["query"], content.get("variables") or {})


def _call_of(request: web.Request) -> str:
    operation = request.get(_OPERATION)
    if operation is None:
        return f"{request.method} {request.path}"
    return f"{operation.kind} {operation.fields[0].name}"


async def _answer(request: web.Request) -> web.Response:
    shop, operation = request.app[SANDBOX], request[_OPERATION]
    if request.headers.get("X-Shopify-Access-Token") != shop.token:
        said = "[API] Invalid API key or access token (unrecognized login or wrong"
        return web.json_response({"errors": f"{said} password)"}, status=401)
    version = request.match_info["version"]
    if version not in VERSIONS:
        return web.json_response({"errors": "Not Found"}, status=404)
    cost = MUTATION_COST if operation.kind == "mutation" else QUERY_COST
    if not shop.spend(cost):
        return _throttled(request)
    try:
        data = execute(shop, operation, version)
    except (GraphqlError, KeyError, TypeError, ValueError) as error:
        return _errors(str(error))
    content = {"data": data, "extensions": {"cost": _cost(shop, cost, cost)}}
    return web.json_response(content, headers={"X-Shopify-API-Version": version})


def _cost(shop: ShopifyShop, asked: float, spent: float | None) -> dict[str, Any]:
    available = BUCKET if shop.points is None else shop.points
    return {
        "requestedQueryCost": asked,
        "actualQueryCost": spent,
        "throttleStatus": {
            "maximumAvailable": BUCKET,
            "currentlyAvailable": int(available),
            "restoreRate": RESTORED,
        },
    }


def _throttled(request: web.Request) -> web.Response:
    """Answer as the API does when the bucket is empty: with 200."""
    shop: ShopifyShop = request.app[SANDBOX]
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    cost = {**_cost(shop, MUTATION_COST, None)}
    if shop.points is None:
        cost["throttleStatus"]["currentlyAvailable"] = 0
    return web.json_response({"errors": [error], "extensions": {"cost": cost}})


def _broken(_request: web.Request) -> web.Response:
    return web.Response(status=503, text="<html>Service Unavailable</html>")


def _errors(message: str) -> web.Response:
    return web.json_response({"errors": [{"message": message}]})


class _Counter:
    """The shop as people see it at its counter."""

    kind = "Shopify"

    def __init__(self, shop: ShopifyShop, faults: Faults) -> None:
        self.hooks, self.faults = shop.hooks, faults
        self._shop = shop

    def greet(self) -> None:
        """Shopify says nothing when a webhook is made."""

    def goods(self) -> list[Goods]:
        names = {key: place["name"] for key, place in self._shop.shelf.all("location")}
        variants = dict(self._shop.shelf.all("variant"))
        return [
            Goods(
                key,
                variants[str(level["item_id"])]["title"],
                variants[str(level["item_id"])]["sku"],
                names[str(level["location_id"])],
                level["available"],
            )
            for key, level in self._shop.shelf.all("level")
        ]

    def sell(self, key: str, units: int) -> None:
        item_id, _, location_id = key.partition(":")
        self._shop.sell(int(item_id), int(location_id), units)
