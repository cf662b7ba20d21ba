"""Servers to be measured, each in a process of its own that ends with its input.

servers.py bare PORT PAGE      the least that aiohttp can do
servers.py shop PORT DATABASE  the real service
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import stripe
import uvloop
from aiohttp import web

from outletbot.app import build_app
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.logs import set_up_logs
from outletbot.processes import serving
from outletbot.sealing import new_key
from outletbot.stripe_client import stripe_gateways

SECRET = "whsec_bench"


async def bare(port: int, page_file: str) -> None:
    """A page of bytes, a form that is read and redirected, a signature checked."""
    with open(page_file, "rb") as file:  # noqa: ASYNC230, PTH123  (nobody waits yet)
        page = file.read()

    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=page, content_type="text/html")

    async def take(request: web.Request) -> web.Response:
        await request.post()
        headers = {"Location": f"/h/{port}x{next(numbers)}/pay"}
        return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)

    async def verify(request: web.Request) -> web.Response:
        body, signature = await request.text(), request.headers["Stripe-Signature"]
        stripe.WebhookSignature.verify_header(body, signature, SECRET, tolerance=300)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    numbers = iter(range(sys.maxsize))
    app = web.Application()
    app.add_routes(
        [web.get("/", show), web.post("/", take), web.post("/event", verify)]
    )
    await _serve(app, port)


async def shop(port: int, database_url: str) -> None:
    settings = Settings.model_validate(
        {
            "database_url": database_url,
            "public_url": f"http://127.0.0.1:{port}",
            "secret_key": new_key(),
            "stripe_api_key": "sk_test_bench",
            "stripe_webhook_secret": SECRET,
        }
    )
    set_up_logs("json")
    database = Database.connect(settings.database_url)
    async with stripe_gateways(settings, database) as gateways:
        await _serve(build_app(settings, database, gateways, clock=utc_now), port)
    database.close()


async def _serve(app: web.Application, port: int) -> None:
    async with serving(app, "127.0.0.1", port):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)  # until the benchmark lets go


KINDS: dict[str, Callable[[int, str], Awaitable[None]]] = {"bare": bare, "shop": shop}

if __name__ == "__main__":
    kind, port, rest = sys.argv[1:]
    uvloop.run(KINDS[kind](int(port), rest))  # type: ignore[arg-type]
