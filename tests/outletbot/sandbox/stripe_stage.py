"""
A sandbox on a loopback port, the real client before it, and a receiver behind it.
"""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import stripe
from aiohttp import web

from outletbot.sandbox.stripe import SANDBOX, StripeSandbox, build_stripe_sandbox
from outletbot.sandbox.stripe_webhooks import DeliveryPolicy

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = "sk_test_outletbot_sandbox"
SECRET = "whsec_sandbox"
NORTH = {"stripe_account": "acct_north"}
QUICK = DeliveryPolicy(
    retries=(timedelta(milliseconds=10),) * 3, timeout=timedelta(seconds=2)
)


@dataclass
class MovableClock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Receiver:
    """Answers webhooks with *answers* in turn, then 200; keeps what was good."""

    answers: list[int] = field(default_factory=list)
    events: list[stripe.Event] = field(default_factory=list)
    seen: int = 0
    patience: float = 0

    async def receive(self, request: web.Request) -> web.Response:
        self.seen += 1
        body = await request.read()
        signature = request.headers["Stripe-Signature"]
        event = stripe.Webhook.construct_event(body, signature, SECRET)
        await asyncio.sleep(self.patience)
        status = self.answers.pop(0) if self.answers else 200
        if status < 300:
            self.events.append(event)
        return web.Response(status=status)

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]

    @property
    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/webhooks/stripe", self.receive)
        return app


@dataclass
class Stage:
    sandbox: StripeSandbox
    clock: MovableClock
    receiver: Receiver
    client: stripe.StripeClient
    browser: aiohttp.ClientSession
    address: str

    async def create(self, options: Any = None, **params: Any) -> Any:
        return await self.client.v1.checkout.sessions.create_async(
            session_params(**params), options or {}
        )

    async def retrieve(self, session_id: str, options: Any = None) -> Any:
        return await self.client.v1.checkout.sessions.retrieve_async(
            session_id, {}, options or {}
        )

    async def press(self, session_id: str, do: str = "pay", **typed: str) -> Any:
        """Press a button of the checkout page. Return status, place and page."""
        form = {"card": "4242 4242 4242 4242", **typed, "do": do}
        address = f"{self.address}/c/pay/{session_id}"
        async with self.browser.post(
            address, data=form, allow_redirects=False
        ) as answer:
            place = answer.headers.get("Location")
            return answer.status, place, await answer.text()

    async def look(self, path: str) -> tuple[int, str]:
        async with self.browser.get(f"{self.address}{path}") as answer:
            return answer.status, await answer.text()


async def set_stage(servers: Any, clients: Any, **options: Any) -> Stage:
    clock = options.pop("clock", None) or MovableClock()
    receiver = Receiver()
    hook = await servers(receiver.app)
    options = {
        "clock": clock,
        "webhook_url": str(hook.make_url("/webhooks/stripe")),
        "webhook_secret": SECRET,
        "public_url": "http://127.0.0.1",
        "api_key": KEY,
        "seed": 7,
        "policy": QUICK,
        **options,
    }
    app = build_stripe_sandbox(**options)
    server = await servers(app)
    address = str(server.make_url("")).rstrip("/")
    app[SANDBOX].public_url = address
    for name in ("acct_north", "acct_south"):
        app[SANDBOX].connect(name)
    http = clients(stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=5)))
    client = stripe.StripeClient(
        KEY, http_client=http, base_addresses={"api": address}, max_network_retries=0
    )
    browser = clients(aiohttp.ClientSession())
    return Stage(app[SANDBOX], clock, receiver, client, browser, address)


def session_params(**changes: Any) -> dict[str, Any]:
    line = {
        "quantity": 2,
        "price_data": {
            "currency": "eur",
            "unit_amount": 1_250,
            "product_data": {"name": "Last season's parka"},
        },
    }
    params = {
        "mode": "payment",
        "success_url": "http://shop.test/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://shop.test/deal",
        "client_reference_id": "hold_1",
        "line_items": [line],
        **changes,
    }
    return {name: value for name, value in params.items() if value is not None}


def priced(unit_amount: int, currency: str = "eur", quantity: int = 1) -> list[Any]:
    product = {"name": "Lamp"}
    data = {
        "currency": currency,
        "unit_amount": unit_amount,
        "product_data": product,
    }
    return [{"quantity": quantity, "price_data": data}]


def stamp(**after: float) -> int:
    return int((NOON + timedelta(**after)).timestamp())


def visible(page: str) -> str:
    """Return what a page says, without its markup and style."""
    body = re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", page)
    return " ".join(body.split())
