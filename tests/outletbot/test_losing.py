"""
The shop sells what shoppers hold: the newest lose, their payment pages are closed at
the provider first, and whoever paid all the same gets it back and is told why.
"""

import asyncio
import random
from datetime import datetime
from functools import partial

import pytest
from sqlmodel import Session, select

from offers.catalog import Offer
from offers.checkouts import CheckoutState
from offers.deals import Deal
from offers.errors import WrongState
from offers.hearing import Taken, take_count
from offers.holds import Hold, HoldState, end_hold
from offers.letters import Letter
from offers.losing import lost_holds
from offers.orders import Order
from offers.refunds import Refund
from offers.retailers import get_retailer
from offers.shops import CountWord
from outletbot.db import Database
from outletbot.importing.writing import bring_rows
from outletbot.jobs.explaining import explain_refunds
from outletbot.jobs.handling import handle_arrivals
from outletbot.jobs.paying import expire_holds
from outletbot.jobs.refunding import give_due_refunds
from outletbot.paying import Paying
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_arrival,
    make_deal,
    make_hold,
    make_import,
    make_offer,
    make_row,
    make_shop,
)
from tests.fakes import FakePayments
from webhooks.settling import redeem, settle_checkout

BOTH_DATABASES = True

URL = "https://outlet.example"


class House:
    """A deal of five units, the shop that sells them too, and the provider."""

    def __init__(
        self, database: Database, session: Session, payments: FakePayments
    ) -> None:
        self.database, self.session, self.payments = database, session, payments
        self.now = NOON
        self.offer = make_offer(session, quantity=5)
        self.deal = make_deal(session, self.offer, allotment=5, closes_at=NOON + DAY)
        self.offer_id, self.shop = self.offer.id, make_shop(session)
        self.shop_id = self.shop.id  # several threads ask for it
        self.paying = Paying(database, payments, self.clock)

    def clock(self) -> datetime:
        return self.now

    def reserve(self, at: datetime) -> Hold:
        state, until = HoldState.RESERVED, NOON + DAY
        return make_hold(
            self.session, self.deal, state=state, held_at=at, expires_at=until
        )

    async def hold(self, at: datetime = NOON) -> Hold:
        """A shopper takes a unit and gets a payment page."""
        hold = make_hold(self.session, self.deal, held_at=at, expires_at=NOON + HOUR)
        await self.paying.open(hold.id)
        return self.look(hold)

    def count(self, quantity: int, at: datetime | None = None) -> list[str]:
        """The shop says how many there are. Return the holds that lost."""
        self.session.rollback()
        return self.database.transact_here(self.take, quantity, at or self.now)

    def take(self, session: Session, quantity: int, at: datetime) -> list[str]:
        word = CountWord(item_key="1", quantity=quantity, counted_at=at, place_key="1")
        offer = session.get_one(Offer, self.offer_id)
        _, _, lost = take_count(
            session, offer, self.shop_id, word, source_id="m", now=self.now
        )
        return [hold.id for hold in lost]

    async def work(self) -> None:
        self.session.rollback()
        await expire_holds(self.database, self.paying, self.clock)
        await give_due_refunds(self.database, self.payments, self.clock)

    def look(self, hold: Hold) -> Hold:
        self.session.rollback()
        return self.session.get_one(Hold, hold.id, populate_existing=True)

    def units(self) -> tuple[int, int, int]:
        self.session.rollback()
        deal = self.session.get_one(Deal, self.deal.id, populate_existing=True)
        return deal.held, deal.sold, deal.left

    def refunds(self) -> list[Refund]:
        self.session.rollback()
        return list(self.session.exec(select(Refund)))


@pytest.fixture
def house(database: Database, session: Session, payments: FakePayments) -> House:
    return House(database, session, payments)


class TestLosing:
    async def test_begins_with_the_newest(self, house: House) -> None:
        first = await house.hold(NOON - 3 * MINUTE)
        second = await house.hold(NOON - 2 * MINUTE)
        third = await house.hold(NOON - MINUTE)

        assert house.count(1) == [third.id, second.id]

        await house.work()
        assert house.look(first).state is HoldState.OPEN
        assert house.look(second).state is HoldState.RELEASED
        assert house.look(third).state is HoldState.RELEASED
        assert house.units() == (1, 0, 0)

    async def test_closes_the_payment_page_before_the_hold_ends(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        house.count(0)
        assert house.look(hold).state is HoldState.OPEN
        assert house.look(hold).lost_at == NOON

        await house.work()

        assert payments.calls["expire"] == 1
        assert payments.checkouts[f"cs_{hold.id}"].state is CheckoutState.EXPIRED
        assert house.look(hold).state is HoldState.RELEASED

    async def test_waits_for_a_provider_that_is_down(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        house.count(0)
        payments.down = True
        await house.work()
        assert house.look(hold).state is HoldState.OPEN
        assert house.units() == (1, 0, 0)

        payments.down, house.now = False, NOON + MINUTE
        await house.work()

        assert house.look(hold).state is HoldState.RELEASED
        assert house.units() == (0, 0, 0)

    async def test_takes_a_lost_answer_for_none(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        house.count(0)
        payments.lost = 1
        await house.work()
        assert house.look(hold).state is HoldState.OPEN

        house.now = NOON + MINUTE
        await house.work()

        assert house.look(hold).state is HoldState.RELEASED
        assert house.refunds() == []

    async def test_ends_what_has_no_page_at_once(self, house: House) -> None:
        hold = make_hold(house.session, house.deal)
        reserved = house.reserve(NOON - SECOND)

        assert house.count(0) == [hold.id, reserved.id]

        assert house.look(hold).state is HoldState.RELEASED
        assert house.look(reserved).state is HoldState.RELEASED
        assert house.units() == (0, 0, 0)

    async def test_of_a_reservation_is_said_in_the_store(self, house: House) -> None:
        hold = house.reserve(NOON)
        house.count(0)

        with pytest.raises(WrongState, match="sold its units to somebody else"):
            redeem(
                house.session,
                hold.retailer_id,
                hold.pickup_code or "",
                merchant_id="m",
                now=NOON,
            )

    async def test_finds_a_page_that_was_being_made(
        self, house: House, payments: FakePayments
    ) -> None:
        payments.lost = 1
        hold = await house.hold()
        assert hold.state is HoldState.CREATING
        house.count(0)

        house.now = NOON + MINUTE
        await house.work()

        assert payments.checkouts[f"cs_{hold.id}"].state is CheckoutState.EXPIRED
        assert house.look(hold).state is HoldState.RELEASED

    async def test_leaves_whoever_the_bank_is_paying_until_the_last(
        self, house: House, payments: FakePayments
    ) -> None:
        older = await house.hold(NOON - MINUTE)
        newer = await house.hold()
        payments.promise(f"cs_{newer.id}")
        await house.paying.settle(newer)

        assert house.count(1) == [older.id]
        assert house.count(0) == [newer.id]

    async def test_leaves_what_a_person_looks_at(self, house: House) -> None:
        hold = make_hold(house.session, house.deal, state=HoldState.REVIEW)

        assert house.count(0) == []

        assert house.look(hold).lost_at is None

    async def test_takes_whole_holds(self, house: House) -> None:
        two = make_hold(house.session, house.deal, quantity=2)

        assert house.count(1) == [two.id]

        assert house.units() == (0, 0, 1)

    async def test_happens_once(self, house: House) -> None:
        older = await house.hold(NOON - MINUTE)
        newer = await house.hold()
        assert house.count(1) == [newer.id]

        house.now = NOON + SECOND
        assert house.count(1) == []
        assert house.count(0, at=house.now) == [older.id]

    async def test_needs_a_count(self, house: House) -> None:
        await house.hold()
        house.session.rollback()
        offer = house.session.get_one(Offer, house.offer.id, populate_existing=True)
        offer.quantity = None
        house.session.add(offer)
        house.session.commit()
        word = CountWord(item_key="1", quantity=None, counted_at=NOON, place_key="1")

        taken, _, lost = take_count(
            house.session, offer, house.shop.id, word, source_id="m", now=NOON
        )

        assert (taken, lost) == (Taken.SAME, [])

    async def test_is_no_matter_of_the_units_kept_back(self, house: House) -> None:
        hold = await house.hold()
        keep_back(house, 2)

        assert house.count(1) == []
        assert house.units() == (1, 0, 0)
        assert house.count(4, at=NOON + SECOND) == []
        assert house.units() == (1, 0, 1)
        assert house.look(hold).lost_at is None


class TestPaidAllTheSame:
    async def test_is_sent_back_and_said(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        house.count(0)
        payments.pay(f"cs_{hold.id}")

        await house.work()

        (refund,) = house.refunds()
        assert (refund.reason, refund.amount) == ("shop_sold", hold.total.amount)
        assert refund.given_at == NOON
        assert house.session.exec(select(Order)).all() == []
        assert house.units() == (0, 0, 0)
        assert await explain(house) == 1
        assert await explain(house) == 0
        (letter,) = house.session.exec(select(Letter)).all()
        assert letter.recipient == "sam@example.com"
        assert f"{URL}/h/{hold.token}" in letter.body
        assert hold.title in letter.body

    async def test_is_sent_back_once_however_often_it_is_said(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        house.count(0)
        checkout = payments.pay(f"cs_{hold.id}")

        for _ in range(3):
            house.database.transact_here(
                settle_checkout, checkout, livemode=False, now=NOON
            )
        await house.work()

        assert len(house.refunds()) == 1

    async def test_is_an_order_where_units_came_back(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        house.count(0)
        house.count(2, at=NOON + SECOND)
        payments.pay(f"cs_{hold.id}")

        await house.work()

        assert house.refunds() == []
        assert house.units() == (0, 1, 1)
        assert house.look(hold).state is HoldState.PAID

    async def test_by_bank_is_sent_back_when_it_comes(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        payments.promise(f"cs_{hold.id}")
        await house.paying.settle(hold)
        house.count(0)
        assert house.look(hold).state is HoldState.PROCESSING

        payments.pay(f"cs_{hold.id}")
        await house.paying.settle(hold)

        (refund,) = house.refunds()
        assert refund.reason == "shop_sold"

    async def test_by_bank_that_never_comes_owes_nothing(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        payments.promise(f"cs_{hold.id}")
        await house.paying.settle(hold)
        house.count(0)

        payments.fail(f"cs_{hold.id}")
        await house.paying.settle(hold)

        assert house.refunds() == []
        assert house.look(hold).state is HoldState.RELEASED

    async def test_before_the_shop_sold_stays_an_order(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        payments.pay(f"cs_{hold.id}")
        await house.paying.settle(hold)

        assert house.count(0, at=NOON + SECOND) == []

        assert house.look(hold).state is HoldState.PAID
        assert house.units() == (0, 1, 0)


class TestRace:
    @pytest.mark.parametrize("seed", range(4))
    async def test_never_oversells_and_never_keeps_money(
        self, house: House, payments: FakePayments, seed: int
    ) -> None:
        """Five shoppers pay while the shop sells one unit after the other."""
        chance = random.Random(seed)  # noqa: S311  (a game of chance)
        holds = [await house.hold(NOON - n * SECOND) for n in range(5)]
        left = chance.randrange(5)

        async def pay(hold: Hold) -> None:
            payments.pay(f"cs_{hold.id}")
            await house.paying.settle(hold)

        async def sell(quantity: int) -> None:
            # A moment before noon, so that no order of this test is in the count.
            at = NOON - MINUTE + (5 - quantity) * SECOND
            await house.database.transact(house.take, quantity, at)

        works = [partial(pay, hold) for hold in holds]
        works += [partial(sell, quantity) for quantity in range(4, left - 1, -1)]
        chance.shuffle(works)
        house.session.rollback()

        await asyncio.gather(*(work() for work in works))
        house.now = NOON + MINUTE
        await house.work()

        orders = house.session.exec(select(Order)).all()
        refunds = house.refunds()
        assert len(orders) + len(refunds) == 5
        assert all(refund.reason == "shop_sold" for refund in refunds)
        assert house.units()[:2] == (0, len(orders))
        held = sum(house.look(hold).state is HoldState.PAID for hold in holds)
        assert held == len(orders)
        # What was an order before the shop's word came stays one.
        lost = len(lost_holds(house.session, house.offer.retailer_id))
        assert len(refunds) <= lost

    async def test_with_the_sweeper_ends_the_same(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        house.count(0)
        payments.pay(f"cs_{hold.id}")

        await asyncio.gather(
            expire_holds(house.database, house.paying, house.clock),
            house.paying.settle(hold),
            house.paying.settle(hold),
        )

        assert len(house.refunds()) == 1
        assert house.units() == (0, 0, 0)


async def test_two_messages_lose_as_one(
    house: House, session: Session, payments: FakePayments
) -> None:
    hold = await house.hold()
    for number in (1, 2):
        item = {"sku": house.offer.sku, "quantity": 0}
        make_arrival(
            session,
            "stock",
            "stock.updated",
            {"items": [item]},
            retailer_id=house.offer.retailer_id,
            message_id=f"m{number}",
        )
    session.rollback()

    await asyncio.gather(
        handle_arrivals(house.database, payments, house.clock),
        handle_arrivals(house.database, payments, house.clock),
    )
    await house.work()

    assert house.look(hold).state is HoldState.RELEASED
    assert house.units() == (0, 0, 0)


def keep_back(house: House, units: int) -> None:
    retailer = get_retailer(house.session, house.offer.retailer_id)
    retailer.stock_buffer = units
    house.session.add(retailer)
    house.session.commit()


async def explain(house: House) -> int:
    house.session.rollback()
    return await explain_refunds(house.database, house.clock, public_url=URL)


async def test_a_file_that_tells_of_fewer_lets_the_newest_lose(house: House) -> None:
    first = await house.hold(NOON - 2 * MINUTE)
    second = await house.hold(NOON - MINUTE)
    house.session.rollback()
    sku, retailer_id = house.offer.sku, house.offer.retailer_id
    feed_id = make_import(house.session).id
    house.session.rollback()

    rows = [make_row(sku, quantity=1)]
    house.database.transact_here(bring_rows, retailer_id, feed_id, rows, now=NOON)

    assert house.look(first).lost_at is None
    assert house.look(second).lost_at == NOON


class TestClosedDeals:
    """A deal is over while somebody still pays: it has no units of its own any more."""

    async def close(self, house: House) -> None:
        house.session.rollback()
        deal = house.session.get_one(Deal, house.deal.id, populate_existing=True)
        deal.closes_at = deal.closed_at = NOON
        house.session.add(deal)
        house.session.commit()

    async def pay(self, house: House, payments: FakePayments, hold: Hold) -> None:
        checkout = payments.pay(house.look(hold).checkout_id or "")
        house.session.rollback()
        house.database.transact_here(
            settle_checkout, checkout, livemode=False, now=house.now
        )

    async def test_do_not_sell_what_the_shop_sold(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold()
        await self.close(house)
        assert house.count(0) == [hold.id]

        await self.pay(house, payments, hold)

        assert [each.reason for each in house.refunds()] == ["shop_sold"]
        assert house.session.exec(select(Order)).all() == []

    async def test_do_not_sell_what_another_deal_offers(
        self, house: House, payments: FakePayments
    ) -> None:
        hold = await house.hold(NOON - HOUR)
        house.session.rollback()
        row = house.session.get_one(Hold, hold.id, populate_existing=True)
        end_hold(house.session, row.id, HoldState.RELEASED, now=NOON)
        house.session.commit()
        await self.close(house)
        house.count(1)
        house.session.rollback()
        offer = house.session.get_one(Offer, house.offer_id)
        make_deal(house.session, offer, allotment=1)

        await self.pay(house, payments, hold)

        assert [each.reason for each in house.refunds()] == ["paid_too_late"]
