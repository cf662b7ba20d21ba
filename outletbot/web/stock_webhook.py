"""Where a retailer's shop or till tells us its stock, by Standard Webhooks.

    {"type": "stock.updated", "timestamp": "2026-03-02T12:00:00Z",
     "data": {"items": [{"sku": "A1", "quantity": 3}]}}

Quantities are absolute, as of the timestamp.
"""

import json
from datetime import UTC, datetime
from typing import Any

import structlog
from aiohttp import web

from offers.errors import InvalidField
from offers.retailers import Retailer, get_retailer_by_slug
from offers.sentences import Sentence
from outletbot.keys import ARRIVALS, CLOCK, DATABASE, SEAL
from outletbot.web.guard import machine
from webhooks.handlers import STOCK
from webhooks.inbox import Arrival, new_arrival
from webhooks.signing import InvalidSignature, verify

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()

MAX_ITEMS = 1_000
MOST = 1_000_000_000
"""More of one thing than this is a mistake, and more than our databases count."""


@routes.post("/webhooks/stock/{retailer}")
@machine
async def receive_stock(request: web.Request) -> web.Response:
    """Keep the message and say so; a worker acts on it."""
    database, now = request.app[DATABASE], request.app[CLOCK]()
    slug = request.match_info["retailer"]
    retailer = await database.read(get_retailer_by_slug, slug)
    body = await request.read()
    try:
        secret = request.app[SEAL].open(retailer.sealed_stock_secret)
        message_id = verify(request.headers, body, secrets=[secret], now=now)
    except (InvalidSignature, UnicodeError) as refusal:
        log.warning("webhook_refused", source=STOCK, reason=str(refusal))
        raise web.HTTPUnauthorized(text="The signature does not fit.") from refusal
    arrival = _read(retailer, message_id, body, now)
    new = await request.app[ARRIVALS].keep(arrival)
    log.info("webhook_received", source=STOCK, type=arrival.type, new=new)
    return web.Response(status=204)


def _read(retailer: Retailer, message_id: str, body: bytes, now: datetime) -> Arrival:
    match _json(body):
        case {"type": str(kind), "data": {"items": list(items)} as data, **rest}:
            _check_items(items)
            return new_arrival(
                STOCK,
                message_id,
                kind,
                data,
                retailer_id=retailer.id,
                sent_at=_moment(rest.get("timestamp"), now),
                now=now,
            )
    problem = Sentence("The message needs a type and data.items.")
    raise InvalidField("data", problem)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidField("body", Sentence("This is no JSON.")) from error


def _check_items(items: list[Any]) -> None:
    if len(items) > MAX_ITEMS:
        most = Sentence("Send {most} items at most.", most=MAX_ITEMS)
        raise InvalidField("data.items", most, str(len(items)))
    for number, item in enumerate(items):
        match item:
            case {"sku": str(), "quantity": bool()}:
                pass
            case {"sku": str(sku), "quantity": int(quantity)} if (
                sku.isprintable() and 0 <= quantity <= MOST
            ):
                continue
        problem = Sentence("Each item needs a sku and a quantity of 0 or more.")
        field = f"data.items[{number}]"
        raise InvalidField(field, problem, str(item)[:200])


def _moment(value: object, now: datetime) -> datetime:
    """The sender's time; not later than ours, or it would shut out what follows."""
    try:
        moment = datetime.fromisoformat(str(value))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(aware.astimezone(UTC), now)
    except (ValueError, OverflowError):
        return now
