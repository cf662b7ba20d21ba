"""
Units are never lost or made, whatever happens, in whatever order, however often.
"""

from contextlib import ExitStack
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func
from sqlmodel import Session, col, select

from offers.allotments import fit_to_stock
from offers.checkouts import CheckoutState, Paid
from offers.claim_rows import Granted
from offers.claims import Claim, place_holds
from offers.deals import Deal, mark_sold_out
from offers.errors import WrongState
from offers.holds import ACTIVE, Hold, HoldState, extend_hold, get_hold, give_up_hold
from offers.orders import Order
from offers.payment_pages import (
    begin_checkout,
    forget_checkout,
    lease_lapsed_holds,
    open_checkout,
)
from offers.refunds import Refund
from offers.stock import Cause, count_stock
from tests.conftest import Passing
from tests.factories import (
    MINUTE,
    NOON,
    make_checkout,
    make_claim,
    make_deal,
    make_offer,
)
from webhooks.settling import settle_checkout

ALLOTMENT = 6
WORDS: tuple[dict[str, Any], ...] = (
    {},
    {"paid": Paid.UNPAID},
    {"paid": Paid.FAILED},
    {"state": CheckoutState.EXPIRED, "paid": Paid.UNPAID},
    {"state": CheckoutState.OPEN, "paid": Paid.UNPAID},
)


class Rush(RuleBasedStateMachine):
    """Shoppers, provider, shop and sweeper do as they please with a deal."""

    passing: Passing
    claims = Bundle("claims")
    holds = Bundle("holds")

    @initialize()
    def open(self) -> None:
        self.now = NOON
        self.stack = ExitStack()
        self.session: Session = self.stack.enter_context(self.passing())
        self.offer = make_offer(self.session, quantity=ALLOTMENT)
        self.deal = make_deal(self.session, self.offer, allotment=ALLOTMENT)

    def teardown(self) -> None:
        self.stack.close()

    @rule(
        target=claims,
        shopper=st.sampled_from(["ana", "sam", "kim", "lee"]),
        quantity=st.integers(1, 2),
    )
    def come(self, shopper: str, quantity: int) -> Claim:
        return make_claim(self.session, self.deal, shopper=shopper, quantity=quantity)

    @rule(target=holds, batch=st.lists(claims, max_size=4))
    def place(self, batch: list[Claim]) -> Any:
        answers = place_holds(self.session, batch, now=self.now)
        return multiple(*(hold.id for hold in answers if isinstance(hold, Granted)))

    @rule(hold_id=holds)
    def ask_for_a_page(self, hold_id: str) -> None:
        begin_checkout(self.session, hold_id, "asked", now=self.now)

    @rule(hold_id=holds)
    def record_the_page(self, hold_id: str) -> None:
        open_checkout(
            self.session,
            hold_id,
            f"cs_{hold_id}",
            "https://pay.example/1",
            now=self.now,
        )

    @rule(hold_id=holds)
    def make_no_page(self, hold_id: str) -> None:
        forget_checkout(self.session, hold_id, until=self.now)

    @rule(hold_id=holds, word=st.sampled_from(WORDS), twice=st.booleans())
    def hear(self, hold_id: str, word: dict[str, Any], *, twice: bool) -> None:
        checkout = make_checkout(get_hold(self.session, hold_id), **word)
        for _ in range(1 + twice):
            settle_checkout(self.session, checkout, livemode=False, now=self.now)

    @rule(hold_id=holds)
    def give_up(self, hold_id: str) -> None:
        give_up_hold(self.session, get_hold(self.session, hold_id).token, now=self.now)

    @rule(hold_id=holds)
    def extend(self, hold_id: str) -> None:
        hold = get_hold(self.session, hold_id)
        try:
            extend_hold(self.session, hold.token, now=self.now)
        except WrongState:
            self.session.refresh(hold)

    @rule()
    def sweep(self) -> None:
        lease_lapsed_holds(self.session, now=self.now)

    @rule(minutes=st.integers(1, 12))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(quantity=st.integers(0, ALLOTMENT))
    def count(self, quantity: int) -> None:
        self.session.refresh(self.offer)
        count_stock(
            self.session,
            self.offer,
            quantity,
            counted_at=self.now,
            sold_since=0,
            cause=Cause.MESSAGE,
            source_id="arrival",
            now=self.now,
        )
        fit_to_stock(self.session, self.offer)
        mark_sold_out(self.session, self.deal.id, now=self.now)

    @invariant()
    def every_unit_is_somewhere_and_only_there(self) -> None:
        self.session.flush()
        self.session.expire_all()
        deal = self.session.get_one(Deal, self.deal.id)

        assert deal.held == self._units(col(Hold.state).in_(ACTIVE))
        assert deal.sold == self._units(col(Hold.state) == HoldState.PAID)
        assert deal.left >= 0
        assert deal.left + deal.held + deal.sold + deal.withheld == deal.allotment

    @invariant()
    def every_payment_is_an_order_or_a_refund(self) -> None:
        ordered = self.session.exec(select(Order)).all()
        refunded = set(self.session.exec(select(Refund.payment_id)).all())

        assert sum(order.quantity for order in ordered) == self.deal.sold
        assert not refunded & {order.payment_id for order in ordered}

    @invariant()
    def nothing_is_sold_out_that_can_come_back(self) -> None:
        if self.deal.sold_out_at is not None:
            assert (self.deal.left, self.deal.held) == (0, 0)

    def _units(self, which: Any) -> int:
        total = select(func.coalesce(func.sum(col(Hold.quantity)), 0)).where(which)
        return int(self.session.exec(total).one())


def test_units_are_never_lost_or_made(passing: Passing, database_kind: str) -> None:
    quick = database_kind == "sqlite"

    run_state_machine_as_test(
        type("Here", (Rush,), {"passing": staticmethod(passing)}),
        settings=settings(
            max_examples=30 if quick else 12,
            stateful_step_count=40,
            deadline=None,
        ),
    )
