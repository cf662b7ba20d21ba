"""
Stories of money: what passes between a shopper, Stripe and us, on good and bad days.

After each of them units add up, and what Stripe holds for us is what our orders say.
"""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from sqlmodel import Session, col, select

from offers.deals import Deal
from offers.holds import Hold, HoldState
from offers.orders import Order
from offers.payment_pages import lease_lapsed_holds
from offers.posts import Post
from offers.refunds import Refund, lease_due_refunds
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.stripe_webhooks import Fate, Treatment
from outletbot.sandbox.stripe_webhooks import Order as Disorder
from tests.factories import NOON, make_deal, make_offer, north
from tests.outletbot.till import CREATE, EXPIRE, REFUND, RETRIEVE, SAM, Till, open_till
from webhooks.inbox import Arrival, lease_arrivals
from webhooks.outbox import Delivery

AGES = timedelta(days=3)


@pytest.fixture
async def till(
    database: Database, session: Session, settings: Settings
) -> AsyncIterator[Till]:
    async with open_till(database, session, settings) as till:
        yield till
        till.check()


def states(till: Till) -> list[HoldState]:
    return [hold.state for hold in till.all(Hold)]


class TestGoodDays:
    async def test_a_payment_becomes_an_order(self, till: Till) -> None:
        offer = make_offer(till.session, quantity=10)
        deal = till.deal(offer=offer, price_amount=4_999)
        hold = await till.buy(deal, quantity=2)

        till.pay(hold)
        await till.work()

        (order,) = till.orders
        assert (order.quantity, order.total_amount, order.currency) == (2, 9_998, "eur")
        assert (order.email, order.name) == ("sam@example.com", "Sam Shopper")
        assert (order.hold_id, order.post_id) == (hold.id, hold.post_id)
        assert till.deal_now(deal).sold == 2
        assert till.received == 9_998
        till.session.refresh(offer)
        assert offer.quantity == 8

    async def test_the_last_unit_ends_the_deal_and_its_posts(self, till: Till) -> None:
        deal = till.deal(allotment=1)
        hold = await till.buy(deal)

        till.pay(hold)
        till.clock.advance(minutes=2)
        await till.work()

        assert till.deal_now(deal).sold_out_at == NOON + timedelta(minutes=2)
        (post,) = till.all(Post)
        assert post.retire_at == NOON + timedelta(minutes=2)

    async def test_the_retailer_is_told(self, till: Till) -> None:
        retailer = north(till.session)
        retailer.webhook_url = "https://north.example/hooks"
        till.session.add(retailer)
        till.session.commit()
        hold = await till.buy(till.deal())

        till.pay(hold)
        await till.work()
        await till.work()

        told = {one.type: json.loads(one.body) for one in till.all(Delivery)}
        assert sorted(told) == ["order.paid", "stock.changed"]
        for message in told.values():
            assert message["data"]["order"] == till.orders[0].id

    async def test_the_page_that_stripe_sends_shoppers_back_to_comes_first(
        self, till: Till
    ) -> None:
        hold = await till.buy(till.deal())
        till.pay(hold)

        settled = await till.paying.settle(hold)
        await till.work()

        assert settled.state is HoldState.PAID
        assert len(till.orders) == 1


class TestAbandoned:
    async def test_a_unit_returns_on_stripes_word_only(self, till: Till) -> None:
        deal = till.deal(allotment=1)
        hold = await till.buy(deal)
        till.clock.advance(minutes=10)
        till.goes_wrong(EXPIRE, Fault.ERROR_BEFORE)

        await till.work()
        meanwhile = till.deal_now(deal).left
        till.clock.advance(seconds=6)
        await till.work()

        assert meanwhile == 0
        assert till.now_is(hold).state is HoldState.RELEASED
        assert till.deal_now(deal).left == 1

    async def test_stripe_down_for_an_hour_keeps_the_unit_for_an_hour(
        self, till: Till
    ) -> None:
        deal = till.deal(allotment=1)
        hold = await till.buy(deal)
        till.clock.advance(minutes=10)

        for _ in range(12):
            till.goes_wrong(EXPIRE, Fault.TIMEOUT_BEFORE)
            await till.work("expiring")
            assert till.now_is(hold).state is HoldState.OPEN
            till.clock.advance(minutes=5)
        await till.work("expiring")

        assert till.now_is(hold).state is HoldState.RELEASED
        assert till.deal_now(deal).left == 1

    async def test_a_closed_page_cannot_be_paid(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        till.clock.advance(minutes=10)
        await till.work()

        async with (
            aiohttp.ClientSession() as browser,
            browser.post(
                hold.checkout_url,
                data={"do": "pay", "card": "4242 4242 4242 4242"},
                allow_redirects=False,
            ) as answer,
        ):
            await answer.read()

        assert till.received == 0
        assert till.pages[0]["status"] == "expired"

    async def test_who_pays_in_the_moment_of_closing_gets_the_unit(
        self, till: Till
    ) -> None:
        hold = await till.buy(till.deal())
        till.clock.advance(minutes=10)
        till.pay(hold)

        await till.work("expiring")
        await till.work()

        assert till.now_is(hold).state is HoldState.PAID
        assert len(till.orders) == 1

    async def test_who_pays_while_the_answer_to_closing_is_lost_gets_the_unit(
        self, till: Till
    ) -> None:
        hold = await till.buy(till.deal())
        till.clock.advance(minutes=10)
        till.goes_wrong(EXPIRE, Fault.TIMEOUT_BEFORE)
        await till.work("expiring")

        till.pay(hold)
        till.clock.advance(seconds=6)
        await till.work("expiring")

        assert till.now_is(hold).state is HoldState.PAID


class TestStripeDown:
    async def test_at_buy_time_a_worker_opens_the_page_later(self, till: Till) -> None:
        till.goes_wrong(CREATE, *[Fault.ERROR_BEFORE] * 3)
        hold = await till.buy(till.deal())

        for _ in range(4):
            till.clock.advance(seconds=6)
            await till.work("paging")
        opened = till.now_is(hold)
        till.pay(opened)
        await till.work()

        assert hold.state is HoldState.CREATING
        assert opened.state is HoldState.OPEN
        assert len(till.pages) == 1
        assert len(till.orders) == 1

    async def test_when_a_message_comes_it_is_acted_on_later(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        till.pay(hold)
        till.goes_wrong(RETRIEVE, Fault.ERROR_BEFORE)

        await till.work("handling")
        nothing = till.orders
        till.clock.advance(minutes=1)
        await till.work("handling")

        assert nothing == []
        assert len(till.orders) == 1

    async def test_an_error_after_the_effect_leads_to_the_page_that_was_made(
        self, till: Till
    ) -> None:
        """Stripe repeats its error for this key, so its list is looked at."""
        till.goes_wrong(CREATE, Fault.ERROR_AFTER)
        hold = await till.buy(till.deal())
        till.clock.advance(seconds=6)

        await till.work("paging")

        opened = till.now_is(hold)
        assert opened.state is HoldState.OPEN
        assert [page["id"] for page in till.pages] == [opened.checkout_id]

    async def test_an_error_after_the_effect_frees_the_unit_at_the_holds_end(
        self, till: Till
    ) -> None:
        till.goes_wrong(CREATE, Fault.ERROR_AFTER)
        deal = till.deal(allotment=1)
        hold = await till.buy(deal)
        till.clock.advance(minutes=10)

        await till.work()

        assert till.pages[0]["status"] == "expired"
        assert till.now_is(hold).state is HoldState.RELEASED
        assert till.deal_now(deal).held == 0

    async def test_an_error_that_is_repeated_with_no_effect_is_asked_around(
        self, till: Till
    ) -> None:
        """Of what Stripe began and did not do it says so again, for a day."""
        till.goes_wrong(CREATE, Fault.ERROR_AFTER)
        hold = await till.buy(till.deal())
        till.pages[0]["client_reference_id"] = "somebody else's"

        for _ in range(4):
            till.clock.advance(seconds=6)
            await till.work("paging")

        assert till.now_is(hold).checkout_id == till.pages[1]["id"]
        assert len(till.pages) == 2

    async def test_an_error_with_no_effect_frees_the_unit_of_who_gave_up(
        self, till: Till
    ) -> None:
        till.goes_wrong(CREATE, Fault.ERROR_AFTER)
        deal = till.deal(allotment=1)
        hold = await till.buy(deal)
        till.pages[0]["client_reference_id"] = "somebody else's"
        till.clock.advance(minutes=10)

        for _ in range(4):
            await till.work("expiring")
            till.clock.advance(seconds=6)

        assert till.now_is(hold).state is HoldState.RELEASED
        assert till.deal_now(deal).held == 0

    async def test_an_error_after_the_effect_loses_no_payment(self, till: Till) -> None:
        till.goes_wrong(CREATE, Fault.ERROR_AFTER)
        hold = await till.buy(till.deal())

        till.pay(till.pages[0]["id"])
        await till.work()

        assert till.now_is(hold).state is HoldState.PAID


class TestMessages:
    async def test_may_come_before_our_own_record_of_the_page(self, till: Till) -> None:
        till.goes_wrong(CREATE, Fault.TIMEOUT_AFTER)
        hold = await till.buy(till.deal())
        till.pay(till.pages[0]["id"])

        await till.work("handling")
        till.clock.advance(seconds=6)
        again = await till.paying.open(hold.id)

        assert hold.checkout_id is None
        assert again.state is HoldState.PAID
        assert (len(till.orders), len(till.pages)) == (1, 1)

    @pytest.mark.parametrize("order", list(Disorder))
    async def test_may_come_twice_late_and_in_any_order(
        self, till: Till, order: Disorder
    ) -> None:
        till.sandbox.postman.usual = Treatment(fate=Fate.HELD)
        hold = await till.buy(till.deal())
        till.pay(hold)
        till.clock.now += AGES

        await till.sandbox.postman.release(order)
        await till.work()
        for event in till.sandbox.account().all("event"):
            till.sandbox.postman.send_again(till.sandbox.account(), event["id"])
        await till.work()

        assert len(till.orders) == 1
        assert states(till) == [HoldState.PAID]

    async def test_are_kept_once_each(self, till: Till) -> None:
        till.sandbox.postman.usual = Treatment(copies=3)
        hold = await till.buy(till.deal())
        till.pay(hold)

        await till.work()

        ids = [arrival.message_id for arrival in till.all(Arrival)]
        events = till.sandbox.account().all("event")
        assert sorted(ids) == sorted(event["id"] for event in events)
        assert len(till.orders) == 1

    async def test_of_another_program_on_the_same_account_are_let_pass(
        self, till: Till
    ) -> None:
        await till.buy(till.deal())
        stranger = till.gateway._stripe.checkout.sessions  # noqa: SLF001
        page = await stranger.create_async(
            {
                "mode": "payment",
                "success_url": "https://other.example",
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": "usd",
                            "unit_amount": 500,
                            "product_data": {"name": "A lesson"},
                        },
                    }
                ],
            }
        )
        till.sandbox.pay(page.id)
        await till.work()

        assert till.orders == []
        assert states(till) == [HoldState.OPEN]
        (seen,) = till.session.exec(
            select(Arrival).where(col(Arrival.type) == "checkout.session.completed")
        ).all()
        assert seen.outcome == "not a hold of ours"
        till.check(in_review=500)
        # That money is the other program's: give it back, so that ours adds up.
        await till.gateway._stripe.refunds.create_async(  # noqa: SLF001
            {"payment_intent": till.pages[-1]["payment_intent"]}
        )

    async def test_that_nobody_signed_change_nothing(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        event = {
            "id": "evt_forged",
            "type": "checkout.session.completed",
            "created": int(NOON.timestamp()),
            "data": {"object": {"id": hold.checkout_id, "payment_status": "paid"}},
        }

        async with (
            aiohttp.ClientSession() as forger,
            forger.post(
                till.hook_url,
                json=event,
                headers={"Stripe-Signature": "t=1772452800,v1=" + "0" * 64},
            ) as answer,
        ):
            status = answer.status
        await till.work()

        assert status == 400
        assert till.all(Arrival) == []
        assert states(till) == [HoldState.OPEN]

    async def test_are_not_believed_but_looked_up(self, till: Till) -> None:
        """Even one with the right signature is only a reason to ask Stripe."""
        hold = await till.buy(till.deal())
        event = {
            "id": "evt_early",
            "type": "checkout.session.completed",
            "created": int(NOON.timestamp()),
            "data": {"object": {"id": hold.checkout_id, "payment_status": "paid"}},
        }
        body = json.dumps(event)

        async with (
            aiohttp.ClientSession() as sender,
            sender.post(
                till.hook_url,
                data=body,
                headers={"Stripe-Signature": till.sandbox.postman.sign(body)},
            ) as answer,
        ):
            status = answer.status
        await till.work()

        assert status == 204
        assert till.orders == []
        assert states(till) == [HoldState.OPEN]


class TestSlowMoney:
    async def test_that_comes_becomes_an_order(self, till: Till) -> None:
        deal = till.deal(allotment=1)
        hold = await till.buy(deal)
        till.sandbox.promise(hold.checkout_id or "", SAM)
        await till.work()
        till.clock.advance(days=2)
        await till.work()
        waiting = till.now_is(hold).state

        till.sandbox.conclude(hold.checkout_id or "")
        await till.work()

        assert waiting is HoldState.PROCESSING
        assert till.now_is(hold).state is HoldState.PAID
        assert till.deal_now(deal).sold == 1

    async def test_that_does_not_come_frees_the_unit(self, till: Till) -> None:
        deal = till.deal(allotment=1)
        hold = await till.buy(deal)
        till.sandbox.promise(hold.checkout_id or "", SAM)
        await till.work()

        till.sandbox.disappoint(hold.checkout_id or "")
        await till.work()

        assert till.now_is(hold).state is HoldState.RELEASED
        assert till.deal_now(deal).left == 1


class TestPaidAfterRelease:
    """As after a database that was restored to what it was a while ago."""

    async def _released(self, till: Till, deal: Deal) -> Hold:
        """Return a hold that ended although its page is open."""
        hold = await till.buy(deal)
        till.change(hold, state=HoldState.RELEASED)
        till.change(deal, held=0)
        return hold

    async def test_is_an_order_if_a_unit_is_free(self, till: Till) -> None:
        deal = till.deal(allotment=1)
        hold = await self._released(till, deal)

        till.pay(hold)
        await till.work()

        assert till.now_is(hold).state is HoldState.PAID
        assert till.deal_now(deal).sold == 1

    @pytest.mark.parametrize(
        "fault", [None, Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.CUT_BODY]
    )
    async def test_is_given_back_once_if_none_is(
        self, till: Till, fault: Fault | None
    ) -> None:
        deal = till.deal(allotment=1)
        late = await self._released(till, deal)
        quick = await till.buy(deal)
        till.pay(quick)
        await till.work()
        if fault:
            till.goes_wrong(REFUND, fault)

        till.pay(late)
        await till.work()
        till.clock.advance(minutes=1)
        await till.work()

        (refund,) = till.refunds
        (given,) = till.sandbox.account().all("refund")
        assert (refund.provider_id, refund.amount) == (given["id"], given["amount"])
        assert refund.hold_id == late.id
        assert [order.hold_id for order in till.orders] == [quick.id]
        assert till.received == quick.total.amount

    async def test_is_given_back_even_if_stripe_is_down_for_days(
        self, till: Till
    ) -> None:
        deal = till.deal(allotment=1)
        late = await self._released(till, deal)
        till.pay(await till.buy(deal))
        await till.work()
        till.pay(late)
        await till.work("handling")

        for _ in range(20):
            till.goes_wrong(REFUND, Fault.TIMEOUT_BEFORE)
            await till.work("refunding")
            till.clock.advance(hours=2)
        (owed,) = till.refunds
        before = owed.given_at, owed.attempts
        await till.work("refunding")

        assert before == (None, 20)
        (given,) = till.refunds
        assert given.given_at is not None


class TestDisagreement:
    async def test_test_money_is_not_taken_for_real(
        self, database: Database, session: Session, settings: Settings
    ) -> None:
        async with open_till(database, session, settings, livemode=True) as till:
            deal = till.deal(allotment=1)
            hold = await till.buy(deal)
            till.pay(hold)

            await till.work()
            told = till.now_is(hold).state
            till.clock.advance(minutes=10)
            await till.work()

            assert told is HoldState.OPEN
            assert till.orders == []
            assert till.now_is(hold).state is HoldState.REVIEW
            assert till.deal_now(deal).left == 0
            till.check(in_review=hold.total.amount)

    async def test_another_amount_is_left_to_a_person(
        self, database: Database, session: Session, settings: Settings
    ) -> None:
        async with open_till(database, session, settings) as till:
            hold = await till.buy(till.deal())
            till.pages[0]["amount_total"] = 1

            till.pay(hold)
            await till.work()

            assert till.orders == []
            assert till.now_is(hold).state is HoldState.REVIEW


class TestRefundByHand:
    async def test_is_noted_on_the_order(self, till: Till) -> None:
        hold = await till.buy(till.deal(price_amount=4_999))
        till.pay(hold)
        await till.work()
        (order,) = till.orders

        stripe = till.gateway._stripe  # noqa: SLF001
        for amount in (1_000, 500):
            await stripe.refunds.create_async(
                {"payment_intent": order.payment_id, "amount": amount}
            )
        await till.work()

        assert [one.refunded_amount for one in till.orders] == [1_500]


class TestKilledWorker:
    """Whoever dies between two steps leaves the rest to the next, once the lease ends.

    The dead one's work is the steps before, run apart.
    """

    async def test_after_the_claim(self, till: Till) -> None:
        hold = await till.claim(till.deal())

        till.clock.advance(seconds=4)
        await till.work("paging")
        till.pay(till.now_is(hold))
        await till.work()

        assert states(till) == [HoldState.PAID]

    async def test_after_the_page_was_made(self, till: Till) -> None:
        hold = await till.claim(till.deal())
        begun = await till.paying._begin(hold.id)  # noqa: SLF001
        assert begun is not None
        await till.gateway.create(begun)

        till.clock.advance(seconds=41)
        await till.work("paging")
        till.pay(till.now_is(hold))
        await till.work()

        assert len(till.pages) == 1
        assert states(till) == [HoldState.PAID]

    async def test_after_the_page_was_closed(self, till: Till) -> None:
        deal = till.deal(allotment=1)
        hold = await till.buy(deal)
        till.clock.advance(minutes=10)
        await till.database.transact(lease_lapsed_holds, now=till.clock.now)
        await till.gateway.expire(hold.checkout_id or "")

        await till.work("expiring")
        leased = till.now_is(hold).state
        till.clock.advance(seconds=41)
        await till.work("expiring")

        assert leased is HoldState.OPEN
        assert till.now_is(hold).state is HoldState.RELEASED

    async def test_after_a_message_was_taken_up(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        till.pay(hold)
        await till.sandbox.postman.settle()
        await till.database.transact(lease_arrivals, now=till.clock.now)

        await till.work("handling")
        nothing = till.orders
        till.clock.advance(minutes=1)
        await till.work("handling")

        assert nothing == []
        assert len(till.orders) == 1

    async def test_after_a_refund_was_given(self, till: Till) -> None:
        deal = till.deal(allotment=2)
        hold = await till.buy(deal)
        till.pay(hold)
        await till.work()
        (order,) = till.orders
        till.session.add(
            Refund(
                id="refund_1",
                retailer_id=order.retailer_id,
                hold_id=order.hold_id,
                payment_id=order.payment_id,
                order_id=order.id,
                amount=order.total_amount,
                currency=order.currency,
                reason="asked",
                due_at=till.clock.now,
            )
        )
        till.session.commit()
        (leased,) = await till.database.transact(lease_due_refunds, now=till.clock.now)
        given = await till.gateway.refund(leased)

        till.clock.advance(minutes=1)
        await till.work()

        (refund,) = till.refunds
        assert refund.provider_id == given.id
        assert refund.given_at is not None
        assert len(till.sandbox.account().all("refund")) == 1


async def test_a_crowd_on_a_bad_day_adds_up(till: Till) -> None:
    """Twelve shoppers, of whom half pay, while every call of Stripe's goes wrong."""
    deal = make_deal(till.session, allotment=12, limit_per_shopper=1)
    holds = [await till.claim(deal) for _ in range(12)]
    faults = [Fault.TIMEOUT_AFTER, Fault.ERROR_BEFORE, Fault.TOO_MANY, Fault.CUT_BODY]
    till.goes_wrong(CREATE, *faults)
    till.goes_wrong(EXPIRE, *faults)
    till.goes_wrong(RETRIEVE, Fault.ERROR_BEFORE, Fault.CUT_BODY)
    till.sandbox.postman.usual = Treatment(copies=2)

    for hold in holds:
        await till.paying.open(hold.id)
    bought = [page["id"] for page in till.pages[::2]]
    for page in bought:
        till.pay(page)
    for _ in range(12):
        till.clock.advance(minutes=1)
        await till.work()

    paid = len(bought)
    assert len(till.orders) == paid > 3
    assert till.deal_now(deal).held == 0
    assert till.deal_now(deal).left == 12 - paid
    assert till.received == sum(order.total_amount for order in till.all(Order))
