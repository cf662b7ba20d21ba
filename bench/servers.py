"""Servers to be measured, each in a process of its own."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import uvloop
from aiohttp import web
from sqlmodel import Session

from offers.accounts import accounts, open_outlet
from offers.catalog import Offer
from offers.deals import open_due
from offers.ids import new_id
from offers.money import Money
from offers.planning import DealPlan, plan_deal
from offers.posts import schedule_posts
from offers.retailers import add_retailer, new_retailer
from outletbot.app import build_app
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.processes import serving
from outletbot.schema import migrate
from outletbot.sealing import new_key
from outletbot.stripe_client import stripe_gateways

UNITS = 100_000


async def bare(port: int, _folder: Path, page: bytes) -> None:
    """The least aiohttp can do: a page of bytes, and a form read and redirected."""

    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=page, content_type="text/html")

    async def take(request: web.Request) -> web.Response:
        await request.post()
        return web.Response(status=303, headers={"Location": "/"})

    app = web.Application()
    app.add_routes([web.get("/", show), web.post("/", take)])
    await _serve(app, port, "/")


async def shop(port: int, folder: Path, _page: bytes) -> None:
    """The real service, with one deal open."""
    settings = Settings.model_validate(
        {
            "database_url": f"sqlite:///{folder / 'bench.db'}",
            "public_url": f"http://127.0.0.1:{port}",
            "secret_key": new_key(),
            "stripe_api_key": "sk_test_bench",
            "stripe_webhook_secret": "whsec_bench",
        }
    )
    database = Database.connect(settings.database_url)
    migrate(database.engine)
    code = database.transact_here(_make_deal)
    async with stripe_gateways(settings) as gateways:
        app = build_app(settings, database, gateways, clock=utc_now)
        await _serve(app, port, f"/d/{code}")
    database.close()


def _make_deal(session: Session) -> str:
    now = utc_now()
    retailer = new_retailer(
        "bench", "Bench", country="FR", currency="eur", time_zone="UTC", now=now
    )
    add_retailer(session, retailer)
    open_outlet(session, retailer, now=now)
    offer = Offer(
        id=new_id("offer", now),
        retailer_id=retailer.id,
        sku="A1",
        title="Rucksack, last season's blue",
        description="The old buckle, and it works.",
        price_amount=6_990,
        currency="eur",
        quantity=UNITS,
        imported_at=now,
    )
    session.add(offer)
    session.flush()
    plan = DealPlan(
        offer_id=offer.id,
        price=Money(4_990, "eur"),
        units=UNITS,
        limit_per_shopper=1,
        opens_at=now,
        closes_at=now + timedelta(hours=1),
    )
    deal = plan_deal(session, retailer.id, plan, now=now)
    posts = schedule_posts(session, deal, accounts(session, retailer.id), now=now)
    open_due(session, now=now)
    return posts[0].code


async def _serve(app: web.Application, port: int, path: str) -> None:
    async with serving(app, "127.0.0.1", port):
        print(path, flush=True)
        await asyncio.to_thread(sys.stdin.read)  # until the benchmark lets go


KINDS: dict[str, Callable[[int, Path, bytes], Awaitable[None]]] = {
    "bare": bare,
    "shop": shop,
}

if __name__ == "__main__":
    kind, port, folder, page_file = sys.argv[1:]
    content = Path(page_file).read_bytes() if page_file != "-" else b""
    uvloop.run(KINDS[kind](int(port), Path(folder), content))  # type: ignore[arg-type]
