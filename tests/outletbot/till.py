"""
The service's money side at work: our database and jobs, before them a Stripe to
practise on, reached by the real client, behind them the endpoint for its events.

Time is one clock for both. ``Till.check`` is asked after each story: units add up, and
what Stripe holds for us is what our orders say.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import stripe
from aiohttp import web
from aiohttp.test_utils import TestServer, get_unused_port_socket
from sqlmodel import Session, col, func, select

from offers.claim_rows import Granted
from offers.claims import place_holds
from offers.deals import Deal
from offers.holds import ACTIVE, Hold, get_hold
from offers.orders import Order
from offers.refunds import Refund
from outletbot.arrivals import Arrivals
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.keys import ARRIVALS, CLOCK, DATABASE, GATEWAYS
from outletbot.paying import Paying
from outletbot.processes import money_jobs
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.stripe import SANDBOX, StripeSandbox, build_stripe_sandbox
from outletbot.sandbox.stripe_payments import Shopper
from outletbot.sandbox.stripe_webhooks import DeliveryPolicy
from outletbot.sealing import Seal
from outletbot.stripe_client import StripeGateways, StripeMaker
from outletbot.stripe_gateway import StripeGateway
from outletbot.web import stripe_webhook
from tests.factories import NOON, make_claim, make_deal

CREATE = "POST /v1/checkout/sessions"
EXPIRE = "POST /v1/checkout/sessions/{id}/expire"
RETRIEVE = "GET /v1/checkout/sessions/{id}"
REFUND = "POST /v1/refunds"

UNPACED = 10_000
"""So many writes a second that nobody waits; the clock stands still here."""

SAM = Shopper(email="sam@example.com", name="Sam Shopper")
QUICK = DeliveryPolicy(
    retries=(timedelta(milliseconds=10),) * 3, timeout=timedelta(seconds=5)
)


@dataclass
class Clock:
    """Time that passes when it is told to."""

    now: Any = NOON

    def __call__(self) -> Any:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Till:
    database: Database
    session: Session
    settings: Settings
    sandbox: StripeSandbox
    gateways: StripeGateways
    clock: Clock
    stripe_url: str
    hook_url: str
    calls: list[tuple[str, str]] = field(default_factory=list)

    @property
    def gateway(self) -> StripeGateway:
        """Stripe, acting for the house."""
        return self.gateways.house

    @property
    def paying(self) -> Paying:
        return Paying(self.database, self.gateways, self.clock)

    def goes_wrong(self, call: str, *faults: Fault) -> None:
        self.sandbox.faults.next(call, *faults)

    def deal(self, **facts: Any) -> Deal:
        return make_deal(self.session, **facts)

    async def claim(self, deal: Deal, **facts: Any) -> Hold:
        """A shopper presses "Buy": the unit is theirs, no page was asked for yet."""
        claim = make_claim(self.session, deal, **facts)
        self.session.rollback()
        (granted,) = await self.database.claim(place_holds, [claim], now=self.clock.now)
        assert isinstance(granted, Granted), granted
        return await self.database.read(get_hold, granted.id)

    async def buy(self, deal: Deal, **facts: Any) -> Hold:
        """A shopper presses "Buy" and gets the payment page."""
        hold = await self.claim(deal, **facts)
        return await self.paying.open(hold.id)

    def pay(self, hold: Hold | str) -> None:
        """The shopper pays on Stripe's page."""
        page = hold if isinstance(hold, str) else hold.checkout_id
        self.sandbox.pay(page or "", SAM)

    async def work(self, *names: str) -> None:
        """Let every message come in; then run the jobs, or those named, once."""
        await self.sandbox.postman.settle()
        jobs = money_jobs(self.database, self.gateways, self.clock)
        for job in jobs:
            if not names or job.name in names:
                await job.work()

    def now_is(self, hold: Hold) -> Hold:
        """Return the hold as it is now; it does not change any more."""
        with Session(self.database.engine) as fresh:
            return fresh.get_one(Hold, hold.id)

    def change(self, row: Any, **facts: Any) -> None:
        """Change a row behind the service's back."""
        self.session.rollback()
        found = self.session.get_one(type(row), row.id, populate_existing=True)
        for name, value in facts.items():
            setattr(found, name, value)
        self.session.commit()

    def deal_now(self, deal: Deal) -> Deal:
        with Session(self.database.engine) as fresh:
            return fresh.get_one(Deal, deal.id)

    def all(self, model: Any) -> list[Any]:
        with Session(self.database.engine) as fresh:
            return list(fresh.exec(select(model).order_by(col(model.id))))

    @property
    def orders(self) -> list[Order]:
        return self.all(Order)

    @property
    def refunds(self) -> list[Refund]:
        return self.all(Refund)

    @property
    def pages(self) -> list[Any]:
        """Every checkout session that Stripe has."""
        return self.sandbox.account().all("checkout.session")

    def asked(self, operation: str) -> int:
        """Return how often Stripe was asked for this."""
        method, path = operation.split()
        return self.calls.count((method, path))

    def check(self, *, in_review: int = 0) -> None:
        """Every unit is somewhere, and every cent where our orders say.

        *in_review* is money that a person has to look at first.
        """
        assert not self.sandbox.faults.waiting, "a fault did not come to pass"
        for deal in self.all(Deal):
            held = self._units(Hold.quantity, Hold.deal_id == deal.id, ACTIVE)
            sold = self._units(Order.quantity, Order.deal_id == deal.id)
            assert (deal.held, deal.sold) == (held, sold)
            assert deal.held + deal.sold + deal.withheld <= deal.allotment
        earned = sum(one.total_amount - one.refunded_amount for one in self.orders)
        owed = sum(
            one.amount
            for one in self.refunds
            if one.order_id is None and one.cleared_at is None and not one.counts
        )
        assert self.received == earned + owed + in_review

    @property
    def received(self) -> int:
        """What Stripe has taken for us and not given back."""
        charges = self.sandbox.account().all("charge")
        return sum(c["amount_captured"] - c["amount_refunded"] for c in charges)

    def _units(self, quantity: Any, where: Any, states: Any = ()) -> int:
        statement = select(func.coalesce(func.sum(quantity), 0)).where(where)
        if states:
            statement = statement.where(col(Hold.state).in_(states))
        return int(self.session.exec(statement).one())


@asynccontextmanager
async def open_till(
    database: Database,
    session: Session,
    settings: Settings,
    *,
    livemode: bool = False,
) -> AsyncIterator[Till]:
    """Set up shop on loopback. Stripe hangs up on us soon rather than late."""
    clock, calls = Clock(), []
    secret = settings.stripe_webhook_secret.get_secret_value()
    key = settings.stripe_api_key.get_secret_value()
    hook = TestServer(web.Application(), host="127.0.0.1")
    # Taken now, so that nobody else does before it is listened at.
    door = get_unused_port_socket("127.0.0.1")
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=10))
        stack.push_async_callback(http.close_async)
        reached = settings.model_copy(
            update={"stripe_api_base": url, "stripe_writes_per_second_test": UNPACED}
        )
        maker = StripeMaker(
            reached,
            http,
            Seal(settings.secret_key.get_secret_value()),
            retries=0,
            clock=clock,
        )
        house = maker.house()
        house.livemode = livemode
        gateways = StripeGateways(house, database, maker)
        hook.app[DATABASE] = database
        hook.app[GATEWAYS] = gateways
        hook.app[CLOCK] = clock
        hook.app[ARRIVALS] = Arrivals(database)
        hook.app.add_routes(stripe_webhook.routes)
        await stack.enter_async_context(hook)
        hook_url = str(hook.make_url("/webhooks/stripe"))
        app = build_stripe_sandbox(
            clock=clock,
            webhook_url=hook_url,
            webhook_secret=secret,
            public_url=url,
            api_key=key,
            seed=7,
            policy=QUICK,
        )
        app.middlewares.insert(0, _counting(calls))
        sandbox = app[SANDBOX]
        sandbox.faults.hold_for = timedelta(milliseconds=20)
        stripe_server = TestServer(
            app,
            host="127.0.0.1",
            port=door.getsockname()[1],
            socket_factory=lambda *_: door,
        )
        await stack.enter_async_context(stripe_server)
        yield Till(
            database, session, settings, sandbox, gateways, clock, url, hook_url, calls
        )


def _counting(calls: list[tuple[str, str]]) -> Any:
    @web.middleware
    async def count(request: web.Request, handler: Any) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is not None:
            calls.append((request.method, resource.canonical))
        answer: web.StreamResponse = await handler(request)
        return answer

    return count
