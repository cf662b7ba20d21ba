"""
Stories of money that goes back: by a merchant in parts, by the dashboard, in vain, and
against a bank. After each of them our orders and Stripe's balance say the same.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import Session

from offers.deals import Deal
from offers.errors import OfferError
from offers.ids import new_code
from offers.money import Money
from offers.orders import Order
from offers.refunds import RefundState
from offers.returns import RefundReason, RefundWish, try_refund_again
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.stripe_webhooks import Fate, Treatment
from outletbot.sandbox.stripe_webhooks import Order as Disorder
from tests.factories import make_offer, north
from tests.outletbot.till import REFUND, Till, open_till
from webhooks.inbox import Arrival
from webhooks.outbox import Delivery
from webhooks.refunding import refund_order

BOTH_DATABASES = True

LOOK = "GET /v1/refunds"


@pytest.fixture
async def till(
    database: Database, session: Session, settings: Settings
) -> AsyncIterator[Till]:
    async with open_till(database, session, settings) as till:
        yield till
        till.check()
        assert balance(till) == kept(till)


def balance(till: Till) -> int:
    """What Stripe's balance has, without its fees: that is what shoppers' money did."""
    transactions = till.sandbox.account().all("balance_transaction")
    return sum(each["amount"] for each in transactions)


def kept(till: Till) -> int:
    return sum(order.total_amount - order.refunded_amount for order in till.orders)


async def sell(till: Till, *, quantity: int = 3, **facts: Any) -> Order:
    """Sell units at 40.00 each."""
    facts.setdefault("price_amount", 4_000)
    deal = till.deal(limit_per_shopper=quantity, **facts)
    hold = await till.buy(deal, quantity=quantity)
    till.pay(hold)
    await till.work()
    return next(order for order in till.orders if order.hold_id == hold.id)


def wish(amount: int, currency: str = "eur", *, units: int = 0) -> RefundWish:
    return RefundWish(
        key=new_code(),
        money=Money(amount, currency),
        units=units,
        reason=RefundReason.REQUESTED,
        note="",
        asked_by="merchant_ana",
    )


async def give_back(
    till: Till, order: Order, amount: int, currency: str = "eur", *, units: int = 0
) -> None:
    """A merchant asks; the worker does it."""
    till.session.rollback()
    asked = wish(amount, currency, units=units)
    await till.database.transact(
        refund_order, order.retailer_id, order.id, asked, now=till.clock.now
    )
    await till.work()
    await till.work()


def order_now(till: Till, order: Order) -> Order:
    return next(one for one in till.orders if one.id == order.id)


def at_stripe(till: Till) -> list[Any]:
    return till.sandbox.account().all("refund")


async def by_hand(till: Till, order: Order, amount: int) -> Any:
    """Somebody gives money back in Stripe's dashboard."""
    stripe = till.gateway._stripe  # noqa: SLF001
    return await stripe.refunds.create_async(
        {"payment_intent": order.payment_id, "amount": amount}
    )


class TestParts:
    async def test_come_to_the_whole_and_no_more(self, till: Till) -> None:
        order = await sell(till)

        for amount in (4_000, 3_000, 5_000):
            await give_back(till, order, amount)
        with pytest.raises(OfferError):
            await give_back(till, order, 1)

        assert order_now(till, order).refunded_amount == 12_000
        assert [refund.state for refund in till.refunds] == [RefundState.GIVEN] * 3
        assert [each["amount"] for each in at_stripe(till)] == [4_000, 3_000, 5_000]
        assert {each["reason"] for each in at_stripe(till)} == {"requested_by_customer"}

    async def test_of_whole_units_fill_the_stock_and_not_the_deal(
        self, till: Till
    ) -> None:
        offer = make_offer(till.session, quantity=3)
        order = await sell(till, offer=offer, allotment=3)
        (before,) = till.all(Deal)

        await give_back(till, order, 4_000, units=1)

        till.session.rollback()
        till.session.refresh(offer)
        (deal,) = till.all(Deal)
        assert offer.quantity == 1
        assert (deal.sold, deal.left) == (3, 0)
        assert deal.sold_out_at == before.sold_out_at is not None

    async def test_asked_for_at_once_are_both_given_if_they_fit(
        self, till: Till
    ) -> None:
        order = await sell(till)
        for amount in (4_000, 8_000):
            till.session.rollback()
            await till.database.transact(
                refund_order,
                order.retailer_id,
                order.id,
                wish(amount),
                now=till.clock.now,
            )

        await till.work()
        await till.work()

        assert order_now(till, order).refunded_amount == 12_000

    async def test_are_told_to_the_shop(self, till: Till) -> None:
        retailer = north(till.session)
        retailer.webhook_url = "https://north.example/hooks"
        till.session.add(retailer)
        till.session.commit()
        order = await sell(till)

        await give_back(till, order, 4_000)
        await by_hand(till, order, 1_000)
        await till.work()

        told = Counter(one.type for one in till.all(Delivery))
        assert told == {"order.paid": 1, "stock.changed": 1, "order.refunded": 2}

    @pytest.mark.parametrize(
        ("currency", "price", "amount", "written"),
        [
            ("jpy", 4_000, 1_500, 1_500),
            ("kwd", 4_000, 1_550, 1_550),
            ("isk", 4_000, 1_500, 150_000),
        ],
    )
    async def test_are_right_whatever_the_decimals(
        self,
        database: Database,
        session: Session,
        settings: Settings,
        currency: str,
        price: int,
        amount: int,
        written: int,
    ) -> None:
        async with open_till(database, session, settings) as till:
            offer = make_offer(
                till.session, currency=currency, price_amount=9_000, quantity=5
            )
            order = await sell(till, quantity=1, offer=offer, price_amount=price)

            await give_back(till, order, amount, currency)

            assert order_now(till, order).refunded_amount == amount
            assert at_stripe(till)[0]["amount"] == written


class TestBadDays:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault.TIMEOUT_BEFORE,
            Fault.TIMEOUT_AFTER,
            Fault.ERROR_BEFORE,
            Fault.ERROR_AFTER,
            Fault.CUT_BODY,
            Fault.TOO_MANY,
        ],
    )
    async def test_give_each_part_once(self, till: Till, fault: Fault) -> None:
        order = await sell(till)
        till.goes_wrong(REFUND, fault)

        await give_back(till, order, 4_000)
        till.clock.advance(minutes=1)
        await till.work()
        await give_back(till, order, 4_000)

        assert [each["amount"] for each in at_stripe(till)] == [4_000, 4_000]
        assert order_now(till, order).refunded_amount == 8_000

    async def test_give_a_part_once_even_days_later(self, till: Till) -> None:
        """Stripe has forgotten our key by then, and would give it again."""
        order = await sell(till)
        till.goes_wrong(REFUND, Fault.TIMEOUT_AFTER)
        till.goes_wrong(LOOK, *[Fault.TIMEOUT_BEFORE] * 2)
        till.sandbox.postman.usual = Treatment(fate=Fate.HELD)
        await give_back(till, order, 4_000)

        till.clock.advance(days=3)
        for _ in range(4):
            till.clock.advance(hours=1)
            await till.work("refunding")

        assert [each["amount"] for each in at_stripe(till)] == [4_000]
        assert order_now(till, order).refunded_amount == 4_000

    async def test_a_refusal_is_shown_and_tried_again_by_a_person(
        self, till: Till
    ) -> None:
        order = await sell(till, quantity=1)
        await by_hand(till, order, 4_000)
        till.sandbox.postman.usual = Treatment(fate=Fate.HELD)

        await give_back(till, order, 1_000)

        (ours,) = [one for one in till.refunds if one.asked_by]
        assert ours.state is RefundState.FAILED
        assert ours.failure_code == "charge_already_refunded"
        assert order_now(till, order).refunded_amount == 4_000
        with pytest.raises(OfferError):
            await till.database.transact(
                try_refund_again,
                order.retailer_id,
                ours.id,
                by="merchant_ana",
                now=till.clock.now,
            )


class TestFailingLater:
    async def test_the_money_is_ours_again_until_it_is_tried_again(
        self, till: Till
    ) -> None:
        order = await sell(till)
        await give_back(till, order, 4_000)
        till.clock.advance(days=3)

        till.sandbox.fail_refund(at_stripe(till)[0]["id"])
        await till.work()
        failed = till.refunds[0]
        meanwhile = order_now(till, order).refunded_amount, balance(till)
        await till.database.transact(
            try_refund_again,
            order.retailer_id,
            failed.id,
            by="merchant_ana",
            now=till.clock.now,
        )
        await till.work()
        await till.work()

        assert failed.state is RefundState.FAILED
        assert failed.failure_code == "expired_or_canceled_card"
        assert meanwhile == (0, 12_000)
        assert order_now(till, order).refunded_amount == 4_000

    async def test_one_that_was_on_its_way_first(self, till: Till) -> None:
        deal = till.deal(price_amount=4_000)
        hold = await till.buy(deal)
        till.sandbox.promise(hold.checkout_id or "")
        till.sandbox.conclude(hold.checkout_id or "")
        await till.work()
        (order,) = till.orders

        await give_back(till, order, 4_000)
        states = [till.refunds[0].state]
        till.sandbox.conclude_refund(at_stripe(till)[0]["id"])
        await till.work()
        states.append(till.refunds[0].state)

        assert states == [RefundState.PENDING, RefundState.GIVEN]
        assert order_now(till, order).refunded_amount == 4_000


class TestByHand:
    async def test_counts_like_ours(self, till: Till) -> None:
        order = await sell(till)

        await by_hand(till, order, 1_000)
        await give_back(till, order, 4_000)
        await by_hand(till, order, 500)
        await till.work()

        assert order_now(till, order).refunded_amount == 5_500
        assert len(till.refunds) == 3

    @pytest.mark.parametrize("disorder", list(Disorder))
    async def test_is_right_in_whatever_order_it_is_told(
        self, till: Till, disorder: Disorder
    ) -> None:
        order = await sell(till)
        till.sandbox.postman.usual = Treatment(fate=Fate.HELD, copies=2)

        for amount in (1_000, 2_000):
            await by_hand(till, order, amount)
        till.sandbox.fail_refund(at_stripe(till)[0]["id"])
        await till.sandbox.postman.release(disorder)
        await till.work()

        assert order_now(till, order).refunded_amount == 2_000

    async def test_waits_for_its_order(self, till: Till) -> None:
        """It is given back before we heard that it was paid."""
        hold = await till.buy(till.deal(price_amount=4_000))
        late = Treatment(fate=Fate.HELD)
        till.sandbox.postman.treat_next(late, event_type="checkout.session.completed")
        till.pay(hold)
        charge = till.sandbox.account().all("charge")[0]
        stripe = till.gateway._stripe  # noqa: SLF001
        await stripe.refunds.create_async({"charge": charge["id"], "amount": 1_000})
        await till.work()
        unknown = till.orders

        await till.sandbox.postman.release(Disorder.AS_HAPPENED)
        await till.work()
        till.clock.advance(minutes=30)
        await till.work()

        (order,) = till.orders
        assert unknown == []
        assert order.refunded_amount == 1_000
        waiting = [one for one in till.all(Arrival) if one.handled_at is None]
        assert waiting == []

    async def test_of_a_payment_that_is_not_ours_is_left(self, till: Till) -> None:
        order = await sell(till)
        till.change(order, account_id="pacc_elsewhere")

        await by_hand(till, order, 1_000)
        for _ in range(12):
            await till.work("handling")
            till.clock.advance(hours=1)

        assert order_now(till, order).refunded_amount == 0
        outcomes = {one.outcome for one in till.all(Arrival)}
        assert "not a payment of ours" in outcomes
        till.change(order, account_id="", refunded_amount=1_000)
