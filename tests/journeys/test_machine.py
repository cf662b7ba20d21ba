"""
Units and money add up, whatever shoppers, banks, Stripe, the post, the shop and the
clock do to a deal, in whatever order; and once they leave it alone, every payment is an
order or has gone back, and Stripe's books and ours say the same to the cent.
"""

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from offers.agreement import compare, compare_account
from offers.claim_rows import Granted
from offers.claims import place_holds
from offers.holds import Hold, extend_hold, give_up_hold
from offers.payment_accounts import HOUSE
from offers.payment_pages import lease_lapsed_holds
from offers.readings import Subject, find_reading
from offers.refunds import lease_due_refunds
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.stripe_payments import (
    DISPUTED_CARD,
    GOOD_CARD,
    SLOW_REFUND_CARD,
)
from outletbot.sandbox.stripe_webhooks import Fate
from tests.factories import make_claim
from tests.journeys.machine import (
    JOBS,
    Books,
    Row,
    World,
    lost_disputes,
    undecided,
    units,
)
from tests.outletbot.till import CREATE, EXPIRE, REFUND, RETRIEVE
from webhooks.inbox import lease_arrivals
from webhooks.settling import redeem

BOTH_DATABASES = True

PRICE = 4_999
SHOPPERS = st.sampled_from(["ana", "sam", "kim", "lee", "bob"])
CARDS = st.sampled_from([GOOD_CARD, GOOD_CARD, SLOW_REFUND_CARD, DISPUTED_CARD])
MAYBE = st.none() | CARDS | CARDS
WHICH = st.integers(0, 7)
WISHES: dict[str, Any] = {
    "shopper": SHOPPERS,
    "quantity": st.sampled_from([1, 1, 2]),
    "key": st.integers(0, 2),
    "deal": WHICH,
}
CALLS = st.sampled_from(
    [
        CREATE,
        EXPIRE,
        RETRIEVE,
        REFUND,
        "GET /v1/refunds",
        "GET /v1/disputes/{id}",
        "GET /v1/events",
        "GET /v1/balance",
        "GET /v1/balance_transactions",
    ]
)
FAULTS = st.lists(st.sampled_from(Fault), max_size=2)
TROUBLES = st.lists(
    st.tuples(CALLS, st.sampled_from(Fault)), max_size=3, unique_by=lambda each: each[0]
)
TIMES = st.sampled_from(
    [
        timedelta(seconds=10),
        timedelta(minutes=1),
        timedelta(minutes=6),
        timedelta(minutes=11),
        timedelta(minutes=50),
        timedelta(hours=1, minutes=20),
        timedelta(hours=26),
        timedelta(days=4),
    ]
)
LIVES = st.sampled_from([timedelta(hours=1), timedelta(days=20)])
AGES = st.sampled_from([timedelta(), timedelta(minutes=5), timedelta(hours=3)])
MOST = st.sampled_from([1, 4, 100])
LEASES = st.sampled_from([lease_lapsed_holds, lease_due_refunds, lease_arrivals])

WORK = st.one_of(st.just(JOBS), st.sampled_from([(job,) for job in JOBS]))

SETS_ASIDE = {"held", "reserved", "creating", "open", "processing", "review"}


def one_of(rows: Sequence[Row], which: int) -> Row:
    return rows[which % len(rows)]


class Sale(RuleBasedStateMachine):
    """Everybody does as they please with the deals of one offer.

    What is drawn depends on nothing that happened, since workers are not bound to take
    things up in the same order each time: so there are no bundles, but *which* of those
    that are there, if there are any.
    """

    database: Database
    settings_of_service: Settings

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.database, self.settings_of_service)
        self.till = self.world.till
        self.granted: dict[tuple[str, str], str] = {}
        self.paid_too_late: set[str] = set()

    @initialize(
        deals=st.integers(1, 2),
        allotment=st.sampled_from([1, 2, 2, 3]),
        lasts=LIVES,
        card=MAYBE,
    )
    def open(
        self, deals: int, allotment: int, lasts: timedelta, card: str | None
    ) -> None:
        self.deals = self.world.offer(deals=deals, allotment=allotment, lasts=lasts)
        self.buy("ana", 1, 0, 0, faults=[], card=card, comes_back=True)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.world.do(self.world.come_to_rest())
                self.everything_came_to_a_good_end()
        finally:
            self.world.close()

    @property
    def now(self) -> Any:
        return self.till.clock.now

    # Shoppers.

    @rule(**WISHES, faults=FAULTS, card=MAYBE, comes_back=st.booleans())
    def buy(
        self,
        shopper: str,
        quantity: int,
        key: int,
        deal: int,
        faults: list[Fault],
        card: str | None,
        *,
        comes_back: bool,
    ) -> None:
        """They press "Buy", are sent to the payment page, and may pay at once."""
        self.till.goes_wrong(CREATE, *faults)
        held = self._claim(shopper, quantity, key, deal)
        if held is None:
            return
        hold = self.world.do(self.till.paying.open(held))
        if card is not None and (page := self._page_of(hold)):
            self.world.do(self.world.pay(page, card))
        if comes_back:
            self.world.do(self.till.paying.settle(hold))

    @rule(**WISHES, reserve=st.booleans())
    def claim(
        self, shopper: str, quantity: int, key: int, deal: int, *, reserve: bool
    ) -> None:
        self._claim(shopper, quantity, key, deal, reserve=reserve)

    def _claim(
        self, shopper: str, quantity: int, key: int, deal: int, *, reserve: bool = False
    ) -> str | None:
        """A nervous finger asks twice; the same key gives the same hold."""
        claim = make_claim(
            self.till.session,
            one_of(self.deals, deal),
            shopper=shopper,
            quantity=quantity,
            key=f"{shopper}-{key}",
            reserve=reserve,
        )
        self.till.session.rollback()
        place = self.till.database.claim
        answer, again = self.world.do(place(place_holds, [claim, claim], now=self.now))
        if not isinstance(answer, Granted):
            return None
        known = self.granted.setdefault((claim.deal_id, claim.key), answer.id)
        assert answer.id == again.id == known
        return known

    @rule(which=WHICH, card=st.none() | CARDS)
    def pay(self, which: int, card: str | None) -> None:
        """Those without a card promise to."""
        if pages := self._pages("open"):
            self.world.do(self.world.pay(one_of(pages, which), card))

    @rule(which=WHICH, card=CARDS)
    def pay_too_late(self, which: int, card: str) -> None:
        if pages := self._pages("expired"):
            page = one_of(pages, which)
            self.paid_too_late.add(page["id"])
            self.world.do(self.world.pay_too_late(page, card))

    @rule(which=WHICH, wish=st.sampled_from(["pay", "see", "have more time"]))
    def look_at_their_hold(self, which: int, wish: str) -> None:
        hold, paying = self._hold(which), self.till.paying
        match wish:
            case "pay":
                self.world.do(paying.open(hold.id))
            case "see":  # what became of it: they come from Stripe
                self.world.do(paying.settle(hold))
            case _:
                self.world.do(self.world.ask(extend_hold, hold.token, now=self.now))

    @rule(which=WHICH, faults=FAULTS)
    def give_up(self, which: int, faults: list[Fault]) -> None:
        """A worker is on the way to end it, and may not come far."""
        token = self._hold(which).token
        self.world.do(self.world.ask(give_up_hold, token, now=self.now))
        self.till.goes_wrong(EXPIRE, *faults)
        self.world.do(self.world.work("expiring"))

    # The retailer's people, and their shop.

    @rule(which=WHICH)
    def redeem(self, which: int) -> None:
        reserved = [h for h in self.world.books().holds if h.pickup_code]
        if reserved:
            hold, who = one_of(reserved, which), "merchant_ana"
            asked = redeem, hold.retailer_id, hold.pickup_code
            self.world.do(self.world.ask(*asked, merchant_id=who, now=self.now))

    @rule(
        which=WHICH,
        amount=st.sampled_from([1_000, PRICE, 2 * PRICE]),
        units=st.integers(0, 1),
        faults=FAULTS,
    )
    def give_back(
        self, which: int, amount: int, units: int, faults: list[Fault]
    ) -> None:
        if orders := self.world.books().orders:
            order = one_of(orders, which)
            self.world.do(self.world.give_back(order, amount, units))
            self.till.goes_wrong(REFUND, *faults)
            self.world.do(self.world.work("refunding"))

    @rule(which=WHICH, part=st.booleans(), unheard=st.booleans())
    def give_back_by_hand(self, which: int, *, part: bool, unheard: bool) -> None:
        """Who gives back by hand what became no order gives back all of it."""
        books = self.world.books()
        if not books.payments:
            return
        charge = one_of([*books.payments.values()], which)
        part = part and charge["payment_intent"] in books.online
        amount = 1_000 if part else charge["amount"]
        self.world.do(self.world.refund_by_hand(charge, amount))
        if unheard:
            self.lose_the_post(100)

    @rule(quantity=st.integers(0, 6), age=AGES, copies=st.integers(1, 2))
    def tell_stock(self, quantity: int, age: timedelta, copies: int) -> None:
        self.world.do(self.world.tell_stock(quantity, age=age, copies=copies))

    # Banks, the post, the clock, and the service itself.

    @rule(which=WHICH, well=st.booleans(), unheard=st.booleans())
    def let_a_bank_act(self, which: int, *, well: bool, unheard: bool) -> None:
        if deeds := self.world.deeds_of_banks(well=well):
            self.world.do(one_of(deeds, which)())
        if unheard:
            self.lose_the_post(100)

    @rule(most=MOST, late=st.booleans(), copies=st.integers(1, 2))
    def bring_the_post(self, most: int, copies: int, *, late: bool) -> None:
        waiting = self.world.waiting
        first = waiting[::-1] if late else waiting
        self.world.do(self.world.bring(first[:most], copies=copies))

    @rule(most=MOST)
    def lose_the_post(self, most: int) -> None:
        for delivery in self.world.waiting[:most]:
            delivery["state"] = Fate.DROPPED

    @rule(which=st.integers(0, 100))
    def repeat_an_old_message(self, which: int) -> None:
        if told := self.world.told:
            self.world.do(self.world.bring([one_of(told, which)]))

    @rule(time=TIMES)
    def wait(self, time: timedelta) -> None:
        self.world.do(self.world.wait(time))

    @rule(jobs=WORK, troubles=TROUBLES)
    def work(self, jobs: Sequence[str], troubles: list[tuple[str, Fault]]) -> None:
        for call, fault in troubles:
            self.till.goes_wrong(call, fault)
        self.world.do(self.world.work(*jobs))

    @rule(lease=LEASES)
    def kill_a_worker(self, lease: Any) -> None:
        """It took what was due, and nobody ever heard of it again."""
        self.world.do(self.till.database.transact(lease, now=self.now))

    # What is true at every moment, and at the end.

    @invariant()
    def units_and_money_add_up(self) -> None:
        books = self.world.books()
        no_unit_is_promised_twice(books)
        nothing_is_on_sale_that_the_shop_does_not_have(books)
        no_unit_returns_while_money_can_come_for_it(books, self.paid_too_late)
        nobody_pays_twice_or_gets_back_more(books)
        every_order_was_paid(books)
        assert [line for line in self.world.logs if line.get("exc_info")] == []

    def everything_came_to_a_good_end(self) -> None:
        books = self.world.books()
        assert not (left := books.unfinished()), left
        self.units_and_money_add_up()
        every_payment_is_an_order_or_went_back(books)
        self.both_books_say_the_same(books)

    def both_books_say_the_same(self, books: Books) -> None:
        for payment_id, order in books.online.items():
            given = books.payments[payment_id]["amount_refunded"]
            assert order.refunded_amount == given
        read = self.till.database.read_here
        if read(find_reading, HOUSE, Subject.BOOKS) is not None:
            whole = read(compare_account, HOUSE)
            assert whole.agrees, whole
        if books.online:
            theirs = read(compare, books.deals[0].retailer_id)
            assert theirs.agrees, theirs

    # What there is to choose from.

    def _hold(self, which: int) -> Row:
        return one_of(self.world.books().holds, which)

    def _page_of(self, hold: Hold) -> Row | None:
        found = [page for page in self._pages("open") if page["id"] == hold.checkout_id]
        return found[0] if found else None

    def _pages(self, status: str) -> list[Row]:
        return [page for page in self.till.pages if page["status"] == status]


def no_unit_is_promised_twice(books: Books) -> None:
    aside = [hold for hold in books.holds if hold.state in SETS_ASIDE]
    paid = [hold for hold in books.holds if hold.state == "paid"]
    for deal in books.deals:
        assert deal.held == units(books.of_deal(deal, aside))
        assert deal.sold == units(books.of_deal(deal, books.orders))
        assert deal.sold == units(books.of_deal(deal, paid))
        assert min(deal.held, deal.sold, deal.withheld) >= 0
        assert deal.held + deal.sold + deal.withheld <= deal.allotment


def nothing_is_on_sale_that_the_shop_does_not_have(books: Books) -> None:
    (offer,) = books.offers
    free = offer.quantity - sum(deal.held for deal in books.deals)
    on_sale = sum(
        deal.allotment - deal.held - deal.sold - deal.withheld
        for deal in books.deals
        if deal.closed_at is None
    )
    assert on_sale <= max(0, free)


def no_unit_returns_while_money_can_come_for_it(books: Books, but: set[str]) -> None:
    states = {hold.id: hold.state for hold in books.holds}
    for page in books.pages:
        if page["id"] not in but and can_be_paid(books, page):
            assert states[page["client_reference_id"]] != "released"


def can_be_paid(books: Books, page: Row) -> bool:
    """Whether Stripe has money for a page, or may still get it."""
    if page["status"] == "complete":
        intent = books.intents[page["payment_intent"]]
        return intent["status"] in {"processing", "succeeded"}
    return page["status"] == "open"


def nobody_pays_twice_or_gets_back_more(books: Books) -> None:
    for name in ("hold_id", "payment_id"):
        ordered = [getattr(order, name) for order in books.orders]
        assert len(ordered) == len(set(ordered))
    for order in books.orders:
        assert 0 <= order.refunded_amount <= order.total_amount
    asked = [ours for each in books.given if (ours := each["metadata"].get("refund"))]
    assert len(asked) == len(set(asked))
    for charge in books.charges:
        assert 0 <= charge["amount_refunded"] <= charge["amount_captured"]


def every_order_was_paid(books: Books) -> None:
    for payment_id, order in books.online.items():
        charge = books.payments[payment_id]
        assert charge["amount_captured"] == order.total_amount
        assert charge["metadata"]["hold"] == order.hold_id


def every_payment_is_an_order_or_went_back(books: Books) -> None:
    assert undecided(books) == []
    for payment_id, charge in books.payments.items():
        went_back = charge["amount_refunded"] == charge["amount_captured"]
        lost = payment_id in lost_disputes(books)
        assert payment_id in books.online or went_back or lost


def test_units_and_money_add_up_whatever_happens(
    database: Database, settings: Settings, database_kind: str
) -> None:
    facts = {"database": database, "settings_of_service": settings}

    run_state_machine_as_test(
        type("Here", (Sale,), facts),
        settings=hypothesis_settings(
            max_examples=30 if database_kind == "sqlite" else 10,
            stateful_step_count=30,
            derandomize=True,
        ),
    )
