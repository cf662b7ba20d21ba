"""
Money that is owed back is given once, however often the provider has to be asked.
"""

from sqlmodel import Session

from offers.refunds import LEASE, Refund
from outletbot.db import Database
from outletbot.jobs.refunding import give_due_refunds
from tests.factories import NOON, SECOND, make_refund
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
    assert list(payments.refunds) == [refund.id]


async def test_leaves_what_is_not_due(database, session, payments) -> None:
    make_refund(session, due_at=NOON + SECOND)

    assert await give(database, payments, session) == 0
    assert payments.refunds == {}


async def test_asks_again_when_no_answer_came(database, session, payments) -> None:
    refund = make_refund(session)
    payments.lost = 1

    await give(database, payments, session)
    failure, due_at = now(session, refund).failure, now(session, refund).due_at
    await give(database, payments, session, at=NOON + 30 * SECOND)

    assert (failure, due_at) == ("the answer was lost", NOON + 30 * SECOND)
    assert now(session, refund).given_at == NOON + 30 * SECOND
    assert now(session, refund).failure == ""
    assert (payments.calls["refund"], len(payments.refunds)) == (2, 1)


async def test_a_refusal_is_shown_and_asked_again(database, session, payments) -> None:
    refund = make_refund(session)
    payments.refuses = "The balance is too low."

    await give(database, payments, session)

    assert now(session, refund).failure == "The balance is too low."
    payments.refuses = ""
    await give(database, payments, session, at=NOON + 30 * SECOND)
    assert now(session, refund).given_at is not None


async def test_one_that_is_refused_keeps_no_other_waiting(database, session) -> None:
    refused, good = make_refund(session), make_refund(session)
    picky = _Picky(refused=refused.id)

    await give(database, picky, session)

    assert now(session, refused).given_at is None
    assert now(session, good).given_at == NOON


class _Picky(FakePayments):
    def __init__(self, *, refused: str) -> None:
        super().__init__()
        self.refused = refused

    async def refund(self, refund: Refund) -> str:
        self.refuses = "no" if refund.id == self.refused else ""
        return await super().refund(refund)
