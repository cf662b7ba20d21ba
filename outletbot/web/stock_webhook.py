"""Where a retailer's shop or till tells us its stock, by Standard Webhooks.

What a message looks like is in ``webhooks.standard``.
"""

from datetime import datetime

import structlog
from aiohttp import web

from offers.retailers import Retailer, get_retailer_by_slug
from outletbot.keys import ARRIVALS, CLOCK, DATABASE, SEAL
from outletbot.sealing import Seal
from outletbot.web.guard import machine
from webhooks.handlers import STOCK
from webhooks.inbox import Arrival, new_arrival
from webhooks.reading import moment_of, read_json
from webhooks.signing import InvalidSignature, verify
from webhooks.standard import check_message

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.post("/webhooks/stock/{retailer}")
@machine
async def receive_stock(request: web.Request) -> web.Response:
    """Keep the message and say so; a worker acts on it."""
    database, now = request.app[DATABASE], request.app[CLOCK]()
    slug = request.match_info["retailer"]
    retailer = await database.read(get_retailer_by_slug, slug)
    body = await request.read()
    try:
        secrets = secrets_of(retailer, request.app[SEAL], now)
        message_id = verify(request.headers, body, secrets=secrets, now=now)
    except (InvalidSignature, UnicodeError) as refusal:
        log.warning("webhook_refused", source=STOCK, reason=str(refusal))
        raise web.HTTPUnauthorized(text="The signature does not fit.") from refusal
    arrival = _read(retailer, message_id, body, now)
    new = await request.app[ARRIVALS].keep(arrival)
    log.info("webhook_received", source=STOCK, type=arrival.type, new=new)
    return web.Response(status=204)


def secrets_of(retailer: Retailer, seal: Seal, now: datetime) -> list[str]:
    """Return the secrets that are good now: the one before is, for some time."""
    secrets = [seal.open(retailer.sealed_stock_secret)]
    until = retailer.old_stock_secret_until
    if until is not None and now < until:
        secrets.append(seal.open(retailer.sealed_old_stock_secret))
    return secrets


def _read(retailer: Retailer, message_id: str, body: bytes, now: datetime) -> Arrival:
    said = read_json(body)
    kind, data = check_message(said)
    return new_arrival(
        STOCK,
        message_id,
        kind,
        data,
        retailer_id=retailer.id,
        sent_at=moment_of(said.get("timestamp"), now) or now,
        now=now,
    )
