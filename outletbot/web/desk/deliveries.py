"""Deliveries: what a retailer's endpoint was and will be told, try by try."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.scope import get_own
from outletbot.keys import (
    CLOCK,
    DATABASE,
    HINTS,
    RETAILER,
)
from outletbot.web.rendering import page
from webhooks.outbox import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    attempts_by_delivery,
    deliver_again,
    deliveries,
)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    delivery: Delivery
    attempts: Sequence[DeliveryAttempt]


@routes.get("/deliveries")
async def show_deliveries(request: web.Request) -> web.Response:
    lines = await request.app[DATABASE].read(delivery_lines, request[RETAILER].id)
    given_up = sum(line.delivery.state is DeliveryState.GIVEN_UP for line in lines)
    return page(request, "desk/deliveries.html", lines=lines, given_up=given_up)


@routes.post("/deliveries/{delivery_id}/again")
async def send_again(request: web.Request) -> web.Response:
    """Send a message once more, at once."""
    delivery_id, now = request.match_info["delivery_id"], request.app[CLOCK]()
    retailer = request[RETAILER]
    await request.app[DATABASE].transact(_again, retailer.id, delivery_id, now=now)
    request.app[HINTS].tell("deliveries")
    raise web.HTTPSeeOther("/deliveries")


def delivery_lines(session: Session, retailer_id: str) -> list[DeliveryLine]:
    """Return the latest messages, each with its attempts, the last one first."""
    found = deliveries(session, retailer_id)
    tried = attempts_by_delivery(session, retailer_id, [d.id for d in found])
    return [DeliveryLine(delivery, tried.get(delivery.id, ())) for delivery in found]


def _again(
    session: Session, retailer_id: str, delivery_id: str, *, now: datetime
) -> None:
    get_own(session, Delivery, retailer_id, delivery_id)
    deliver_again(session, retailer_id, delivery_id, now=now)
