"""
Stories in which Stripe's messages do not come, or we are not there to get them.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import Session
from structlog.testing import capture_logs

from offers.holds import Hold, HoldState
from offers.readings import Reading, Subject
from offers.refunds import Refund
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.stripe_webhooks import Fate, Treatment
from tests.factories import NOON
from tests.outletbot.till import CREATE, RETRIEVE, Till, open_till
from webhooks.inbox import Arrival

BOTH_DATABASES = True

EVENTS = "GET /v1/events"
DEAF = Treatment(fate=Fate.DROPPED)


@pytest.fixture
async def till(
    database: Database, session: Session, settings: Settings
) -> AsyncIterator[Till]:
    async with open_till(database, session, settings) as till:
        till.sandbox.postman.usual = DEAF
        yield till
        till.check()


def states(till: Till) -> list[HoldState]:
    return [hold.state for hold in till.all(Hold)]


def reading(till: Till, subject: Subject) -> Reading:
    (found,) = [row for row in till.all(Reading) if row.subject == subject]
    assert isinstance(found, Reading)
    return found


class TestAskingAboutHolds:
    async def test_a_payment_nobody_told_us_of_becomes_an_order(
        self, till: Till
    ) -> None:
        hold = await till.buy(till.deal())
        till.pay(hold)

        till.clock.advance(minutes=4)
        await till.work("reconciling")
        early = len(till.orders)
        till.clock.advance(minutes=1)
        await till.work("reconciling")

        assert (early, len(till.orders)) == (0, 1)

    async def test_an_open_page_is_asked_about_every_five_minutes(
        self, till: Till
    ) -> None:
        await till.buy(till.deal(hold_minutes=30))

        for _ in range(12):
            till.clock.advance(minutes=1)
            await till.work("reconciling")

        assert till.asked(RETRIEVE) == 2

    async def test_promised_money_is_asked_for_hourly_then_daily(
        self, till: Till
    ) -> None:
        hold = await till.buy(till.deal())
        till.sandbox.promise(hold.checkout_id or "")
        await till.paying.settle(hold)
        before = till.asked(RETRIEVE)

        for _ in range(24):
            till.clock.advance(hours=1)
            await till.work("reconciling")
        first_day = till.asked(RETRIEVE) - before
        for _ in range(48):
            till.clock.advance(hours=1)
            await till.work("reconciling")

        assert first_day == 23
        assert till.asked(RETRIEVE) - before - first_day == 2

    async def test_promised_money_that_comes_is_found(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        till.sandbox.promise(hold.checkout_id or "")
        await till.paying.settle(hold)

        till.sandbox.conclude(hold.checkout_id or "")
        till.clock.advance(hours=1)
        await till.work("reconciling")

        assert states(till) == [HoldState.PAID]

    async def test_ten_are_asked_about_at_once(self, till: Till) -> None:
        deal = till.deal(allotment=12)
        for _ in range(12):
            await till.buy(deal)

        till.clock.advance(minutes=5)
        await till.work("reconciling")
        first = till.asked(RETRIEVE)
        await till.work("reconciling")

        assert (first, till.asked(RETRIEVE)) == (10, 12)

    async def test_what_is_over_is_not_asked_about(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        till.pay(hold)
        await till.paying.settle(hold)
        before = till.asked(RETRIEVE)

        till.clock.advance(days=2)
        await till.work("reconciling")

        assert till.asked(RETRIEVE) == before


class TestAwayForDays:
    """Nobody answered when a page was asked for, and then nobody of ours was there.

    After a day Stripe does not know the request any more and refuses to do it anew, for
    its time is up. That says nothing of the page that was made of it before.
    """

    async def test_a_page_that_nobody_paid_is_found_and_ends_its_hold(
        self, till: Till
    ) -> None:
        till.goes_wrong(CREATE, Fault.TIMEOUT_AFTER)
        hold = await till.buy(till.deal(allotment=1))

        till.clock.advance(days=2)
        await till.work("expiring")

        assert states(till) == [HoldState.RELEASED]
        assert till.now_is(hold).checkout_id == till.pages[0]["id"]

    async def test_a_page_that_was_paid_is_found_and_becomes_an_order(
        self, till: Till
    ) -> None:
        till.goes_wrong(CREATE, Fault.TIMEOUT_AFTER)
        await till.buy(till.deal(allotment=1))
        till.pay(till.pages[0]["id"])

        till.clock.advance(days=2)
        await till.work("expiring")

        assert states(till) == [HoldState.PAID]
        assert len(till.orders) == 1

    async def test_without_any_page_the_hold_ends(self, till: Till) -> None:
        till.goes_wrong(CREATE, Fault.TIMEOUT_BEFORE)
        await till.buy(till.deal(allotment=1))

        till.clock.advance(days=2)
        await till.work("expiring")
        till.clock.advance(seconds=6)
        await till.work("expiring")

        assert states(till) == [HoldState.RELEASED]
        assert till.pages == []


class TestWalkingTheEvents:
    async def test_an_event_that_was_sent_and_read_acts_once(self, till: Till) -> None:
        till.sandbox.postman.usual = Treatment()
        hold = await till.buy(till.deal())
        till.pay(hold)

        await till.work()
        await till.work()

        completed = [a for a in till.all(Arrival) if a.type.endswith(".completed")]
        assert len(completed) == len(till.orders) == 1

    async def test_an_account_is_read_once_it_was_asked_for_something(
        self, till: Till
    ) -> None:
        await till.work("walking")
        before = till.asked(EVENTS)
        await till.buy(till.deal())
        await till.work("walking")

        assert (before, till.asked(EVENTS)) == (0, 1)

    async def test_it_is_read_every_minute(self, till: Till) -> None:
        await till.buy(till.deal())

        for _ in range(9):
            await till.work("walking")
            till.clock.advance(seconds=20)

        assert till.asked(EVENTS) == 3

    async def test_what_was_read_is_not_read_again_but_for_an_overlap(
        self, till: Till
    ) -> None:
        deal = till.deal(allotment=3)
        for minutes in (10, 1, 0):
            till.pay(await till.buy(deal))
            till.clock.advance(minutes=minutes)
        await till.work("walking")
        first = reading(till, Subject.EVENTS).position
        till.clock.advance(minutes=3)
        await till.work("walking")

        events = [
            event["id"]
            for event in till.sandbox.account().all("event")
            if event["type"] == "checkout.session.completed"
        ]
        assert first == events[0]
        assert reading(till, Subject.EVENTS).position == events[2]
        await till.work("handling")

    async def test_a_list_that_cannot_be_read_is_tried_again(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        till.pay(hold)
        till.goes_wrong(EVENTS, Fault.ERROR_BEFORE)

        await till.work("walking")
        troubled = reading(till, Subject.EVENTS)
        till.clock.advance(seconds=30)
        await till.work("walking", "handling")
        await till.work("handling")

        assert troubled.trouble
        assert troubled.due_at == NOON + timedelta(seconds=30)
        assert reading(till, Subject.EVENTS).trouble == ""
        assert len(till.orders) == 1

    async def test_an_event_that_stripe_forgot_is_no_place_to_begin(
        self, till: Till
    ) -> None:
        hold = await till.buy(till.deal())
        await till.work("walking")
        till.change(reading(till, Subject.EVENTS), position="evt_long_ago")
        till.pay(hold)
        till.clock.advance(minutes=1)

        await till.work("walking")
        await till.work("handling")

        assert len(till.orders) == 1

    async def test_a_gap_of_more_than_stripe_keeps_is_said_loudly(
        self, till: Till
    ) -> None:
        await till.buy(till.deal())
        await till.work("walking")
        till.clock.advance(days=31)

        with capture_logs() as logs:
            await till.work("walking")

        (missed,) = [line for line in logs if line["event"] == "events_missed"]
        assert missed["log_level"] == "error"
        assert missed["since"] == NOON.isoformat()
        assert "ledger" in missed["remedy"]


async def test_a_day_away_ends_right(till: Till) -> None:
    """Not one message of that day ever comes."""
    deal = till.deal(allotment=10, price_amount=4_999)
    paid, promised, failing, leaving, regretted, disputed = [
        await till.buy(deal) for _ in range(6)
    ]
    kept = await till.buy(deal)
    till.pay(kept)
    await till.paying.settle(kept)
    for hold in (paid, regretted, disputed):
        till.pay(hold)
    for hold in (promised, failing):
        till.sandbox.promise(hold.checkout_id or "")
    till.clock.advance(hours=6)
    till.sandbox.conclude(promised.checkout_id or "")
    till.sandbox.disappoint(failing.checkout_id or "")
    await refund_in_dashboard(till, regretted, 1_000)
    await refund_in_dashboard(till, kept, 500)
    till.clock.advance(hours=18)

    for _ in range(3):
        await till.work()
        till.clock.advance(minutes=2)

    assert till.now_is(paid).state is HoldState.PAID
    assert till.now_is(promised).state is HoldState.PAID
    assert till.now_is(failing).state is HoldState.RELEASED
    assert till.now_is(leaving).state is HoldState.RELEASED
    assert sorted(order.refunded_amount for order in till.orders) == [
        0,
        0,
        0,
        500,
        1000,
    ]
    assert len(till.all(Refund)) == 2
    assert till.deal_now(deal).sold == 5


async def refund_in_dashboard(till: Till, hold: Hold, amount: int) -> None:
    """Somebody at the retailer gives money back without telling us."""
    (page,) = [page for page in till.pages if page["id"] == hold.checkout_id]
    await till.gateway.client.v1.refunds.create_async(
        {"payment_intent": page["payment_intent"], "amount": amount}
    )
