"""Where connected shops tell their stock: one address for each connection."""

from datetime import datetime

import structlog
from aiohttp import web

from offers.errors import Missing
from offers.shops import ShopConnection, find_shop
from outletbot.keys import ARRIVALS, CLOCK, DATABASE, SEAL
from outletbot.sealing import Seal
from outletbot.web.guard import machine
from webhooks.shop_messages import SHOP, is_ping, read_message
from webhooks.signing import InvalidSignature

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.post("/webhooks/shops/{shop_id}")
@machine
async def receive_from_shop(request: web.Request) -> web.Response:
    """Keep the message and say so; a worker acts on it."""
    shop_id, now = request.match_info["shop_id"], request.app[CLOCK]()
    shop = await request.app[DATABASE].read(find_shop, shop_id)
    if shop is None:
        raise Missing(shop_id, "shop")
    body = await request.read()
    if is_ping(shop, request.headers, body):
        return web.Response()
    try:
        secrets = secrets_of(shop, request.app[SEAL], now)
        arrival = read_message(shop, request.headers, body, secrets=secrets, now=now)
    except (InvalidSignature, UnicodeError) as refusal:
        log.warning("webhook_refused", source=SHOP, shop=shop.id, reason=str(refusal))
        raise web.HTTPUnauthorized(text="The signature does not fit.") from refusal
    new = await request.app[ARRIVALS].keep(arrival)
    log.info("webhook_received", source=SHOP, shop=shop.id, type=arrival.type, new=new)
    return web.Response()


def secrets_of(shop: ShopConnection, seal: Seal, now: datetime) -> list[str]:
    """Return the secrets that are good now: the one before is, for some time."""
    secrets = [seal.open(shop.sealed_secret)]
    if shop.old_secret_until is not None and now < shop.old_secret_until:
        secrets.append(seal.open(shop.sealed_old_secret))
    return secrets
