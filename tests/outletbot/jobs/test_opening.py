"""
Deals open and close by themselves, and whoever has to hear of it does.
"""

import asyncio
import json

from sqlmodel import Session, select

from offers.deals import Deal, end_deal
from offers.posts import Post
from outletbot.db import Database
from outletbot.jobs.opening import open_and_close
from tests.factories import HOUR, NOON, SECOND, make_deal, make_order, north
from webhooks.outbox import Delivery

BOTH_DATABASES = True


async def run(database: Database, session: Session, *, at=NOON) -> int:
    session.rollback()
    return await open_and_close(database, lambda: at)


def now(session: Session, deal: Deal) -> Deal:
    session.rollback()
    found = session.get_one(Deal, deal.id, populate_existing=True)
    session.rollback()
    return found


def listening(session: Session) -> None:
    retailer = north(session)
    retailer.webhook_url = "https://north.example/hooks"
    session.add(retailer)
    session.commit()


def told(session: Session) -> list[dict[str, object]]:
    found = session.exec(select(Delivery).order_by(Delivery.id)).all()
    session.rollback()
    return [json.loads(delivery.body) for delivery in found]


async def test_opens_a_deal_at_its_time(database, session) -> None:
    deal = make_deal(session, opens_at=NOON, opened_at=None)

    early = await run(database, session, at=NOON - SECOND)
    opened = await run(database, session)
    again = await run(database, session)

    assert (early, opened, again) == (0, 1, 0)
    assert now(session, deal).opened_at == NOON


async def test_closes_a_deal_and_tells_the_retailer(database, session) -> None:
    listening(session)
    deal = make_deal(session, allotment=10, closes_at=NOON + SECOND)
    make_order(session, deal, quantity=3)

    early = await run(database, session)
    closed = await run(database, session, at=NOON + SECOND)

    assert (early, closed) == (0, 1)
    assert now(session, deal).closed_at == NOON + SECOND
    (message,) = told(session)
    assert message["type"] == "deal.closed"
    facts = message["data"]
    assert isinstance(facts, dict)
    assert (facts["deal"], facts["offered"], facts["sold"]) == (deal.id, 10, 3)
    assert facts["sold_out"] is False


async def test_tells_that_it_was_sold_out(database, session) -> None:
    listening(session)
    deal = make_deal(session, allotment=2, closes_at=NOON + SECOND)
    make_order(session, deal, quantity=2)

    await run(database, session, at=NOON + SECOND)

    (message,) = told(session)
    assert message["data"]["sold_out"] is True  # type: ignore[index]
    assert now(session, deal).sold_out_at == NOON + SECOND


async def test_lets_the_posts_of_a_closed_deal_say_so(database, session) -> None:
    deal = make_deal(session, closes_at=NOON + SECOND)
    other = make_deal(session, closes_at=NOON + HOUR)

    await run(database, session, at=NOON + SECOND)

    due = {post.deal_id: post.retire_at for post in session.exec(select(Post))}
    assert due == {deal.id: NOON + SECOND, other.id: None}


async def test_closes_a_deal_that_was_ended_early(database, session) -> None:
    deal = make_deal(session, closes_at=NOON + HOUR)
    end_deal(session, deal.retailer_id, deal.id, now=NOON)
    session.commit()

    await run(database, session)

    assert now(session, deal).closed_at == NOON


async def test_opens_and_closes_what_was_slept_through(database, session) -> None:
    """The service was down for all of the deal."""
    deal = make_deal(session, opens_at=NOON, closes_at=NOON + HOUR, opened_at=None)

    done = await run(database, session, at=NOON + 2 * HOUR)

    assert done == 2
    assert now(session, deal).opened_at is not None
    assert now(session, deal).closed_at is not None


async def test_is_done_by_one_worker(connect, session) -> None:
    listening(session)
    make_deal(session, closes_at=NOON + SECOND)
    session.rollback()
    workers = [connect() for _ in range(3)]

    done = await asyncio.gather(
        *(open_and_close(worker, lambda: NOON + SECOND) for worker in workers)
    )

    assert sum(done) == 1
    assert len(told(session)) == 1
