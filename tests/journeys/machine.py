"""
The world that ``test_machine`` turns: a till whose mail waits until somebody brings it,
the people around it, and both books as plain rows, so that what is asserted of them is
not reckoned by the code under test.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import aiohttp
import stripe
from sqlalchemy import Connection
from sqlmodel import Session
from structlog.testing import capture_logs

from offers.deals import Deal
from offers.errors import OfferError
from offers.ids import new_code
from offers.money import Money
from offers.returns import RefundReason, RefundWish, try_refund_again
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.sandbox.stripe_payments import Shopper
from outletbot.sandbox.stripe_webhooks import Fate, Treatment
from outletbot.schema import metadata
from tests.factories import make_deal, make_offer
from tests.outletbot.till import Till, open_till
from webhooks.inbox import new_arrival, receive
from webhooks.refunding import refund_order

T = TypeVar("T")
Row = Any
"""A row of ours, or an object of Stripe's."""

TABLES = {
    "deal": "id",
    "offer": "id",
    "hold": "id",
    "orders": "hold_id",
    "refund": "id",
    "arrival": "id",
}
"""What we look at, each in an order that it keeps."""

OVER = {"paid", "released"}

JOBS = (
    "opening",
    "handling",
    "expiring",
    "paging",
    "refunding",
    "reconciling",
    "walking",
    "bookkeeping",
)

TRIES = 3

REST = [timedelta(minutes=m) for m in (1, 16, 16, 61, 61, 26 * 60)]
"""What a world without troubles waits, over and over, until nothing is left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All rows of ours, and all that Stripe knows."""

    deals: Sequence[Row]
    offers: Sequence[Row]
    holds: Sequence[Row]
    orders: Sequence[Row]
    refunds: Sequence[Row]
    arrivals: Sequence[Row]
    pages: Sequence[Row]
    intents: dict[str, Row]
    charges: Sequence[Row]
    disputes: Sequence[Row]
    given: Sequence[Row]

    @property
    def online(self) -> dict[str, Row]:
        """The orders that Stripe took the money for, by their payments."""
        return {o.payment_id: o for o in self.orders if o.way == "online"}

    @property
    def payments(self) -> dict[str, Row]:
        """What Stripe did take, by its payments."""
        return {c["payment_intent"]: c for c in self.charges if c["captured"]}

    @property
    def disputable(self) -> list[Row]:
        charges = self.payments.values()
        return [c for c in charges if not c["disputed"] and not c["refunded"]]

    def of_deal(self, deal: Row, rows: Iterable[Row]) -> list[Row]:
        return [row for row in rows if row.deal_id == deal.id]

    def unfinished(self) -> list[str]:
        """Name what somebody or something has still to do."""
        return [
            *(f"{hold.id} is {hold.state}" for hold in self.holds if not is_over(hold)),
            *(f"{a.id} {a.outcome}" for a in self.arrivals if a.handled_at is None),
            *(
                f"{refund.id} is due {refund.failure}"
                for refund in self.refunds
                if refund.given_at is None and refund.failed_at is None
            ),
        ]


def is_over(hold: Row) -> bool:
    return hold.state in OVER and hold.ended_at is not None


def units(rows: Iterable[Row]) -> int:
    return sum(row.quantity for row in rows)


class World:
    """One till, and an event loop of its own in which everything happens.

    Each thing that is done takes a second, and Stripe's sessions end in time.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.logs = self._stack.enter_context(capture_logs())
        self._stack.callback(empty, database)
        session = Session(database.engine, expire_on_commit=False)
        self._stack.enter_context(session)
        self.till = self._runner.run(self._open(database, session, settings))
        self.till.sandbox.postman.usual = Treatment(fate=Fate.HELD)
        self.till.sandbox.faults.slow_by = timedelta(milliseconds=5)

    async def _open(
        self, database: Database, session: Session, settings: Settings
    ) -> Till:
        """Open a till. Somebody else may be quicker to take the port it found free."""
        for _ in range(TRIES):
            with suppress(OSError):
                opening = open_till(database, session, settings)
                return await self._stack.enter_async_context(opening)
        return await self._stack.enter_async_context(
            open_till(database, session, settings)
        )

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def do(self, doing: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(self._do(doing))

    async def _do(self, doing: Coroutine[Any, Any, T]) -> T:
        await self._pass(timedelta(seconds=1))
        return await doing

    async def _pass(self, time: timedelta) -> None:
        self.till.clock.now += time
        self.till.sandbox.sweep(now=self.till.clock.now)

    def books(self) -> Books:
        account = self.till.sandbox.account()
        with self.till.database.engine.connect() as connection:
            tables = metadata().tables
            ours = {
                name: connection.execute(tables[name].select().order_by(key)).all()
                for name, key in TABLES.items()
            }
        return Books(
            deals=ours["deal"],
            offers=ours["offer"],
            holds=ours["hold"],
            orders=ours["orders"],
            refunds=ours["refund"],
            arrivals=ours["arrival"],
            pages=account.all("checkout.session"),
            intents={each["id"]: each for each in account.all("payment_intent")},
            charges=account.all("charge"),
            disputes=account.all("dispute"),
            given=[r for r in account.all("refund") if r["status"] != "failed"],
        )

    # What is on sale.

    def offer(self, *, deals: int, allotment: int, lasts: timedelta) -> list[Deal]:
        """Put units of one offer into deals that shoppers may pay in either way."""
        session, now = self.till.session, self.till.clock.now
        offer = make_offer(session, sku="PARKA-M", quantity=deals * allotment)
        facts: dict[str, Any] = {
            "allotment": allotment,
            "closes_at": now + lasts,
            "reserve_until": now + min(lasts, timedelta(hours=20)),
        }
        return [make_deal(session, offer, **facts) for _ in range(deals)]

    # The machine's own doings.

    async def wait(self, time: timedelta) -> None:
        await self._pass(time)

    async def work(self, *jobs: str) -> None:
        for job in jobs:
            await self.till.work(job)
            await self._pass(timedelta(seconds=1))

    # The post.

    @property
    def told(self) -> list[Row]:
        return self.till.sandbox.account().all("event")

    @property
    def waiting(self) -> list[Row]:
        """The messages that were not brought yet."""
        account = self.till.sandbox.account()
        return [each for each in account.all("delivery") if each["state"] == Fate.HELD]

    async def bring(self, messages: Iterable[Row], *, copies: int = 1) -> None:
        """Bring one after the other; the copies of each come at once."""
        postman, account = self.till.sandbox.postman, self.till.sandbox.account()
        for message in messages:
            for _ in range(copies):
                postman.send_again(account, message["id"])
            await postman.settle()
            await self._pass(timedelta(milliseconds=1))

    async def tell_stock(self, quantity: int, *, age: timedelta, copies: int) -> None:
        """The shop says what it has, or had a while ago, once or more often."""
        (offer,) = self.books().offers
        now, said = self.till.clock.now, {"sku": offer.sku, "quantity": quantity}
        name = new_code()
        for _ in range(copies):
            arrival = new_arrival(
                "stock",
                name,
                "stock.updated",
                {"items": [said]},
                retailer_id=offer.retailer_id,
                sent_at=now - age,
                now=now,
            )
            await self.till.database.transact(receive, arrival)

    # Shoppers, merchants and banks.

    async def pay(self, page: Row, card: str | None) -> None:
        """Pay a page, or promise to, by bank debit."""
        if card is None:
            self.till.sandbox.promise(page["id"])
        else:
            shopper = Shopper(email="sam@example.com", card=card)
            self.till.sandbox.pay(page["id"], shopper)

    async def pay_too_late(self, page: Row, card: str) -> None:
        """Stripe takes money for what it had called expired."""
        later = self.till.clock.now + timedelta(hours=1)
        page.update(status="open", expires_at=int(later.timestamp()))
        await self.pay(page, card)

    async def give_back(self, order: Row, amount: int, units: int) -> None:
        """A merchant asks for it; who asks for too much is told so."""
        wish = RefundWish(
            key=new_code(),
            money=Money(amount, order.currency),
            units=units,
            reason=RefundReason.REQUESTED,
            note="",
            asked_by="merchant_ana",
        )
        await self.ask(
            refund_order,
            order.retailer_id,
            order.id,
            wish,
            now=self.till.clock.now,
        )

    async def ask(self, work: Any, *args: Any, **kwargs: Any) -> None:
        """Ask for something that may be refused."""
        with suppress(OfferError):
            await self.till.database.transact(work, *args, **kwargs)

    async def refund_by_hand(self, charge: Row, amount: int) -> None:
        """Somebody gives money back in Stripe's dashboard."""
        asked: Any = {"payment_intent": charge["payment_intent"], "amount": amount}
        with suppress(stripe.StripeError, aiohttp.ClientError):
            await self.till.gateway.client.v1.refunds.create_async(asked)

    def deeds_of_banks(
        self, *, well: bool
    ) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Return what banks may do next that is good for the retailer, or is not."""
        books = self.books()
        deeds: list[Any] = [
            *(partial(self._conclude, page, paid=well) for page in pending(books)),
            *(partial(self._decide, each, won=well) for each in undecided(books)),
        ]
        if not well:
            deeds += [partial(self._fail, each) for each in books.given]
            deeds += [partial(self._dispute, each) for each in books.disputable]
        return deeds

    async def _conclude(self, page: Row, *, paid: bool) -> None:
        sandbox = self.till.sandbox
        (sandbox.conclude if paid else sandbox.disappoint)(page["id"])

    async def _decide(self, dispute: Row, *, won: bool) -> None:
        self.till.sandbox.decide_dispute(dispute["id"], won=won)

    async def _fail(self, refund: Row) -> None:
        self.till.sandbox.fail_refund(refund["id"])

    async def _dispute(self, charge: Row) -> None:
        self.till.sandbox.dispute(charge["payment_intent"])

    # The end of all troubles.

    async def come_to_rest(self) -> None:
        """Let everything go well, until nobody has anything to do.

        What the post has lost stays lost.
        """
        self._forget_faults()
        await self._settle_all()
        for _ in range(6):
            for time in REST:
                await self._go_on(time)
                if not self.books().unfinished():
                    break
            if not await self._people_help():
                break
        for _ in range(3):
            await self._go_on(timedelta(minutes=7))

    def _forget_faults(self) -> None:
        faults = self.till.sandbox.faults
        for call, left in faults.waiting.items():
            for _ in left:
                faults.take(call)

    async def _settle_all(self) -> None:
        """Banks bring what was promised, and decide."""
        books = self.books()
        for page in pending(books):
            await self._conclude(page, paid=True)
        for number, dispute in enumerate(undecided(books)):
            await self._decide(dispute, won=number % 2 == 0)
        for refund in books.given:
            if refund["status"] == "pending":
                self.till.sandbox.conclude_refund(refund["id"])

    async def _go_on(self, time: timedelta) -> None:
        await self._pass(time)
        await self.bring(self.waiting)
        await self.work(*JOBS)

    async def _people_help(self) -> bool:
        """Try again what failed and became no order. Return whether there was any."""
        await self._settle_all()
        books, lost = self.books(), lost_disputes(self.books())
        failed = [
            refund
            for refund in books.refunds
            if refund.failed_at is not None
            and refund.cleared_at is None
            and refund.order_id is None
            and refund.payment_id not in lost
        ]
        for refund in failed:
            await self.ask(
                try_refund_again,
                refund.retailer_id,
                refund.id,
                by="merchant_ana",
                now=self.till.clock.now,
            )
        return bool(failed or self.waiting)


def pending(books: Books) -> list[Row]:
    """Return the pages whose money was promised and did not come yet."""
    return [
        page
        for page in books.pages
        if page["payment_intent"]
        and books.intents[page["payment_intent"]]["status"] == "processing"
    ]


def undecided(books: Books) -> list[Row]:
    return [each for each in books.disputes if each["status"] not in {"won", "lost"}]


def lost_disputes(books: Books) -> set[str]:
    """Return the payments that a bank has taken back for good."""
    lost = [each for each in books.disputes if each["status"] == "lost"]
    return {each["payment_intent"] for each in lost}


def empty(database: Database) -> None:
    """Let nothing remain for the next world."""
    with database.engine.execution_options(writing=True).begin() as connection:
        _let_go_of_evidence(connection)
        for table in reversed(metadata().sorted_tables):
            connection.execute(table.delete())


def _let_go_of_evidence(connection: Connection) -> None:
    """Let even what is only ever added to be deleted, here and now."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        return
    found = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    for (name,) in connection.exec_driver_sql(found).all():
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
