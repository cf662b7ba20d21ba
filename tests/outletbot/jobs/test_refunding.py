"""
Money that is owed back is given once, however often the provider has to be asked.
"""

from datetime import timedelta

from sqlmodel import Session

from offers.money import Money
from offers.orders import Order
from offers.refund_news import RefundWord
from offers.refunds import LEASE, Refund, RefundStage, RefundState
from outletbot.db import Database
from outletbot.jobs.refunding import GIVE_UP, give_due_refunds
from outletbot.payments import Declined
from tests.factories import DAY, NOON, SECOND, make_order, make_refund
from tests.fakes import FakePayments

BOTH_DATABASES = True


async def give(database: Database, payments: FakePayments, session, *, at=NOON) -> int:
    session.rollback()
    return await give_due_refunds(database, payments, lambda: at)


def now(session: Session, refund: Refund) -> Refund:
    session.rollback()
    found = session.get_one(Refund, refund.id, populate_existing=True)
    session.rollback()
    return found


async def test_gives_what_is_owed(database, session, payments) -> None:
    refund = make_refund(session)

    tried = await give(database, payments, session)
    again = await give(database, payments, session, at=NOON + LEASE)

    assert (tried, again) == (1, 0)
    assert now(session, refund).provider_id == f"re_{refund.id}"
    assert now(session, refund).given_at == NOON
    assert list(payments.refunds_asked) == [refund.id]


async def test_the_order_says_what_was_given_back(database, session, payments) -> None:
    order = make_order(session)
    make_refund(session, of=order, amount=1_000)

    await give(database, payments, session)

    session.rollback()
    session.refresh(order)
    assert order.refunded_amount == 1_000


async def test_one_that_is_on_its_way_is_not_asked_for_again(
    database, session, payments
) -> None:
    refund = make_refund(session)
    payments.stage = RefundStage.PENDING

    await give(database, payments, session)
    again = await give(database, payments, session, at=NOON + DAY)

    assert (again, now(session, refund).state) == (0, RefundState.PENDING)


async def test_leaves_what_is_not_due(database, session, payments) -> None:
    make_refund(session, due_at=NOON + SECOND)

    assert await give(database, payments, session) == 0
    assert payments.refunds_asked == {}


async def test_looks_before_it_asks_again(database, session, payments) -> None:
    """The answer was lost, and the provider forgets our key after a day."""
    refund = make_refund(session)
    payments.lost = 1

    await give(database, payments, session)
    failure, due_at = now(session, refund).failure, now(session, refund).due_at
    await give(database, payments, session, at=NOON + 2 * DAY)

    assert (failure, due_at) == ("the answer was lost", NOON + 30 * SECOND)
    assert now(session, refund).given_at == NOON + 2 * DAY
    assert now(session, refund).failure == ""
    assert payments.calls["refund"] == 1


async def test_asks_again_for_what_is_not_there(database, session, payments) -> None:
    refund = make_refund(session)
    payments.down = True
    await give(database, payments, session)
    payments.down = False

    await give(database, payments, session, at=NOON + 30 * SECOND)

    assert now(session, refund).given_at == NOON + 30 * SECOND
    assert payments.calls["refund"] == 2


async def test_a_provider_that_is_down_is_asked_for_ever(
    database, session, payments
) -> None:
    refund = make_refund(session)
    payments.down = True

    await give(database, payments, session, at=NOON + GIVE_UP + DAY)

    assert now(session, refund).state is RefundState.DUE


class TestRefused:
    async def test_for_now_is_asked_again_by_another_key(
        self, database, session, payments
    ) -> None:
        refund = make_refund(session)
        payments.refuses, payments.passing = "The balance is too low.", True

        await give(database, payments, session)
        refused = now(session, refund)
        seen = refused.failure, refused.refusals, refused.state
        payments.refuses = ""
        await give(database, payments, session, at=NOON + 30 * SECOND)

        assert seen == ("The balance is too low.", 1, RefundState.DUE)
        assert now(session, refund).given_at is not None
        assert payments.refunds_asked[refund.id].refusals == 1

    async def test_for_a_week_is_refused_for_good(
        self, database, session, payments
    ) -> None:
        refund = make_refund(session)
        payments.refuses, payments.passing = "The balance is too low.", True
        payments.code = "balance_insufficient"

        await give(database, payments, session, at=NOON + GIVE_UP - SECOND)
        before = now(session, refund).state
        await give(database, payments, session, at=NOON + GIVE_UP + DAY)

        assert before is RefundState.DUE
        assert now(session, refund).state is RefundState.FAILED
        assert now(session, refund).failure_code == "balance_insufficient"

    async def test_for_good_is_said_at_once(self, database, session, payments) -> None:
        refund = make_refund(session)
        payments.refuses, payments.code = "It is disputed.", "charge_disputed"

        await give(database, payments, session)
        again = await give(database, payments, session, at=NOON + DAY)

        failed = now(session, refund)
        assert (failed.failed_at, failed.failure) == (NOON, "It is disputed.")
        assert (failed.failure_code, again) == ("charge_disputed", 0)

    async def test_because_somebody_gave_it_by_hand_is_given(
        self, database, session, payments
    ) -> None:
        refund = make_refund(session)
        by_hand = RefundWord(
            id="re_dashboard", money=refund.money, stage=RefundStage.SUCCEEDED
        )
        payments.given[refund.payment_id] = {by_hand.id: by_hand}
        mean = _Mean(given=payments.given)

        await give(database, mean, session)

        assert now(session, refund).provider_id == "re_dashboard"
        assert now(session, refund).state is RefundState.GIVEN

    async def test_because_an_order_was_given_back_by_hand_counts_that_once(
        self, database, session, payments
    ) -> None:
        order = make_order(session)
        refund = make_refund(session, of=order)
        by_hand = RefundWord(
            id="re_dashboard", money=refund.money, stage=RefundStage.SUCCEEDED
        )
        mean = _Mean(given={order.payment_id: {by_hand.id: by_hand}})

        await give(database, mean, session)

        assert now(session, refund).failure_code == "charge_already_refunded"
        session.rollback()
        found = session.get_one(Order, order.id, populate_existing=True)
        assert found.refunded == found.total

    async def test_keeps_no_other_waiting(self, database, session) -> None:
        refused, good = make_refund(session), make_refund(session)
        picky = _Picky(refused=refused.id)

        await give(database, picky, session)

        assert now(session, refused).state is RefundState.FAILED
        assert now(session, good).given_at == NOON


async def test_a_bug_in_one_refunds_way_keeps_no_other_waiting(
    database, session
) -> None:
    broken, good = make_refund(session), make_refund(session)

    await give(database, _Broken(refused=broken.id), session)

    assert now(session, good).given_at == NOON
    assert now(session, broken).failure == "ZeroDivisionError"
    assert now(session, broken).due_at == NOON + timedelta(seconds=30)


class _Mean(FakePayments):
    """Refuses what was given by hand before."""

    async def refund(self, refund: Refund) -> RefundWord:
        self.calls["refund"] += 1
        assert refund.money > Money(0, refund.currency)
        msg = "Charge ch_1 has already been refunded."
        raise Declined(msg, code="charge_already_refunded")


class _Picky(FakePayments):
    def __init__(self, *, refused: str) -> None:
        super().__init__()
        self.refused = refused

    async def refund(self, refund: Refund) -> RefundWord:
        self.refuses = "no" if refund.id == self.refused else ""
        return await super().refund(refund)


class _Broken(_Picky):
    async def refund(self, refund: Refund) -> RefundWord:
        return await super().refund(refund) if refund.id != self.refused else 1 / 0  # type: ignore[return-value]  # the bug
