"""
Prices fall by themselves, and pages that are open hear of it.
"""

from sqlmodel import Session

from offers.deals import Deal
from outletbot.db import Database
from outletbot.jobs.marking_down import mark_down
from tests.factories import HOUR, NOON, SECOND, make_deal
from tests.offers.test_markdowns import make_markdown

BOTH_DATABASES = True


async def test_a_step_is_taken_when_it_is_due(
    database: Database, session: Session
) -> None:
    deal = make_deal(session, closes_at=NOON + 2 * HOUR)
    make_markdown(session, deal, [(60, 4_490)])

    early = await mark_down(database, lambda: NOON - SECOND)
    due = await mark_down(database, lambda: NOON)
    again = await mark_down(database, lambda: NOON + SECOND)

    session.rollback()
    found = session.get_one(Deal, deal.id, populate_existing=True)
    assert (early, due, again) == (0, 1, 0)
    assert found.price_amount == 4_490


async def test_a_step_that_is_not_needed_is_settled_once(
    database: Database, session: Session
) -> None:
    deal = make_deal(session, sold=9, closes_at=NOON + 2 * HOUR)
    make_markdown(session, deal, [(60, 4_490, 50)])

    assert await mark_down(database, lambda: NOON) == 0
    assert await mark_down(database, lambda: NOON + SECOND) == 0
