"""
What arrived is acted on once; what cannot be acted on now waits, and keeps nobody else
waiting.
"""

import asyncio

import pytest
from sqlmodel import Session, select

from offers.checkouts import Checkout
from offers.errors import Missing
from offers.holds import Hold, HoldState
from offers.orders import Order
from outletbot.db import Database
from outletbot.jobs.handling import handle_arrivals
from tests.factories import (
    MINUTE,
    NOON,
    SECOND,
    make_arrival,
    make_hold,
    make_offer,
    north,
)
from tests.fakes import FakePayments
from webhooks.inbox import LEASE, Arrival

BOTH_DATABASES = True


@pytest.fixture
def hold(session: Session) -> Hold:
    return make_hold(session, state=HoldState.OPEN)


async def open_page(payments: FakePayments, hold: Hold) -> str:
    return (await payments.create(hold)).id


async def handle(
    database: Database, payments: FakePayments, session: Session, *, at=NOON
) -> int:
    session.rollback()
    return await handle_arrivals(database, payments, lambda: at)


def seen(session: Session, arrival: Arrival) -> Arrival:
    session.rollback()
    found = session.get_one(Arrival, arrival.id, populate_existing=True)
    session.rollback()
    return found


async def test_goes_by_the_provider_not_by_the_message(
    database, session, payments, hold
) -> None:
    page = await open_page(payments, hold)
    payments.pay(page)
    arrival = make_arrival(
        session, kind="checkout.session.expired", payload={"id": page}
    )

    await handle(database, payments, session)

    assert seen(session, arrival).outcome == "ordered"
    assert seen(session, arrival).handled_at == NOON
    assert session.exec(select(Order.hold_id)).one() == hold.id


async def test_acts_once_on_what_two_workers_took_up(
    database, session, payments, hold
) -> None:
    page = await open_page(payments, hold)
    payments.pay(page)
    arrival = make_arrival(session, payload={"id": page})

    await handle(database, payments, session)
    again = await handle(database, payments, session, at=NOON + LEASE)

    assert again == 0
    assert seen(session, arrival).attempts == 1


async def test_waits_while_the_provider_does_not_answer(
    database, session, payments, hold
) -> None:
    page = await open_page(payments, hold)
    payments.pay(page)
    payments.down = True
    arrival = make_arrival(session, payload={"id": page})

    await handle(database, payments, session)
    waiting = seen(session, arrival)
    due_at, outcome = waiting.due_at, waiting.outcome
    payments.down = False
    too_soon = await handle(database, payments, session, at=NOON + 29 * SECOND)
    in_time = await handle(database, payments, session, at=NOON + 30 * SECOND)

    assert (due_at, outcome) == (NOON + 30 * SECOND, "no answer")
    assert (too_soon, in_time) == (0, 1)
    assert seen(session, arrival).outcome == "ordered"


async def test_leaves_alone_what_the_provider_does_not_know(
    database, session, payments
) -> None:
    arrival = make_arrival(session, payload={"id": "cs_nobodys"})

    await handle(database, payments, session)

    assert seen(session, arrival).handled_at == NOON
    assert "No such" in seen(session, arrival).outcome


async def test_asks_nobody_about_what_is_no_payment_page(
    database, session, payments
) -> None:
    arrival = make_arrival(session, kind="account.updated", payload={"id": "acct_1"})

    await handle(database, payments, session)

    assert payments.calls.total() == 0
    assert seen(session, arrival).outcome == "nothing to do"


@pytest.mark.parametrize(
    ("sku", "quantity"),
    [("PARKA-M", 10**30), ("PARKA\x00M", 1), ("\ud800", 1)],
    ids=["absurd number", "zero byte", "half a character"],
)
async def test_one_message_with_nonsense_keeps_no_other_waiting(
    database, session, payments, hold, sku, quantity
) -> None:
    """It came first, and would come first each time."""
    page = await open_page(payments, hold)
    payments.pay(page)
    retailer = north(session)
    make_offer(session, sku="PARKA-M")
    nonsense = make_arrival(
        session,
        "stock",
        "stock.updated",
        {"items": [{"sku": sku, "quantity": quantity}]},
        retailer_id=retailer.id,
        now=NOON - MINUTE,
    )
    good = make_arrival(session, payload={"id": page})

    await handle(database, payments, session)

    assert seen(session, good).outcome == "ordered"
    assert seen(session, nonsense).handled_at is None or (
        seen(session, nonsense).outcome == "0 of 1 were news"
    )
    assert seen(session, nonsense).due_at >= NOON + 30 * SECOND


async def test_a_bug_is_no_reason_to_forget_a_message(
    database, session, payments, hold
) -> None:
    page = await open_page(payments, hold)
    payments.pay(page)
    arrival = make_arrival(session, payload={"id": page})
    buggy = _Buggy(checkouts=payments.checkouts)

    await handle(database, buggy, session)
    failed = seen(session, arrival).outcome
    await handle(database, payments, session, at=NOON + MINUTE)

    assert failed == "Missing"
    assert seen(session, arrival).outcome == "ordered"


class _Buggy(FakePayments):
    async def retrieve(self, checkout_id: str) -> Checkout:
        raise Missing(checkout_id, "brain")


async def test_gives_back_what_it_has_not_begun_when_it_is_to_stop(
    database, session
) -> None:
    stop = asyncio.Event()

    class Stopping(FakePayments):
        """The process is asked to stop while it handles the first message."""

        async def of(self, account_id: str) -> FakePayments:
            stop.set()
            return await super().of(account_id)

    for _ in range(3):
        make_arrival(session, kind="something.else")
    session.rollback()

    begun = await handle_arrivals(database, Stopping(), lambda: NOON, stop)
    left = await handle_arrivals(database, FakePayments(), lambda: NOON)

    assert (begun, left) == (1, 2)
