"""A WooCommerce to practise on: the part of its REST API v3 that tells and sets stock.

Products and variations with a key and a secret, errors in WordPress's form, and signed
webhooks for ``product.updated`` that come twice, late or out of order on demand, share
their delivery id within a second, and stop after too many failures. People see the
stock at ``/``, and sell some there.

Facts: woocommerce.github.io/woocommerce-rest-api-docs; class-wc-webhook.php; the
products and variations controllers (``inventory_delta``, which the docs do not name).
"""

import base64
import binascii
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from outletbot.clock import Clock
from outletbot.sandbox.faults import Faults, inject
from outletbot.sandbox.shop_counter import COUNTER, Goods, add_counter
from outletbot.sandbox.shop_hooks import Hooks
from outletbot.sandbox.woocommerce_state import Product, Refusal, WooCommerceShop

__all__ = ["FAULTS", "SANDBOX", "Product", "build_woocommerce_sandbox"]

SANDBOX = web.AppKey("woocommerce_sandbox", WooCommerceShop)
FAULTS = web.AppKey("woocommerce_faults", Faults)
API = "/wp-json/wc/v3"

routes = web.RouteTableDef()


def build_woocommerce_sandbox(
    *,
    clock: Clock,
    key: str,
    secret: str,
    webhook_secret: str,
    webhook_url: str = "",
    products: Iterable[Product] = (),
    faults: Faults | None = None,
    state_path: Path | None = None,
) -> web.Application:
    """Build the server of one shop, whose API takes *key* and *secret*.

    What it sells and does is told to *webhook_url*, if there is one. With *state_path*
    stock goes on after a restart. The shop is ``app[SANDBOX]``.
    """
    faults = faults or Faults()
    app = web.Application(
        middlewares=[inject(faults, too_many=_too_many, error=_broken), _answer_errors]
    )
    hooks = Hooks(webhook_url, webhook_secret)
    shop = WooCommerceShop(
        clock=clock, key=key, secret=secret, hooks=hooks, state_path=state_path
    )
    shop.stock(products)
    app[SANDBOX], app[FAULTS] = shop, faults
    app.add_routes(routes)
    app[COUNTER] = _Counter(shop, faults)
    add_counter(app)
    app.cleanup_ctx.append(_close)
    return app


async def _close(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[SANDBOX].hooks.close()
    app[SANDBOX].shelf.close()


@routes.get(f"{API}/products")
async def find_products(request: web.Request) -> web.Response:
    """Find by SKU: of a variation, too, as WooCommerce does."""
    shop, sku = request.app[SANDBOX], request.query.get("sku")
    if sku is None:
        rows = [row for _, row in shop.shelf.all("product") if not row["parent_id"]]
    else:
        rows = [row for each in sku.split(",") for row in shop.by_sku(each.strip())]
    return web.json_response([shop.shown(row) for row in rows])


@routes.get(f"{API}/products/{{id}}")
async def get_product(request: web.Request) -> web.Response:
    shop = request.app[SANDBOX]
    return web.json_response(shop.shown(shop.product(_id(request))))


@routes.put(f"{API}/products/{{id}}")
@routes.post(f"{API}/products/{{id:\\d+}}")
async def put_product(request: web.Request) -> web.Response:
    shop = request.app[SANDBOX]
    row = shop.update(shop.product(_id(request)), await _read(request))
    return web.json_response(shop.shown(row))


@routes.get(f"{API}/products/{{parent}}/variations/{{id}}")
async def get_variation(request: web.Request) -> web.Response:
    shop = request.app[SANDBOX]
    row = shop.product(_id(request), _id(request, "parent"))
    return web.json_response(shop.shown(row))


@routes.put(f"{API}/products/{{parent}}/variations/{{id}}")
@routes.post(f"{API}/products/{{parent}}/variations/{{id}}")
async def put_variation(request: web.Request) -> web.Response:
    shop = request.app[SANDBOX]
    row = shop.product(_id(request), _id(request, "parent"))
    return web.json_response(shop.shown(shop.update(row, await _read(request))))


@routes.post(f"{API}/products/batch")
async def put_products(request: web.Request) -> web.Response:
    """Update several; what cannot be has an error in its place."""
    shop, said = request.app[SANDBOX], await _read(request)
    return web.json_response(
        {"update": [_updated(shop, each) for each in said.get("update", ())]}
    )


def _updated(shop: WooCommerceShop, said: dict[str, Any]) -> dict[str, Any]:
    try:
        return shop.shown(shop.update(shop.product(int(said["id"])), said))
    except Refusal as refusal:
        return {"id": said["id"], "error": refusal.content}


def _id(request: web.Request, name: str = "id") -> int:
    try:
        return int(request.match_info[name])
    except ValueError:
        raise Refusal(404, "rest_no_route", "No route was found.") from None


async def _read(request: web.Request) -> dict[str, Any]:
    try:
        said = await request.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Refusal(400, "rest_invalid_json", "Invalid JSON body passed.")
    return said


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        if request.path.startswith(API):
            _check_key(request)
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.content, status=refusal.status)
    except (KeyError, TypeError, ValueError) as error:
        content = {"code": "rest_invalid_param", "message": str(error)}
        return web.json_response({**content, "data": {"status": 400}}, status=400)


def _check_key(request: web.Request) -> None:
    shop = request.app[SANDBOX]
    given = request.headers.get("Authorization", "")
    try:
        key, _, secret = (
            base64.b64decode(given.removeprefix("Basic "))
            .decode("utf-8")
            .partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        key = secret = ""
    if not key:
        message = "Sorry, you cannot list resources."
        raise Refusal(401, "woocommerce_rest_cannot_view", message)
    code = "woocommerce_rest_authentication_error"
    if key != shop.key:
        raise Refusal(401, code, "Consumer key is invalid.")
    if secret != shop.secret:
        raise Refusal(401, code, "Consumer secret is invalid.")


def _too_many(_request: web.Request) -> web.Response:
    """WooCommerce itself has no limit: this is what a host or a shield answers."""
    return web.Response(status=429, headers={"Retry-After": "7"}, text="Slow down.")


def _broken(_request: web.Request) -> web.Response:
    message = "There has been a critical error on this website."
    content = {"code": "internal_server_error", "message": message}
    return web.json_response({**content, "data": {"status": 500}}, status=500)


class _Counter:
    """The shop as people see it at its counter."""

    kind = "WooCommerce"

    def __init__(self, shop: WooCommerceShop, faults: Faults) -> None:
        self.hooks, self.faults = shop.hooks, faults
        self._shop = shop

    def greet(self) -> None:
        self._shop.ping()

    def goods(self) -> list[Goods]:
        return [
            Goods(key, row["name"], row["sku"], "Shop", row["stock"])
            for key, row in self._shop.shelf.all("product")
        ]

    def sell(self, key: str, units: int) -> None:
        self._shop.sell(int(key), units)
