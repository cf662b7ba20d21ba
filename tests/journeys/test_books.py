"""
Stories of money that end in Stripe's books and ours saying the same, to the cent, for
the house's account, for one with a key of its own and for a connected one.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import stripe
from sqlmodel import Session, select
from structlog.testing import capture_logs

from offers.agreement import Agreement, Cash, cash, compare, compare_account
from offers.deals import Deal
from offers.differences import Doubt
from offers.disputes import Dispute
from offers.holds import Hold
from offers.ids import new_id
from offers.ledger import AccountBalance, LedgerEntry, entries_of_order
from offers.money import Money
from offers.orders import Order
from offers.payment_accounts import HOUSE, PaymentAccount, PaymentAccountKind
from offers.retailers import Retailer
from offers.returns import try_refund_again
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.stripe_books import OWN
from outletbot.sandbox.stripe_webhooks import Fate, Treatment
from outletbot.sealing import Seal
from outletbot.stripe_money import from_stripe, to_stripe
from tests.factories import (
    DAY,
    KEY,
    NOON,
    make_deal,
    make_offer,
    make_order,
    make_retailer,
    north,
)
from tests.outletbot.till import Till, open_till

BOTH_DATABASES = True

BALANCE = "GET /v1/balance"
LINES = "GET /v1/balance_transactions"


@pytest.fixture
async def till(
    database: Database, session: Session, settings: Settings
) -> AsyncIterator[Till]:
    async with open_till(database, session, settings) as till:
        yield till


async def sell(till: Till, deal: Deal, **facts: Any) -> Hold:
    hold = await till.buy(deal, **facts)
    till.pay(hold)
    return hold


async def read(till: Till, *, later: float = 10) -> None:
    """Let things come to rest, then read the books."""
    await till.work()
    till.clock.advance(minutes=later)
    await till.work()
    till.session.rollback()


def agreement(till: Till, retailer: Retailer) -> Agreement:
    till.session.rollback()
    return compare(till.session, retailer.id)


def doubts(till: Till, retailer: Retailer) -> list[tuple[Doubt, str]]:
    found = agreement(till, retailer).differences
    return [(each.doubt, str(each.money)) for each in found]


def at_stripe(till: Till, name: str) -> Counter[str]:
    """Return what Stripe's books add up to, by currency, in our minor units."""
    sums: Counter[str] = Counter()
    for each in till.sandbox.account(name).all("balance_transaction"):
        sums[each["currency"]] += each["net"]
    return Counter({c: from_stripe(total, c).amount for c, total in sums.items()})


def in_ledger(till: Till, account_id: str) -> Counter[str]:
    sums: Counter[str] = Counter()
    for entry in till.all(LedgerEntry):
        if entry.account_id == account_id:
            sums[entry.currency] += entry.net
    return sums


def ledger(till: Till) -> list[LedgerEntry]:
    return sorted(till.all(LedgerEntry), key=lambda e: (e.happened_at, e.kind))


def balances(till: Till) -> list[AccountBalance]:
    with Session(till.database.engine) as fresh:
        return list(fresh.exec(select(AccountBalance)))


def make_own(till: Till, retailer: Retailer, name: str) -> PaymentAccount:
    """Let *retailer* take money by a key of their own."""
    key = f"sk_test_{name}"
    till.sandbox.add_key(key, name)
    sealed = Seal(KEY).close(key)
    kind = PaymentAccountKind.OWN_KEY
    return keep_account(till, retailer, name, kind, sealed_key=sealed)


def make_connected(till: Till, retailer: Retailer, name: str) -> PaymentAccount:
    """Let *retailer* take money by Stripe Connect, and the house take a share."""
    till.sandbox.connect(name)
    kind = PaymentAccountKind.CONNECTED
    return keep_account(till, retailer, name, kind, fee_bps=500)


def keep_account(
    till: Till, retailer: Retailer, name: str, kind: PaymentAccountKind, **facts: Any
) -> PaymentAccount:
    account = PaymentAccount(
        id=new_id("account", NOON),
        retailer_id=retailer.id,
        kind=kind,
        provider_id=name,
        livemode=False,
        connected_at=NOON,
        proved_at=NOON,
        **{"sealed_webhook_secret": Seal(KEY).close("whsec_own"), **facts},
    )
    till.session.add(account)
    till.session.commit()
    return account


class TestEntries:
    async def test_a_payment_is_entered_with_its_fee_and_its_order(
        self, till: Till
    ) -> None:
        await sell(till, till.deal(price_amount=4_999))

        await read(till)

        (order,) = till.orders
        (entry,) = entries_of_order(till.session, order.retailer_id, order.id)
        assert entry.kind == "charge"
        assert (entry.amount, entry.fee, entry.net) == (4_999, 100, 4_899)
        assert entry.payment_id == order.payment_id
        assert entry.happened_at == NOON

    async def test_what_was_given_back_belongs_to_the_order(self, till: Till) -> None:
        hold = await sell(till, till.deal(price_amount=4_999))
        await till.work()
        await refund_in_dashboard(till, hold, 1_000)

        await read(till)

        (order,) = till.orders
        (refund,) = till.refunds
        paid, given = entries_of_order(till.session, order.retailer_id, order.id)
        assert (given.kind, given.amount, given.fee) == ("refund", -1_000, 0)
        assert (given.refund_id, paid.refund_id) == (refund.id, None)
        assert agreement(till, north(till.session)).agrees

    async def test_an_entry_that_came_before_its_order_gets_it_later(
        self, till: Till
    ) -> None:
        till.sandbox.postman.usual = Treatment(fate=Fate.DROPPED)
        hold = await sell(till, till.deal())
        await till.work("bookkeeping")
        (before,) = till.all(LedgerEntry)
        await till.paying.settle(hold)
        till.clock.advance(minutes=6)
        await till.work("bookkeeping")

        (order,), (after,) = till.orders, till.all(LedgerEntry)
        assert (before.order_id, before.retailer_id) == (None, order.retailer_id)
        assert after.order_id == order.id

    async def test_a_payment_that_came_too_late_belongs_to_the_retailer(
        self, till: Till
    ) -> None:
        deal = till.deal(allotment=1)
        late = await till.buy(deal)
        till.pay(late)
        till.change(late, state="released", ended_at=NOON)
        till.change(deal, held=0, sold=1)
        await till.paying.settle(late)

        await read(till)

        (refund,) = till.refunds
        paid, given = ledger(till)
        retailer = north(till.session)
        assert {paid.retailer_id, given.retailer_id} == {retailer.id}
        assert given.refund_id == refund.id
        assert cash(till.session, retailer.id) == [
            Cash(
                gross=Money(4_999, "eur"),
                refunded=Money(4_999, "eur"),
                disputed=Money(0, "eur"),
                fees=Money(100, "eur"),
            )
        ]

    async def test_a_payout_is_no_difference(self, till: Till) -> None:
        await sell(till, till.deal())
        await read(till)
        till.clock.advance(days=4)
        till.sandbox.payout()

        await read(till)

        assert [entry.kind for entry in ledger(till)] == ["charge", "payout"]
        assert in_ledger(till, HOUSE)["eur"] == 0
        assert agreement(till, north(till.session)).agrees

    async def test_what_an_account_had_before_is_one_entry(self, till: Till) -> None:
        south = make_retailer(till.session)
        account = make_own(till, south, "acct_south")
        till.clock.advance(days=-30)
        await charge_in_dashboard(till, account.id, 12_345)
        till.clock.advance(days=30)
        await sell(till, make_deal(till.session, retailer_id=south.id))

        await read(till)

        nets = {entry.kind: entry.net for entry in till.all(LedgerEntry)}
        assert nets == {"opening": 12_345 - 210, "charge": 4_899}
        assert in_ledger(till, account.id) == at_stripe(till, "acct_south")
        assert agreement(till, south).agrees


class TestReading:
    async def test_a_balance_that_moves_while_it_is_read_is_not_kept(
        self, till: Till
    ) -> None:
        deal = till.deal()
        await sell(till, deal)
        await read(till)
        (kept,) = balances(till)
        waiting = await till.buy(deal)
        till.clock.advance(minutes=10)

        till.goes_wrong(LINES, Fault.SLOW)
        till.sandbox.faults.slow_by = timedelta(milliseconds=300)
        reading = asyncio.create_task(till.work("bookkeeping"))
        await until_asked(till, LINES)
        till.pay(waiting)
        await reading

        assert balances(till) == [kept]
        assert agreement(till, north(till.session)).agrees
        till.clock.advance(seconds=15)
        await till.work()
        (now,) = balances(till)
        assert now.amount == now.listed_amount == 2 * 4_899

    async def test_books_that_cannot_be_read_say_so(self, till: Till) -> None:
        await sell(till, till.deal())
        till.goes_wrong(BALANCE, Fault.ERROR_BEFORE)

        await till.work()

        found = agreement(till, north(till.session))
        assert found.trouble
        assert (found.read_at, found.agrees) == (None, False)
        assert found.is_stale(till.clock.now)

    async def test_thousands_of_lines_are_read_in_turns(self, till: Till) -> None:
        deal = till.deal(allotment=250, price_amount=4_999)
        for number in range(250):
            await sell(till, deal)
            till.clock.advance(seconds=number % 3)

        await till.work("bookkeeping")

        assert len(till.all(LedgerEntry)) == 250
        assert in_ledger(till, HOUSE) == at_stripe(till, OWN)


class TestDisputes:
    async def test_take_the_money_and_a_fee(self, till: Till) -> None:
        await sell(till, till.deal(price_amount=4_999))
        await read(till)
        (order,) = till.orders
        till.sandbox.dispute(order.payment_id)

        await read(till)

        _, taken = entries_of_order(till.session, order.retailer_id, order.id)
        assert (taken.kind, taken.amount) == ("dispute", -4_999)
        assert taken.fee == till.sandbox.fees.dispute
        assert agreement(till, north(till.session)).agrees
        (left,) = cash(till.session, order.retailer_id)
        assert left.disputed == Money(4_999, "eur")
        assert left.net == Money(-100 - till.sandbox.fees.dispute, "eur")

    async def test_that_are_won_bring_it_back(self, till: Till) -> None:
        await sell(till, till.deal(price_amount=4_999))
        await read(till)
        (order,) = till.orders
        dispute = till.sandbox.dispute(order.payment_id)
        await read(till)
        till.sandbox.decide_dispute(dispute["id"], won=True)

        await read(till)

        (left,) = cash(till.session, order.retailer_id)
        assert left.disputed == Money(0, "eur")
        assert agreement(till, north(till.session)).agrees

    async def test_nobody_told_us_of_are_a_difference(self, till: Till) -> None:
        await sell(till, till.deal(price_amount=4_999))
        await read(till)
        (order,) = till.orders
        till.sandbox.postman.usual = Treatment(fate=Fate.DROPPED)
        till.sandbox.dispute(order.payment_id)
        till.clock.advance(minutes=10)
        await till.work("bookkeeping")

        unknown = doubts(till, north(till.session))
        await read(till)

        assert unknown == [(Doubt.NO_DISPUTE, "-49.99 EUR")]
        assert agreement(till, north(till.session)).agrees


class TestDifferences:
    async def test_a_charge_behind_our_back_is_exactly_that_item(
        self, till: Till
    ) -> None:
        south = make_retailer(till.session)
        own = make_own(till, south, "acct_south")
        await sell(till, make_deal(till.session, retailer_id=south.id))
        await read(till)
        assert agreement(till, south).agrees

        payment = await charge_in_dashboard(till, own.id, 1_200)
        await read(till)

        (item,) = agreement(till, south).differences
        assert (item.doubt, item.reference) == (Doubt.NO_ORDER, payment)
        assert (item.money, item.order_id) == (Money(1_200, "eur"), "")
        assert agreement(till, south).sums == [Money(1_200, "eur")]

    async def test_in_the_houses_account_it_is_nobodys(self, till: Till) -> None:
        await sell(till, till.deal())
        await charge_in_dashboard(till, HOUSE, 1_200)

        with capture_logs() as logs:
            await read(till)

        assert agreement(till, north(till.session)).agrees
        (alarm, *_) = [line for line in logs if line["event"] == "ledger_differs"]
        assert alarm["by"] == ["12.00 EUR"]
        assert alarm["items"][0].startswith("no_order pi_")

    async def test_a_payment_of_a_hold_that_we_forgot(self, till: Till) -> None:
        """A backup was restored that is older than the hold."""
        till.sandbox.postman.usual = Treatment(fate=Fate.DROPPED)
        first = await sell(till, till.deal())
        await till.paying.settle(first)
        await charge_in_dashboard(
            till, HOUSE, 4_999, hold="hold_01kjq6psg0efx0zztndgsezf8r"
        )

        with capture_logs() as logs:
            await read(till)

        (alarm, *_) = [line for line in logs if line["event"] == "ledger_differs"]
        assert alarm["items"][0].startswith("no_hold pi_")

    async def test_an_order_that_stripe_does_not_know(self, till: Till) -> None:
        deal = till.deal()
        await sell(till, deal)
        lost = make_order(till.session, deal)

        await read(till)

        (item,) = agreement(till, north(till.session)).differences
        assert (item.doubt, item.order_id) == (Doubt.NO_PAYMENT, lost.id)
        assert item.money == Money(-4_999, "eur")
        assert item.since == lost.paid_at

    async def test_an_amount_that_is_another(self, till: Till) -> None:
        await sell(till, till.deal())
        await read(till)
        (order,) = till.orders
        till.change(order, total_amount=4_900)

        assert doubts(till, north(till.session)) == [(Doubt.AMOUNT, "0.99 EUR")]

    async def test_a_refund_that_failed_and_was_given_again_is_none(
        self, till: Till
    ) -> None:
        """It is two refunds of ours of a payment that was to be given back once."""
        deal = till.deal(allotment=1)
        late = await sell(till, deal)
        till.change(late, state="released", ended_at=NOON)
        till.change(deal, held=0, sold=1)
        await till.paying.settle(late)
        await read(till)
        (failed,) = till.refunds
        till.sandbox.fail_refund(failed.provider_id)
        await read(till)

        await till.database.transact(
            try_refund_again,
            failed.retailer_id,
            failed.id,
            by="merchant_ana",
            now=till.clock.now,
        )
        await read(till)

        assert till.received == 0
        assert compare_account(till.session, HOUSE).agrees

    async def test_a_refund_that_only_stripe_knows(self, till: Till) -> None:
        hold = await sell(till, till.deal())
        await read(till)
        till.sandbox.postman.usual = Treatment(fate=Fate.DROPPED)
        await refund_in_dashboard(till, hold, 1_000)
        till.clock.advance(minutes=10)
        await till.work("bookkeeping")

        unknown = doubts(till, north(till.session))
        await read(till)

        assert unknown == [(Doubt.REFUNDS, "-10.00 EUR")]
        assert agreement(till, north(till.session)).agrees

    async def test_a_refund_that_only_we_know(self, till: Till) -> None:
        await sell(till, till.deal())
        await read(till)
        (order,) = till.orders
        till.change(order, refunded_amount=700)

        assert doubts(till, north(till.session)) == [(Doubt.REFUNDS, "7.00 EUR")]

    async def test_what_happened_just_now_is_not_judged(self, till: Till) -> None:
        deal = till.deal()
        await sell(till, deal)
        await read(till)
        make_order(till.session, deal, paid_at=till.clock.now - timedelta(minutes=4))

        assert agreement(till, north(till.session)).agrees

    async def test_a_balance_that_is_another_twice_is_a_difference(
        self, till: Till
    ) -> None:
        await sell(till, till.deal())
        await read(till)
        (lost,) = ledger(till)
        till.change(lost, net=lost.net - 5)
        till.clock.advance(minutes=6)
        await till.work("bookkeeping")
        once = doubts(till, north(till.session))
        till.clock.advance(minutes=6)
        await till.work("bookkeeping")

        assert once == []
        assert doubts(till, north(till.session)) == [(Doubt.BALANCE, "0.05 EUR")]


@pytest.mark.parametrize("seed", range(2))
async def test_every_account_agrees_to_the_cent(till: Till, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - for disorder, not for secrets
    south, east = (make_retailer(till.session, slug) for slug in ("south", "east"))
    own, connected = (
        make_own(till, south, "acct_south"),
        make_connected(till, east, "acct_east"),
    )
    retailers = (north(till.session), south, east)
    deals = [
        make_deal(till.session, goods(till, retailer, currency), **price_of(currency))
        for retailer in retailers
        for currency in ("eur", "jpy", "kwd", "isk")
    ]

    for _ in range(40):
        await something_happens(till, dice, deals)
        till.clock.advance(minutes=dice.choice((0, 1, 30, 300)))
        await till.work()
    till.sandbox.payout()
    till.sandbox.payout("acct_south")
    for _ in range(3):
        await read(till)

    for account_id, name in (
        (HOUSE, OWN),
        (own.id, "acct_south"),
        (connected.id, "acct_east"),
    ):
        assert in_ledger(till, account_id) == at_stripe(till, name)
    for retailer in retailers:
        assert agreement(till, retailer).agrees, doubts(till, retailer)


def goods(till: Till, retailer: Retailer, currency: str) -> Any:
    return make_offer(
        till.session, retailer_id=retailer.id, currency=currency, quantity=100
    )


def price_of(currency: str) -> dict[str, Any]:
    amounts = {"eur": 4_999, "jpy": 5_000, "kwd": 12_340, "isk": 7_001}
    closes_at = NOON + 90 * DAY
    return {"price_amount": amounts[currency], "allotment": 100, "closes_at": closes_at}


async def something_happens(till: Till, dice: random.Random, deals: list[Deal]) -> None:
    match dice.randrange(11):
        case 0 | 1 | 2:
            await sell(till, dice.choice(deals), quantity=dice.choice((1, 2)))
        case 3:
            hold = await till.buy(dice.choice(deals))
            till.sandbox.promise(hold.checkout_id or "")
        case 4:
            await something_concludes(till, dice)
        case 5 | 6:
            await something_goes_back(till, dice)
        case 7:
            till.sandbox.payout(dice.choice(("", "acct_south", "acct_east")))
        case 8:
            something_is_disputed(till, dice)
        case 9:
            something_is_decided(till, dice)
        case 10:
            something_comes_back(till, dice)


async def something_concludes(till: Till, dice: random.Random) -> None:
    waiting = [hold for hold in till.all(Hold) if hold.state == "processing"]
    if waiting:
        page = dice.choice(waiting).checkout_id
        (till.sandbox.conclude if dice.random() < 0.7 else till.sandbox.disappoint)(
            page
        )


async def something_goes_back(till: Till, dice: random.Random) -> None:
    orders = [o for o in till.orders if o.refunded_amount < o.total_amount]
    if orders:
        order = dice.choice(orders)
        left = order.total_amount - order.refunded_amount
        part = dice.choice((left, left // 20 * 10))
        await give_back(till, order, part or left)


def something_is_disputed(till: Till, dice: random.Random) -> None:
    disputed = {dispute.order_id for dispute in till.all(Dispute)}
    orders = [o for o in till.orders if not o.refunded_amount and o.id not in disputed]
    if orders:
        till.sandbox.dispute(dice.choice(orders).payment_id)


def something_is_decided(till: Till, dice: random.Random) -> None:
    waiting = [dispute for dispute in till.all(Dispute) if dispute.closed_at is None]
    if waiting:
        dispute_id = dice.choice(waiting).provider_id
        till.sandbox.decide_dispute(dispute_id, won=dice.random() < 0.5)


def something_comes_back(till: Till, dice: random.Random) -> None:
    """A refund fails days later."""
    given = [refund for refund in till.refunds if refund.counts]
    if given:
        refund = dice.choice(given)
        accounts = {row.id: row.provider_id for row in till.all(PaymentAccount)}
        name = accounts.get(refund.account_id, OWN)
        till.sandbox.fail_refund(refund.provider_id or "", name)


async def give_back(till: Till, order: Order, amount: int) -> None:
    """Give money back in the dashboard; Stripe refuses that while it is disputed."""
    gateway = await till.gateways.of(order.account_id)
    asked = to_stripe(Money(amount, order.currency))
    with suppress(stripe.InvalidRequestError):
        await gateway.client.v1.refunds.create_async(
            {"payment_intent": order.payment_id, "amount": asked}, gateway.options()
        )


async def refund_in_dashboard(till: Till, hold: Hold, amount: int) -> None:
    (page,) = [page for page in till.pages if page["id"] == hold.checkout_id]
    await till.gateway.client.v1.refunds.create_async(
        {"payment_intent": page["payment_intent"], "amount": amount}
    )


async def charge_in_dashboard(
    till: Till, account_id: str, amount: int, **metadata: str
) -> str:
    """Somebody takes money by the same account, and not through us."""
    gateway = await till.gateways.of(account_id)
    page = await gateway.client.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "success_url": "https://elsewhere.example",
            "payment_intent_data": {"metadata": metadata},
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": amount,
                        "product_data": {"name": "A lesson"},
                    },
                }
            ],
        }
    )
    return str(till.sandbox.pay(page.id)["payment_intent"])


async def until_asked(till: Till, call: str) -> None:
    before = till.asked(call)
    while till.asked(call) == before:  # noqa: ASYNC110 - another task's doing
        await asyncio.sleep(0)
